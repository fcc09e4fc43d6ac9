// SPDX-License-Identifier: Apache-2.0
// Each defect at both ends of its range: the last versions that don't have it, and the first and
// last that do.
#include "policy/target/version_defects.h"
#include "base/error.h"

static json_t *host(const char *name, const char *versions) {
  g_auto(GStrv) parts = g_strsplit(versions, "/", 2);
  return json_pack("{s{ss},s{s{ss,ss}}}", "metadata", "name", name, "status", "hypervisor",
                   "libvirtVersion", parts[0], "qemuVersion", parts[1]);
}

/* Whether `name` is among them. `source` and `target` are LIBVIRT/QEMU; `trait` and `config` may be
 * NULL. */
static gboolean is_told(const char *name, const char *source, const char *target, const char *trait,
                        const char *config) {
  g_autoptr(json_t) from = host("h1", source), to = host("h2", target);
  g_autoptr(json_t) vmi = json_pack("{s{s{s[s*],s{s[{sb}]}}}}", "spec", "domain", "traits", trait,
                                    "devices", "disks", "shared", 1);
  g_autoptr(json_t) c = config ? json_loads(config, 0, NULL) : json_object();
  g_autoptr(json_t) list = ferry_version_defects(vmi, c, from, to);
  return ferry_json_find(list, "name", name) != NULL;
}

#define NEW "99.0.0/99.0.0"
#define TLS_DISKS "{\"tls\":true,\"parallel\":true,\"copyStorageAll\":true}"
#define XML "{\"destinationXML\":\"<domain/>\"}"

