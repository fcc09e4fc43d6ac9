// SPDX-License-Identifier: Apache-2.0
#include <string.h>
#include "../helper.h"

static void test_migration(void) {
  ASSERT_ACCEPTED(&ferry_kind_vmim,
                  "{\"apiVersion\":\"kubevirt.io/v1\",\"kind\":\"VirtualMachineInstanceMigration\","
                  "\"metadata\":{\"name\":\"migration-job\",\"namespace\":\"default\","
                  "\"creationTimestamp\":null},\"spec\":{\"vmiName\":\"new-vm\"}}");
  ASSERT_VERDICT(&ferry_kind_vmim, VMIM("{\"vmiName\":\"a\",\"vmName\":1,\"x\":{}}"), NULL,
                 FERRY_ERROR_BAD_REQUEST,
                 "strict decoding error: unknown field \"spec.vmName\", unknown field \"spec.x\"");
  ASSERT_VERDICT(&ferry_kind_vmim, VMIM("{\"vmiName\":5,\"x\":{}}"), NULL, FERRY_ERROR_BAD_REQUEST,
                 "strict decoding error: unknown field \"spec.x\", spec.vmiName: Invalid value: 5: "
                 "expected a string, found an integer");
  ASSERT_VERDICT(&ferry_kind_vmim, VMIM("{\"vmiName\":5}"), NULL, FERRY_ERROR_INVALID,
                 "VirtualMachineInstanceMigration.kubevirt.io \"m\" is invalid: spec.vmiName: "
                 "Invalid value: 5: expected a string, found an integer");
  ASSERT_VERDICT(&ferry_kind_vmim, VMIM("[]"), NULL, FERRY_ERROR_INVALID,
                 "VirtualMachineInstanceMigration.kubevirt.io \"m\" is invalid: spec: Invalid "
                 "value: expected an object, found a list");
  ASSERT_VERDICT(&ferry_kind_vmim, VMIM("{\"vmiName\":\"a\",\"maxDowntimeMs\":0}"), NULL,
                 FERRY_ERROR_INVALID,
                 "VirtualMachineInstanceMigration.kubevirt.io \"m\" is invalid: "
                 "spec.maxDowntimeMs: Invalid value: 0: must be between 1 and 2000000");
  ASSERT_REFUSED(&ferry_kind_vmim, VMIM("{\"vmiName\":\"a\",\"priority\":\"high\"}"), NULL,
                 "Unsupported value: \"high\": supported values: \"system-critical\", ");
  ASSERT_REFUSED(&ferry_kind_vmim, VMIM("{\"vmiName\":\"a\",\"bandwidthPerMigration\":\"-1\"}"),
                 NULL, "spec.bandwidthPerMigration");
  ASSERT_REFUSED(&ferry_kind_vmim, VMIM("{\"vmiName\":\"a\",\"bandwidthPerMigration\":-1}"), NULL,
                 "must be at least 0");
  ASSERT_ACCEPTED(&ferry_kind_vmim,
                  VMIM("{\"vmiName\":\"a\",\"bandwidthPerMigration\":\"64Mi\","
                       "\"maxDowntimeMs\":2000000.0,\"addedNodeSelector\":{\"a\":true}}"));
  ASSERT_REFUSED(&ferry_kind_vmim,
                 VMIM("{\"vmiName\":\"a\",\"addedNodeSelector\":{\"a\":\"b c\"}}"), NULL,
                 "spec.addedNodeSelector: Invalid value: \"b c\" of key \"a\"");
}

