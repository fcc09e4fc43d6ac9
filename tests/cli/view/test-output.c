// SPDX-License-Identifier: Apache-2.0
// Tables, describe and top: from JSON to text.
#include "base/json.h"
#include "base/rfc3339.h"
#include "cli/view/describe.h"
#include "cli/view/output.h"
#include "cli/view/top_table.h"
#include "../golden.h"
#include <locale.h>
#include <string.h>

#define ROW(name, phase, memory)                                                                   \
  "{\"cells\":[\"" name "\",\"" phase "\",\"" memory "\",null],\"object\":{\"metadata\":"          \
  "{\"name\":\"" name "\",\"namespace\":\"prod\"}}}"

static const char columns[] = "\"columnDefinitions\":[{\"name\":\"Name\",\"priority\":0},{\"name\":"
                              "\"Phase\",\"priority\":0},{\"name\":\"Memory\",\"priority\":1},"
                              "{\"name\":\"Age\",\"priority\":0}]";

static json_t *parse(const char *text) {
  g_autoptr(GError) error = NULL;
  json_t *object = ferry_json_parse(text, strlen(text), &error);
  g_assert_no_error(error);
  return object;
}

static void add(FerryTablePrinter *printer, const char *head, const char *rows) {
  g_autofree char *text = g_strdup_printf("{%s%s\"rows\":[%s]}", head, *head ? "," : "", rows);
  g_autoptr(json_t) table = parse(text);
  ferry_table_printer_add(printer, table);
}

static void test_table(void) {
  FerryTableStyle style = {.wide = FALSE};
  g_autoptr(FerryTablePrinter) printer = ferry_table_printer_new(&style);
  add(printer, columns, ROW("database", "Running", "1Gi") "," ROW("a", "x\\u001b[2J", "2Gi"));
  g_autofree char *text = ferry_table_printer_text(printer);
  g_assert_cmpstr(text, ==, "NAME       PHASE     AGE\ndatabase   Running\na          x[2J\n");
  /* A later row of a watch: no header, the columns stay in place. */
  add(printer, "", ROW("b", "Paused", "3Gi"));
  g_autofree char *later = ferry_table_printer_text(printer);
  g_assert_cmpstr(later, ==, "b          Paused\n");
  g_autofree char *nothing = ferry_table_printer_text(printer);
  g_assert_cmpstr(nothing, ==, "");
}

static void test_table_styles(void) {
  FerryTableStyle style = {.wide = TRUE, .with_namespace = TRUE, .prefix = "vmi/"};
  g_autoptr(FerryTablePrinter) wide = ferry_table_printer_new(&style);
  add(wide, columns, ROW("db", "→ h2", "1Gi"));
  g_autofree char *text = ferry_table_printer_text(wide);
  g_assert_cmpstr(text, ==,
                  "NAMESPACE   NAME     PHASE   MEMORY   AGE\n"
                  "prod        vmi/db   -> h2   1Gi\n");
  FerryTableStyle bare = {.no_headers = TRUE};
  g_autoptr(FerryTablePrinter) rows = ferry_table_printer_new(&bare);
  add(rows, columns, ROW("db", "Running", "1Gi"));
  g_autofree char *line = ferry_table_printer_text(rows);
  g_assert_cmpstr(line, ==, "db     Running\n");
}

/* A long watch keeps a bounded number of rows and goes on printing each exactly once. */
static void test_table_bounded(void) {
  FerryTableStyle style = {.wide = FALSE};
  g_autoptr(FerryTablePrinter) printer = ferry_table_printer_new(&style);
  add(printer, columns, ROW("first", "Running", "1Gi"));
  g_autofree char *head = ferry_table_printer_text(printer);
  for (guint i = 0; i < 2500; i++) {
    g_autofree char *row =
        g_strdup_printf("{\"cells\":[\"n%u\",\"Running\",\"\",\"1s\"],\"object\":{}}", i);
    g_autofree char *wanted = g_strdup_printf("n%u ", i);
    add(printer, "", row);
    g_autofree char *line = ferry_table_printer_text(printer);
    g_assert_true(g_str_has_prefix(line, wanted));
    g_assert_true(strchr(line, '\n') == line + strlen(line) - 1);
  }
}

static void test_describe(void) {
  g_autoptr(json_t) object = parse(
      "{\"apiVersion\":\"kubevirt.io/v1\",\"kind\":\"VirtualMachineInstanceMigration\","
      "\"metadata\":{\"name\":\"db-1\",\"namespace\":\"default\",\"uid\":\"u-1\","
      "\"creationTimestamp\":\"2026-01-02T03:04:05Z\",\"labels\":{\"app\":\"db\",\"tier\":\"1\"}},"
      "\"spec\":{\"vmiName\":\"db\",\"allowPostCopy\":true,\"addedNodeSelector\":{\"diskType\":"
      "\"ssd\"}},\"status\":{\"phase\":\"Failed\",\"conditions\":[{\"type\":\"Done\",\"message\":"
      "\"m\",\"status\":\"True\"}],\"refusals\":[{\"nodeName\":\"h2\",\"reasons\":[{\"reason\":"
      "\"Memory\",\"message\":\"too little\"}]}],\"summary\":{\"totalMs\":1834,"
      "\"dataTransferredBytes\":327155712,\"averageRateBytesPerSecond\":178257920},"
      "\"names\":[\"a\",\"b\"],\"none\":[]}}");
  g_autoptr(json_t) events = parse(
      "[{\"type\":\"Warning\",\"reason\":\"Failed\",\"message\":\"it did not\\u001b work\","
      "\"count\":3,\"lastTimestamp\":\"2026-01-02T03:05:05Z\",\"source\":{\"component\":\"agent\","
      "\"host\":\"h1\"}}]");
  gint64 now = ferry_rfc3339_parse("2026-01-02T03:06:05Z");
  g_autofree char *text = ferry_describe(object, events, now);
  golden_check("describe.txt", text);
}

/* Units are the field's, not its name's: VMs are no milliseconds. */
static void test_describe_units(void) {
  g_autoptr(json_t) object =
      parse("{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"h1\"},\"status\":{"
            "\"runningVMs\":6,\"memoryUsedBytes\":1073741824,\"capacity\":{\"cpuMs\":\"4\"},"
            "\"interfaces\":[{\"name\":\"e\",\"speedMbps\":10000}]}}");
  g_autofree char *text = ferry_describe(object, NULL, 0);
  static const char *const parts[] = {"Running VMs:           6\n",
                                      "Memory Used:           1.0 GiB\n",
                                      "    cpuMs:               4\n", "10000 Mbit/s"};
  for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
    if (!strstr(text, parts[i]))
      g_error("no \"%s\" in\n%s", parts[i], text);
  /* of a kind that is not known, numbers are numbers */
  g_autoptr(json_t) other = parse("{\"kind\":\"Other\",\"apiVersion\":\"x/v1\",\"metadata\":{"
                                  "\"name\":\"o\"},\"waitMs\":7}");
  g_autofree char *plain = ferry_describe(other, NULL, 0);
  g_assert_nonnull(strstr(plain, "7\n"));
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

int main(int argc, char **argv) {
  setlocale(LC_CTYPE, "");
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/cli/output/table", test_table);
  g_test_add_func("/cli/output/styles", test_table_styles);
  g_test_add_func("/cli/output/bounded", test_table_bounded);
  g_test_add_func("/cli/output/describe", test_describe);
  g_test_add_func("/cli/output/describe-units", test_describe_units);
  g_test_add_func("/cli/output/top", test_top);
  return g_test_run();
}