static void test_both_ends(void) {
  static const struct {
    const char *name, *trait, *config, *source, *target;
    gboolean told;
  } cases[] = {
      {"LongTLS", NULL, "{\"tls\":true}", "11.5.0/10.0.0", NEW, TRUE},
      {"LongTLS", NULL, "{\"tls\":true}", "11.6.0/10.0.0", NEW, FALSE},
      {"LongTLS", NULL, "{\"tls\":false}", "11.5.0/10.0.0", NEW, FALSE},
      {"CPUThreads", "cpu-threads", NULL, NEW, "11.9.0/10.0.0", TRUE},
      {"CPUThreads", "cpu-threads", NULL, NEW, "11.10.0/10.0.0", FALSE},
      {"CPUThreads", "cpu-threads", NULL, NEW, "11.9.0/9.2.0", FALSE},
      {"CPUThreads", NULL, NULL, NEW, "11.9.0/10.0.0", FALSE},
      {"VideoVirtio", "video-virtio", NULL, "12.4.0/10.0.0", NEW, TRUE},
      {"VideoVirtio", "video-virtio", NULL, NEW, "12.4.0/10.0.0", TRUE},
      {"VideoVirtio", "video-virtio", NULL, "12.5.0/10.0.0", "12.5.0/10.0.0", FALSE},
      {"CustomXMLProcessor", NULL, XML, "10.1.0/9.0.0", NEW, FALSE},
      {"CustomXMLProcessor", NULL, XML, "10.2.0/9.0.0", NEW, TRUE},
      {"CustomXMLProcessor", NULL, XML, "10.3.0/9.0.0", NEW, FALSE},
      {"TLSOfParallelDisks", NULL, TLS_DISKS, "10.2.0/9.0.0", NEW, TRUE},
      {"TLSOfParallelDisks", NULL, TLS_DISKS, "10.3.0/9.0.0", NEW, FALSE},
      {"TLSOfParallelDisks", NULL, "{\"tls\":true}", "10.2.0/9.0.0", NEW, FALSE},
      {"VMXToNewer", "cpu-vmx", NULL, "9.9.0/8.0.0", "9.10.0/8.0.0", TRUE},
      {"VMXToNewer", "cpu-vmx", NULL, "9.9.0/8.0.0", "10.1.0/8.0.0", TRUE},
      {"VMXToNewer", "cpu-vmx", NULL, "9.9.0/8.0.0", "10.2.0/8.0.0", FALSE},
      {"VMXToNewer", "cpu-vmx", NULL, "9.10.0/8.0.0", "10.1.0/8.0.0", FALSE},
      {"VMXToOlder", "cpu-vmx", NULL, "9.10.0/8.0.0", "9.9.0/8.0.0", TRUE},
      {"VMXToOlder", "cpu-vmx", NULL, "10.1.0/8.0.0", "9.9.0/8.0.0", TRUE},
      {"VMXToOlder", "cpu-vmx", NULL, "10.2.0/8.0.0", "9.9.0/8.0.0", FALSE},
      {"VMXToOlder", "cpu-vmx", NULL, "10.1.0/8.0.0", "9.10.0/8.0.0", FALSE},
      {"VMXPartsOff", "cpu-vmx-parts-off", NULL, NEW, "10.4.0/9.0.0", TRUE},
      {"VMXPartsOff", "cpu-vmx-parts-off", NULL, NEW, "10.5.0/9.0.0", FALSE},
      {"RootSquash", NULL, NULL, "10.0.0/8.2.0", NEW, FALSE},
      {"RootSquash", NULL, NULL, "10.1.0/8.2.0", NEW, TRUE},
      {"RootSquash", NULL, NULL, NEW, "10.3.0/8.2.0", TRUE},
      {"RootSquash", NULL, NULL, "10.4.0/8.2.0", NEW, FALSE},
      {"DisksPortKept", NULL, "{\"disksPort\":49300}", NEW, "10.0.0/8.0.0", TRUE},
      {"DisksPortKept", NULL, "{\"disksPort\":49300}", NEW, "10.1.0/8.0.0", FALSE},
      {"DisksPortKept", NULL, "{\"disksPort\":0}", NEW, "10.0.0/8.0.0", FALSE},
      {"TPMOnNFS", "tpm-emulator", NULL, NEW, "11.10.0/10.0.0", TRUE},
      {"TPMOnNFS", "tpm-emulator", NULL, NEW, "12.0.0/10.0.0", FALSE},
      {"QueuesOfXML", "interface-queues", XML, "11.3.0/10.0.0", NEW, TRUE},
      {"QueuesOfXML", "interface-queues", XML, "11.4.0/10.0.0", NEW, FALSE},
      {"RecoveryCalledFailed", NULL, "{\"postCopyResume\":true}", "10.10.0/9.0.0", NEW, TRUE},
      {"RecoveryCalledFailed", NULL, "{\"postCopyResume\":true}", "11.0.0/9.0.0", NEW, FALSE},
      {"EmulatedWrites", "emulated", NULL, "9.0.0/7.1.0", NEW, FALSE},
      {"EmulatedWrites", "emulated", NULL, "9.0.0/7.2.0", NEW, TRUE},
      {"EmulatedWrites", "emulated", NULL, "9.0.0/7.2.22", NEW, TRUE},
      {"EmulatedWrites", "emulated", NULL, "9.0.0/8.0.0", NEW, FALSE},
      {"SettingDropped", "disk-iothreads", NULL, NEW, "9.10.0/9.0.0", TRUE},
      {"SettingDropped", "disk-iothreads", NULL, NEW, "10.0.0/9.0.0", FALSE},
      {"SettingDropped", "ps2", NULL, NEW, "10.6.0/9.0.0", FALSE}, /* that is refused */
      {"SettingDropped", "video-virtio", NULL, NEW, "9.0.0/7.2.0", FALSE},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_test_message("%zu: %s %s -> %s", i, cases[i].name, cases[i].source, cases[i].target);
    g_assert_cmpint(
        is_told(cases[i].name, cases[i].source, cases[i].target, cases[i].trait, cases[i].config),
        ==, cases[i].told);
  }
}

static void test_unknown_version(void) {
  g_autoptr(json_t) vmi = json_pack("{s{s{s[ss]}}}", "spec", "domain", "traits", "ps2", "cpu-vmx");
  g_autoptr(json_t) config = json_object(), unsaid = json_pack("{s{ss}}", "metadata", "name", "h3");
  g_autoptr(json_t) list = ferry_version_defects(vmi, config, unsaid, unsaid);
  g_assert_cmpuint(json_array_size(list), ==, 0);
  g_autoptr(json_t) nobody = ferry_version_defects(vmi, config, NULL, unsaid);
  g_assert_cmpuint(json_array_size(nobody), ==, 0);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/version_defects/both-ends", test_both_ends);
  g_test_add_func("/version_defects/unknown-version", test_unknown_version);
  return g_test_run();
}