/* All violations at once, each with field and reason. */
static void test_causes(void) {
  g_autoptr(json_t) object = parse(VMIM("{\"maxDowntimeMs\":0,\"targetNode\":\"H 1\"}"));
  g_autoptr(GError) error = NULL;
  g_assert_null(ferry_validate(&ferry_kind_vmim, object, NULL, FERRY_UNKNOWN_IGNORE, NULL, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID);
  g_assert_cmpuint(ferry_error_n_causes(error), ==, 3);
  gboolean required = FALSE;
  for (guint i = 0; i < 3; i++)
    required |= g_str_equal(ferry_error_cause(error, i)->field, "spec.vmiName") &&
                g_str_equal(ferry_error_cause(error, i)->reason, "FieldValueRequired");
  g_assert_true(required);
  g_assert_nonnull(strstr(error->message, "is invalid: [spec."));
}

/* Types, ranges and lists, none of which hides another; what could be read is there. */
static void test_types_with_the_rest(void) {
  g_autoptr(json_t) object =
      parse(VMIM("{\"vmiName\":\"a\",\"live\":\"maybe\",\"autoConvergeInitial\":\"20\","
                 "\"compressionMethods\":\"xbzrle\",\"disksPort\":70000,\"migrateURI\":\"x\","
                 "\"migrateDisks\":[\"vda\",7],\"addedNodeSelector\":{\"a\":[],\"b\":\"c\"}}"));
  g_autoptr(GError) invalid = g_error_new_literal(FERRY_ERROR, FERRY_ERROR_INVALID, "");
  g_autoptr(GError) error = NULL;
  gboolean whole = FALSE;
  g_autoptr(json_t) out = ferry_validate_collect(
      &ferry_kind_vmim, object, NULL, FERRY_UNKNOWN_STRICT, NULL, invalid, &whole, &error);
  g_assert_no_error(error);
  static const char *const fields[] = {
      "spec.live",       "spec.autoConvergeInitial", "spec.compressionMethods", "spec.disksPort",
      "spec.migrateURI", "spec.migrateDisks[1]",     "spec.addedNodeSelector.a"};
  g_assert_cmpuint(ferry_error_n_causes(invalid), ==, G_N_ELEMENTS(fields));
  for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
    const FerryCause *cause = ferry_error_cause(invalid, i);
    g_assert_cmpstr(cause->field, ==, fields[i]);
    g_assert_cmpstr(cause->reason, ==,
                    i == 3 || i == 4 ? "FieldValueInvalid" : "FieldValueTypeInvalid");
  }
  g_assert_cmpstr(ferry_error_cause(invalid, 0)->message, ==,
                  "Invalid value: \"maybe\": expected a boolean (true or false), found a string");
  g_autoptr(json_t) read = parse("{\"addedNodeSelector\":{\"b\":\"c\"},\"disksPort\":70000,"
                                 "\"migrateDisks\":[\"vda\"],\"vmiName\":\"a\"}");
  g_assert_true(json_equal(json_object_get(out, "spec"), read));
  g_assert_true(whole); /* all that is required is there: rules may judge it */
  g_autoptr(json_t) gap = parse(VMIM("{\"vmiName\":5,\"live\":\"maybe\"}"));
  g_autoptr(json_t) rest = ferry_validate_collect(&ferry_kind_vmim, gap, NULL, FERRY_UNKNOWN_STRICT,
                                                  NULL, invalid, &whole, &error);
  g_assert_nonnull(rest);
  g_assert_false(whole);
}

static void test_missing_spec(void) {
  ASSERT_REFUSED(&ferry_kind_vmim, "{\"metadata\":{\"name\":\"m\",\"namespace\":\"d\"}}", NULL,
                 "spec.vmiName: Required value");
  ASSERT_REFUSED(&ferry_kind_vmim, VMIM("{\"vmiName\":\"\"}"), NULL,
                 "spec.vmiName: Required value");
  ASSERT_REFUSED(&ferry_kind_vmim, VMIM("null"), NULL, "spec.vmiName: Required value");
  ASSERT_REFUSED(&ferry_kind_migration_policy, "{\"metadata\":{\"name\":\"p\"}}", NULL,
                 "spec: Required value");
}

