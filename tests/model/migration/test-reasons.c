// SPDX-License-Identifier: Apache-2.0
#include "model/migration/reasons.h"
#include <string.h>

#define EACH(r) for (FerryReason r = FERRY_REASON_NONE + 1; r < FERRY_REASON_LAST; r++)

static void test_rows(void) {
  gboolean seen[FERRY_REASONS_KINDS] = {FALSE};
  const FerryReasonRow *before = NULL;
  EACH(r) {
    const FerryReasonRow *row = ferry_reason_row(r);
    g_assert_cmpstr(ferry_reason_name(r), ==, row->name);
    g_assert_true(g_ascii_isupper(row->name[0]));
    for (const char *p = row->name; *p; p++)
      g_assert_true(g_ascii_isalnum(*p));
    g_assert_true(g_str_has_suffix(row->text, "."));
    g_assert_true(!*row->advice || g_str_has_suffix(row->advice, "."));
    /* of two of the same name and kind one would never be found */
    g_assert_true(ferry_reason_parse(row->kind, row->name) == r);
    /* a kind's rows stand together */
    g_assert_true(!seen[row->kind] || before->kind == row->kind);
    seen[row->kind] = TRUE;
    before = row;
  }
  for (gsize i = 0; i < FERRY_REASONS_KINDS; i++)
    g_assert_true(seen[i]);
}

static void test_parse(void) {
  g_assert_true(ferry_reason_parse(FERRY_REASONS_ENDED, "Unschedulable") ==
                FERRY_REASON_UNSCHEDULABLE);
  g_assert_true(ferry_reason_parse(FERRY_REASONS_REFUSED, "Unschedulable") ==
                FERRY_REASON_NODE_UNSCHEDULABLE);
  g_assert_true(ferry_reason_parse(FERRY_REASONS_WAITS, "Unschedulable") == FERRY_REASON_NONE);
  g_assert_true(ferry_reason_parse(FERRY_REASONS_ENDED, "Sunspots") == FERRY_REASON_NONE);
  g_assert_true(ferry_reason_parse(FERRY_REASONS_ENDED, NULL) == FERRY_REASON_NONE);
  g_assert_null(ferry_reason_name(FERRY_REASON_NONE));
  g_assert_null(ferry_reason_row(FERRY_REASON_NONE));
}

static void test_is(void) {
  g_autoptr(json_t) m = json_object();
  g_assert_false(ferry_reason_is(m, FERRY_REASON_CANCELLED));
  g_assert_false(ferry_reason_is(NULL, FERRY_REASON_CANCELLED));
  ferry_json_set_str(m, "status.reason", "Cancelled");
  g_assert_true(ferry_reason_is(m, FERRY_REASON_CANCELLED));
  g_assert_false(ferry_reason_is(m, FERRY_REASON_COMPLETED));
}

static void test_markdown(void) {
  g_autofree char *text = ferry_reasons_markdown();
  EACH(r) {
    const FerryReasonRow *row = ferry_reason_row(r);
    g_autofree char *line =
        g_strdup_printf("\n| `%s` | %s | %s |\n", row->name, row->text, row->advice);
    g_assert_nonnull(strstr(text, line));
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/reasons/rows", test_rows);
  g_test_add_func("/reasons/parse", test_parse);
  g_test_add_func("/reasons/is", test_is);
  g_test_add_func("/reasons/markdown", test_markdown);
  return g_test_run();
}
