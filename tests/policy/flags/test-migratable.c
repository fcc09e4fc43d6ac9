// SPDX-License-Identifier: Apache-2.0
#include "policy/flags/migratable.h"
#include <string.h>

/* The reasons for a VM of that spec.domain, JSON with ' for ". */
static json_t *reasons(const char *domain) {
  g_autofree char *text = g_strdup_printf("{'spec':{'domain':%s}}", domain);
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) vmi = ferry_json_parse(g_strdelimit(text, "'", '"'), strlen(text), &error);
  g_assert_no_error(error);
  return ferry_migratable_reasons(vmi);
}

static gint compare(gconstpointer a, gconstpointer b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Those reasons are all there are: words, sorted. */
static void expect(const char *domain, const char *wanted) {
  g_autoptr(json_t) all = reasons(domain);
  g_autoptr(GPtrArray) words = g_ptr_array_new();
  gsize i;
  json_t *one;
  json_array_foreach(all, i, one) g_ptr_array_add(words, (gpointer)ferry_json_str(one, "reason"));
  g_ptr_array_sort(words, compare);
  g_ptr_array_add(words, NULL);
  g_autofree char *got = g_strjoinv(" ", (char **)words->pdata);
  g_assert_cmpstr(got, ==, wanted);
}

static void test_all_at_once(void) {
  expect("{'devices':{}}", "");
  expect("{'cpu':{'model':'host-passthrough','invariantTSC':true},"
         "'features':{'hypervPassthrough':{'enabled':true}},'launchSecurity':{'type':'sev'},"
         "'devices':{'hostDevices':[{'name':'pci0','type':'pci'}],"
         "'interfaces':[{'type':'hostdev','macAddress':'52:54:00:00:00:01'}],"
         "'filesystems':[{'name':'data','driver':'virtiofs'}],"
         "'disks':[{'name':'sda','reservations':true}]}}",
         "CPUModeLiveMigratable HostDeviceNotLiveMigratable HypervPassthroughNotLiveMigratable "
         "InterfaceNotLiveMigratable NoTSCFrequencyNotLiveMigratable "
         "PersistentReservationNotLiveMigratable SEVNotLiveMigratable VirtIOFSNotLiveMigratable");
}

static void test_launch_security(void) {
  expect("{'launchSecurity':{'type':'sev-snp'}}", "SEVNotLiveMigratable");
  expect("{'launchSecurity':{'type':'tdx'}}", "TDXNotLiveMigratable");
  expect("{'launchSecurity':{'type':'s390-pv'}}", "SecureExecutionNotLiveMigratable");
  expect("{'launchSecurity':{'type':'other'}}", ""); /* libvirt knows whether it can move */
  expect("{'launchSecurity':{}}", "");
}

static void test_snapshots(void) {
  expect("{'snapshots':[]}", "");
  expect("{'snapshots':['before','after']}", "SnapshotsNotLiveMigratable");
  g_autoptr(json_t) all = reasons("{'snapshots':['before','after']}");
  const char *why =
      ferry_json_str(ferry_json_find(all, "reason", "SnapshotsNotLiveMigratable"), "message");
  g_assert_nonnull(strstr(why, "it has 2 (before, after)"));
  g_assert_nonnull(strstr(why, "virsh snapshot-delete"));
}

static void test_block_jobs(void) {
  expect("{'devices':{'disks':[{'name':'vda'}]}}", "");
  expect("{'devices':{'disks':[{'name':'vda'},{'name':'vdb','blockJob':'copy'}]}}",
         "BlockJobNotLiveMigratable");
  g_autoptr(json_t) all = reasons("{'devices':{'disks':[{'name':'vdb','blockJob':'copy'}]}}");
  const char *why = ferry_json_str(json_array_get(all, 0), "message");
  g_assert_nonnull(strstr(why, "disk vdb has an active block job (copy)"));
}

static void test_blockers(void) {
  expect("{'blockers':[]}", "");
  expect("{'blockers':['device x is odd']}", "DeviceNotLiveMigratable");
}

static void test_tsc(void) {
#define NOTIFIED "'features':{'hyperv':{'reenlightenment':{'enabled':true}}}"
  expect("{'cpu':{'invariantTSC':true}}", "NoTSCFrequencyNotLiveMigratable");
  expect("{" NOTIFIED "}", "NoTSCFrequencyNotLiveMigratable");
  expect("{'cpu':{'invariantTSC':true}," NOTIFIED "}", "NoTSCFrequencyNotLiveMigratable");
  expect("{'cpu':{'invariantTSC':true}," NOTIFIED ",'clock':{'tscFrequencyHz':2400000000}}", "");
  expect("{'cpu':{'invariantTSC':true},'clock':{'tscFrequencyHz':0}}",
         "NoTSCFrequencyNotLiveMigratable");
  g_autoptr(json_t) both = reasons("{'cpu':{'invariantTSC':true}," NOTIFIED "}");
  g_assert_true(g_str_has_prefix(ferry_json_str(json_array_get(both, 0), "message"),
                                 "the CPU feature invtsc with Hyper-V reenlightenment needs"));
}

/* One reason names all that it is about, and nothing else. */
static void test_names(void) {
  g_autoptr(json_t) all =
      reasons("{'devices':{'filesystems':[{'name':'data','driver':'virtiofs'},{'name':'nine'},"
              "{'driver':'virtiofs'}],'disks':[{'name':'sda','reservations':true},"
              "{'name':'sdb','reservations':false},{'name':'sdc','reservations':true}]}}");
  g_assert_cmpuint(json_array_size(all), ==, 2);
  const char *fs =
      ferry_json_str(ferry_json_find(all, "reason", "VirtIOFSNotLiveMigratable"), "message");
  g_assert_nonnull(strstr(fs, "virtiofs (data, ?)"));
  g_assert_nonnull(strstr(fs, "unsafeMigrationOverride"));
  const char *disks = ferry_json_str(
      ferry_json_find(all, "reason", "PersistentReservationNotLiveMigratable"), "message");
  g_assert_nonnull(strstr(disks, "reservations of sda, sdc belong"));
}

static void test_losses(void) {
#define DISK(rest) "{'domain':{'devices':{'disks':[{'name':'sda','source':'/a.iso'" rest "}]}}}"
  static const struct {
    const char *spec;
    gsize n;
  } rows[] = {
      {DISK(",'startupPolicy':'optional','shared':false"), 1},
      {DISK(",'startupPolicy':'requisite','shared':false"), 1},
      {DISK(",'startupPolicy':'mandatory','shared':false"), 0},
      {DISK(",'startupPolicy':'optional','shared':true"), 0},
      {DISK(",'startupPolicy':'optional'"), 0}, /* it is not known whether it is shared */
      {DISK(""), 0},
      {"{}", 0},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *text = g_strdelimit(g_strdup(rows[i].spec), "'", '"');
    g_autoptr(json_t) vmi = json_object();
    json_object_set_new(vmi, "spec", json_loads(text, 0, NULL));
    g_autoptr(json_t) losses = ferry_migratable_losses(vmi);
    g_assert_cmpuint(json_array_size(losses), ==, rows[i].n);
    if (rows[i].n)
      g_assert_nonnull(strstr(json_string_value(json_array_get(losses, 0)), "sda holds /a.iso"));
  }
}

/* What the agents do not see of the network is said before. */
static void test_unseen_interfaces(void) {
  static const struct {
    const char *type;
    gboolean seen;
  } rows[] = {{"bridge", TRUE},  {"network", TRUE},    {"hostdev", TRUE},
              {"direct", FALSE}, {"vhostuser", FALSE}, {"user", FALSE}};
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(json_t) vmi =
        json_pack("{s:{s:{s:{s:[{s:s, s:s}]}}}}", "spec", "domain", "devices", "interfaces",
                  "macAddress", "52:54:00:00:00:01", "type", rows[i].type);
    g_autoptr(json_t) losses = ferry_migratable_losses(vmi);
    g_assert_cmpuint(json_array_size(losses), ==, rows[i].seen ? 0 : 1);
    if (!rows[i].seen)
      g_assert_nonnull(strstr(json_string_value(json_array_get(losses, 0)), rows[i].type));
  }
}

