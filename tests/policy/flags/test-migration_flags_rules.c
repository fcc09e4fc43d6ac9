// SPDX-License-Identifier: Apache-2.0
// What goes together of libvirt's flags: for each rule a configuration that breaks it and one that
// does not, all violations at once, and what is completed from values that are left out.
#include "policy/flags/migration_flags_rules.h"
#include "base/error.h"
#include "policy/config.h"
#include <string.h>

static json_t *parse(const char *text) {
  g_autofree char *json = g_strdelimit(g_strdup(text), "'", '"');
  g_autoptr(GError) error = NULL;
  json_t *value = ferry_json_parse(json, strlen(json), &error);
  g_assert_no_error(error);
  return value;
}

static const char node_text[] =
    "{'metadata':{'name':'%s'},'status':{'capacity':{'cpu':'8'},'hypervisor':{'libvirtVersion':"
    "'%s','qemuVersion':'%s','features':['live','tcp','rdma']},'interfaces':[{'name':'m','"
    "speedMbps'"
    ":25000,'addresses':['10.0.0.2/24']}]}}";

static json_t *node(const char *name, const char *libvirt, const char *qemu) {
  g_autofree char *text = g_strdup_printf(node_text, name, libvirt, qemu);
  return parse(text);
}

static const char vmi_text[] =
    "{'metadata':{'name':'vm','uid':'6b1f6f04-9a5f-4c59-8e21-3a1d5c9a7a10'},"
    "'spec':{'domainName':'vm','persistent':true,'domain':{'devices':{"
    "'disks':[{'name':'vda','source':'/a'},{'name':'sda','source':'/b','readonly':true}]}}},"
    "'status':{'phase':'Running'}}";

/* The causes' texts, a line each "field: message". */
static char *judge(const char *spec, const json_t *vmi, const json_t *source,
                   const json_t *target) {
  g_autoptr(json_t) migration = json_object();
  json_object_set_new(migration, "spec", parse(spec));
  FerryConfigSources sources = {NULL, NULL, vmi, migration};
  json_t *origins = NULL;
  g_autoptr(json_t) config = ferry_config_resolve(&sources, &origins);
  FerryFlagsContext context = {config, origins, vmi, source, target};
  g_autoptr(GError) causes = g_error_new(FERRY_ERROR, FERRY_ERROR_INVALID, "invalid");
  ferry_migration_flags_check(&context, causes);
  json_decref(origins);
  GString *out = g_string_new(NULL);
  for (guint i = 0; i < ferry_error_n_causes(causes); i++)
    g_string_append_printf(out, "%s: %s\n", ferry_error_cause(causes, i)->field,
                           ferry_error_cause(causes, i)->message);
  g_test_message("%s -> %s", spec, out->str);
  return g_string_free(out, FALSE);
}

