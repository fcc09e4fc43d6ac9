// SPDX-License-Identifier: Apache-2.0
#include "host/port/domain_xml.h"
#include "base/error.h"
#include <string.h>

#define HEAD                                                                                       \
  "<domain type='qemu'><name>web 1</name><uuid>49485E48-7F4C-4AAE-953D-67BBB89E2F57</uuid>"

static json_t *parse(const char *xml, GError **error) {
  return ferry_domain_xml_parse(xml, strlen(xml), error);
}

static void test_whole(void) {
  static const char xml[] = HEAD
      "<metadata><other:vm xmlns:other='urn:x'><other:label key='a'>no</other:label></other:vm>"
      "<ferry:vm xmlns:ferry='https://ferry.migration/v1'><ferry:namespace>shop</ferry:namespace>"
      "<ferry:label key='app'>web</ferry:label><ferry:label key='hpc'/>"
      "<ferry:annotation key='note'>a &lt; b</ferry:annotation>"
      "<ferry:migrationPolicy><ferry:allowPostCopy>true</ferry:allowPostCopy>"
      "<ferry:maxDowntimeMs>250</ferry:maxDowntimeMs><ferry:network>fast</ferry:network>"
      "<ferry:bandwidthPerMigration>64Mi</ferry:bandwidthPerMigration></ferry:migrationPolicy>"
      "</ferry:vm></metadata>"
      "<memory unit='KiB'>262144</memory><vcpu current='2'>4</vcpu>"
      "<os><type arch='x86_64' machine='pc-q35-10.0'>hvm</type></os>"
      "<cpu mode='custom'><model fallback='forbid'>qemu64</model></cpu>"
      "<devices><disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='none'/>"
      "<source file='/a.qcow2'/><target dev='vda'/></disk>"
      "<disk type='network' device='disk'><source protocol='rbd' name='p/i'/><target dev='vdb'/>"
      "<shareable/></disk>"
      "<disk type='file' device='cdrom'><source startupPolicy='optional'/><target "
      "dev='sda'/><readonly/></disk>"
      "<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/>"
      "<target dev='vnet0'/><model type='virtio'/></interface>"
      "<hostdev mode='subsystem' type='pci'><alias name='hostdev0'/></hostdev></devices></domain>";
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) r = parse(xml, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(ferry_json_str(r, "uuid"), ==, "49485e48-7f4c-4aae-953d-67bbb89e2f57");
  g_assert_cmpstr(ferry_json_str(r, "name"), ==, "web 1");
  g_assert_cmpstr(ferry_json_str(r, "namespace"), ==, "shop");
  g_assert_cmpstr(ferry_json_str(r, "labels.app"), ==, "web");
  g_assert_cmpstr(ferry_json_str(r, "labels.hpc"), ==, "");
  g_assert_cmpuint(json_object_size(ferry_json_get(r, "labels")), ==, 2);
  g_assert_cmpstr(ferry_json_str(r, "annotations.note"), ==, "a < b");
  g_assert_true(ferry_json_bool(r, "migrationPolicy.allowPostCopy", FALSE));
  g_assert_cmpint(ferry_json_int(r, "migrationPolicy.maxDowntimeMs", 0), ==, 250);
  g_assert_cmpstr(ferry_json_str(r, "migrationPolicy.bandwidthPerMigration"), ==, "64Mi");
  g_assert_cmpstr(ferry_json_str(r, "migrationPolicy.network"), ==, "fast");
  g_assert_cmpint(ferry_json_int(r, "memoryBytes", 0), ==, 268435456);
  g_assert_cmpint(ferry_json_int(r, "memoryHardLimitBytes", -1), ==, 0);
  g_assert_cmpint(ferry_json_int(r, "vcpus", 0), ==, 2);
  g_assert_cmpstr(ferry_json_str(r, "cpuModel"), ==, "qemu64");
  g_assert_cmpstr(ferry_json_str(r, "machineType"), ==, "pc-q35-10.0");
  json_t *disks = ferry_json_get(r, "disks");
  g_assert_cmpuint(json_array_size(disks), ==, 3);
  g_assert_cmpstr(ferry_json_str(json_array_get(disks, 0), "source"), ==, "/a.qcow2");
  g_assert_cmpstr(ferry_json_str(json_array_get(disks, 0), "cache"), ==, "none");
  g_assert_true(ferry_json_bool(json_array_get(disks, 1), "shareable", FALSE));
  g_assert_cmpstr(ferry_json_str(json_array_get(disks, 1), "source"), ==, "p/i");
  g_assert_true(ferry_json_bool(json_array_get(disks, 2), "readonly", FALSE));
  g_assert_cmpstr(ferry_json_str(json_array_get(disks, 2), "startupPolicy"), ==, "optional");
  json_t *nic = json_array_get(ferry_json_get(r, "interfaces"), 0);
  g_assert_cmpstr(ferry_json_str(nic, "source"), ==, "br0");
  g_assert_cmpstr(ferry_json_str(json_array_get(ferry_json_get(r, "hostDevices"), 0), "type"), ==,
                  "pci");
}

