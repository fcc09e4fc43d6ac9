// SPDX-License-Identifier: Apache-2.0
#include "policy/migratable.h"

static void test_reasons(void) {
  g_autoptr(json_t) plain = json_pack("{s{s{s{}}}}", "spec", "domain", "devices");
  g_autoptr(json_t) none = ferry_migratable_reasons(plain);
  g_assert_cmpuint(json_array_size(none), ==, 0);
  g_autoptr(json_t) bad =
      json_pack("{s{s{s{ss},s{s[{ss,ss}],s[{ss,ss}]}}}}", "spec", "domain", "cpu", "model",
                "host-passthrough", "devices", "hostDevices", "name", "pci0", "type", "pci",
                "interfaces", "type", "hostdev", "macAddress", "52:54:00:00:00:01");
  g_autoptr(json_t) all = ferry_migratable_reasons(bad);
  g_assert_cmpuint(json_array_size(all), ==, 3);
  g_assert_nonnull(ferry_json_find(all, "reason", "HostDeviceNotLiveMigratable"));
  g_assert_nonnull(ferry_json_find(all, "reason", "InterfaceNotLiveMigratable"));
  g_assert_nonnull(ferry_json_find(all, "reason", "CPUModeLiveMigratable"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/migratable/reasons", test_reasons);
  return g_test_run();
}
