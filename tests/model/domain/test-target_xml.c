// SPDX-License-Identifier: Apache-2.0
#include "model/domain/target_xml.h"

#define DOMAIN                                                                                     \
  "<domain><devices><disk type='file'><source file='/srv/a.raw' startupPolicy='optional'/>"        \
  "<target dev='vda'/></disk><disk><target dev='sda'/></disk><interface><target dev='vdb'/>"       \
  "</interface></devices></domain>"

static void test_source(void) {
  g_autoptr(json_t) vda = ferry_target_xml_disk_source(DOMAIN, "vda");
  g_assert_cmpstr(ferry_json_str(vda, "file"), ==, "/srv/a.raw");
  g_assert_cmpstr(ferry_json_str(vda, "startupPolicy"), ==, "optional");
  g_assert_null(ferry_target_xml_disk_source(DOMAIN, "sda")); /* an empty drive */
  g_assert_null(ferry_target_xml_disk_source(DOMAIN, "vdb")); /* no disk */
  g_assert_null(ferry_target_xml_disk_source(DOMAIN, NULL));
}

static void test_no_document(void) {
  static const char *const bad[] = {
      NULL, "", "domain", "<domain>", "<!DOCTYPE domain>" DOMAIN, "<domain/>"};
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
    g_assert_null(ferry_target_xml_disk_source(bad[i], "vda"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/target-xml/source", test_source);
  g_test_add_func("/target-xml/no-document", test_no_document);
  return g_test_run();
}
