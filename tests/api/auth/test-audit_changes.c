// SPDX-License-Identifier: Apache-2.0
#include "api/auth/audit_changes.h"

#include <string.h>

static json_t *vmim(void) {
  return json_pack("{s:{s:s, s:{s:s}}, s:{s:s, s:i, s:s}, s:{s:s}}", "metadata", "name", "m1",
                   "annotations", "note", "old secret", "spec", "vmiName", "db", "maxDowntimeMs",
                   300, "destinationXML", "<domain/>", "status", "phase", "Pending");
}

static char *changes(const json_t *old, const json_t *object, gboolean *cut) {
  g_autoptr(json_t) list = ferry_audit_changes(&ferry_kind_vmim, old, object, cut);
  return ferry_json_dump(list);
}

static void test_values(void) {
  g_autoptr(json_t) old = vmim();
  g_autoptr(json_t) object = vmim();
  ferry_json_set_int(object, "spec.maxDowntimeMs", 500);
  ferry_json_set_str(object, "spec.destinationXML", "<domain>secret</domain>");
  ferry_json_set_str(object, "metadata.annotations.note", "secret");
  ferry_json_set_str(object, "status.phase", "Running");
  ferry_json_set_str(object, "metadata.resourceVersion", "17");
  gboolean cut;
  g_autofree char *text = changes(old, object, &cut);
  g_assert_cmpstr(text, ==,
                  "[{\"field\":\"metadata.annotations.note\"},"
                  "{\"field\":\"spec.maxDowntimeMs\",\"old\":300,\"new\":500},"
                  "{\"field\":\"spec.destinationXML\"},"
                  "{\"field\":\"status.phase\",\"old\":\"Pending\",\"new\":\"Running\"}]");
  g_assert_false(cut);
  g_autofree char *none = changes(old, old, &cut);
  g_assert_cmpstr(none, ==, "[]");
}

static void test_made_and_removed(void) {
  g_autoptr(json_t) object = vmim();
  gboolean cut;
  g_autofree char *made = changes(NULL, object, &cut);
  g_assert_nonnull(strstr(made, "{\"field\":\"spec.maxDowntimeMs\",\"new\":300}"));
  g_autofree char *gone = changes(object, NULL, &cut);
  g_assert_nonnull(strstr(gone, "{\"field\":\"spec.maxDowntimeMs\",\"old\":300}"));
  g_assert_null(strstr(made, "secret"));
  g_assert_null(strstr(gone, "secret"));
}

/* However large the object: the list ends, and so does the walk. */
static void test_bounds(void) {
  g_autoptr(json_t) small = vmim();
  g_autoptr(json_t) large = vmim();
  for (int i = 0; i < 100000; i++) {
    g_autofree char *key = g_strdup_printf("k%d", i);
    json_object_set_new(ferry_json_get(large, "metadata.annotations"), key, json_string("x"));
  }
  json_t *deep = json_object();
  for (int i = 0; i < 60; i++)
    deep = json_pack("{s:o}", "deeper", deep);
  ferry_json_set(large, "spec.extra", deep);
  gboolean cut = FALSE;
  g_autoptr(json_t) list = ferry_audit_changes(&ferry_kind_vmim, small, large, &cut);
  g_assert_cmpuint(json_array_size(list), ==, FERRY_AUDIT_MAX_CHANGES);
  g_assert_true(cut);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/audit-changes/values", test_values);
  g_test_add_func("/audit-changes/made-and-removed", test_made_and_removed);
  g_test_add_func("/audit-changes/bounds", test_bounds);
  return g_test_run();
}
