// SPDX-License-Identifier: Apache-2.0
#include <string.h>
#include "base/rfc3339.h"
#include "../helper.h"
#include "model/listing/table.h"

/* The cells of one object, as JSON text. */
static char *cells(const FerryKind *kind, const char *text) {
  json_t *object = parse(text);
  gint64 now = ferry_rfc3339_parse("2026-01-02T00:05:00Z");
  g_autoptr(json_t) table =
      ferry_table_new(kind, &object, 1, "v1", FERRY_INCLUDE_METADATA, TRUE, now);
  json_t *row = json_array_get(json_object_get(table, "rows"), 0);
  g_assert_cmpuint(json_array_size(json_object_get(table, "columnDefinitions")), ==,
                   json_array_size(json_object_get(row, "cells")));
  json_decref(object);
  return ferry_json_dump(json_object_get(row, "cells"));
}

static void test_vmi(void) {
  g_autofree char *moving = cells(
      &ferry_kind_vmi,
      "{\"metadata\":{\"name\":\"db\",\"uid\":\"u\",\"creationTimestamp\":\"2026-01-02T00:00:00Z\"}"
      ",\"spec\":{\"domainName\":\"Db\",\"domain\":{\"cpu\":{\"cores\":2},\"memory\":{\"guest\":"
      "\"256Mi\"}}},\"status\":{\"phase\":\"Running\",\"nodeName\":\"h1\",\"conditions\":[{"
      "\"type\":\"LiveMigratable\",\"status\":\"True\"}],\"migrationState\":{\"targetNode\":\"h2\"}"
      ",\"migrationProgress\":{\"percent\":43}}}");
  g_assert_cmpstr(moving, ==,
                  "[\"db\",\"Running\",\"h1\",\"256Mi\",2,\"→ h2 43%\",\"5m\",\"Db\",\"u\","
                  "\"True\",null]");
  g_autofree char *still =
      cells(&ferry_kind_vmi, "{\"metadata\":{\"name\":\"db\"},\"status\":{\"guestMemoryBytes\":"
                             "1610612736,\"migrationState\":{\"targetNode\":\"h2\",\"completed\":"
                             "true}}}");
  g_assert_cmpstr(still, ==,
                  "[\"db\",null,null,\"1.5Gi\",null,null,\"<unknown>\",null,null,null,null]");
}

/* A second copy is seen in the table, and a host that only has its definition is none. */
static void test_two_hosts(void) {
  static const char *const conditions[] = {"RunningOnTwoHosts", "ClaimedByAnotherHost", "Ready"};
  for (gsize i = 0; i < G_N_ELEMENTS(conditions); i++) {
    g_autofree char *text = g_strdup_printf(
        "{\"metadata\":{\"name\":\"db\"},\"status\":{\"nodeName\":\"h1\",\"conditions\":[{\"type\":"
        "\"%s\",\"status\":\"True\"}],\"domains\":[{\"nodeName\":\"h1\",\"active\":true},"
        "{\"nodeName\":\"h2\",\"active\":true},{\"nodeName\":\"h3\",\"active\":false}]}}",
        conditions[i]);
    g_autofree char *row = cells(&ferry_kind_vmi, text);
    g_assert_cmpint(strstr(row, "h1 and h2") != NULL, ==, i < 2);
    g_assert_null(strstr(row, "h3"));
  }
}

static void test_vmim(void) {
  g_autofree char *text = cells(
      &ferry_kind_vmim,
      "{\"metadata\":{\"name\":\"m\",\"creationTimestamp\":\"2026-01-02T00:04:00Z\"},\"spec\":{"
      "\"vmiName\":\"db\",\"targetNode\":\"h3\"},\"status\":{\"phase\":\"Running\","
      "\"reason\":\"Slow\",\"message\":\"the link is slow\",\"migrationState\":{\"sourceNode\":"
      "\"h1\",\"targetNode\":\"h2\",\"network\":\"fast\"},\"progress\":{\"percent\":7,"
      "\"dataRemainingBytes\":1048576,\"memoryTransferRateBytesPerSecond\":123731968,"
      "\"dirtyRateBytesPerSecond\":0,\"elapsedMs\":4200},\"summary\":{\"downtimeMs\":34}}}");
  g_assert_cmpstr(text, ==,
                  "[\"m\",\"Running\",\"db\",\"h1\",\"h2\",\"7%\",\"60s\",\"1Mi\",\"118Mi/s\","
                  "\"0/s\",\"4.2s\",\"34ms\",\"fast\",\"Slow: the link is slow\"]");
}

