// SPDX-License-Identifier: Apache-2.0
// One definition as virsh dumpxml prints it, and what could be made of it for a target host. Each
// row changes one thing of it and expects the words of the refusal, or none.
#include "policy/target/target_xml_rules.h"
#include "base/error.h"
#include "model/domain/domain_resources.h"
#include <libxml/parser.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)

static const char base[] =
    "<domain type='kvm'><name>vm</name><title>a title</title>"
    "<metadata><f:vm xmlns:f='https://ferry.migration/v1'><f:namespace>n</f:namespace></f:vm>"
    "</metadata>"
    "<memory unit='KiB'>65536</memory><resource><partition>/machine</partition></resource>"
    "<os><type arch='x86_64' machine='pc'>hvm</type><kernel>/srv/vmlinuz</kernel>"
    "<initrd>/srv/initrd</initrd><cmdline>console=ttyS0</cmdline><boot dev='hd'/></os>"
    "<features><acpi/></features>"
    "<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>"
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/>"
    "<source file='/srv/vm.raw' index='1'/><target dev='vda' bus='virtio'/></disk>"
    "<controller type='usb' model='none'/>"
    "<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/>"
    "<target dev='vnet3'/><model type='virtio'/></interface>"
    "<serial type='unix'><source mode='connect' path='/run/vm.sock'><reconnect enabled='yes'/>"
    "</source><target type='isa-serial' port='0'/></serial>"
    "<console type='pty' tty='/dev/pts/1'><source path='/dev/pts/1'/><target type='serial'/>"
    "</console>"
    "<graphics type='vnc' port='5900' listen='127.0.0.1'/>"
    "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"
    "<memballoon model='virtio'/></devices>"
    "<seclabel type='dynamic' model='dac' relabel='yes'><label>+64055:+994</label></seclabel>"
    "</domain>";

static xmlDoc *parse(const char *text) {
  xmlDoc *doc = xmlReadMemory(text, (int)strlen(text), NULL, NULL, XML_PARSE_NONET);
  if (!doc)
    g_error("no XML: %s", text);
  return doc;
}

static json_t *vmi_of(const char *text) {
  g_autoptr(xmlDoc) doc = parse(text);
  json_t *vmi = json_pack("{s:{s:{s:{s:[{s:s, s:s}], s:[{s:s}]}}}}", "spec", "domain", "devices",
                          "disks", "name", "vda", "source", "/srv/vm.raw", "interfaces",
                          "macAddress", "52:54:00:00:00:01");
  ferry_json_set(vmi, "spec.domain.hostResources",
                 ferry_domain_resources_digests(xmlDocGetRootElement(doc)));
  return vmi;
}

static char *judge(const json_t *vmi, const char *text, gboolean unsafe, guint *n) {
  g_autoptr(xmlDoc) doc = parse(text);
  g_autoptr(GError) causes = g_error_new_literal(FERRY_ERROR, FERRY_ERROR_INVALID, "x");
  ferry_target_xml_rules_check(xmlDocGetRootElement(doc), vmi, "spec.destinationXML", unsafe,
                               causes);
  GString *out = g_string_new(NULL);
  *n = ferry_error_n_causes(causes);
  for (guint i = 0; i < *n; i++) {
    g_assert_cmpstr(ferry_error_cause(causes, i)->field, ==, "spec.destinationXML");
    g_string_append_printf(out, "%s\n", ferry_error_cause(causes, i)->message);
  }
  return g_string_free(out, FALSE);
}

static char *replaced(const char *from, const char *to) {
  g_auto(GStrv) parts = g_strsplit(base, from, 2);
  if (!parts[1])
    g_error("the definition has no %s", from);
  return g_strjoinv(to, parts);
}

#define ADD "<devices>"
#define WITH(text) "<devices>" text
#define DISK "<source file='/srv/vm.raw' index='1'/>"

