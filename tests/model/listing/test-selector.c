// SPDX-License-Identifier: Apache-2.0
#include "model/listing/selector.h"
#include <string.h>

static json_t *node(void) {
  return json_pack("{s:{s:s, s:{s:s, s:s, s:s}}}", "metadata", "name", "h1", "labels", "a", "b",
                   "zone", "east", "empty", "");
}

static void test_labels(void) {
  static const struct {
    const char *text;
    int matches; /* -1: refused */
  } cases[] = {
      {"", 1},
      {" ", 1},
      {"a=b", 1},
      {"a==b", 1},
      {"a = b", 1},
      {"a=c", 0},
      {"a!=b", 0},
      {"a!=c", 1},
      {"none!=c", 1},
      {"a", 1},
      {"none", 0},
      {"!a", 0},
      {"!none", 1},
      {"! none", 1},
      {"zone in (west,east)", 1},
      {"zone in ( west , east )", 1},
      {"zone in (west)", 0},
      {"zone notin (west)", 1},
      {"none notin (west)", 1},
      {"zone notin (west,east),a=b", 0},
      {"a=b,zone in (east),!none,empty=", 1},
      {"empty=", 1},
      {"none=", 0},
      {"kubevirt.io/x=y", 0},
      {"in", 0},
      {"a=b,", -1},
      {",a=b", -1},
      {"a=b c", -1},
      {"a in", -1},
      {"a in (b", -1},
      {"a in b", -1},
      {"a inn (b)", -1},
      {"=b", -1},
      {"a=b=c", -1},
      {"a>1", -1},
      {"a=(", -1},
      {"!", -1},
      {"-a", -1},
  };
  g_autoptr(json_t) object = node();
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(FerrySelector) s = ferry_selector_parse_labels(cases[i].text, &error);
    int matches = s ? ferry_selector_matches(s, object) : -1;
    if (matches != cases[i].matches)
      g_error("\"%s\": %d, %s", cases[i].text, matches, error ? error->message : "accepted");
    if (!s)
      g_assert_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST);
  }
  g_assert_true(ferry_selector_matches(NULL, object));
}

static void test_place(void) {
  g_autoptr(GError) error = NULL;
  g_assert_null(ferry_selector_parse_labels("a=b,c d", &error));
  g_assert_cmpstr(error->message, ==,
                  "labelSelector \"a=b,c d\", at character 7: expected one of =, ==, !=, in, "
                  "notin, ',' or the end");
}

static void test_fields(void) {
  static const struct {
    const char *text;
    int matches;
  } cases[] = {
      {"metadata.name=h1", 1},        {"metadata.name!=h1", 0},
      {"metadata.name==h2", 0},       {"spec.unschedulable=false", 1},
      {"spec.unschedulable=true", 0}, {"spec.unschedulable!=true,metadata.name=h1", 1},
      {"metadata.namespace=", 1},     {"metadata.name=h\\,1", 0},
      {"metadata.name=h\\1", -1},     {"metadata.name=a=b", -1},
      {"metadata.name", -1},          {"spec.nothing=1", -1},
      {"metadata.name=h1,=", -1},
  };
  g_autoptr(json_t) object = node();
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(FerrySelector) s =
        ferry_selector_parse_fields(&ferry_kind_node, cases[i].text, &error);
    int matches = s ? ferry_selector_matches(s, object) : -1;
    if (matches != cases[i].matches)
      g_error("\"%s\": %d, %s", cases[i].text, matches, error ? error->message : "accepted");
  }
}

static void test_list_fields(void) {
  static const struct {
    const char *text;
    gboolean matches;
  } cases[] = {
      {"status.migrationState.agents=h1", TRUE},
      {"status.migrationState.agents=h2", TRUE},
      {"status.migrationState.agents=h", FALSE},
      {"status.migrationState.agents=", FALSE},
      {"status.migrationState.agents!=h1", FALSE},
      {"status.migrationState.agents!=h3", TRUE},
      {"status.migrationState.agents=h1,status.migrationState.agents=h2", TRUE},
      {"status.migrationState.agents=h1,status.migrationState.agents=h3", FALSE},
  };
  g_autoptr(json_t) with =
      json_pack("{s:{s:{s:[s, s]}}}", "status", "migrationState", "agents", "h1", "h2");
  g_autoptr(json_t) without = json_pack("{s:{s:{}}}", "status", "migrationState");
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(FerrySelector) s = ferry_selector_parse_fields(&ferry_kind_vmim, cases[i].text, NULL);
    g_assert_nonnull(s);
    if (ferry_selector_matches(s, with) != cases[i].matches)
      g_error("\"%s\" is wrong", cases[i].text);
  }
  g_autoptr(FerrySelector) s =
      ferry_selector_parse_fields(&ferry_kind_vmim, "status.migrationState.agents=h1", NULL);
  g_assert_false(ferry_selector_matches(s, without));
}

static void test_required(void) {
  g_autoptr(FerrySelector) s = ferry_selector_parse_fields(
      &ferry_kind_vmim, "status.phase!=Failed,status.migrationState.sourceNode=h1", NULL);
  g_assert_cmpstr(ferry_selector_required(s, "status.migrationState.sourceNode"), ==, "h1");
  g_assert_null(ferry_selector_required(s, "status.phase"));
  g_assert_null(ferry_selector_required(NULL, "status.phase"));
}

static void test_limits(void) {
  g_autoptr(GString) text = g_string_new("a");
  for (int i = 1; i < 100; i++)
    g_string_append(text, ",a");
  g_autoptr(FerrySelector) most = ferry_selector_parse_labels(text->str, NULL);
  g_assert_nonnull(most);
  g_string_append(text, ",a");
  g_assert_null(ferry_selector_parse_labels(text->str, NULL));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/selector/labels", test_labels);
  g_test_add_func("/selector/place", test_place);
  g_test_add_func("/selector/fields", test_fields);
  g_test_add_func("/selector/list-fields", test_list_fields);
  g_test_add_func("/selector/required", test_required);
  g_test_add_func("/selector/limits", test_limits);
  return g_test_run();
}