/* Each wrong combination, and what libvirt (or QEMU) says to it. */
static const struct {
  const char *spec, *says;
} wrong[] = {
    {"{'tunnelled':true,'peerToPeer':false}",
     "cannot perform tunnelled migration without using peer2peer flag"},
    {"{'tunnelled':true,'migrateURI':'tcp://h'}", "URI is not supported by tunnelled"},
    {"{'tunnelled':true,'listenAddress':'::'}", "listen address is not supported by tunnelled"},
    {"{'tunnelled':true,'copyStorageAll':true,'disksPort':1}", "disk port address"},
    {"{'tunnelled':true,'copyStorageAll':true}", "non-shared storage is not supported"},
    {"{'tunnelled':true,'copyStorageIncremental':true}", "non-shared storage is not supported"},
    {"{'tunnelled':true,'allowPostCopy':true}", "post-copy is not supported with tunnelled"},
    {"{'tunnelled':true,'parallel':true}", "mutually exclusive"},
    {"{'tunnelled':true,'disableTLS':false}", "TLS handshake failed"},
    {"{'tunnelled':true,'network':'n'}", "tunnelled and network exclude each other"},
    {"{'migrateURI':'tcp://h','network':'n'}", "migrateURI and network exclude each other"},
    {"{'tunnelled':true,'offline':true}", "does not make sense"},
    {"{'offline':true,'copyStorageAll':true}", "offline migration cannot handle"},
    {"{'offline':true,'parallel':true}", "sends no memory"},
    {"{'offline':true,'compressed':true}", "sends no memory"},
    {"{'offline':true,'paused':true}", "sends no memory"},
    {"{'offline':true,'persistDestination':false}", "specified with the persistent flag set"},
    {"{'offline':true,'undefineSource':true}", "the VM runs here and stays"},
    {"{'offline':true,'copyStorageIncremental':true}", "offline migration cannot handle"},
    {"{'offline':true,'postCopyResume':true}", "postCopyResume and offline exclude"},
    {"{'offline':true,'migrateURI':'tcp://h2'}", "migrateURI and offline exclude"},
    {"{'offline':true,'live':true}", "live and offline exclude"},
    {"{'offline':true,'network':'n'}", "network and offline exclude"},
    {"{'offline':true,'maxDowntimeMs':100}", "maxDowntimeMs and offline exclude"},
    {"{'offline':true,'preset':'nova'}", "preset and offline exclude"},
    {"{'offline':true,'bandwidthPerMigration':'1Mi'}", "bandwidthPerMigration and offline"},
    {"{'undefineSource':true,'persistDestination':false}", "no host would keep"},
    {"{'live':false,'allowAutoConverge':true}", "allowAutoConverge needs live"},
    {"{'live':false,'copyStorageAll':true,'copyStorageSynchronousWrites':true}", "needs live"},
    {"{'destinationXML':'domain'}", "spec.destinationXML: Invalid value: no XML: line 1"},
    {"{'destinationXML':'<network/>'}", "the XML is a <network>"},
    {"{'destinationXML':'<!DOCTYPE domain><domain/>'}", "the XML has a DOCTYPE"},
    {"{'persistentXML':'<domain>'}", "spec.persistentXML: Invalid value: no XML"},
    {"{'persistentXML':'<pool/>'}", "the XML is a <pool>"},
    {"{'destinationXML':'<domain><name>other</name></domain>'}",
     "domain name 'other' does not match source 'vm'"},
    {"{'destinationXML':'<domain><name>new</name></domain>','destinationName':'new'}",
     "domain name 'new' does not match source 'vm'"},
    {"{'destinationXML':'<domain><name>vm</name></domain>'}",
     "uuid 'none' does not match source '6b1f6f04-9a5f-4c59-8e21-3a1d5c9a7a10'"},
    {"{'copyStorageAll':true,'copyStorageIncremental':true}", "mutually exclusive"},
    {"{'copyStorageSynchronousWrites':true}", "requires VIR_MIGRATE_NON_SHARED_DISK"},
    {"{'migrateDisks':['vda']}", "requires use of 'VIR_MIGRATE_NON_SHARED_DISK'"},
    {"{'migrateDisksDetectZeroes':['vda']}", "requires use of 'VIR_MIGRATE_NON_SHARED_DISK'"},
    {"{'copyStorageAll':true,'migrateDisks':['vdx']}", "unable to find disk target 'vdx'"},
    {"{'copyStorageAll':true,'migrateDisks':['sda']}", "Cannot migrate empty or read-only disk"},
    {"{'copyStorageAll':true,'migrateDisks':[],'migrateDisksDetectZeroes':['vdx']}",
     "unable to find disk target 'vdx'"},
    {"{'disksPort':4000}", "ignores it"},
    {"{'disksURI':'tcp://h'}", "ignores it"},
    {"{'copyStorageAll':true,'disksPort':1,'disksURI':'tcp://h'}", "mutually exclusive"},
    {"{'copyStorageAll':true,'disksURI':'unix:///s'}", "NBD migration with TLS"},
    {"{'allowPostCopy':true,'live':false}", "non-live or paused"},
    {"{'allowPostCopy':true,'paused':true}", "non-live or paused"},
    {"{'allowPostCopy':true,'parallel':true}", "not yet compatible with multifd"},
    {"{'postCopyBandwidth':'1Mi'}", "ignores it"},
    {"{'postCopyResume':true}", "requires post-copy to be enabled"},
    {"{'postCopyResume':true,'allowPostCopy':true}", "is not being migrated"},
    {"{'autoConvergeInitial':20}", "Turn auto convergence on to tune it"},
    {"{'autoConvergeIncrement':20}", "Turn auto convergence on to tune it"},
    {"{'parallelConnections':4}", "Turn parallel migration on to tune it"},
    {"{'zeroCopy':true,'disableTLS':true}", "only available for parallel"},
    {"{'zeroCopy':true,'parallel':true}", "non-TLS"},
    {"{'zeroCopy':true,'parallel':true,'disableTLS':true,'compressed':true,"
     "'compressionMethods':['zstd']}",
     "non-compressed"},
    {"{'compressionMethods':['xbzrle']}", "ignores it"},
    {"{'compressed':true,'compressionMTLevel':1}", "Turn multithread compression on to tune it"},
    {"{'compressed':true,'compressionMTThreads':1}", "Turn multithread compression on to tune it"},
    {"{'compressed':true,'compressionMTDThreads':1}", "Turn multithread compression on to tune it"},
    {"{'compressed':true,'compressionMethods':['mt'],'compressionXBZRLECache':'1Mi'}",
     "Turn xbzrle compression on to tune it"},
    {"{'compressionXBZRLECache':'1Mi'}", "Turn xbzrle compression on to tune it"},
    {"{'compressed':true,'compressionXBZRLECache':'5000'}", "expects a power of two"},
    {"{'compressed':true,'compressionZlibLevel':1}", "Turn zlib compression on to tune it"},
    {"{'compressed':true,'compressionZstdLevel':1}", "Turn zstd compression on to tune it"},
    {"{'compressed':true,'compressionMethods':['zlib']}", "only supported with parallel"},
    {"{'compressed':true,'compressionMethods':['zstd']}", "only supported with parallel"},
    {"{'compressed':true,'compressionMethods':['xbzrle'],'parallel':true}", "'xbzrle' isn't"},
    {"{'compressed':true,'compressionMethods':['mt'],'parallel':true}", "'mt' isn't"},
    {"{'compressed':true,'compressionMethods':['mt'],'allowPostCopy':true}",
     "not currently compatible with compression"},
    {"{'compressed':true,'compressionMethods':['zlib','zstd'],'parallel':true}",
     "Only one compression method"},
    {"{'compressed':true,'parallel':true}", "No compression algorithm selected"},
    {"{'tlsDestination':'h2','disableTLS':true}", "ignores it"},
    {"{'rdmaPinAll':true}", "ignores it"},
    {"{'migrateURI':'rdma://h2'}", "TLS"},
    {"{'migrateURI':'rdma://h2','disableTLS':true,'parallel':true}", "one connection"},
    {"{'migrateURI':'tcp://h2','network':'n'}", "exclude each other"},
    {"{'migrateURI':'unix:///s','listenAddress':'::'}", "Usage of listen-address is forbidden"},
    {"{'migrateURI':'unix:///s'}", "Explicit destination hostname is required"},
    {"{'migrateURI':'unix:///s','copyStorageAll':true}", "NBD URI must be supplied"},
    {"{'listenAddress':'10.9.9.9'}", "Failed to bind socket"},
    {"{'persistentXML':'<domain/>','persistDestination':false}", "ignores it"},
    {"{'persistentXML':'<domain><name>vm</name></domain>'}", "domain uuid 'none' is not"},
    {"{'persistentXML':'<domain><name>vm</name><uuid>11111111-1111-4111-8111-111111111111</uuid>"
     "</domain>'}",
     "domain uuid '11111111-1111-4111-8111-111111111111' is not"},
    {"{'persistentXML':'<domain><name>new</name><uuid>6b1f6f04-9a5f-4c59-8e21-3a1d5c9a7a10</uuid>"
     "</domain>'}",
     "domain name 'new' is not"},
    {"{'bandwidthPerMigration':9223372036854775807}", "must be less than"},
};

