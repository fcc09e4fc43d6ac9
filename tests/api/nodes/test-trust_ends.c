// SPDX-License-Identifier: Apache-2.0
#include "api/nodes/trust_ends.h"
#include "base/json.h"
#include "base/rfc3339.h"
#include "model/migration/condition.h"
#include <string.h>

#define DAY_MS (G_GINT64_CONSTANT(86400) * 1000)

static json_t *trust_ends_node(void) {
  static const char text[] =
      "{\"metadata\":{\"name\":\"h1\"},\"status\":{\"libvirtTrust\":{\"given\":["
      "{\"serial\":\"a\",\"ends\":\"2026-03-01T00:00:00Z\"},"
      "{\"serial\":\"b\",\"ends\":\"2026-05-01T00:00:00Z\"},"
      "{\"serial\":\"c\",\"ends\":\"2026-04-01T00:00:00Z\"}]}}}";
  return ferry_json_parse(text, strlen(text), NULL);
}

static const char *trust_ends_said(const json_t *node) {
  return ferry_json_str(ferry_condition_find(node, FERRY_CONDITION_CERTIFICATE_EXPIRING),
                        "message");
}

static void test_last(void) {
  g_autoptr(json_t) node = trust_ends_node();
  g_autoptr(json_t) empty = json_object();
  g_assert_cmpstr(ferry_json_str(ferry_trust_last(node), "serial"), ==, "b");
  g_assert_null(ferry_trust_last(empty));
}

/* Of those that were renewed nobody is warned, and of the last one until it was. */
static void test_warn(void) {
  g_autoptr(json_t) node = trust_ends_node();
  gint64 ends_ms = ferry_rfc3339_parse("2026-05-01T00:00:00Z");
  ferry_trust_warn(node, ends_ms - 15 * DAY_MS, 14 * DAY_MS);
  g_assert_null(trust_ends_said(node));
  ferry_trust_warn(node, ends_ms - 13 * DAY_MS, 14 * DAY_MS);
  g_assert_nonnull(strstr(trust_ends_said(node), "2026-05-01T00:00:00Z"));
  g_assert_nonnull(strstr(trust_ends_said(node), "ferry-trust.timer"));
  ferry_trust_warn(node, ends_ms - 15 * DAY_MS, 14 * DAY_MS);
  g_assert_null(trust_ends_said(node));
}

/* What is said of the agent's own certificate stays. */
static void test_other(void) {
  static const char text[] =
      "{\"metadata\":{\"name\":\"h1\"},\"status\":{\"conditions\":[{\"type\":"
      "\"CertificateExpiring\","
      "\"status\":\"True\",\"message\":\"the certificate of its agent ends\"}]}}";
  g_autoptr(json_t) node = ferry_json_parse(text, strlen(text), NULL);
  g_autoptr(json_t) given = trust_ends_node();
  ferry_trust_warn(node, 0, 14 * DAY_MS);
  g_assert_cmpstr(trust_ends_said(node), ==, "the certificate of its agent ends");
  ferry_json_set(node, "status.libvirtTrust",
                 json_deep_copy(ferry_json_get(given, "status.libvirtTrust")));
  ferry_trust_warn(node, ferry_rfc3339_parse("2026-05-01T00:00:00Z"), 14 * DAY_MS);
  g_assert_cmpstr(trust_ends_said(node), ==, "the certificate of its agent ends");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/api/trust_ends/last", test_last);
  g_test_add_func("/api/trust_ends/warn", test_warn);
  g_test_add_func("/api/trust_ends/other", test_other);
  return g_test_run();
}