static void test_unknown(void) {
  g_autoptr(json_t) object =
      parse("{\"zone\":1,\"metadata\":{\"name\":\"m\",\"namespace\":\"d\",\"q\":1},"
            "\"spec\":{\"vmiName\":\"a\",\"targetNode\":null}}");
  g_autoptr(json_t) before = json_deep_copy(object);
  g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) out =
      ferry_validate(&ferry_kind_vmim, object, NULL, FERRY_UNKNOWN_WARN, warnings, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(warnings->len, ==, 2);
  g_assert_cmpstr(warnings->pdata[0], ==, "unknown field \"metadata.q\"");
  g_assert_cmpstr(warnings->pdata[1], ==, "unknown field \"zone\"");
  g_assert_true(json_equal(object, before));
  g_autofree char *text = ferry_json_dump(out);
  g_assert_cmpstr(
      text, ==,
      "{\"apiVersion\":\"kubevirt.io/v1\",\"kind\":\"VirtualMachineInstanceMigration\","
      "\"metadata\":{\"name\":\"m\",\"namespace\":\"d\"},\"spec\":{\"vmiName\":\"a\"}}");
}

static void test_type_meta(void) {
  ASSERT_ACCEPTED(&ferry_kind_kubevirt,
                  "{\"apiVersion\":\"kubevirt.io/v1\",\"kind\":\"Kubevirt\",\"metadata\":{\"name\":"
                  "\"kubevirt\",\"namespace\":\"kubevirt\"},\"spec\":{\"configuration\":{"
                  "\"migrations\":{\"parallelMigrationsPerCluster\":5,\"bandwidthPerMigration\":"
                  "\"64Mi\",\"progressTimeout\":150}}}}");
  ASSERT_VERDICT(&ferry_kind_node, "{\"kind\":\"Nod\",\"metadata\":{\"name\":\"h\"}}", NULL,
                 FERRY_ERROR_BAD_REQUEST,
                 "kind: the kind in the data (Nod) does not match the expected one (Node)");
  ASSERT_VERDICT(&ferry_kind_node, "{\"apiVersion\":\"v2\",\"metadata\":{\"name\":\"h\"}}", NULL,
                 FERRY_ERROR_BAD_REQUEST,
                 "apiVersion: the version in the data (v2) does not match the expected one (v1)");
  ASSERT_VERDICT(&ferry_kind_node, "[]", NULL, FERRY_ERROR_BAD_REQUEST,
                 "expected a Node object, found a list");
}

static void test_kind_checks(void) {
  ASSERT_REFUSED(&ferry_kind_network, "{\"metadata\":{\"name\":\"n\"},\"spec\":{}}", NULL,
                 "give at least one subnet, or spec.interface");
  ASSERT_REFUSED(&ferry_kind_network,
                 "{\"metadata\":{\"name\":\"n\"},\"spec\":{\"subnets\":[\"10.0.0.0/8\","
                 "\"10.0.0.0/8\"]}}",
                 NULL, "spec.subnets[1]: Duplicate value");
  ASSERT_REFUSED(&ferry_kind_network,
                 "{\"metadata\":{\"name\":\"n\"},\"spec\":{\"subnets\":[\"10.0.0.1/8\"]}}", NULL,
                 "spec.subnets[0]: Invalid value: \"10.0.0.1/8\": expected a subnet");
  ASSERT_REFUSED(&ferry_kind_node,
                 "{\"metadata\":{\"name\":\"h\"},\"spec\":{\"taints\":[{\"key\":\"a\",\"effect\":"
                 "\"NoExecute\"},{\"key\":\"a\",\"effect\":\"NoExecute\"}]}}",
                 NULL, "spec.taints[1]: Duplicate value");
  ASSERT_ACCEPTED(&ferry_kind_migration_policy,
                  "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"selectors\":{\"namespaceSelector\":"
                  "{\"hpc-workloads\":true,\"n\":1}}}}");
}

