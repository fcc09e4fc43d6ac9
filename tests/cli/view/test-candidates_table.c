// SPDX-License-Identifier: Apache-2.0
#include "cli/view/candidates_table.h"
#include "base/json.h"
#include <string.h>

static void test_rows(void) {
  g_autoptr(json_t) two = json_pack("[{ss,sI,ss,si,s[s]}, {ss,sb,ss,si}]", "nodeName", "h3",
                                    "memoryAfterBytes", (json_int_t)1 << 30, "network", "fast",
                                    "speedMbps", 1000, "warnings", "an old libvirt", "nodeName",
                                    "h2", "chosen", 1, "why", "it is named", "inbound", 2);
  g_autofree char *text = ferry_candidates_text(two, FALSE, FALSE);
  g_auto(GStrv) lines = g_strsplit(text, "\n", 0);
  g_assert_true(g_str_has_prefix(lines[0], "HOST"));
  g_assert_true(g_str_has_prefix(lines[1], "h2")); /* the one that is taken comes first */
  g_assert_nonnull(strstr(lines[1], "taken: it is named"));
  g_assert_nonnull(strstr(lines[1], "?")); /* what nobody knows */
  g_test_message("%s", text);
  g_assert_nonnull(strstr(lines[2], "1.0 GiB"));
  g_assert_nonnull(strstr(lines[2], "1000 Mbit/s"));
  g_assert_cmpstr(lines[3], ==, "  * h3: an old libvirt");
}

static void test_none(void) {
  g_autofree char *absent = ferry_candidates_text(NULL, FALSE, FALSE);
  g_assert_cmpstr(absent, ==, "");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/candidates_table/rows", test_rows);
  g_test_add_func("/candidates_table/none", test_none);
  return g_test_run();
}
