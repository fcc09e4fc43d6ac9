// SPDX-License-Identifier: Apache-2.0
#include "cli/view/top_table.h"
#include "cli/view/output.h"
#include "../golden.h"
#include "base/json.h"
#include <locale.h>
#include <string.h>

static json_t *parse(const char *text) {
  g_autoptr(GError) error = NULL;
  json_t *object = ferry_json_parse(text, strlen(text), &error);
  g_assert_no_error(error);
  return object;
}

static void test_top(void) {
  g_autoptr(json_t) items = parse(
      "[{\"metadata\":{\"name\":\"a-1\",\"namespace\":\"default\"},\"spec\":{\"vmiName\":\"a\"},"
      "\"status\":{\"phase\":\"Pending\",\"queue\":{\"position\":1,\"message\":\"h1 is busy\"}}},"
      "{\"metadata\":{\"name\":\"b-1\",\"namespace\":\"default\"},\"spec\":{\"vmiName\":\"b\"},"
      "\"status\":{\"phase\":\"Running\",\"migrationState\":{\"sourceNode\":\"h1\",\"targetNode\":"
      "\"h2\"},\"progress\":{\"percent\":43,\"dataRemainingBytes\":1048576,\"iteration\":2,"
      "\"memoryTransferRateBytesPerSecond\":1048576,\"elapsedMs\":2500}}},"
      "{\"metadata\":{\"name\":\"c-1\",\"namespace\":\"default\"},\"spec\":{\"vmiName\":\"c\"},"
      "\"status\":{\"phase\":\"Succeeded\"}}]");
  g_autoptr(json_t) table = ferry_top_table(items, FALSE);
  FerryTableStyle style = {.wide = FALSE};
  g_autoptr(FerryTablePrinter) printer = ferry_table_printer_new(&style);
  ferry_table_printer_add(printer, table);
  g_autofree char *text = ferry_table_printer_text(printer);
  golden_check("top.txt", text);
}

/* Those that run, in one namespace: 80 columns carry them. */
static void test_width(void) {
  g_autoptr(json_t) items = parse(
      "[{\"metadata\":{\"name\":\"b-1\",\"namespace\":\"default\"},\"spec\":{\"vmiName\":"
      "\"database-1\"},"
      "\"status\":{\"phase\":\"Running\",\"migrationState\":{\"sourceNode\":\"h1\",\"targetNode\":"
      "\"h2\"},\"progress\":{\"percent\":43,\"dataRemainingBytes\":10048576,\"iteration\":12,"
      "\"memoryTransferRateBytesPerSecond\":101048576,\"dirtyRateBytesPerSecond\":10485760,"
      "\"elapsedMs\":25000}}}]");
  g_autoptr(json_t) table = ferry_top_table(items, FALSE);
  FerryTableStyle style = {.wide = FALSE};
  g_autoptr(FerryTablePrinter) printer = ferry_table_printer_new(&style);
  ferry_table_printer_add(printer, table);
  g_autofree char *text = ferry_table_printer_text(printer);
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  g_assert_null(strstr(text, "NAMESPACE"));
  for (guint i = 0; lines[i]; i++)
    g_assert_cmpuint(strlen(lines[i]), <=, 80);
}

int main(int argc, char **argv) {
  setlocale(LC_CTYPE, "");
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/cli/top_table/golden", test_top);
  g_test_add_func("/cli/top_table/width", test_width);
  return g_test_run();
}
