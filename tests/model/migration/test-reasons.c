// SPDX-License-Identifier: Apache-2.0
#include "model/migration/reasons.h"
#include <string.h>

static void test_rows(void) {
  gsize n;
  const FerryReason *rows = ferry_reasons(&n);
  gboolean seen[FERRY_REASON_KINDS] = {FALSE};
  for (gsize i = 0; i < n; i++) {
    g_assert_true(g_ascii_isupper(rows[i].name[0]));
    for (const char *p = rows[i].name; *p; p++)
      g_assert_true(g_ascii_isalnum(*p));
    g_assert_true(g_str_has_suffix(rows[i].text, "."));
    g_assert_true(!*rows[i].advice || g_str_has_suffix(rows[i].advice, "."));
    /* a later one of the same name and kind would never be found */
    g_assert_true(ferry_reason_find(rows[i].kind, rows[i].name) == &rows[i]);
    /* a kind's rows stand together */
    g_assert_true(!seen[rows[i].kind] || rows[i - 1].kind == rows[i].kind);
    seen[rows[i].kind] = TRUE;
  }
  for (gsize i = 0; i < FERRY_REASON_KINDS; i++)
    g_assert_true(seen[i]);
}

static void test_find(void) {
  const FerryReason *ended = ferry_reason_find(FERRY_REASON_ENDED, "Unschedulable");
  const FerryReason *refused = ferry_reason_find(FERRY_REASON_REFUSED, "Unschedulable");
  g_assert_nonnull(ended);
  g_assert_nonnull(refused);
  g_assert_true(ended != refused);
  g_assert_null(ferry_reason_find(FERRY_REASON_WAITS, "Unschedulable"));
  g_assert_null(ferry_reason_find(FERRY_REASON_ENDED, "Sunspots"));
  g_assert_null(ferry_reason_find(FERRY_REASON_ENDED, NULL));
}

static void test_markdown(void) {
  g_autofree char *text = ferry_reasons_markdown();
  gsize n;
  const FerryReason *rows = ferry_reasons(&n);
  for (gsize i = 0; i < n; i++) {
    g_autofree char *line =
        g_strdup_printf("\n| `%s` | %s | %s |\n", rows[i].name, rows[i].text, rows[i].advice);
    g_assert_nonnull(strstr(text, line));
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/reasons/rows", test_rows);
  g_test_add_func("/reasons/find", test_find);
  g_test_add_func("/reasons/markdown", test_markdown);
  return g_test_run();
}
