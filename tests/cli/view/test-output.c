// SPDX-License-Identifier: Apache-2.0
// Tables, describe and top: from JSON to text.
#include "base/json.h"
#include "base/rfc3339.h"
#include "cli/view/output.h"
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

int main(int argc, char **argv) {
  setlocale(LC_CTYPE, "");
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/cli/output/table", test_table);
  g_test_add_func("/cli/output/styles", test_table_styles);
  g_test_add_func("/cli/output/bounded", test_table_bounded);
  return g_test_run();
}