/* Two copies: refused with what the condition says to do, but not where a host is only silent. */
static void test_two_copies(void) {
  static const struct {
    const char *type, *status, *reason;
    gboolean refused;
  } cases[] = {{"RunningOnTwoHosts", "True", "SameUUIDTwice", TRUE},
               {"ClaimedByAnotherHost", "True", "SameUUIDTwice", TRUE},
               {"ClaimedByAnotherHost", "True", "HostSilent", FALSE},
               {"RunningOnTwoHosts", "False", "SameUUIDTwice", FALSE},
               {"DuplicateName", "True", "NameUsedTwice", FALSE}};
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(json_t) vmi =
        json_pack("{s:{s:[{s:s, s:s, s:s, s:s}]}}", "status", "conditions", "type", cases[i].type,
                  "status", cases[i].status, "reason", cases[i].reason, "message", "do this");
    g_autoptr(json_t) all = ferry_migratable_reasons(vmi);
    g_test_message("%s %s %s", cases[i].type, cases[i].status, cases[i].reason);
    g_assert_cmpuint(json_array_size(all), ==, cases[i].refused);
    if (cases[i].refused)
      g_assert_cmpstr(ferry_json_str(json_array_get(all, 0), "message"), ==, "do this");
  }
}

static void test_managed_save(void) {
  expect("{'managedSave':false}", "");
  expect("{'managedSave':true}", "ManagedSaveNotLiveMigratable");
}

