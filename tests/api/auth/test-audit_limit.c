// SPDX-License-Identifier: Apache-2.0
#include "api/auth/audit_limit.h"

#define S G_USEC_PER_SEC

static void test_counts(void) {
  FerryAuditLimit *l = ferry_audit_limit_new(3, S, 10);
  guint64 left = 9;
  guint written = 0;
  for (int i = 0; i < 10; i++)
    written += ferry_audit_limit_take(l, "eve", 100 * S, &left);
  g_assert_cmpuint(written, ==, 3);
  g_assert_cmpuint(ferry_audit_limit_owed(l), ==, 1);
  g_assert_true(ferry_audit_limit_take(l, "bob", 100 * S, &left));
  g_assert_cmpuint(left, ==, 0);
  g_assert_true(ferry_audit_limit_take(l, "eve", 102 * S, &left));
  g_assert_cmpuint(left, ==, 7);
  g_assert_cmpuint(ferry_audit_limit_owed(l), ==, 0);
  ferry_audit_limit_free(l);
}

static void test_flush(void) {
  FerryAuditLimit *l = ferry_audit_limit_new(1, S, 10);
  g_autofree char *key = NULL;
  guint64 left;
  for (int i = 0; i < 5; i++)
    ferry_audit_limit_take(l, "eve", 100 * S, &left);
  g_assert_cmpuint(ferry_audit_limit_flush(l, 105 * S, 10 * S, &key), ==, 0);
  g_assert_cmpuint(ferry_audit_limit_flush(l, 110 * S, 10 * S, &key), ==, 4);
  g_assert_cmpstr(key, ==, "eve");
  g_assert_cmpuint(ferry_audit_limit_flush(l, 111 * S, 10 * S, &key), ==, 0);
  g_assert_cmpuint(ferry_audit_limit_owed(l), ==, 0);
  ferry_audit_limit_free(l);
}

/* A million strangers: as many lines as there are keys and a few, and nothing is lost count of. */
static void test_many_keys(void) {
  FerryAuditLimit *l = ferry_audit_limit_new(2, S, 100);
  guint64 written = 0, told = 0, left = 0, n;
  const guint64 all = 1000000;
  for (guint64 i = 0; i < all; i++) {
    g_autofree char *key = g_strdup_printf("%" G_GUINT64_FORMAT, i);
    if (ferry_audit_limit_take(l, key, 100 * S + (gint64)i, &left)) {
      written++;
      told += left;
    }
  }
  g_assert_cmpuint(written, <, 110);
  char *key = NULL;
  while ((n = ferry_audit_limit_flush(l, 1000 * S, S, &key))) {
    told += n;
    g_free(key);
  }
  g_assert_cmpuint(written + told, ==, all);
  ferry_audit_limit_free(l);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/audit-limit/counts", test_counts);
  g_test_add_func("/audit-limit/flush", test_flush);
  g_test_add_func("/audit-limit/many-keys", test_many_keys);
  return g_test_run();
}
