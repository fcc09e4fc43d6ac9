// SPDX-License-Identifier: Apache-2.0
// The model's table against libvirt's own header, and a configuration as libvirt gets it.
#include "host/libvirt/storage/disks_xml.h"
#include "host/libvirt/libvirt_migrate_params.h"
#include "model/flags/migration_flags.h"
#include <string.h>

static json_t *parse(const char *text) {
  g_autofree char *json = g_strdelimit(g_strdup(text), "'", '"');
  return ferry_json_parse(json, strlen(json), NULL);
}

#define F(name)                                                                                    \
  { #name, NULL, name }
#define P(name)                                                                                    \
  { #name, name, 0 }

/* Parameters that are younger than libvirt 9.0 are not in every header this is built with. */
static const struct {
  const char *name, *param;
  unsigned flag;
} header[] = {
    F(VIR_MIGRATE_LIVE),
    F(VIR_MIGRATE_PEER2PEER),
    F(VIR_MIGRATE_TUNNELLED),
    F(VIR_MIGRATE_PERSIST_DEST),
    F(VIR_MIGRATE_UNDEFINE_SOURCE),
    F(VIR_MIGRATE_PAUSED),
    F(VIR_MIGRATE_NON_SHARED_DISK),
    F(VIR_MIGRATE_NON_SHARED_INC),
    F(VIR_MIGRATE_CHANGE_PROTECTION),
    F(VIR_MIGRATE_UNSAFE),
    F(VIR_MIGRATE_OFFLINE),
    F(VIR_MIGRATE_COMPRESSED),
    F(VIR_MIGRATE_ABORT_ON_ERROR),
    F(VIR_MIGRATE_AUTO_CONVERGE),
    F(VIR_MIGRATE_RDMA_PIN_ALL),
    F(VIR_MIGRATE_POSTCOPY),
    F(VIR_MIGRATE_TLS),
    F(VIR_MIGRATE_PARALLEL),
    F(VIR_MIGRATE_NON_SHARED_SYNCHRONOUS_WRITES),
    F(VIR_MIGRATE_POSTCOPY_RESUME),
    F(VIR_MIGRATE_ZEROCOPY),
    P(VIR_MIGRATE_PARAM_URI),
    P(VIR_MIGRATE_PARAM_DEST_NAME),
    P(VIR_MIGRATE_PARAM_DEST_XML),
    P(VIR_MIGRATE_PARAM_PERSIST_XML),
    P(VIR_MIGRATE_PARAM_BANDWIDTH),
    P(VIR_MIGRATE_PARAM_BANDWIDTH_POSTCOPY),
    P(VIR_MIGRATE_PARAM_GRAPHICS_URI),
    P(VIR_MIGRATE_PARAM_LISTEN_ADDRESS),
    P(VIR_MIGRATE_PARAM_MIGRATE_DISKS),
    P(VIR_MIGRATE_PARAM_DISKS_PORT),
    P(VIR_MIGRATE_PARAM_DISKS_URI),
    P(VIR_MIGRATE_PARAM_COMPRESSION),
    P(VIR_MIGRATE_PARAM_COMPRESSION_MT_LEVEL),
    P(VIR_MIGRATE_PARAM_COMPRESSION_MT_THREADS),
    P(VIR_MIGRATE_PARAM_COMPRESSION_MT_DTHREADS),
    P(VIR_MIGRATE_PARAM_COMPRESSION_XBZRLE_CACHE),
    P(VIR_MIGRATE_PARAM_AUTO_CONVERGE_INITIAL),
    P(VIR_MIGRATE_PARAM_AUTO_CONVERGE_INCREMENT),
    P(VIR_MIGRATE_PARAM_PARALLEL_CONNECTIONS),
    P(VIR_MIGRATE_PARAM_TLS_DESTINATION),
};

static void test_header(void) {
  for (gsize i = 0; i < G_N_ELEMENTS(header); i++) {
    const FerryMigrationFlag *row = NULL;
    for (const FerryMigrationFlag *f = ferry_migration_flags; f->field.name; f++)
      if (g_str_equal(f->libvirt, header[i].name))
        row = f;
    g_test_message("%s", header[i].name);
    g_assert_nonnull(row);
    g_assert_cmphex(row->flag, ==, header[i].flag);
    g_assert_cmpstr(row->param, ==, header[i].param);
  }
}

static unsigned flags(const char *config, gboolean persistent, gboolean active) {
  g_autoptr(json_t) value = parse(config);
  FerryMigrateRequest r = {.config = value, .persistent = persistent, .active = active};
  return ferry_libvirt_migrate_flags(&r);
}

static void test_flags(void) {
  const unsigned base = VIR_MIGRATE_LIVE | VIR_MIGRATE_PEER2PEER | VIR_MIGRATE_ABORT_ON_ERROR;
  const unsigned keep = VIR_MIGRATE_PERSIST_DEST | VIR_MIGRATE_UNDEFINE_SOURCE;
  g_assert_cmphex(flags("{}", FALSE, TRUE), ==, base | VIR_MIGRATE_TLS);
  g_assert_cmphex(flags("{}", TRUE, TRUE), ==, base | VIR_MIGRATE_TLS | keep);
  g_assert_cmphex(flags("{'disableTLS':true}", FALSE, TRUE), ==, base);
  g_assert_cmphex(flags("{'disableTLS':true,'live':false,'abortOnError':false,'peerToPeer':false}",
                        FALSE, TRUE),
                  ==, 0);
  /* the last definition is never dropped by default */
  g_assert_cmphex(flags("{'disableTLS':true,'persistDestination':false}", TRUE, TRUE), ==, base);
  static const char none[] =
      "{'disableTLS':true,'persistDestination':false,'undefineSource':true%s}";
  g_autofree char *refused = g_strdup_printf(none, "");
  g_autofree char *wanted = g_strdup_printf(none, ",'unsafeMigrationOverride':true");
  g_assert_cmphex(flags(refused, TRUE, TRUE), ==, base);
  g_assert_cmphex(flags(wanted, TRUE, TRUE), ==,
                  base | VIR_MIGRATE_UNDEFINE_SOURCE | VIR_MIGRATE_UNSAFE);
  g_assert_cmphex(flags("{'disableTLS':true,'undefineSource':false}", TRUE, TRUE), ==,
                  base | VIR_MIGRATE_PERSIST_DEST);
  const unsigned offline = VIR_MIGRATE_PEER2PEER | VIR_MIGRATE_OFFLINE | VIR_MIGRATE_PERSIST_DEST;
  g_assert_cmphex(flags("{'offline':true,'allowPostCopy':true}", TRUE, TRUE), ==, offline);
  g_assert_cmphex(flags("{'offline':true}", TRUE, FALSE), ==,
                  offline | VIR_MIGRATE_UNDEFINE_SOURCE);
}

static char *params(const char *config, const char *address) {
  g_autoptr(json_t) value = parse(config);
  FerryMigrateRequest r = {
      .config = value, .address = address, .dest_uri = "qemu+tls://h2/system", .active = TRUE};
  virTypedParameterPtr list = NULL;
  int n = 0;
  g_assert_true(ferry_libvirt_migrate_params(&r, &list, &n));
  g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
  for (int i = 0; i < n; i++) {
    const virTypedParameter *p = &list[i];
    char *line = p->type == VIR_TYPED_PARAM_STRING ? g_strdup_printf("%s=%s", p->field, p->value.s)
                 : p->type == VIR_TYPED_PARAM_INT
                     ? g_strdup_printf("%s=%d", p->field, p->value.i)
                     : g_strdup_printf("%s=%lluL", p->field, p->value.ul);
    g_ptr_array_add(lines, line);
  }
  g_ptr_array_add(lines, NULL);
  virTypedParamsFree(list, n);
  return g_strjoinv(" ", (char **)lines->pdata);
}

static void same_params(const char *config, const char *address, const char *wanted) {
  g_autofree char *text = params(config, address);
  g_assert_cmpstr(text, ==, wanted);
}

static void test_params(void) {
  same_params("{}", "10.0.0.2",
              "migrate_uri=tcp://10.0.0.2 listen_address=10.0.0.2 tls.destination=h2");
  same_params("{'disableTLS':true}", "fd00::2",
              "migrate_uri=tcp://[fd00::2] listen_address=fd00::2");
  same_params("{'tunnelled':true,'disableTLS':true}", "10.0.0.2", "");
  same_params("{'offline':true,'destinationName':'b','bandwidthPerMigration':1048576}", "10.0.0.2",
              "destination_name=b");
  same_params("{'disableTLS':true,'migrateURI':'rdma://x'}", "10.0.0.2", "migrate_uri=rdma://x");
  same_params("{'disableTLS':true,'listenAddress':'::'}", "10.0.0.2",
              "listen_address=:: migrate_uri=tcp://10.0.0.2");
  /* rates round up to MiB/s, 0 is none; post-copy follows the rate */
  same_params("{'disableTLS':true,'bandwidthPerMigration':1048577,'allowPostCopy':true}", NULL,
              "bandwidth=2L bandwidth.postcopy=2L");
  same_params("{'disableTLS':true,'bandwidthPerMigration':0,'allowPostCopy':true}", NULL, "");
  same_params("{'disableTLS':true,'compressionMethods':['xbzrle','mt'],'compressionMTLevel':0,"
              "'compressionXBZRLECache':4096,'migrateDisks':['vda','vdb'],'disksPort':0}",
              NULL,
              "compression=xbzrle compression=mt compression.mt.level=0 "
              "compression.xbzrle.cache=4096L migrate_disks=vda migrate_disks=vdb disks_port=0");
  same_params("{'disableTLS':true,'availableSwitchoverBandwidth':104857600}", NULL,
              "bandwidth.avail.switchover=100L");
}

static void test_disks_xml(void) {
  g_autoptr(json_t) disks = ferry_disks_xml_parse(
      "<domain><devices><disk type='file' device='disk'><driver type='qcow2'/><source "
      "file='/a/&amp;b.qcow2'/><backingStore type='file'><format type='raw'/><source "
      "file='/base'/></backingStore><target dev='vda'/></disk><disk type='volume' device='cdrom'>"
      "<source pool='p' volume='v'/><target dev='sda'/></disk></devices></domain>");
  g_assert_cmpuint(json_array_size(disks), ==, 2);
  json_t *vda = json_array_get(disks, 0), *sda = json_array_get(disks, 1);
  g_assert_cmpstr(ferry_json_str(vda, "path"), ==, "/a/&b.qcow2");
  g_assert_cmpstr(ferry_json_str(vda, "backing"), ==, "/base");
  g_assert_cmpstr(ferry_json_str(vda, "backingFormat"), ==, "raw");
  g_assert_cmpstr(ferry_json_str(sda, "pool"), ==, "p");
  g_assert_true(ferry_json_bool(sda, "readonly", FALSE));
  ferry_json_set_int(vda, "sizeBytes", 65536);
  g_autofree char *xml = ferry_disks_volume_xml(vda);
  g_assert_nonnull(strstr(xml, "<name>&amp;b.qcow2</name>"));
  g_assert_nonnull(strstr(xml, "<capacity>65536</capacity>"));
  g_assert_nonnull(strstr(xml, "<path>/base</path>"));
  gint64 capacity = 0;
  g_autofree char *format = NULL;
  g_assert_true(ferry_disks_volume_parse(xml, &capacity, &format));
  g_assert_cmpint(capacity, ==, 65536);
  g_assert_cmpstr(format, ==, "qcow2");
  g_autofree char *pool = ferry_disks_pool_xml("ferry-x", "/a<b");
  g_autofree char *path = ferry_disks_pool_path(pool);
  g_assert_cmpstr(path, ==, "/a<b");
  g_assert_null(ferry_disks_xml_parse("<domain>"));
  g_assert_null(ferry_disks_xml_parse("<!DOCTYPE d [<!ENTITY e 'x'>]><domain/>"));
  g_assert_false(ferry_disks_volume_parse("<volume/>", &capacity, &format));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_assert_cmpint(virInitialize(), ==, 0);
  g_test_add_func("/migrate_params/header", test_header);
  g_test_add_func("/migrate_params/flags", test_flags);
  g_test_add_func("/migrate_params/params", test_params);
  g_test_add_func("/migrate_params/disks-xml", test_disks_xml);
  return g_test_run();
}