static void test_wrong(void) {
  g_autoptr(json_t) vmi = parse(vmi_text);
  g_autoptr(json_t) h1 = node("h1", "11.3.0", "8.2.0");
  g_autoptr(json_t) h2 = node("h2", "11.3.0", "8.2.0");
  for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_autofree char *found = judge(wrong[i].spec, vmi, h1, h2);
    g_assert_nonnull(strstr(found, wrong[i].says));
    g_assert_true(g_str_has_prefix(found, "spec."));
  }
}

static const char *const right[] = {
    "{}",
    "{'tunnelled':true}",
    "{'peerToPeer':false,'live':false}",
    "{'live':false,'parallel':true,'parallelConnections':2}",
    "{'undefineSource':true,'persistDestination':false,'unsafeMigrationOverride':true}",
    "{'destinationName':'new','destinationXML':'<domain><name>vm</name><uuid>"
    "6B1F6F04-9A5F-4C59-8E21-3A1D5C9A7A10</uuid></domain>'}",
    "{'copyStorageAll':true,'copyStorageSynchronousWrites':true,'migrateDisks':['vda'],"
    "'migrateDisksDetectZeroes':['vda'],'disksPort':49200}",
    "{'allowPostCopy':true,'postCopyBandwidth':'10Mi','allowAutoConverge':true,"
    "'autoConvergeInitial':30,'autoConvergeIncrement':5}",
    "{'parallel':true,'parallelConnections':4,'compressed':true,'compressionMethods':['zstd'],"
    "'compressionZstdLevel':3}",
    "{'compressed':true,'compressionXBZRLECache':'64Mi'}",
    "{'zeroCopy':true,'parallel':true,'disableTLS':true}",
    "{'migrateURI':'rdma://h2','disableTLS':true,'rdmaPinAll':true}",
    "{'listenAddress':'10.0.0.2','tlsDestination':'h2'}",
    "{'offline':true}",
    "{'persistDestination':true,'undefineSource':false,'persistentXML':'<domain><name>vm</name>"
    "<uuid>6B1F6F04-9A5F-4C59-8E21-3A1D5C9A7A10</uuid></domain>'}",
    "{'destinationName':'new','persistentXML':'<domain><name>new</name>"
    "<uuid>6b1f6f04-9a5f-4c59-8e21-3a1d5c9a7a10</uuid></domain>'}",
};

