// SPDX-License-Identifier: Apache-2.0
#include "model/domain/domain_needs.h"
#include <libxml/parser.h>
#include <string.h>

/* "kind name|kind name" of a domain with `inside`. */
static char *needs_of(const char *inside) {
  g_autofree char *text = g_strdup_printf(
      "<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>%s</domain>", inside);
  xmlDoc *doc = xmlReadMemory(text, (int)strlen(text), NULL, NULL, XML_PARSE_NONET);
  g_assert_nonnull(doc);
  g_autoptr(json_t) list = ferry_domain_needs(xmlDocGetRootElement(doc));
  xmlFreeDoc(doc);
  GString *out = g_string_new(NULL);
  gsize i;
  json_t *one;
  json_array_foreach(list, i, one) g_string_append_printf(
      out, "%s%s %s", i ? "|" : "", ferry_json_str(one, "kind"), ferry_json_str(one, "name"));
  return g_string_free(out, FALSE);
}

static void check(const char *inside, const char *wanted) {
  g_autofree char *is = needs_of(inside);
  g_test_message("%s", inside);
  g_assert_cmpstr(is, ==, wanted);
}

#define DEVICES(inside) "<devices>" inside "</devices>"

static void test_interfaces(void) {
  check(DEVICES("<interface type='bridge'><source bridge='br0'/></interface>"), "bridge br0");
  check(DEVICES("<interface type='network'><source network='n'/></interface>"), "network n");
  /* one of a network while it runs */
  check(DEVICES("<interface type='bridge'><source network='n' bridge='br0'/></interface>"),
        "network n");
  check(DEVICES("<interface type='direct'><source dev='eno1' mode='bridge'/></interface>"),
        "interface eno1");
  check(DEVICES("<interface type='user'><rom file='/r.bin'/></interface>"), "file /r.bin");
}

#define DISK(attributes, inside) DEVICES("<disk " attributes ">" inside "</disk>")

static void test_disks(void) {
  check(DISK("type='volume'", "<source pool='p' volume='v'/>"), "pool p|volume p/v");
  check(DISK("type='file' device='cdrom'", "<source file='/a.iso'/>"), "file /a.iso");
  check(DISK("type='file'", "<source file='/a.img'/><readonly/>"), "file /a.img");
  check(DISK("type='file'", "<source file='/a.img'/>"), "image /a.img");
  check(DISK("type='file' device='cdrom'", "<source file='/a.iso' startupPolicy='optional'/>"), "");
  check(DISK("type='file' device='cdrom'", ""), "");
  check(DISK("type='block'", "<source dev='/dev/vg/a'/>"), "file /dev/vg/a");
  check(DISK("type='block' device='cdrom'", "<source dev='/dev/sr0' startupPolicy='optional'/>"),
        "");
  check(DISK("type='dir'", "<source dir='/d'/><readonly/>"), "directory /d");
  check(DISK("type='network'",
             "<source protocol='rbd'><auth><secret type='ceph' usage='u'/></auth></source>"),
        "secret ceph:u");
  check(DISK("type='network'", "<source><encryption><secret type='passphrase' uuid='x'/>"
                               "</encryption></source><backingStore><source><auth>"
                               "<secret type='ceph' uuid='y'/></auth></source></backingStore>"),
        "secret x");
}

static void test_displays(void) {
  check(DEVICES("<graphics type='vnc' port='-1' autoport='yes' listen='10.0.0.1'/>"),
        "address 10.0.0.1");
  check(DEVICES("<graphics type='vnc' port='5901' autoport='no'>"
                "<listen type='address' address='10.0.0.1'/></graphics>"),
        "address 10.0.0.1|port 10.0.0.1 5901");
  check(DEVICES("<graphics type='spice' port='5901' tlsPort='5902' autoport='no'/>"),
        "port 127.0.0.1 5901|port 127.0.0.1 5902");
  check(DEVICES("<graphics type='vnc' port='5901' autoport='yes' listen='0.0.0.0'/>"), "");
  check(DEVICES("<graphics type='vnc'><listen type='network' network='n'/></graphics>"),
        "network n");
}

static void test_ports(void) {
  check(DEVICES("<serial type='pty'><log file='/var/log/a/x.log'/></serial>"),
        "directory /var/log/a");
  check(DEVICES("<serial type='file'><source path='/out/x'/></serial>"), "directory /out");
  check(DEVICES("<channel type='unix'><source mode='connect' path='/s'/></channel>"), "file /s");
  check(DEVICES("<channel type='unix'><source mode='bind' path='/s'/></channel>"), "");
  check(DEVICES("<filesystem type='mount'><source dir='/d'/><target dir='t'/></filesystem>"),
        "directory /d");
  check(DEVICES("<rng><backend model='random'>/dev/hwrng</backend></rng>"), "file /dev/hwrng");
  check(DEVICES("<rng><backend model='egd' type='udp'><source host='h'/></backend></rng>"), "");
}

static void test_the_rest(void) {
  check("<os><loader>/l.bin</loader><nvram template='/t.fd'>/n.fd</nvram><kernel>/k</kernel></os>",
        "file /l.bin|file /k|file /t.fd");
  check("<memoryBacking><hugepages/></memoryBacking>", "hugepages 0");
  check("<memoryBacking><hugepages><page size='2' unit='M'/></hugepages></memoryBacking>",
        "hugepages 2048");
  check("<memoryBacking><hugepages><page size='1048576'/></hugepages></memoryBacking>",
        "hugepages 1048576");
  check("<qemu:commandline><qemu:arg value='-fw_cfg'/><qemu:arg value='name=a,file=/f'/>"
        "<qemu:arg value='-initrd'/><qemu:arg value='/i'/><qemu:arg value='-D'/>"
        "<qemu:arg value='/made.log'/></qemu:commandline>",
        "file /f|file /i");
  check("<os><kernel>/k</kernel><initrd>/k</initrd></os>", "file /k"); /* once */
}

static void test_no_more_than(void) {
  g_autoptr(GString) text = g_string_new("<devices>");
  for (int i = 0; i < 2 * FERRY_DOMAIN_NEEDS_MAX; i++)
    g_string_append_printf(text, "<interface type='bridge'><source bridge='b%d'/></interface>", i);
  g_string_append(text, "</devices>");
  g_autofree char *all = needs_of(text->str);
  g_auto(GStrv) parts = g_strsplit(all, "|", 0);
  g_assert_cmpuint(g_strv_length(parts), ==, FERRY_DOMAIN_NEEDS_MAX);
}

static void test_words(void) {
  for (guint i = 0; i < FERRY_NEEDS; i++)
    g_assert_cmpint(ferry_need_of_word(ferry_need_word((FerryNeed)i)), ==, i);
  g_assert_cmpint(ferry_need_of_word("moon"), ==, FERRY_NEEDS);
  g_assert_cmpint(ferry_need_of_word(NULL), ==, FERRY_NEEDS);
  g_assert_true(ferry_need_takes_look(FERRY_NEED_FILE));
  g_assert_false(ferry_need_takes_look(FERRY_NEED_POOL));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/domain_needs/interfaces", test_interfaces);
  g_test_add_func("/domain_needs/disks", test_disks);
  g_test_add_func("/domain_needs/displays", test_displays);
  g_test_add_func("/domain_needs/ports", test_ports);
  g_test_add_func("/domain_needs/the-rest", test_the_rest);
  g_test_add_func("/domain_needs/no-more-than", test_no_more_than);
  g_test_add_func("/domain_needs/words", test_words);
  return g_test_run();
}