/* libvirt moves shared memory of a master alone, and none of the legacy model */
static void test_shmem(void) {
  static const struct {
    const char *devices;
    gsize n;
  } rows[] = {
      {"<shmem name='a'><model type='ivshmem-plain'/></shmem>", 1},
      {"<shmem name='a' role='peer'><model type='ivshmem-plain'/></shmem>", 1},
      {"<shmem name='a' role='master'><model type='ivshmem'/></shmem>", 1},
      {"<shmem name='a' role='master'/>", 1},
      {"<shmem name='a' role='master'><model type='ivshmem-plain'/></shmem>", 0},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *xml =
        g_strconcat(HEAD "<devices>", rows[i].devices, "</devices></domain>", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) r = parse(xml, &error);
    g_assert_no_error(error);
    const json_t *devices = ferry_json_get(r, "hostDevices");
    g_assert_cmpuint(json_array_size(devices), ==, rows[i].n);
    if (rows[i].n)
      g_assert_cmpstr(ferry_json_str(json_array_get(devices, 0), "name"), ==, "a");
  }
}

/* what ties a guest to its host */
static void test_bound(void) {
  static const char xml[] =
      HEAD "<features><acpi/><hyperv mode='passthrough'><reenlightenment "
           "state='on'/></hyperv></features>"
           "<cpu mode='custom'><model>EPYC</model><feature policy='disable' name='svm'/>"
           "<feature policy='require' name='invtsc'/></cpu>"
           "<clock offset='utc'><timer name='hpet' present='no'/>"
           "<timer name='tsc' frequency='2400000000' mode='native'/></clock>"
           "<launchSecurity type='sev-snp'><policy>0x30000</policy></launchSecurity>"
           "<devices><disk type='block' device='lun'><source dev='/dev/sdb'>"
           "<reservations managed='yes'/></source><target dev='sda' bus='scsi'/></disk>"
           "<disk type='file'><source file='/a'/><target dev='vda'/></disk>"
           "<filesystem type='mount'><driver type='virtiofs' queue='1024'/><source dir='/srv/d'/>"
           "<target dir='data'/></filesystem>"
           "<filesystem type='mount'><driver type='virtiofs'/><source socket='/run/v.sock'/>"
           "<target dir='logs'/></filesystem>"
           "<filesystem type='mount'><source dir='/srv/9p'/><target dir='old'/></filesystem>"
           "</devices></domain>";
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) r = parse(xml, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(ferry_json_str(r, "launchSecurity"), ==, "sev-snp");
  g_assert_true(ferry_json_bool(r, "hypervPassthrough", FALSE));
  g_assert_true(ferry_json_bool(r, "hypervReenlightenment", FALSE));
  g_assert_true(ferry_json_bool(r, "invariantTSC", FALSE));
  g_assert_cmpint(ferry_json_int(r, "tscFrequencyHz", 0), ==, 2400000000);
  json_t *disks = ferry_json_get(r, "disks"), *shared = ferry_json_get(r, "filesystems");
  g_assert_true(ferry_json_bool(json_array_get(disks, 0), "reservations", FALSE));
  g_assert_null(ferry_json_get(json_array_get(disks, 1), "reservations"));
  g_assert_cmpuint(json_array_size(shared), ==, 3);
  g_assert_cmpstr(ferry_json_str(json_array_get(shared, 0), "name"), ==, "data");
  g_assert_cmpstr(ferry_json_str(json_array_get(shared, 0), "driver"), ==, "virtiofs");
  g_assert_cmpstr(ferry_json_str(json_array_get(shared, 0), "source"), ==, "/srv/d");
  g_assert_cmpstr(ferry_json_str(json_array_get(shared, 1), "source"), ==, "/run/v.sock");
  g_assert_null(ferry_json_get(json_array_get(shared, 2), "driver"));
}