static void test_right(void) {
  g_autoptr(json_t) vmi = parse(vmi_text);
  g_autoptr(json_t) h1 = node("h1", "11.3.0", "10.0.2");
  for (gsize i = 0; i < G_N_ELEMENTS(right); i++) {
    g_autofree char *found = judge(right[i], vmi, h1, h1);
    g_assert_cmpstr(found, ==, "");
  }
}

/* A disk that only its host has: copied, or said to be the same there, or not moved. */
static void test_local_disks(void) {
  static const struct {
    const char *config, *says; /* NULL: nothing against it */
  } cases[] = {
      {"{}", "disk vda (/data/a.raw) is on a file system of its host alone"},
      {"{'copyStorageAll':true}", NULL},
      {"{'copyStorageAll':true,'migrateDisks':['vda']}", NULL},
      {"{'copyStorageAll':true,'migrateDisks':['vdc']}",
       "spec.migrateDisks: Invalid value: disk vda"},
      {"{'copyStorageAll':true,'migrateDisks':[]}", NULL}, /* all, as libvirt has it */
      {"{'copyStorageAll':true,'migrateDisks':['vda','vdb']}",
       "spec.migrateDisks: Invalid value: \"vdb\": disk vdb (/nfs/b.raw) is on storage that both "
       "hosts share"},
      {"{'copyStorageAll':true,'migrateDisksDetectZeroes':['vdb']}",
       "spec.migrateDisksDetectZeroes: Invalid value: \"vdb\": disk vdb"},
      {"{'copyStorageAll':true,'migrateDisks':['vda','vdb'],'unsafeMigrationOverride':true}", NULL},
      {"{'unsafeMigrationOverride':true}", NULL},
      {"{'offline':true}", NULL},
  };
  g_autoptr(json_t) vmi = parse(vmi_text);
  g_autoptr(json_t) h1 = node("h1", "11.3.0", "10.0.2");
  ferry_json_set(
      vmi, "spec.domain.devices.disks",
      parse("[{'name':'vda','type':'file','source':'/data/a.raw','shared':false},"
            "{'name':'vdb','type':'file','source':'/nfs/b.raw','shared':true},"
            "{'name':'vdc','type':'block','source':'/dev/sdb'},"
            "{'name':'sda','type':'file','source':'/iso','readonly':true,'shared':false},"
            "{'name':'sdb','type':'file','readonly':false,'shared':false}]"));
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *found = judge(cases[i].config, vmi, h1, h1);
    if (cases[i].says)
      g_assert_nonnull(strstr(found, cases[i].says));
    else
      g_assert_cmpstr(found, ==, "");
  }
}

