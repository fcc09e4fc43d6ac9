// SPDX-License-Identifier: Apache-2.0
// What counts as a part of a VM, and what every host sets for itself.
#include "model/domain/domain_parts.h"

#define DOMAIN(rest) "<domain type='qemu' id='7'><name>web</name>" rest "</domain>"
#define DEVICES(rest) DOMAIN("<devices>" rest "</devices>")

/* The names of what differs, as one text. */
static char *changed(const char *before, const char *after) {
  g_autoptr(json_t) was = ferry_domain_parts(before);
  g_autoptr(json_t) is = ferry_domain_parts(after);
  g_assert_nonnull(was);
  g_assert_nonnull(is);
  g_autoptr(json_t) names = ferry_domain_parts_changed(was, is);
  g_autoptr(GString) text = g_string_new(NULL);
  for (gsize i = 0; i < json_array_size(names); i++)
    g_string_append_printf(text, "%s%s", i ? ", " : "",
                           json_string_value(json_array_get(names, i)));
  return g_strdup(text->str);
}

static void assert_changed(const char *before, const char *after, const char *expected) {
  g_autofree char *text = changed(before, after);
  g_assert_cmpstr(text, ==, expected);
  g_autofree char *same = changed(after, after);
  g_assert_cmpstr(same, ==, "");
}

static void test_own(void) {
  static const struct {
    const char *before, *after;
  } rows[] = {
      {DOMAIN("<seclabel type='dynamic'/>"), DOMAIN("<currentMemory>7</currentMemory>")},
      {DOMAIN("<resource><partition>/a</partition></resource>"), DOMAIN("")},
      {DEVICES("<disk><source file='/a' index='1'/><backingStore/><target dev='vda'/>"
               "<alias name='virtio-disk0'/></disk>"),
       DEVICES("<disk><target dev='vda'/><source index='4' file='/a'><seclabel model='dac'/>"
               "</source></disk>")},
      {DEVICES("<interface type='bridge'><mac address='52:54:00:00:00:01'/>"
               "<target dev='vnet3'/></interface>"),
       DEVICES("<interface type='bridge'><mac address='52:54:00:00:00:01'/>"
               "<target dev='vnet0'/></interface>")},
      {DEVICES("<interface type='network'><source network='n' bridge='virbr0' portid='a'/>"
               "</interface>"),
       DEVICES("<interface type='network'><source network='n' bridge='virbr9' portid='b'/>"
               "</interface>")},
      {DEVICES("<serial type='pty'><source path='/dev/pts/3'/></serial>"
               "<console type='pty' tty='/dev/pts/3'><source path='/dev/pts/3'/></console>"),
       DEVICES("<serial type='pty'><source path='/dev/pts/0'/></serial>"
               "<console type='pty' tty='/dev/pts/0'><source path='/dev/pts/0'/></console>")},
      {DEVICES("<channel type='unix'><source mode='bind' path='/run/domain-7-web/a'/>"
               "<target type='virtio' name='a' state='connected'/></channel>"),
       DEVICES("<channel type='unix'><source mode='bind' path='/run/domain-1-web/a'/>"
               "<target type='virtio' name='a' state='disconnected'/></channel>")},
      {DEVICES("<channel type='unix'><source mode='bind' "
               "path='/run/libvirt/qemu/channel/1-web/a'/><target type='virtio' name='a'/>"
               "</channel>"),
       DEVICES("<channel type='unix'><source mode='bind' "
               "path='/run/libvirt/qemu/channel/3-web/a'/><target type='virtio' name='a'/>"
               "</channel>")},
      {DEVICES("<graphics type='vnc' autoport='yes' port='5900' websocket='5700'/>"),
       DEVICES("<graphics type='vnc' autoport='yes' port='5903' websocket='5702'/>")},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *text = changed(rows[i].before, rows[i].after);
    if (i == 2) /* the order of elements is the document's */
      g_assert_cmpstr(text, ==, "disk vda");
    else
      g_assert_cmpstr(text, ==, "");
  }
}