/* what is switched off, or said in words that libvirt does not write, is not there */
static void test_unbound(void) {
  static const char xml[] =
      HEAD "<features><hyperv mode='custom'><reenlightenment state='off'/></hyperv></features>"
           "<cpu mode='host-model'><feature policy='forbid' name='invtsc'/></cpu>"
           "<clock><timer name='rtc' frequency='1'/><timer name='tsc' frequency='-1'/>"
           "<timer name='tsc' frequency='99999999999999999999'/></clock></domain>";
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) r = parse(xml, &error);
  g_assert_no_error(error);
  static const char *const keys[] = {"launchSecurity", "hypervPassthrough", "hypervReenlightenment",
                                     "invariantTSC", "tscFrequencyHz"};
  for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
    g_assert_null(ferry_json_get(r, keys[i]));
  g_assert_cmpuint(json_array_size(ferry_json_get(r, "filesystems")), ==, 0);
  g_autoptr(json_t) implied = parse(
      HEAD "<cpu mode='custom'><model>EPYC</model><feature name='invtsc'/></cpu></domain>", &error);
  g_assert_true(ferry_json_bool(implied, "invariantTSC", FALSE));
}

static void refuse(const char *xml, const char *part) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) r = parse(xml, &error);
  g_assert_null(r);
  g_assert_nonnull(error);
  g_assert_nonnull(strstr(error->message, part));
}

static void test_hostile(void) {
  refuse("", "not a libvirt domain");
  refuse("<domain", "not a libvirt domain");
  refuse("<network/>", "root is not <domain>");
  refuse(HEAD, "not a libvirt domain");
  refuse("<domain><name>x</name></domain>", "uuid");
  refuse("<domain><uuid>49485e48-7f4c-4aae-953d-67bbb89e2f57</uuid></domain>", "name");
  refuse("<domain><name>x</name><uuid>../../etc</uuid></domain>", "uuid");
  /* entities: outside files and blow-ups alike */
  refuse("<!DOCTYPE domain [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>" HEAD "<title>&e;</title>"
         "</domain>",
         "DOCTYPE");
  refuse("<!DOCTYPE d [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>" HEAD
         "<title>&b;</title></domain>",
         "DOCTYPE");
  g_autoptr(GString) deep = g_string_new(HEAD);
  for (int i = 0; i < 5000; i++)
    g_string_append(deep, "<a>");
  refuse(deep->str, "not a libvirt domain");
  g_autoptr(GError) error = NULL;
  g_autofree char *big = g_malloc0(FERRY_DOMAIN_XML_MAX_BYTES + 1);
  g_assert_null(ferry_domain_xml_parse(big, FERRY_DOMAIN_XML_MAX_BYTES + 1, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_TOO_LARGE);
}

static void test_bounded(void) {
  g_autoptr(GString) xml = g_string_new(
      HEAD "<memory unit='TiB'>99999999999999999</memory><vcpu>99999999</vcpu>"
           "<memtune><hard_limit unit='MiB'>512</hard_limit></memtune><metadata><ferry:vm "
           "xmlns:ferry='https://ferry.migration/v1'>");
  for (int i = 0; i < 1000; i++)
    g_string_append_printf(xml, "<ferry:label key='k%d'>v</ferry:label>", i);
  g_string_append(xml, "</ferry:vm></metadata><devices>");
  for (int i = 0; i < 1000; i++)
    g_string_append_printf(xml,
                           "<disk type='file'><target dev='vd%d'/></disk>"
                           "<filesystem><target dir='fs%d'/></filesystem>",
                           i, i);
  g_string_append(xml, "</devices></domain>");
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) r = parse(xml->str, &error);
  g_assert_no_error(error);
  g_assert_null(ferry_json_get(r, "memoryBytes")); /* would overflow */
  g_assert_cmpint(ferry_json_int(r, "memoryHardLimitBytes", 0), ==, 512 << 20);
  g_assert_null(ferry_json_get(r, "vcpus"));
  g_assert_cmpuint(json_object_size(ferry_json_get(r, "labels")), ==, 64);
  g_assert_cmpuint(json_array_size(ferry_json_get(r, "disks")), ==, 256);
  g_assert_cmpuint(json_array_size(ferry_json_get(r, "filesystems")), ==, 256);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/domain-xml/whole", test_whole);
  g_test_add_func("/domain-xml/bound", test_bound);
  g_test_add_func("/domain-xml/shmem", test_shmem);
  g_test_add_func("/domain-xml/unbound", test_unbound);
  g_test_add_func("/domain-xml/hostile", test_hostile);
  g_test_add_func("/domain-xml/bounded", test_bounded);
  return g_test_run();
}