/* `hard`: unsafeMigrationOverride doesn't let it through either. */
static const struct {
  const char *from, *to, *says;
  gboolean hard;
} hostile[] = {
    /* elements of other namespaces, under any prefix, anywhere */
    {"</domain>",
     "<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><q:arg value='-x'/>"
     "</q:commandline></domain>",
     "commandline", TRUE},
    {"</domain>",
     "<override xmlns='http://libvirt.org/schemas/domain/qemu/1.0'><device alias='a'/></override>"
     "</domain>",
     "override", TRUE},
    {"<features>", "<features><x:y xmlns:x='urn:x'/>", "features/y", TRUE},
    {"<kernel>", "<kernel xmlns='urn:x'>", "os/kernel", TRUE},
    {"<domain type", "<domain xmlns='urn:x' type", "urn:x", TRUE},
    {"<driver name='qemu'", "<driver xmlns:x='urn:x' x:queues='1' name='qemu'", "driver@queues",
     TRUE},
    /* programs and boot files */
    {"/usr/bin/qemu-system-x86_64", "/tmp/evil", "devices/emulator", TRUE},
    {"/usr/bin/qemu-system-x86_64", "tmp/evil", "devices/emulator", TRUE},
    {"<emulator>/usr", "<emulator><!-- -->/<!-- -->tmp", "devices/emulator", TRUE},
    {ADD, WITH("<emulator>/tmp/second</emulator>"), "/tmp/second", TRUE},
    {"/srv/vmlinuz", "/etc/shadow", "os/kernel", TRUE},
    {"/srv/vmlinuz", "&#47;etc/shadow", "os/kernel", TRUE},
    {"<kernel>/srv/vmlinuz", "<kernel><x>/etc/shadow</x>", "os/kernel", TRUE},
    {"/srv/initrd", "/etc/shadow", "os/initrd", TRUE},
    {"console=ttyS0", "console=ttyS0 init=/bin/sh", "os/cmdline", TRUE},
    {"<os>", "<os><dtb>/a</dtb>", "os/dtb", TRUE},
    {"<os>", "<os><loader readonly='yes' type='pflash'>/a</loader>", "os/loader", TRUE},
    {"<os>", "<os><nvram template='/a'>/b</nvram>", "os/nvram", TRUE},
    {"<os>", "<os><nvram type='block'><source dev='sda'/></nvram>", "os/nvram", TRUE},
    {"<os>", "<os><acpi><table type='slic'>/a</table></acpi>", "os/acpi/table", TRUE},
    {"<os>", "<os><init>sh</init>", "os/init", TRUE},
    {"<os>", "<bootloader>/bin/sh</bootloader><os>", "bootloader", TRUE},
    {"<features>",
     "<sysinfo type='fwcfg'><entry name='opt/x' file='etc/shadow'/></sysinfo><features>",
     "sysinfo/entry@file: etc/shadow", FALSE},
    /* who QEMU runs as */
    {"</domain>", "<seclabel type='none' model='dac'/></domain>", "seclabel", TRUE},
    {"+64055:+994", "root:root", "seclabel", TRUE},
    {"index='1'/>", "index='1'><seclabel model='dac' relabel='no'/></source>",
     "devices/disk/source/seclabel", TRUE},
    /* devices of the host */
    {ADD,
     WITH("<hostdev mode='subsystem' type='pci'><source><address domain='0' bus='1' slot='0' "
          "function='0'/></source></hostdev>"),
     "devices/hostdev", TRUE},
    {"<interface type='bridge'>", "<interface type='hostdev'>", "interface[type=hostdev]", FALSE},
    {"<source bridge='br0'/>", "<source bridge='br0'/><script path='evil'/>",
     "interface[type=bridge]/script", TRUE},
    {ADD,
     WITH("<redirdev bus='usb' type='tcp'><source mode='connect' host='a' service='1'/>"
          "</redirdev>"),
     "redirdev[type=tcp][bus=usb]", FALSE},
    {ADD, WITH("<smartcard mode='host'/>"), "smartcard[mode=host]", FALSE},
    {ADD, WITH("<shmem name='other'/>"), "devices/shmem", FALSE},
    {ADD, WITH("<input type='evdev'><source dev='/dev/input/event1'/></input>"), "evdev", FALSE},
    {ADD,
     WITH("<tpm model='tpm-tis'><backend type='passthrough'><device path='/dev/tpm0'/>"
          "</backend></tpm>"),
     "devices/tpm", FALSE},
    {ADD, WITH("<memory model='nvdimm'><source><path>/etc/shadow</path></source></memory>"),
     "devices/memory", FALSE},
    {ADD, WITH("<filesystem type='mount'><source dir='/'/><target dir='root'/></filesystem>"),
     "filesystem[type=mount]/source", FALSE},
    {ADD, WITH("<lease><lockspace>a</lockspace><key>b</key><target path='/x'/></lease>"),
     "devices/lease", FALSE},
    /* sockets and files that the VM's own devices would open */
    {"/run/vm.sock", "/run/libvirt/libvirt-sock", "serial[type=unix]/source", FALSE},
    {"mode='connect'", "mode='bind'", "serial[type=unix]/source", FALSE},
    {"<serial type='unix'>", "<serial type='file'>", "serial[type=file]", FALSE},
    {"<target type='isa-serial'", "<log file='root/x'/><target type='isa-serial'",
     "serial[type=unix]/log", FALSE},
    {"<console type='pty' tty='/dev/pts/1'>", "<console type='dev' tty='/dev/pts/1'>",
     "console[type=dev]/source", FALSE},
    {"/dev/urandom", "/dev/sda", "rng/backend", FALSE},
    {"/dev/urandom", "dev/sda", "rng/backend", FALSE},
    {"<graphics type='vnc'", "<graphics type='vnc' socket='/run/x'", "graphics[type=vnc]@socket",
     FALSE},
    {ADD, WITH("<graphics type='spice' port='1'/>"), "graphics[type=spice]", FALSE},
    {ADD, WITH("<audio id='1' type='file' path='/etc/cron.d/x'/>"), "audio[type=file]", FALSE},
    /* disks */
    {ADD, WITH("<disk type='file'><source file='/a'/><target dev='vdb'/></disk>"),
     "<target dev='vdb'>", FALSE},
    {ADD, WITH("<disk type='file'><source file='/a'/></disk>"), "<target dev='none'>", FALSE},
    {"<disk type='file'", "<disk type='dir'", "devices/disk/source", FALSE},
    {"<disk type='file' device='disk'>"
     "<driver name='qemu' type='raw'/>" DISK,
     "<disk type='nvme' device='disk'><source type='pci' namespace='1'/>", "devices/disk/source",
     FALSE},
    {"<disk type='file' device='disk'>", "<disk type='file' device='lun'>", "disk@device: lun",
     TRUE},
    {"<disk type='file' device='disk'>", "<disk type='file' rawio='yes'>", "disk@rawio", TRUE},
    {DISK, DISK "<backingStore type='file'><source file='/etc/shadow'/></backingStore>",
     "disk/backingStore/source", FALSE},
    {DISK, "<source protocol='nbd'><host transport='unix' socket='/run/x'/></source>",
     "disk/source/host@socket", FALSE},
    {DISK,
     "<source dev='/dev/sda'><reservations managed='no'><source type='unix' path='/x'/>"
     "</reservations></source>",
     "disk/source/reservations", FALSE},
    /* interfaces */
    {ADD, WITH("<interface type='bridge'><source bridge='br1'/></interface>"),
     "<mac address='none'>", FALSE},
    {"52:54:00:00:00:01", "52:54:00:00:00:02", "<mac address='52:54:00:00:00:02'>", FALSE},
};