static void test_node(void) {
  g_autofree char *text = cells(
      &ferry_kind_node,
      "{\"metadata\":{\"name\":\"h1\"},\"spec\":{\"unschedulable\":true},\"status\":{\"conditions\""
      ":[{\"type\":\"Ready\",\"status\":\"True\"}],\"capacity\":{\"cpu\":\"2\",\"memory\":\"8Gi\"},"
      "\"runningVMs\":3,\"memoryUsedBytes\":1073741824,\"agent\":{\"version\":\"" FERRY_VERSION
      "\"},"
      "\"addresses\":[{\"type\":\"Hostname\",\"address\":\"h1\"},{\"type\":\"InternalIP\","
      "\"address\":\"10.0.0.1\"}]}}");
  g_assert_cmpstr(text, ==,
                  "[\"h1\",\"Ready,SchedulingDisabled\",3,\"2\",\"1Gi/8Gi\",\"<unknown>\","
                  "\"v" FERRY_VERSION "\",\"10.0.0.1\",null,null,null,\"\"]");
  g_autofree char *lost =
      cells(&ferry_kind_node, "{\"metadata\":{\"name\":\"h1\"},\"status\":{\"conditions\":[{"
                              "\"type\":\"Ready\",\"status\":\"Unknown\"}]}}");
  g_assert_true(g_str_has_prefix(lost, "[\"h1\",\"NotReady\","));
}

static void test_event_and_network(void) {
  g_autofree char *event =
      cells(&ferry_kind_event,
            "{\"metadata\":{\"name\":\"e\"},\"involvedObject\":{\"kind\":\"Node\",\"name\":\"h1\"},"
            "\"reason\":\"R\",\"message\":\"M\",\"type\":\"Normal\",\"lastTimestamp\":"
            "\"2026-01-02T00:04:30Z\",\"count\":3,\"source\":{\"component\":\"ferryd\"}}");
  g_assert_cmpstr(event, ==,
                  "[\"30s\",\"Normal\",\"R\",\"node/h1\",null,\"ferryd\",\"M\",\"<unknown>\",3,"
                  "\"e\"]");
  g_autofree char *network =
      cells(&ferry_kind_network,
            "{\"metadata\":{\"name\":\"n\"},\"spec\":{\"roles\":[\"migration\"],\"subnets\":["
            "\"10.0.0.0/8\",\"fd00::/8\"],\"fallback\":\"warn\"},\"status\":{\"nodes\":[{"
            "\"nodeName\":\"h1\",\"address\":\"10.0.0.1\"},{\"nodeName\":\"h2\"}]}}");
  g_assert_cmpstr(network, ==,
                  "[\"n\",\"migration\",\"10.0.0.0/8,fd00::/8\",\"warn\",1,\"<unknown>\"]");
}

static void test_include(void) {
  json_t *object = parse("{\"metadata\":{\"name\":\"n\"},\"status\":{\"phase\":\"Active\"}}");
  g_autoptr(json_t) metadata = ferry_table_new(&ferry_kind_namespace, &object, 1, "v1beta1",
                                               FERRY_INCLUDE_METADATA, FALSE, 0);
  g_assert_cmpstr(ferry_json_str(metadata, "apiVersion"), ==, "meta.k8s.io/v1beta1");
  g_assert_cmpuint(json_array_size(json_object_get(metadata, "columnDefinitions")), ==, 0);
  json_t *row = json_array_get(json_object_get(metadata, "rows"), 0);
  g_assert_cmpstr(ferry_json_str(row, "object.kind"), ==, "PartialObjectMetadata");
  g_assert_cmpstr(ferry_json_str(row, "object.metadata.name"), ==, "n");
  g_assert_null(ferry_json_get(row, "object.status"));
  g_autoptr(json_t) whole =
      ferry_table_new(&ferry_kind_namespace, &object, 1, "v1", FERRY_INCLUDE_OBJECT, TRUE, 0);
  row = json_array_get(json_object_get(whole, "rows"), 0);
  g_assert_true(json_object_get(row, "object") == object);
  g_autoptr(json_t) none =
      ferry_table_new(&ferry_kind_namespace, &object, 1, "v1", FERRY_INCLUDE_NONE, TRUE, 0);
  g_assert_null(json_object_get(json_array_get(json_object_get(none, "rows"), 0), "object"));
  json_decref(object);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/table/vmi", test_vmi);
  g_test_add_func("/table/two-hosts", test_two_hosts);
  g_test_add_func("/table/vmim", test_vmim);
  g_test_add_func("/table/node", test_node);
  g_test_add_func("/table/event-and-network", test_event_and_network);
  g_test_add_func("/table/include", test_include);
  return g_test_run();
}