static void test_limits(void) {
  g_autofree char *text = g_strnfill(5000, 'a');
  g_autofree char *name = g_strdup_printf(VMIM("{\"vmiName\":\"%s\"}"), text);
  ASSERT_REFUSED(&ferry_kind_vmim, name, NULL, "Too long: may not be more than 253 characters");
  g_autoptr(GString) many = g_string_new("{\"metadata\":{\"name\":\"h\"},\"spec\":{\"taints\":[");
  for (int i = 0; i < 65; i++)
    g_string_append_printf(many, "%s{\"key\":\"k%d\",\"effect\":\"NoExecute\"}", i ? "," : "", i);
  g_string_append(many, "]}}");
  ASSERT_REFUSED(&ferry_kind_node, many->str, NULL, "Too many: 65: must have at most 64 items");
  /* However many violations there are, the answer stays small. */
  g_autoptr(GString) bad = g_string_new("{\"metadata\":{\"name\":\"m\",\"namespace\":\"d\"},"
                                        "\"spec\":{\"vmiName\":\"a\",\"addedNodeSelector\":{");
  for (int i = 0; i < 64; i++)
    g_string_append_printf(bad, "%s\"%s%d \":\" \"", i ? "," : "", text, i);
  g_string_append(bad, "}}}");
  g_autofree char *answer = verdict(&ferry_kind_vmim, bad->str, NULL, FERRY_ERROR_INVALID);
  g_assert_cmpuint(strlen(answer), <, 64 * 1024);
}

static void test_open_and_any(void) {
  g_autoptr(json_t) object =
      parse("{\"metadata\":{\"name\":\"m\",\"namespace\":\"d\"},\"spec\":{\"vmiName\":\"a\"},"
            "\"status\":{\"migrationState\":{\"migrationConfiguration\":{\"later\":{\"x\":null}}},"
            "\"decisions\":[{\"value\":[1,{\"a\":null}]}]}}");
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) out =
      ferry_validate(&ferry_kind_vmim, object, NULL, FERRY_UNKNOWN_STRICT, NULL, &error);
  g_assert_no_error(error);
  g_assert_true(json_equal(json_object_get(out, "status"), json_object_get(object, "status")));
}

/* A field of KubeVirt's is kept and told of, once; one that nobody knows is refused. */
static void test_kept(void) {
  static const char text[] =
      "{\"apiVersion\":\"kubevirt.io/v1alpha3\",\"kind\":\"KubeVirt\",\"metadata\":{\"name\":"
      "\"kubevirt\",\"namespace\":\"kubevirt\"},\"spec\":{\"imageTag\":\"v1\",\"configuration\":"
      "{\"developerConfiguration\":{\"featureGates\":[\"A\"]}}}}";
  g_autoptr(json_t) object = ferry_json_parse(text, strlen(text), NULL);
  g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) kept =
      ferry_validate(&ferry_kind_kubevirt, object, NULL, FERRY_UNKNOWN_STRICT, warnings, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(warnings->len, ==, 2);
  g_assert_cmpstr(warnings->pdata[0], ==,
                  "field \"spec.imageTag\" is KubeVirt's: it is kept, and does nothing here");
  g_assert_cmpstr(ferry_json_str(kept, "spec.imageTag"), ==, "v1");
  g_assert_cmpstr(ferry_json_str(kept, "apiVersion"), ==, "kubevirt.io/v1");
  g_ptr_array_set_size(warnings, 0);
  g_autoptr(json_t) again =
      ferry_validate(&ferry_kind_kubevirt, kept, kept, FERRY_UNKNOWN_WARN, warnings, &error);
  g_assert_no_error(error);
  g_assert_true(json_equal(again, kept));
  g_assert_cmpuint(warnings->len, ==, 0);
  ferry_json_set_str(object, "spec.imageTags", "v1");
  g_assert_null(
      ferry_validate(&ferry_kind_kubevirt, object, NULL, FERRY_UNKNOWN_STRICT, NULL, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/validate/migration", test_migration);
  g_test_add_func("/validate/causes", test_causes);
  g_test_add_func("/validate/types-with-the-rest", test_types_with_the_rest);
  g_test_add_func("/validate/missing-spec", test_missing_spec);
  g_test_add_func("/validate/unknown", test_unknown);
  g_test_add_func("/validate/type-meta", test_type_meta);
  g_test_add_func("/validate/kind-checks", test_kind_checks);
  g_test_add_func("/validate/limits", test_limits);
  g_test_add_func("/validate/open-and-any", test_open_and_any);
  g_test_add_func("/validate/kept", test_kept);
  return g_test_run();
}