/* RDMA locks memory: the definition that the target starts with must have a limit for it. */
static void test_rdma_limit(void) {
  static const struct {
    const char *limit, *xml;
    gboolean good;
  } cases[] = {
      {NULL, NULL, TRUE}, /* an agent that does not tell */
      {"0", NULL, FALSE},
      {"1Gi", NULL, TRUE},
      {"1Gi", "", FALSE},
      {"0", "<memtune><hard_limit>1048576</hard_limit></memtune>", TRUE},
      {"0", "<memtune><soft_limit>1048576</soft_limit></memtune>", FALSE},
  };
  g_autoptr(json_t) h1 = node("h1", "11.3.0", "10.0.2");
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(json_t) vmi = parse(vmi_text);
    g_autoptr(GString) config = g_string_new("{'migrateURI':'rdma://h2','disableTLS':true");
    if (cases[i].limit)
      ferry_json_set_str(vmi, "spec.domain.memory.hardLimit", cases[i].limit);
    if (cases[i].xml)
      g_string_append_printf(
          config, ",'destinationXML':'<domain><name>%s</name><uuid>%s</uuid>%s</domain>'",
          ferry_json_str(vmi, "spec.domainName"), ferry_json_str(vmi, "metadata.uid"),
          cases[i].xml);
    g_string_append_c(config, '}');
    g_autofree char *found = judge(config->str, vmi, h1, h1);
    g_assert_cmpint(strstr(found, "no memory hard limit set") == NULL, ==, cases[i].good);
    g_assert_cmpint(*found == '\0', ==, cases[i].good);
    g_string_replace(config, "rdma://", "tcp://", 1);
    g_autofree char *tcp = judge(config->str, vmi, h1, h1);
    g_assert_cmpstr(tcp, ==, "");
  }
}

/* A schedule that ends in post-copy needs it, whoever has forbidden it. */
static void test_schedule(void) {
#define SCHEDULE "'schedule':{'stalling':[{'limit':2,'action':{'name':'postCopy','params':[]}}]}"
  g_autofree char *without = judge("{'allowPostCopy':false," SCHEDULE "}", NULL, NULL, NULL);
  g_assert_nonnull(strstr(without, "spec.allowPostCopy: Invalid value: false"));
  g_assert_nonnull(strstr(without, "switches to post-copy"));
  g_autofree char *with = judge("{'allowPostCopy':true," SCHEDULE "}", NULL, NULL, NULL);
  g_assert_cmpstr(with, ==, "");
  /* of a guest that does not run meanwhile no schedule is needed, nor what it enables */
  static const char *const still[] = {"'live':false", "'live':false,'allowPostCopy':false"};
  for (gsize i = 0; i < G_N_ELEMENTS(still); i++) {
    g_autofree char *spec = g_strdup_printf("{%s," SCHEDULE "}", still[i]);
    g_autofree char *found = judge(spec, NULL, NULL, NULL);
    g_assert_cmpstr(found, ==, "");
  }
  g_autofree char *off = judge("{'offline':true," SCHEDULE "}", NULL, NULL, NULL);
  g_assert_nonnull(strstr(off, "schedule and offline exclude"));
  g_assert_null(strstr(off, "switches to post-copy"));
}

static void test_all_at_once(void) {
  g_autofree char *found = judge("{'parallelConnections':4,'autoConvergeInitial':20,"
                                 "'postCopyBandwidth':'1Mi','disksPort':1}",
                                 NULL, NULL, NULL);
  g_auto(GStrv) lines = g_strsplit(g_strstrip(found), "\n", -1);
  g_assert_cmpuint(g_strv_length(lines), ==, 4);
}

