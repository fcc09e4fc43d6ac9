// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"

#define CHUNK 1024
#define THREADS 4
#define CHUNKS (FERRY_MEMORY_GROWTH / CHUNK)

/* Takes as much as FERRY_MEMORY_GROWTH in small pieces and frees all but the last, by which an
 * arena keeps the rest. */
static gpointer take_and_free(gpointer data) {
  g_autofree char **chunks = g_new(char *, CHUNKS);
  for (gsize i = 0; i < CHUNKS; i++)
    chunks[i] = g_strnfill(CHUNK - 1, 'x');
  for (gsize i = 0; i + 1 < CHUNKS; i++)
    g_free(chunks[i]);
  return chunks[CHUNKS - 1];
}

static void test_trim(void) {
  gsize settled = 0, begun;
  char *kept[THREADS];
  GThread *threads[THREADS];
  ferry_memory_trim(&settled);
  settled = begun = ferry_memory_resident();
  g_assert_cmpuint(begun, >, 1024 * 1024);
  g_assert_false(ferry_memory_trim(&settled));
  for (guint i = 0; i < THREADS; i++)
    threads[i] = g_thread_new("taker", take_and_free, NULL);
  for (guint i = 0; i < THREADS; i++)
    kept[i] = g_thread_join(threads[i]);
  g_assert_cmpuint(ferry_memory_resident(), >, begun + FERRY_MEMORY_GROWTH);
  g_assert_true(ferry_memory_trim(&settled));
  g_test_message("%zu KiB, then %zu", begun / 1024, settled / 1024);
  g_assert_cmpuint(settled, <, begun + FERRY_MEMORY_GROWTH / 2);
  g_assert_false(ferry_memory_trim(&settled));
  for (guint i = 0; i < THREADS; i++)
    g_free(kept[i]);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/memory/trim", test_trim);
  return g_test_run();
}
