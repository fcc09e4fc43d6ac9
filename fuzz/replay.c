// SPDX-License-Identifier: Apache-2.0
// Feeds a fuzz target its corpus, and mutations of it made with a fixed seed, as one TAP test: what
// once crashed stays tested, and a parser that breaks easily breaks here, without libFuzzer.
#include "fuzz.h"
#include <glib.h>
#include <stdio.h>
#include <string.h>

#define MUTATIONS 400
#define INPUT_LIMIT 65536

static void mutate(GRand *rand, GByteArray *input) {
  guint changes = (guint)g_rand_int_range(rand, 1, 6);
  for (guint i = 0; i < changes && input->len > 0; i++) {
    guint at = (guint)g_rand_int_range(rand, 0, (gint)input->len);
    switch (g_rand_int_range(rand, 0, 4)) {
    case 0:
      input->data[at] ^= (guint8)(1 << g_rand_int_range(rand, 0, 8));
      break;
    case 1:
      input->data[at] = (guint8) "{}[]\",:\\0-<>&;"[g_rand_int_range(rand, 0, 14)];
      break;
    case 2:
      g_byte_array_remove_index(input, at);
      break;
    default: {
      guint wanted = (guint)g_rand_int_range(rand, 1, 32);
      guint n = MIN(input->len - at, wanted);
      g_autofree guint8 *piece = g_memdup2(input->data + at, n);
      if (input->len + n < INPUT_LIMIT)
        g_byte_array_append(input, piece, n);
    }
    }
  }
}

int main(int argc, char **argv) {
  const char *name;
  guint files = 0;
  g_autoptr(GError) error = NULL;
  g_autoptr(GDir) dir = argc > 1 ? g_dir_open(argv[1], 0, &error) : NULL;
  g_autoptr(GRand) rand = g_rand_new_with_seed(20260101);
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  printf("1..1\n");
  while (dir && (name = g_dir_read_name(dir)))
    g_ptr_array_add(names, g_build_filename(argv[1], name, NULL));
  g_ptr_array_sort(names, (GCompareFunc)(void (*)(void))g_strcmp0);
  for (guint i = 0; i < names->len; i++) {
    g_autofree char *data = NULL;
    gsize len;
    if (!g_file_get_contents(g_ptr_array_index(names, i), &data, &len, &error))
      break;
    LLVMFuzzerTestOneInput((const guint8 *)data, len);
    for (guint m = 0; m < MUTATIONS; m++) {
      g_autoptr(GByteArray) input = g_byte_array_new();
      g_byte_array_append(input, (const guint8 *)data, (guint)MIN(len, INPUT_LIMIT));
      mutate(rand, input);
      LLVMFuzzerTestOneInput(input->data, input->len);
    }
    files++;
  }
  if (error || files == 0)
    printf("not ok 1 - %s\n", error ? error->message : "the corpus is empty");
  else
    printf("ok 1 - %u inputs, %u mutations of each\n", files, MUTATIONS);
  return error || files == 0;
}