/* Post-copy broke: what a host says to run is a part of a VM. */
static void test_parts(void) {
  static const struct {
    const char *state, *reason;
    guint n;
  } cases[] = {{"running", "postcopy-failed", 1},
               {"paused", "postcopy-failed", 1},
               {"paused", "postcopy", 0},
               {"running", "migrated", 0}};
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(json_t) vmi = json_pack("{s:{s:[{s:s, s:s, s:s}]}}", "status", "domains", "nodeName",
                                      "h2", "state", cases[i].state, "reason", cases[i].reason);
    g_autoptr(json_t) all = ferry_migratable_reasons(vmi);
    g_assert_cmpuint(json_array_size(all), ==, cases[i].n);
    if (cases[i].n)
      g_assert_cmpstr(ferry_json_str(json_array_get(all, 0), "reason"), ==,
                      "PostCopyFailedNotLiveMigratable");
  }
  /* started again from its disks on a third host, while a dead one's last word stands */
  g_autoptr(json_t) vmi =
      json_pack("{s:{s:s, s:[{s:s, s:s, s:s},{s:s, s:b, s:s, s:s}]}}", "status", "nodeName", "h3",
                "domains", "nodeName", "h1", "state", "paused", "reason", "postcopy-failed",
                "nodeName", "h3", "active", 1, "state", "running", "reason", "booted");
  g_autoptr(json_t) whole = ferry_migratable_reasons(vmi);
  g_assert_cmpuint(json_array_size(whole), ==, 0);
  json_t *here = json_array_get(ferry_json_get(vmi, "status.domains"), 1);
  ferry_json_set_str(here, "reason", "unpaused");
  g_autoptr(json_t) half = ferry_migratable_reasons(vmi);
  g_assert_cmpuint(json_array_size(half), ==, 1);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/migratable/all-at-once", test_all_at_once);
  g_test_add_func("/migratable/launch-security", test_launch_security);
  g_test_add_func("/migratable/snapshots", test_snapshots);
  g_test_add_func("/migratable/block-jobs", test_block_jobs);
  g_test_add_func("/migratable/blockers", test_blockers);
  g_test_add_func("/migratable/managed-save", test_managed_save);
  g_test_add_func("/migratable/losses", test_losses);
  g_test_add_func("/migratable/unseen-interfaces", test_unseen_interfaces);
  g_test_add_func("/migratable/tsc", test_tsc);
  g_test_add_func("/migratable/names", test_names);
  g_test_add_func("/migratable/two-copies", test_two_copies);
  g_test_add_func("/migratable/parts", test_parts);
  return g_test_run();
}
