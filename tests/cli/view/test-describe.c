// SPDX-License-Identifier: Apache-2.0
#include "cli/view/describe.h"
#include "base/rfc3339.h"
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

/* What is too many to be read is counted. */
static void test_describe_many(void) {
  g_autoptr(json_t) node =
      parse("{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"h1\","
            "\"labels\":{\"own\":\"1\"}},\"status\":{\"words\":[]}}");
  json_t *labels = ferry_json_get(node, "metadata.labels"),
         *words = ferry_json_get(node, "status.words");
  for (guint i = 0; i < 100; i++) {
    g_autofree char *label = g_strdup_printf("model.example/m%u", i);
    json_object_set_new(labels, label, json_string("true"));
    json_array_append_new(words, json_sprintf("w%u", i));
  }
  g_autofree char *text = ferry_describe(node, NULL, 0);
  g_assert_nonnull(strstr(text, "model.example/... (100, -o yaml shows them)\n"));
  g_assert_nonnull(strstr(text, "own=1"));
  g_assert_null(strstr(text, "model.example/m7"));
  g_assert_nonnull(strstr(text, "w0, w1, w2, w3, w4, w5 and 94 more (-o yaml shows them)\n"));
}

static void test_describe_vms(void) {
  g_autoptr(json_t) vms =
      parse("[{\"metadata\":{\"namespace\":\"default\",\"name\":\"db\"},\"status\":{"
            "\"phase\":\"Running\"}}]");
  g_autoptr(json_t) none = json_array();
  g_autofree char *text = ferry_describe_vms(vms), *empty = ferry_describe_vms(none);
  g_assert_nonnull(strstr(text, "default/db:"));
  g_assert_nonnull(strstr(text, "Running\n"));
  g_assert_nonnull(strstr(empty, "(none)\n"));
}

int main(int argc, char **argv) {
  setlocale(LC_CTYPE, "");
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/cli/describe/object", test_describe);
  g_test_add_func("/cli/describe/units", test_describe_units);
  g_test_add_func("/cli/describe/many", test_describe_many);
  g_test_add_func("/cli/describe/vms", test_describe_vms);
  return g_test_run();
}