static void what_is_refused(void) {
  g_autoptr(json_t) vmi = vmi_of(base);
  for (gsize i = 0; i < G_N_ELEMENTS(hostile); i++) {
    guint n, still;
    g_autofree char *text = replaced(hostile[i].from, hostile[i].to);
    g_autofree char *said = judge(vmi, text, FALSE, &n);
    g_autofree char *unsafe = judge(vmi, text, TRUE, &still);
    g_test_message("%s -> %s", hostile[i].to, said);
    g_assert_cmpuint(n, >, 0);
    g_assert_nonnull(strstr(said, hostile[i].says));
    g_assert_cmpint(still > 0, ==, hostile[i].hard);
    g_assert_true(hostile[i].hard || strstr(said, "unsafeMigrationOverride") != NULL);
  }
}

/* What the field is for. */
static void what_may_differ(void) {
  static const struct {
    const char *from, *to;
  } good[] = {
      {"a title", "/another"},
      {"<name>vm", "<name>/vm"},
      {"/srv/vm.raw", "/mnt/elsewhere/vm.raw"},
      {"<disk type='file' device='disk'><driver name='qemu' type='raw'/>" DISK,
       "<disk type='block' device='disk'><source dev='/dev/vg/vm'/>"},
      {DISK, "<source pool='p' volume='v'/>"},
      {DISK, "<source protocol='rbd' name='p/i'><host name='mon1' port='6789'/></source>"},
      {"br0", "br-of-target"},
      {"<interface type='bridge'>", "<interface type='bridge' managed='no'>"},
      {"vnet3", "vnet9"},
      {"52:54:00:00:00:01", "52:54:00:00:00:01"},
      {"port='5900' listen='127.0.0.1'", "port='5901' listen='10.0.0.2' passwd='x'"},
      {"<console type='pty' tty='/dev/pts/1'><source path='/dev/pts/1'/>", "<console type='pty'>"},
      {"mode='connect' path='/run/vm.sock'", "path=\"/run/vm.sock\"\n  mode=\"connect\""},
      {"<memory unit='KiB'>",
       "<memtune><hard_limit unit='MiB'>512</hard_limit></memtune><memory unit='KiB'>"},
      {"<resource><partition>/machine</partition></resource>", ""},
      {"</metadata>", "<x:y xmlns:x='urn:x' file='/x'>/x</x:y></metadata>"},
  };
  g_autoptr(json_t) vmi = vmi_of(base);
  for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
    guint n;
    g_autofree char *text = replaced(good[i].from, good[i].to);
    g_autofree char *said = judge(vmi, text, FALSE, &n);
    g_assert_cmpstr(said, ==, "");
  }
}

