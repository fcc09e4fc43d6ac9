// SPDX-License-Identifier: Apache-2.0
#include "model/domain/copied_disks.h"
#include <string.h>

static json_t *parse(const char *text) {
  g_autofree char *json = g_strdelimit(g_strdup(text), "'", '"');
  g_autoptr(GError) error = NULL;
  json_t *value = ferry_json_parse(json, strlen(json), &error);
  g_assert_no_error(error);
  return value;
}

#define LOCAL "{'name':'vda','type':'file','source':'/data/a.raw','shared':false}"
#define SHARED "{'name':'vdb','type':'file','source':'/nfs/b.raw','shared':true}"
#define SERVED "{'name':'vdc','type':'network','source':'pool/c'}"
#define UNKNOWN "{'name':'vdd','type':'block','source':'/dev/sdb'}"
#define CDROM "{'name':'sda','type':'file','source':'/nfs/iso','readonly':true,'shared':true}"
#define EMPTY "{'name':'sdb','type':'file'}"
#define TWICE "{'name':'vde','type':'file','source':'/nfs/e','shareable':true,'shared':true}"

/* What is left of the configuration, completed for a VM with these disks. */
static char *completed(const char *config, const char *disks, json_t *origins) {
  g_autofree char *text = g_strdup_printf("[%s]", disks);
  g_autoptr(json_t) list = parse(text);
  g_autoptr(json_t) c = parse(config);
  ferry_copied_disks_complete(c, origins, list);
  return g_strdelimit(ferry_json_dump(c), "\"", '\'');
}

static void test_complete(void) {
  static const struct {
    const char *config, *disks, *left;
  } cases[] = {
      /* libvirt's own choice is right */
      {"{'copyStorageAll':true}", LOCAL "," UNKNOWN "," CDROM "," EMPTY "," TWICE,
       "{'copyStorageAll':true}"},
      {"{'copyStorageAll':false}", LOCAL "," SHARED, "{'copyStorageAll':false}"},
      {"{}", LOCAL "," SHARED, "{}"},
      /* and where it is not */
      {"{'copyStorageAll':true}", LOCAL "," SHARED "," UNKNOWN "," CDROM,
       "{'copyStorageAll':true,'migrateDisks':['vda','vdd']}"},
      {"{'copyStorageIncremental':true,'migrateDisks':[]}", SERVED "," LOCAL,
       "{'copyStorageIncremental':true,'migrateDisks':['vda']}"},
      {"{'copyStorageAll':true,'migrateDisks':['vdb']}", LOCAL "," SHARED,
       "{'copyStorageAll':true,'migrateDisks':['vdb']}"},
      /* an empty list means all to libvirt */
      {"{'copyStorageAll':true}", SHARED "," CDROM, "{'copyStorageAll':false}"},
      {"{'copyStorageIncremental':true,'copyStorageSynchronousWrites':true,'disksPort':7}", SHARED,
       "{'copyStorageIncremental':false,'copyStorageSynchronousWrites':false}"},
      {"{'copyStorageAll':true}", CDROM, "{'copyStorageAll':true}"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *left = completed(cases[i].config, cases[i].disks, NULL);
    g_assert_cmpstr(left, ==, cases[i].left);
  }
  g_autoptr(json_t) origins = parse("{'copyStorageAll':'KubeVirt'}");
  g_autofree char *some = completed("{'copyStorageAll':true}", LOCAL "," SHARED, origins);
  g_assert_cmpstr(ferry_json_str(origins, "migrateDisks"), ==, "automatic");
  g_assert_cmpstr(ferry_json_str(origins, "copyStorageAll"), ==, "KubeVirt");
  g_autofree char *none = completed("{'copyStorageAll':true}", SHARED, origins);
  g_assert_cmpstr(ferry_json_str(origins, "copyStorageAll"), ==, "automatic");
  g_assert_null(json_object_get(origins, "migrateDisks"));
}

static gboolean is_shared(const char *xml, const char *disk) {
  g_autoptr(json_t) c = json_object();
  g_autoptr(json_t) d = parse(disk);
  if (xml)
    ferry_json_set_str(c, "destinationXML", xml);
  return ferry_disk_is_shared(c, d);
}

#define XML(source)                                                                                \
  "<domain><devices><disk><source file='/x'/><target dev='vda'/></disk><disk>" source              \
  "<target dev='vdb'/></disk></devices></domain>"

/* With another place on the target the copy does not go onto itself. */
static void test_elsewhere(void) {
  g_assert_true(is_shared(NULL, SHARED));
  g_assert_true(is_shared(NULL, SERVED));
  g_assert_false(is_shared(NULL, LOCAL));
  g_assert_false(is_shared(NULL, UNKNOWN));
  g_assert_true(is_shared(XML("<source file='/nfs/b.raw'/>"), SHARED));
  g_assert_false(is_shared(XML("<source file='/data/b.raw'/>"), SHARED));
  g_assert_true(is_shared(XML(""), SHARED));
  g_assert_true(is_shared("<domain/>", SHARED));
  g_assert_true(is_shared("no XML", SHARED));
  g_assert_true(
      is_shared("<!DOCTYPE domain [<!ENTITY a 'b'>]>" XML("<source file='/d'/>"), SHARED));
}

static void test_bytes(void) {
  g_autoptr(json_t) disks =
      parse("[{'name':'vda','source':'/a','sizeBytes':1000},{'name':'vdb','source':'/b',"
            "'sizeBytes':20},{'name':'sda','source':'/c','sizeBytes':3,'readonly':true}]");
  g_autoptr(json_t) c = json_object();
  g_assert_cmpint(ferry_copied_disks_bytes(c, disks), ==, 0);
  ferry_json_set_bool(c, "copyStorageAll", TRUE);
  g_assert_cmpint(ferry_copied_disks_bytes(c, disks), ==, 1020);
  ferry_json_set(c, "migrateDisks", parse("['vdb']"));
  g_assert_cmpint(ferry_copied_disks_bytes(c, disks), ==, 20);
  json_object_del(c, "migrateDisks");
  ferry_json_set_bool(json_array_get(disks, 1), "shared", TRUE);
  g_assert_cmpint(ferry_copied_disks_bytes(c, disks), ==, 1000); /* it stays where it is */
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/copied-disks/complete", test_complete);
  g_test_add_func("/copied-disks/bytes", test_bytes);
  g_test_add_func("/copied-disks/elsewhere", test_elsewhere);
  return g_test_run();
}
