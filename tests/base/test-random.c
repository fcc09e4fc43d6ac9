// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"
#include <string.h>

enum { TIMES = 1000 };

static void test_uuid(void) {
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (int i = 0; i < TIMES; i++) {
    char *uuid = ferry_random_uuid();
    g_assert_true(g_uuid_string_is_valid(uuid));
    g_assert_cmpint(uuid[14], ==, '4');
    g_assert_nonnull(strchr("89ab", uuid[19]));
    g_assert_true(g_hash_table_add(seen, uuid));
  }
}

static void test_suffix(void) {
  gboolean used[256] = {FALSE};
  for (int i = 0; i < TIMES; i++) {
    g_autofree char *text = ferry_random_suffix(5);
    g_assert_cmpuint(strlen(text), ==, 5);
    g_assert_cmpuint(strspn(text, "bcdfghjklmnpqrstvwxz2456789"), ==, 5);
    for (const char *c = text; *c; c++)
      used[(guchar)*c] = TRUE;
  }
  guint n = 0;
  for (gsize i = 0; i < G_N_ELEMENTS(used); i++)
    n += used[i];
  g_assert_cmpuint(n, ==, strlen("bcdfghjklmnpqrstvwxz2456789")); /* each of them comes */
}

static void test_hex(void) {
  g_autofree char *a = ferry_random_hex(32);
  g_autofree char *b = ferry_random_hex(32);
  g_assert_cmpuint(strlen(a), ==, 64);
  g_assert_cmpuint(strspn(a, "0123456789abcdef"), ==, 64);
  g_assert_cmpstr(a, !=, b);
  g_autofree char *hash = ferry_sha256_hex("abc", 3);
  g_assert_cmpstr(hash, ==, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/base/random/uuid", test_uuid);
  g_test_add_func("/base/random/suffix", test_suffix);
  g_test_add_func("/base/random/hex", test_hex);
  return g_test_run();
}