static void test_what_counts(void) {
  assert_changed(DOMAIN("<title>a</title>"), DOMAIN("<title>b</title>"), "title");
  assert_changed(DOMAIN(""), DOMAIN("<title>b</title>"), "title (new)");
  assert_changed(DOMAIN("<description>x</description>"), DOMAIN(""), "description (gone)");
  assert_changed(DOMAIN("<metadata><a xmlns='urn:a'>1</a><b xmlns='urn:b'/></metadata>"),
                 DOMAIN("<metadata><a xmlns='urn:a'>2</a><b xmlns='urn:b'/></metadata>"),
                 "metadata urn:a");
  assert_changed(DOMAIN("<metadata><x:a xmlns:x='urn:a'>1</x:a></metadata>"),
                 DOMAIN("<metadata><a xmlns='urn:a'>1</a></metadata>"), "");
  assert_changed(DEVICES("<graphics type='vnc' autoport='no' port='5900'/>"),
                 DEVICES("<graphics type='vnc' autoport='no' port='5901'/>"), "graphics");
  assert_changed(DEVICES("<interface type='bridge'><source bridge='a'/></interface>"),
                 DEVICES("<interface type='bridge'><source bridge='b'/></interface>"), "interface");
  assert_changed(DEVICES("<alias name='x'/><rng><alias name='ua-one'/></rng>"),
                 DEVICES("<alias name='x'/><rng><alias name='ua-two'/></rng>"), "rng");
  assert_changed(DEVICES("<controller type='pci' index='0' model='a'/><controller type='ide' "
                         "index='0'/>"),
                 DEVICES("<controller type='ide' index='0'/><controller type='pci' index='0' "
                         "model='a'/>"),
                 "");
  assert_changed(DEVICES("<controller type='pci' index='0' model='a'/>"),
                 DEVICES("<controller type='pci' index='0' model='b'/>"), "controller pci 0");
  assert_changed(DEVICES("<input bus='usb'/><input bus='ps2'/>"), DEVICES("<input bus='usb'/>"),
                 "input 2 (gone)");
}

static void test_medium(void) {
#define CD(type, source)                                                                           \
  DEVICES("<disk type='" type "' device='cdrom'>" source "<target dev='sda'/><readonly/></disk>")
  assert_changed(CD("file", "<source file='/a.iso' startupPolicy='optional'/>"), CD("file", ""),
                 "medium of disk sda (gone)");
  assert_changed(CD("file", "<source file='/a.iso'/>"), CD("file", "<source file='/b.iso'/>"),
                 "medium of disk sda");
  assert_changed(CD("block", "<source dev='/dev/sr0'/>"), CD("file", ""),
                 "medium of disk sda (gone)");
  assert_changed(DEVICES("<disk device='disk'><source file='/a'/><target dev='vda'/></disk>"),
                 DEVICES("<disk device='disk'><target dev='vda'/></disk>"), "disk vda");
}

static void test_refused(void) {
  g_assert_null(ferry_domain_parts(NULL));
  g_assert_null(ferry_domain_parts(""));
  g_assert_null(ferry_domain_parts("<network/>"));
  g_assert_null(ferry_domain_parts("<domain>"));
  g_assert_null(ferry_domain_parts("<!DOCTYPE domain [<!ENTITY a 'b'>]><domain>&a;</domain>"));
  g_autoptr(GString) many = g_string_new("<domain><devices>");
  for (guint i = 0; i <= FERRY_DOMAIN_PARTS_MAX; i++)
    g_string_append_printf(many, "<disk><target dev='d%u'/></disk>", i);
  g_string_append(many, "</devices></domain>");
  g_assert_null(ferry_domain_parts(many->str));
  g_autoptr(GString) deep = g_string_new("<domain><devices><disk>");
  for (guint i = 0; i < 200; i++)
    g_string_append(deep, "<a>");
  for (guint i = 0; i < 200; i++)
    g_string_append(deep, "</a>");
  g_string_append(deep, "</disk></devices></domain>");
  g_autoptr(json_t) parts = ferry_domain_parts(deep->str);
  g_assert_nonnull(json_object_get(parts, "disk"));
}

/* Not a secret, nor anything else of the definition can be read from it. */
static void test_digests(void) {
  g_autoptr(json_t) parts = ferry_domain_parts(DOMAIN("<title>hidden</title>"));
  const char *digest = ferry_json_str(parts, "title");
  g_assert_cmpuint(strlen(digest), ==, 16);
  g_assert_cmpuint(strspn(digest, "0123456789abcdef"), ==, 16);
  g_autoptr(json_t) same = ferry_domain_parts(DOMAIN("\n  <title>hidden</title>\n"));
  g_assert_true(json_equal(parts, same));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/domain_parts/own", test_own);
  g_test_add_func("/domain_parts/what_counts", test_what_counts);
  g_test_add_func("/domain_parts/medium", test_medium);
  g_test_add_func("/domain_parts/refused", test_refused);
  g_test_add_func("/domain_parts/digests", test_digests);
  return g_test_run();
}
