// SPDX-License-Identifier: Apache-2.0
#include <string.h>
#include "../helper.h"

static void test_names(void) {
  const FerryKind *ns = &ferry_kind_namespace;
  ASSERT_REFUSED(ns, "{}", NULL, "metadata.name: Required value: name or generateName is required");
  ASSERT_REFUSED(ns, "{\"metadata\":{\"name\":\"a.b\"}}", NULL,
                 "metadata.name: Invalid value: \"a.b\"");
  ASSERT_ACCEPTED(&ferry_kind_node, "{\"metadata\":{\"name\":\"a.b\"}}");
  ASSERT_ACCEPTED(ns, "{\"metadata\":{\"generateName\":\"a-\"}}");
  ASSERT_REFUSED(ns, "{\"metadata\":{\"generateName\":\"A-\"}}", NULL, "metadata.generateName");
  ASSERT_REFUSED(&ferry_kind_vmi, "{\"metadata\":{\"name\":\"a\"}}", NULL,
                 "metadata.namespace: Required value");
  ASSERT_REFUSED(&ferry_kind_vmi, "{\"metadata\":{\"name\":\"a\",\"namespace\":\"../b\"}}", NULL,
                 "metadata.namespace: Invalid value");
  ASSERT_REFUSED(&ferry_kind_node, "{\"metadata\":{\"name\":\"../../etc/passwd\"}}", NULL,
                 "metadata.name: Invalid value");
}

static void test_cluster_scope(void) {
  g_autoptr(json_t) object = parse("{\"metadata\":{\"name\":\"h\",\"namespace\":\"kubevirt\"}}");
  g_autoptr(json_t) out =
      ferry_validate(&ferry_kind_node, object, NULL, FERRY_UNKNOWN_STRICT, NULL, NULL);
  g_assert_null(ferry_json_str(out, "metadata.namespace"));
}

static void test_labels(void) {
  ASSERT_REFUSED(&ferry_kind_node, "{\"metadata\":{\"name\":\"h\",\"labels\":{\"a b\":\"c\"}}}",
                 NULL, "metadata.labels: Invalid value: \"a b\"");
  ASSERT_REFUSED(&ferry_kind_node, "{\"metadata\":{\"name\":\"h\",\"labels\":{\"a\":\"c/d\"}}}",
                 NULL, "metadata.labels: Invalid value: \"c/d\" of key \"a\"");
  ASSERT_VERDICT(
      &ferry_kind_node, "{\"metadata\":{\"name\":\"h\",\"labels\":{\"a\":true}}}", NULL,
      FERRY_ERROR_INVALID,
      "Node \"h\" is invalid: metadata.labels.a: Invalid value: true: expected a string, "
      "found a boolean");
}

static void test_annotations(void) {
  for (int over = 0; over < 2; over++) {
    g_autofree char *value = g_strnfill(256 * 1024 - 1 + over, 'x');
    g_autofree char *text =
        g_strdup_printf("{\"metadata\":{\"name\":\"h\",\"annotations\":{\"a\":\"%s\"}}}", value);
    if (over)
      ASSERT_REFUSED(&ferry_kind_node, text, NULL, "may not be more than 262144 bytes");
    else
      ASSERT_ACCEPTED(&ferry_kind_node, text);
  }
  ASSERT_ACCEPTED(&ferry_kind_node, "{\"metadata\":{\"name\":\"h\",\"annotations\":{\"kubectl."
                                    "kubernetes.io/last-applied-configuration\":\"{}\\n\"}}}");
}

static void test_lists(void) {
  ASSERT_REFUSED(&ferry_kind_node, "{\"metadata\":{\"name\":\"h\",\"finalizers\":[\"a b\"]}}", NULL,
                 "metadata.finalizers[0]: Invalid value: \"a b\"");
  ASSERT_ACCEPTED(&ferry_kind_node,
                  "{\"metadata\":{\"name\":\"h\",\"finalizers\":[\"kubevirt.io/"
                  "migrationJobFinalizer\"],\"managedFields\":[{\"manager\":\"kubectl\","
                  "\"operation\":\"Update\",\"apiVersion\":\"v1\",\"time\":\"2026-01-02T03:04:05Z\""
                  ",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{\"f:spec\":{\".\":{}}}}]}}");
  ASSERT_REFUSED(&ferry_kind_node,
                 "{\"metadata\":{\"name\":\"h\",\"creationTimestamp\":\"yesterday\"}}", NULL,
                 "metadata.creationTimestamp: Invalid value: \"yesterday\"");
}

static void test_identity(void) {
  ASSERT_REFUSED(&ferry_kind_node, "{\"metadata\":{\"name\":\"h\",\"uid\":\"2\"}}",
                 "{\"metadata\":{\"name\":\"h\",\"uid\":\"1\"}}",
                 "metadata.uid: Invalid value: \"2\": field is immutable");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/validate-meta/names", test_names);
  g_test_add_func("/validate-meta/cluster-scope", test_cluster_scope);
  g_test_add_func("/validate-meta/labels", test_labels);
  g_test_add_func("/validate-meta/annotations", test_annotations);
  g_test_add_func("/validate-meta/lists", test_lists);
  g_test_add_func("/validate-meta/identity", test_identity);
  return g_test_run();
}
