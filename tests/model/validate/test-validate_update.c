// SPDX-License-Identifier: Apache-2.0
#include <string.h>
#include "../helper.h"

static void test_immutable(void) {
  const char *old = VMIM("{\"vmiName\":\"a\",\"targetNode\":\"h1\"}");
  ASSERT_VERDICT(&ferry_kind_vmim, VMIM("{\"vmiName\":\"a\",\"targetNode\":\"h1\"}"), old, 0, "");
  ASSERT_VERDICT(&ferry_kind_vmim, VMIM("{\"targetNode\":\"h1\",\"vmiName\":\"a\"}"), old, 0, "");
  ASSERT_REFUSED(&ferry_kind_vmim, VMIM("{\"vmiName\":\"b\",\"targetNode\":\"h1\"}"), old,
                 "spec: Forbidden: may not be changed");
  ASSERT_REFUSED(&ferry_kind_vmim, VMIM("{\"vmiName\":\"a\"}"), old, "spec: Forbidden");
  ASSERT_REFUSED(
      &ferry_kind_evacuation, "{\"metadata\":{\"name\":\"e\"},\"spec\":{\"nodeName\":\"h2\"}}",
      "{\"metadata\":{\"name\":\"e\"},\"spec\":{\"nodeName\":\"h1\"}}", "spec.nodeName: Forbidden");
}

static void test_status_may_change(void) {
  g_autoptr(json_t) old = parse(VMIM("{\"vmiName\":\"a\"}")), new = json_deep_copy(old);
  ferry_json_set_str(new, "status.phase", "Running");
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) out =
      ferry_validate(&ferry_kind_vmim, new, old, FERRY_UNKNOWN_STRICT, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(ferry_json_str(out, "status.phase"), ==, "Running");
  g_assert_null(ferry_json_get(old, "status"));
}

static void test_defaults(void) {
  g_autoptr(json_t) network = parse("{\"metadata\":{\"name\":\"n\"},\"spec\":{\"roles\":null,"
                                    "\"subnets\":[\"10.0.0.0/8\"]}}");
  g_autoptr(json_t) out =
      ferry_validate(&ferry_kind_network, network, NULL, FERRY_UNKNOWN_STRICT, NULL, NULL);
  ferry_apply_defaults(&ferry_kind_network, out);
  g_assert_cmpstr(ferry_json_str(out, "spec.fallback"), ==, "warn");
  g_assert_cmpuint(json_array_size(ferry_json_get(out, "spec.roles")), ==, 1);
  ferry_json_set_str(out, "spec.fallback", "deny");
  ferry_apply_defaults(&ferry_kind_network, out);
  g_assert_cmpstr(ferry_json_str(out, "spec.fallback"), ==, "deny");
  g_autoptr(json_t) bare = parse("{}");
  ferry_apply_defaults(&ferry_kind_network, bare);
  g_assert_cmpuint(json_object_size(bare), ==, 0);
}

/* What is the stored one itself is taken as it is; metadata is always another object. */
static void test_shared(void) {
  g_autoptr(json_t) old =
      json_pack("{s:s, s:s, s:{s:s, s:s, s:{s:s}}, s:{s:s}, s:{s:s, s:{s:s}}}", "apiVersion",
                "kubevirt.io/v1", "kind", "VirtualMachineInstanceMigration", "metadata", "name",
                "m", "namespace", "default", "labels", "a", "b", "spec", "vmiName", "db", "status",
                "phase", "Pending", "migrationState", "unknown", "stays");
  g_autoptr(json_t) before = json_deep_copy(old);
  g_autoptr(json_t) wanted = json_copy(old);
  ferry_json_set_str(wanted, "status.message", "told");
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) out =
      ferry_validate(&ferry_kind_vmim, wanted, old, FERRY_UNKNOWN_STRICT, NULL, &error);
  g_assert_no_error(error);
  g_assert_true(json_object_get(out, "spec") == json_object_get(old, "spec"));
  g_assert_true(ferry_json_get(out, "status.migrationState") ==
                ferry_json_get(old, "status.migrationState"));
  g_assert_true(json_object_get(out, "metadata") != json_object_get(old, "metadata"));
  g_assert_cmpstr(ferry_json_str(out, "status.message"), ==, "told");
  ferry_json_set_str(out, "status.migrationState.sourceNode", "h1");
  ferry_json_set_str(out, "metadata.labels.a", "c");
  g_assert_true(json_equal(old, before));
  /* the same as a part of what a client sends is looked at */
  g_autoptr(json_t) sent = json_deep_copy(old);
  g_assert_null(ferry_validate(&ferry_kind_vmim, sent, old, FERRY_UNKNOWN_STRICT, NULL, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/validate-update/immutable", test_immutable);
  g_test_add_func("/validate-update/status-may-change", test_status_may_change);
  g_test_add_func("/validate-update/defaults", test_defaults);
  g_test_add_func("/validate/shared", test_shared);
  return g_test_run();
}