static void test_versions(void) {
  g_autoptr(json_t) old = node("old", "9.0.0", "7.2.0");
  g_autoptr(json_t) new = node("new", "11.3.0", "10.1.0");
  g_autofree char *found = judge("{'availableSwitchoverBandwidth':'1Gi','compressed':true,"
                                 "'parallel':true,'compressionMethods':['zstd']}",
                                 NULL, new, old);
  g_assert_nonnull(strstr(found, "spec.availableSwitchoverBandwidth: Invalid value: node old has "
                                 "libvirt 9.0.0: availableSwitchoverBandwidth needs libvirt "
                                 "11.1.0 or newer"));
  g_assert_nonnull(strstr(found, "needs QEMU 8.2.0 or newer"));
  g_assert_nonnull(strstr(found, "spec.compressionMethods: Invalid value: node old has libvirt "
                                 "9.0.0: compression method zstd needs libvirt 9.4.0 or newer"));
  g_assert_null(strstr(found, "node new"));
  g_autofree char *gone = judge(
      "{'compressed':true,'compressionMethods':['mt'],'compressionMTLevel':1}", NULL, new, old);
  g_assert_nonnull(strstr(gone, "spec.compressionMethods: Invalid value: node new has QEMU 10.1.0: "
                                "compression method mt was removed in QEMU 9.1.0"));
  g_assert_nonnull(strstr(gone, "spec.compressionMTLevel"));
  g_assert_null(strstr(gone, "node old"));
  /* a rule that newer QEMUs lift, where both hosts have one */
  g_autofree char *lifted = judge("{'allowPostCopy':true,'parallel':true}", NULL, new, new);
  g_assert_cmpstr(lifted, ==, "");
  g_autofree char *one = judge("{'allowPostCopy':true,'parallel':true}", NULL, new, old);
  g_assert_nonnull(strstr(one, "multifd"));
}

static void test_resume_needs_a_libvirtd_that_survives_it(void) {
  g_autoptr(json_t) vmi = parse("{'metadata':{'name':'vm'},'spec':{'domainName':'vm'},'status':{"
                                "'domains':[{'nodeName':'a','reason':'postcopy-failed'}]}}");
  g_autoptr(json_t) bad = node("bad", "11.3.0", "10.0.2");
  g_autoptr(json_t) good = node("good", "10.0.0", "10.0.2");
  static const char spec[] = "{'postCopyResume':true,'allowPostCopy':true}";
  g_autofree char *to_bad = judge(spec, vmi, good, bad);
  g_assert_nonnull(strstr(to_bad, "spec.postCopyResume: Invalid value: node bad has libvirt 11.3"));
  g_autofree char *from_bad = judge(spec, vmi, bad, good);
  g_assert_cmpstr(from_bad, ==, "");
  g_autofree char *mended = judge("{'postCopyResume':true,'allowPostCopy':true,"
                                  "'unsafeMigrationOverride':true}",
                                  vmi, good, bad);
  g_assert_cmpstr(mended, ==, "");
}

/* Without a target only the source speaks: each candidate is judged when one is looked for. */
static void test_post_copy_with_parallel(void) {
  static const char spec[] = "{'allowPostCopy':true,'parallel':true}";
  g_autoptr(json_t) old = node("old", "11.3.0", "10.0.2");
  g_autoptr(json_t) new = node("new", "11.3.0", "10.1.0");
  g_autofree char *nowhere = judge(spec, NULL, new, NULL);
  g_assert_cmpstr(nowhere, ==, "");
  g_autofree char *both = judge(spec, NULL, new, new);
  g_assert_cmpstr(both, ==, "");
  g_autofree char *from = judge(spec, NULL, old, NULL);
  g_assert_nonnull(strstr(from, "spec.allowPostCopy: "));
  g_autofree char *to = judge(spec, NULL, new, old);
  g_assert_nonnull(strstr(to, "spec.allowPostCopy: Invalid value: node old has QEMU 10.0.2"));
}

static void test_origin(void) {
  g_autoptr(json_t) vmi = parse("{'spec':{'migration':{'parallel':true,'compressed':true,"
                                "'compressionMethods':'zstd'},'persistent':true}}");
  g_autofree char *found = judge("{'allowPostCopy':true}", vmi, NULL, NULL);
  g_assert_nonnull(strstr(found, "(parallel comes from VirtualMachineInstance)"));
  g_assert_null(strstr(found, "algorithm")); /* the domain's text became a list */
}

