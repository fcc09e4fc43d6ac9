// SPDX-License-Identifier: Apache-2.0
#include "cli/view/redact_names.h"
#include "base/json.h"
#include <string.h>

static void test_text(void) {
  static const char *const cases[][2] = {
      {"db moves from h1 to h2", "vm-1 moves from host-1 to host-2"},
      {"DB-x7q on h1.lan", "vm-1-x7q on host-1.lan"},
      {"/images/db.qcow2", "/images/vm-1.qcow2"},
      {"dbase, adb, h12 stay", "dbase, adb, h12 stay"},
      {"web-db-1 is longer than db", "vm-2 is longer than vm-1"},
      {"Größe von größe-1", "vm-3 von vm-3-1"},
      {"", ""},
  };
  g_autoptr(FerryRedactNames) names = ferry_redact_names_new();
  ferry_redact_names_add(names, "vm", "db");
  ferry_redact_names_add(names, "vm", NULL);
  ferry_redact_names_add(names, "vm", "");
  ferry_redact_names_add(names, "vm", "web-db-1");
  ferry_redact_names_add(names, "host", "h1");
  ferry_redact_names_add(names, "host", "h2");
  ferry_redact_names_add(names, "host", "db"); /* has its word already */
  ferry_redact_names_add(names, "vm", "größe");
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *out = ferry_redact_names_text(names, cases[i][0]);
    g_assert_cmpstr(out, ==, cases[i][1]);
  }
}

static void test_json(void) {
  static const char text[] = "{\"h1\":{\"vm\":\"db\",\"n\":7},\"list\":[\"h1\",true,null]}";
  g_autoptr(FerryRedactNames) names = ferry_redact_names_new();
  ferry_redact_names_add(names, "host", "h1");
  g_autoptr(json_t) value = ferry_json_parse(text, strlen(text), NULL);
  g_autoptr(json_t) shown = ferry_redact_names_json(names, value);
  g_autofree char *out = json_dumps(shown, JSON_COMPACT);
  g_assert_cmpstr(out, ==, "{\"host-1\":{\"vm\":\"db\",\"n\":7},\"list\":[\"host-1\",true,null]}");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/cli/redact_names/text", test_text);
  g_test_add_func("/cli/redact_names/json", test_json);
  return g_test_run();
}