/* A VM that has such things keeps them, also under another prefix, and gets no more of them. */
static void what_the_vm_has(void) {
#define ARGS(p, more)                                                                              \
  "<" p ":commandline xmlns:" p "='http://libvirt.org/schemas/domain/qemu/1.0'><" p                \
  ":arg value='-a'/>" more "</" p ":commandline></domain>"
  g_autofree char *own = replaced("</domain>", ARGS("qemu", ""));
  g_autofree char *prefix = replaced("</domain>", ARGS("q", ""));
  g_autofree char *more = replaced("</domain>", ARGS("qemu", "<qemu:arg value='-b'/>"));
  g_autoptr(json_t) vmi = vmi_of(own);
  guint n;
  g_free(judge(vmi, own, FALSE, &n));
  g_assert_cmpuint(n, ==, 0);
  g_free(judge(vmi, prefix, FALSE, &n));
  g_assert_cmpuint(n, ==, 0);
  g_free(judge(vmi, more, FALSE, &n));
  g_assert_cmpuint(n, ==, 1);
}

static void an_agent_that_says_nothing(void) {
  g_autoptr(json_t) vmi = vmi_of(base);
  json_object_del(ferry_json_get(vmi, "spec.domain"), "hostResources");
  guint n;
  g_autofree char *said = judge(vmi, base, FALSE, &n);
  g_assert_nonnull(strstr(said, "os/kernel"));
  g_assert_nonnull(strstr(said, "is not known to have"));
  g_autofree char *plain = judge(vmi, "<domain><name>vm</name></domain>", FALSE, &n);
  g_assert_cmpstr(plain, ==, "");
}

/* As many as anybody reads, and the digests show nothing. */
static void bounds(void) {
  g_autoptr(json_t) vmi = vmi_of(base);
  g_autoptr(GString) many = g_string_new("<domain><devices>");
  for (guint i = 0; i < 2000; i++)
    g_string_append_printf(many, "<rng><backend>/dev/r%u</backend></rng>", i);
  g_string_append(many, "</devices></domain>");
  guint n;
  g_free(judge(vmi, many->str, FALSE, &n));
  g_assert_cmpuint(n, ==, 20);
  g_autoptr(xmlDoc) doc = parse(many->str);
  g_autoptr(json_t) digests = ferry_domain_resources_digests(xmlDocGetRootElement(doc));
  g_assert_cmpuint(json_array_size(digests), ==, FERRY_DOMAIN_RESOURCES_MAX);
  for (gsize i = 0; i < json_array_size(digests); i++)
    g_assert_cmpuint(strspn(json_string_value(json_array_get(digests, i)), "0123456789abcdef"), ==,
                     32);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/policy/target-xml-rules/refused", what_is_refused);
  g_test_add_func("/policy/target-xml-rules/may-differ", what_may_differ);
  g_test_add_func("/policy/target-xml-rules/what-the-vm-has", what_the_vm_has);
  g_test_add_func("/policy/target-xml-rules/no-report", an_agent_that_says_nothing);
  g_test_add_func("/policy/target-xml-rules/bounds", bounds);
  return g_test_run();
}