/* A tunnel is not sent without encryption: nobody is told to do that. */
static void test_tunnel_with_tls(void) {
  g_autoptr(json_t) vmi = parse("{'spec':{'migration':{'tunnelled':true}}}");
  g_autofree char *found = judge("{'disableTLS':false}", vmi, NULL, NULL);
  g_assert_nonnull(strstr(found, "(tunnelled comes from VirtualMachineInstance); leave disableTLS: "
                                 "false (--tls) out"));
  g_assert_null(strstr(found, "without encryption"));
  g_autofree char *other = judge("{'zeroCopy':true,'parallel':true}", NULL, NULL, NULL);
  g_assert_nonnull(strstr(other, "to send without encryption"));
}

static void test_complete(void) {
  g_autoptr(json_t) h = node("h", "11.3.0", "10.0.2");
  g_autoptr(json_t) config = parse("{'parallel':true,'disableTLS':true}");
  g_autoptr(json_t) origins = json_object();
  ferry_migration_flags_complete(config, origins, NULL, h, h, "10.0.0.2");
  g_assert_cmpint(ferry_json_int(config, "parallelConnections", 0), ==, 3); /* 25 Gbit/s */
  g_assert_cmpstr(ferry_json_str(origins, "parallelConnections"), ==, "automatic");
  g_autoptr(json_t) tls = parse("{'parallel':true}");
  ferry_migration_flags_complete(tls, NULL, NULL, h, h, "10.0.0.2");
  g_assert_cmpint(ferry_json_int(tls, "parallelConnections", 0), ==, 7);
  g_autoptr(json_t) said = parse("{'parallel':true,'parallelConnections':9}");
  ferry_migration_flags_complete(said, NULL, NULL, h, h, "10.0.0.2");
  g_assert_cmpint(ferry_json_int(said, "parallelConnections", 0), ==, 9);
  g_autoptr(json_t) unknown = parse("{'parallel':true}");
  ferry_migration_flags_complete(unknown, NULL, NULL, h, h, NULL);
  g_assert_cmpint(ferry_json_int(unknown, "parallelConnections", 0), ==, 2);
  /* what another interface could do is no matter */
  json_array_append_new(ferry_json_get(h, "status.interfaces"),
                        parse("{'name':'s','speedMbps':10000,'addresses':['10.9.0.2/24']}"));
  g_autoptr(json_t) slower = parse("{'parallel':true}");
  ferry_migration_flags_complete(slower, NULL, NULL, h, h, "10.9.0.2");
  g_assert_cmpint(ferry_json_int(slower, "parallelConnections", 0), ==, 3);
  g_autoptr(json_t) single = parse("{}");
  ferry_migration_flags_complete(single, NULL, NULL, h, h, "10.0.0.2");
  g_assert_null(json_object_get(single, "parallelConnections"));
}

static void test_tls_by_default(void) {
  FerryConfigSources sources = {0};
  g_autoptr(json_t) config = ferry_config_resolve(&sources, NULL);
  g_assert_false(ferry_json_bool(config, "disableTLS", TRUE));
  g_autoptr(json_t) m = parse("{'spec':{'tunnelled':true}}");
  sources.migration = m;
  g_autoptr(json_t) tunnel = ferry_config_resolve(&sources, NULL);
  g_assert_true(ferry_json_bool(tunnel, "disableTLS", FALSE));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/flags_rules/wrong", test_wrong);
  g_test_add_func("/flags_rules/right", test_right);
  g_test_add_func("/flags_rules/local-disks", test_local_disks);
  g_test_add_func("/flags_rules/rdma-limit", test_rdma_limit);
  g_test_add_func("/flags_rules/schedule", test_schedule);
  g_test_add_func("/flags_rules/all-at-once", test_all_at_once);
  g_test_add_func("/flags_rules/versions", test_versions);
  g_test_add_func("/flags_rules/resume", test_resume_needs_a_libvirtd_that_survives_it);
  g_test_add_func("/flags/post-copy-with-parallel", test_post_copy_with_parallel);
  g_test_add_func("/flags_rules/origin", test_origin);
  g_test_add_func("/flags_rules/complete", test_complete);
  g_test_add_func("/flags_rules/tls-by-default", test_tls_by_default);
  g_test_add_func("/flags_rules/tunnel-with-tls", test_tunnel_with_tls);
  return g_test_run();
}
