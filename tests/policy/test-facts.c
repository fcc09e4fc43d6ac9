// SPDX-License-Identifier: Apache-2.0
#include "policy/facts.h"

static json_t *j(const char *text) {
  json_t *v = json_loads(text, 0, NULL);
  g_assert_nonnull(v);
  return v;
}

#define HOST(management, migration, versions)                                                      \
  "{\"metadata\":{\"name\":\"h\"},\"status\":{\"interfaces\":["                                    \
  "{\"name\":\"m\",\"speedMbps\":10000,\"up\":true,\"addresses\":[\"" management "\"]},"           \
  "{\"name\":\"d\",\"speedMbps\":1000,\"up\":true,\"addresses\":[\"" migration                     \
  "\",\"fd00::2/64\"]}],"                                                                          \
  "\"hypervisor\":{" versions "\"features\":[\"live\",\"postcopy-preempt\"]}}}"
#define NEW "\"libvirtVersion\":\"11.3.0\",\"qemuVersion\":\"10.0.2\","
#define OLD "\"libvirtVersion\":\"9.0.0\",\"qemuVersion\":\"7.2.0\","

static gint64 link_to(const json_t *source, const json_t *target, const char *address) {
  g_autoptr(json_t) c = json_object();
  ferry_config_add_facts(c, NULL, NULL, source, target, address);
  return ferry_json_int(c, "linkRateBytesPerSecond", 0);
}

/* The link is the one that the address lies on, however fast others are. */
static void test_hosts(void) {
  g_autoptr(json_t) a = j(HOST("10.0.0.1/24", "10.1.0.1/24", ""));
  g_autoptr(json_t) b = j(HOST("10.0.0.2/24", "10.1.0.2/24", ""));
  g_autoptr(json_t) c = json_object();
  g_autoptr(json_t) origins = json_object();
  ferry_config_add_facts(c, origins, NULL, a, b, "10.1.0.2");
  g_assert_cmpint(ferry_json_int(c, "linkRateBytesPerSecond", 0), ==, 62500000);
  g_assert_true(ferry_json_bool(c, "postCopyPreempt", FALSE));
  g_assert_cmpstr(ferry_json_str(origins, "postCopyPreempt"), ==, "automatic");
  g_assert_cmpint(link_to(a, b, "10.0.0.2"), ==, 625000000);
  g_assert_cmpint(link_to(a, b, "fd00::2"), ==, 62500000);
  g_assert_cmpint(link_to(a, b, "10.1.0.20"), ==, 0); /* a beginning is not the address */
  g_assert_cmpint(link_to(a, b, NULL), ==, 0);
  g_autoptr(json_t) elsewhere = j(HOST("10.0.0.3/24", "192.168.0.1/24", ""));
  g_assert_cmpint(link_to(elsewhere, b, "10.1.0.2"), ==, 0); /* through routers */
  ferry_json_set(json_array_get(ferry_json_get(a, "status.interfaces"), 1), "up", json_false());
  g_assert_cmpint(link_to(a, b, "10.1.0.2"), ==, 0);
  g_autoptr(json_t) none = json_object();
  g_autoptr(json_t) unknown = j("{\"status\":{}}");
  ferry_config_add_facts(none, NULL, NULL, a, unknown, "10.1.0.2");
  g_assert_cmpuint(json_object_size(none), ==, 0);
}

static gint64 told(const char *config, const char *to) {
  g_autoptr(json_t) a = j(HOST("10.0.0.1/24", "10.1.0.1/24", NEW));
  g_autoptr(json_t) b = j(to);
  g_autoptr(json_t) c = j(config);
  ferry_config_add_facts(c, NULL, NULL, a, b, "10.1.0.2");
  return ferry_json_int(c, "availableSwitchoverBandwidth", 0);
}

/* A cap that hides the link is made up for, where both hosts can be told of it. */
static void test_told(void) {
  static const char new[] = HOST("10.0.0.2/24", "10.1.0.2/24", NEW);
  static const char old[] = HOST("10.0.0.2/24", "10.1.0.2/24", OLD);
  g_assert_cmpint(told("{\"bandwidthPerMigration\":33554432}", new), ==, 62500000);
  g_assert_cmpint(told("{\"bandwidthPerMigration\":33554432}", old), ==, 0);
  g_assert_cmpint(told("{\"bandwidthPerMigration\":335544320}", new), ==, 0); /* hides nothing */
  g_assert_cmpint(told("{\"bandwidthPerMigration\":0}", new), ==, 0);
  g_assert_cmpint(told("{\"bandwidthPerMigration\":33554432,\"schedule\":{}}", new), ==, 0);
  g_assert_cmpint(told("{\"bandwidthPerMigration\":33554432,\"preset\":\"nova\"}", new), ==, 0);
  g_assert_cmpint(told("{\"bandwidthPerMigration\":33554432,"
                       "\"availableSwitchoverBandwidth\":5}",
                       new),
                  ==, 5);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/facts/hosts", test_hosts);
  g_test_add_func("/facts/told", test_told);
  return g_test_run();
}
