// SPDX-License-Identifier: Apache-2.0
#include "policy/facts.h"

static json_t *j(const char *text) {
  json_t *v = json_loads(text, 0, NULL);
  g_assert_nonnull(v);
  return v;
}

static void test_disks(void) {
  g_autoptr(json_t) vmi =
      j("{\"spec\":{\"domain\":{\"devices\":{\"disks\":[{\"name\":\"vda\",\"sizeBytes\":1000},"
        "{\"name\":\"vdb\",\"sizeBytes\":20},{\"name\":\"sda\",\"sizeBytes\":3,"
        "\"readonly\":true}]}}}}");
  g_autoptr(json_t) c = json_object();
  g_assert_cmpint(ferry_config_copied_bytes(c, vmi), ==, 0);
  ferry_json_set_bool(c, "copyStorageAll", TRUE);
  g_assert_cmpint(ferry_config_copied_bytes(c, vmi), ==, 1020);
  ferry_json_set(c, "migrateDisks", j("[\"vdb\"]"));
  g_assert_cmpint(ferry_config_copied_bytes(c, vmi), ==, 20);
}

static void test_hosts(void) {
  g_autoptr(json_t) a =
      j("{\"status\":{\"interfaces\":[{\"speedMbps\":1000,\"up\":true},{\"speedMbps\":25000,"
        "\"up\":false}],\"hypervisor\":{\"features\":[\"live\",\"postcopy-preempt\"]}}}");
  g_autoptr(json_t) b = j("{\"status\":{\"interfaces\":[{\"speedMbps\":10000,\"up\":true}],"
                          "\"hypervisor\":{\"features\":[\"postcopy-preempt\"]}}}");
  g_autoptr(json_t) c = json_object();
  g_autoptr(json_t) origins = json_object();
  ferry_config_add_facts(c, origins, NULL, a, b);
  g_assert_cmpint(ferry_json_int(c, "linkRateBytesPerSecond", 0), ==, 62500000);
  g_assert_true(ferry_json_bool(c, "postCopyPreempt", FALSE));
  g_assert_cmpstr(ferry_json_str(origins, "postCopyPreempt"), ==, "automatic");
  g_autoptr(json_t) none = json_object();
  g_autoptr(json_t) unknown = j("{\"status\":{}}");
  ferry_config_add_facts(none, NULL, NULL, a, unknown);
  g_assert_cmpuint(json_object_size(none), ==, 0);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/facts/disks", test_disks);
  g_test_add_func("/facts/hosts", test_hosts);
  return g_test_run();
}
