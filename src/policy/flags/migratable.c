// SPDX-License-Identifier: Apache-2.0
// A list of rules, each of which looks at one thing of the VM and adds its reason with what it
// found and what to do, so that all are said at once. What is no matter of the VM but of a target
// is in placement.c.
#include "policy/flags/migratable.h"
#include "model/domain/domain_states.h"
#include "model/migration/reasons.h"
#include "model/domain/domain_limits.h"
#include "model/migration/condition.h"

static void migratable_add(json_t *out, FerryReason reason, char *message) {
  json_array_append_new(
      out, json_pack("{ss,ss}", "reason", ferry_reason_name(reason), "message", message));
  g_free(message);
}

gboolean ferry_disk_is_local(const json_t *disk) {
  return !ferry_json_bool(disk, "shared", TRUE) && !ferry_json_bool(disk, "readonly", FALSE) &&
         !ferry_json_bool(disk, "shareable", FALSE) && ferry_json_str(disk, "source");
}

static void add_host_devices(const json_t *vmi, json_t *out) {
  gsize i;
  json_t *item;
  json_array_foreach(ferry_json_get(vmi, "spec.domain.devices.hostDevices"), i, item) {
    const char *name = ferry_json_str(item, "name"), *type = ferry_json_str(item, "type");
    migratable_add(
        out, FERRY_REASON_HOST_DEVICE_NOT_LIVE_MIGRATABLE,
        g_strdup_printf("host device %s (%s) is passed through from the host; detach it first",
                        name ? name : "?", type ? type : "unknown type"));
  }
}

static void add_interfaces(const json_t *vmi, json_t *out) {
  gsize i;
  json_t *item;
  json_array_foreach(ferry_json_get(vmi, "spec.domain.devices.interfaces"), i, item) {
    const char *mac = ferry_json_str(item, "macAddress");
    if (g_strcmp0(ferry_json_str(item, "type"), "hostdev") == 0)
      migratable_add(
          out, FERRY_REASON_INTERFACE_NOT_LIVE_MIGRATABLE,
          g_strdup_printf("interface %s is a passed-through device of the host", mac ? mac : "?"));
  }
}

static void migratable_add_name(GString *names, const json_t *item) {
  const char *name = ferry_json_str(item, "name");
  g_string_append_printf(names, "%s%s", names->len ? ", " : "", name ? name : "?");
}

static void add_reservations(const json_t *vmi, json_t *out) {
  g_autoptr(GString) names = g_string_new(NULL);
  gsize i;
  json_t *disk;
  json_array_foreach(ferry_json_get(vmi, "spec.domain.devices.disks"), i, disk) {
    if (ferry_json_bool(disk, "reservations", FALSE))
      migratable_add_name(names, disk);
  }
  if (names->len)
    migratable_add(
        out, FERRY_REASON_PERSISTENT_RESERVATION_NOT_LIVE_MIGRATABLE,
        g_strdup_printf("SCSI reservations of %s belong to this host and would stay with it; stop "
                        "the VM and take <reservations> out of its definition",
                        names->str));
}

static void add_virtiofs(const json_t *vmi, json_t *out) {
  g_autoptr(GString) names = g_string_new(NULL);
  gsize i;
  json_t *fs;
  json_array_foreach(ferry_json_get(vmi, "spec.domain.devices.filesystems"), i, fs) {
    if (g_strcmp0(ferry_json_str(fs, "driver"), "virtiofs") == 0)
      migratable_add_name(names, fs);
  }
  if (names->len)
    migratable_add(
        out, FERRY_REASON_VIRTIOFS_NOT_LIVE_MIGRATABLE,
        g_strdup_printf(
            "the VM shares directories of this host by virtiofs (%s); detach them first, "
            "or, where the target has the very same files and both hosts' libvirt and "
            "virtiofsd can migrate them, say unsafeMigrationOverride: true (--unsafe)",
            names->str));
}

static void add_cpu_model(const json_t *vmi, json_t *out) {
  if (g_strcmp0(ferry_json_str(vmi, "spec.domain.cpu.model"), "host-passthrough") == 0)
    migratable_add(
        out, FERRY_REASON_CPU_MODE_LIVE_MIGRATABLE,
        g_strdup("the CPU mode host-passthrough ties the VM to this very CPU; use host-model"));
}

/* KubeVirt asks this of reenlightenment alone, since it sets a frequency for invtsc by itself. */
static void add_tsc(const json_t *vmi, json_t *out) {
  gboolean invariant = ferry_json_bool(vmi, "spec.domain.cpu.invariantTSC", FALSE);
  gboolean notified =
      ferry_json_bool(vmi, "spec.domain.features.hyperv.reenlightenment.enabled", FALSE);
  if ((!invariant && !notified) || ferry_json_int(vmi, "spec.domain.clock.tscFrequencyHz", 0) > 0)
    return;
  migratable_add(
      out, FERRY_REASON_NO_TSC_FREQUENCY_NOT_LIVE_MIGRATABLE,
      g_strdup_printf("%s%s%s needs a TSC of the same frequency on every host, and the domain "
                      "states none; add <timer name='tsc' frequency='HZ'/> to its <clock> and "
                      "restart it",
                      invariant ? "the CPU feature invtsc" : "",
                      invariant && notified ? " with " : "",
                      notified ? "Hyper-V reenlightenment" : ""));
}

static void add_hyperv_passthrough(const json_t *vmi, json_t *out) {
  if (ferry_json_bool(vmi, "spec.domain.features.hypervPassthrough.enabled", FALSE))
    migratable_add(
        out, FERRY_REASON_HYPERV_PASSTHROUGH_NOT_LIVE_MIGRATABLE,
        g_strdup("<hyperv mode='passthrough'> gives the VM whatever this host knows; name its "
                 "enlightenments (mode='custom') and restart it"));
}

static void add_launch_security(const json_t *vmi, json_t *out) {
  static const struct {
    const char *type, *name;
    FerryReason reason;
  } known[] = {
      {"sev", "AMD SEV", FERRY_REASON_SEV_NOT_LIVE_MIGRATABLE},
      {"sev-snp", "AMD SEV-SNP", FERRY_REASON_SEV_NOT_LIVE_MIGRATABLE},
      {"tdx", "Intel TDX", FERRY_REASON_TDX_NOT_LIVE_MIGRATABLE},
      {"s390-pv", "IBM Secure Execution", FERRY_REASON_SECURE_EXECUTION_NOT_LIVE_MIGRATABLE}};
  const char *type = ferry_json_str(vmi, "spec.domain.launchSecurity.type");
  for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
    if (g_strcmp0(type, known[i].type) == 0)
      migratable_add(
          out, known[i].reason,
          g_strdup_printf("%s keeps the VM's memory from all but this host's processor; stop "
                          "it, move its definition (--offline) and start it there",
                          known[i].name));
}

/* libvirt moves none of them, and refuses the domain, whatever it is asked for. */
static void add_snapshots(const json_t *vmi, json_t *out) {
  const json_t *all = ferry_json_get(vmi, "spec.domain.snapshots");
  g_autoptr(GString) names = g_string_new(NULL);
  gsize n = json_array_size(all), i;
  json_t *name;
  json_array_foreach((json_t *)all, i, name)
      g_string_append_printf(names, "%s%s", names->len ? ", " : "", json_string_value(name));
  if (n)
    migratable_add(out, FERRY_REASON_SNAPSHOTS_NOT_LIVE_MIGRATABLE,
                   g_strdup_printf(
                       "libvirt moves no domain with snapshots, and it has %s%zu (%s); delete them "
                       "(virsh snapshot-delete), or their metadata alone (--metadata) where the "
                       "disks are to keep them",
                       n >= FERRY_DOMAIN_SNAPSHOTS_MAX ? "at least " : "", n, names->str));
}

/* libvirt moves its definition all the same, and at the target it would begin without its memory.
 */
static void add_managed_save(const json_t *vmi, json_t *out) {
  if (ferry_json_bool(vmi, "spec.domain.managedSave", FALSE))
    migratable_add(
        out, FERRY_REASON_MANAGED_SAVE_NOT_LIVE_MIGRATABLE,
        g_strdup("its memory is in a file of its host (managed save), which would be left behind: "
                 "start it there first, or give that memory up (virsh managedsave-remove)"));
}

/* libvirt asks for it once it has begun, and refuses the whole. */
static void add_block_jobs(const json_t *vmi, json_t *out) {
  gsize i;
  json_t *disk;
  json_array_foreach(ferry_json_get(vmi, "spec.domain.devices.disks"), i, disk) {
    const char *job = ferry_json_str(disk, "blockJob");
    if (job)
      migratable_add(out, FERRY_REASON_BLOCK_JOB_NOT_LIVE_MIGRATABLE,
                     g_strdup_printf(
                         "disk %s has an active block job (%s): wait for its end, or end it (virsh "
                         "blockjob %s %s --abort)",
                         ferry_json_text_at(disk, "name"), job,
                         ferry_json_text_at(vmi, "spec.domainName"),
                         ferry_json_text_at(disk, "name")));
  }
}

static void add_blockers(const json_t *vmi, json_t *out) {
  gsize i;
  json_t *blocker;
  json_array_foreach(ferry_json_get(vmi, "spec.domain.blockers"), i, blocker) migratable_add(
      out, FERRY_REASON_DEVICE_NOT_LIVE_MIGRATABLE,
      g_strdup_printf("QEMU says: %s; detach that first", json_string_value(blocker)));
}

/* Of two copies nobody can tell which one is meant to move. */
static void add_two_copies(const json_t *vmi, json_t *out) {
  static const FerryConditionType types[] = {FERRY_CONDITION_RUNNING_ON_TWO_HOSTS,
                                             FERRY_CONDITION_CLAIMED_BY_ANOTHER_HOST};
  const char *twice = ferry_reason_name(FERRY_REASON_SAME_UUID_TWICE);
  for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
    const json_t *condition = ferry_condition_find(vmi, types[i]);
    const char *message = ferry_json_str(condition, "message");
    if (!ferry_condition_entry_holds(condition) ||
        g_strcmp0(ferry_json_str(condition, "reason"), twice) != 0)
      continue;
    migratable_add(out, FERRY_REASON_SAME_UUID_TWICE,
                   g_strdup(message ? message : "two hosts have a copy of it"));
    return;
  }
}

char *ferry_silent_text(const char *node) {
  return g_strdup_printf("its QEMU on %s does not answer its monitor, so that libvirt can do "
                         "nothing with it: look at that process (stopped, or waiting for storage); "
                         "once it answers again, that is noticed within seconds",
                         node ? node : "its host");
}

static void add_silent(const json_t *vmi, json_t *out) {
  const char *node = ferry_json_str(vmi, "status.nodeName");
  const json_t *here = ferry_json_find(ferry_json_get(vmi, "status.domains"), "nodeName", node);
  if (ferry_json_bool(here, "silent", FALSE))
    migratable_add(out, FERRY_REASON_QEMU_SILENT, ferry_silent_text(node));
}

/* What a host has then is a part of a VM, whatever its state; but of one that was started again
 * from its disks what others last said is from before. */
static void add_parts(const json_t *vmi, json_t *out) {
  const char *node = ferry_json_str(vmi, "status.nodeName");
  const json_t *here = ferry_json_find(ferry_json_get(vmi, "status.domains"), "nodeName", node);
  if (ferry_json_bool(here, "active", FALSE) &&
      g_strcmp0(ferry_json_str(here, "reason"), FERRY_VM_REASON_BOOTED) == 0)
    return;
  gsize i;
  json_t *domain;
  json_array_foreach(ferry_json_get(vmi, "status.domains"), i, domain) {
    if (g_strcmp0(ferry_json_str(domain, "reason"), FERRY_VM_REASON_POST_COPY_FAILED) != 0)
      continue;
    migratable_add(
        out, FERRY_REASON_POST_COPY_FAILED_NOT_LIVE_MIGRATABLE,
        g_strdup("a post-copy migration of it broke, and no host has the whole of its memory: that "
                 "migration says whether it can go on (--post-copy --postcopy-resume); else "
                 "destroy what is left of it (virsh destroy) and start it again from its disks"));
    return;
  }
}

json_t *ferry_migratable_reasons(const json_t *vmi) {
  json_t *out = json_array();
  add_two_copies(vmi, out);
  add_silent(vmi, out);
  add_parts(vmi, out);
  add_host_devices(vmi, out);
  add_interfaces(vmi, out);
  add_cpu_model(vmi, out);
  add_launch_security(vmi, out);
  add_snapshots(vmi, out);
  add_block_jobs(vmi, out);
  add_blockers(vmi, out);
  add_managed_save(vmi, out);
  add_tsc(vmi, out);
  add_hyperv_passthrough(vmi, out);
  add_virtiofs(vmi, out);
  add_reservations(vmi, out);
  return out;
}

/* What leads past the bridges of its host's kernel the agents do not see. */
static void add_unseen_interfaces(const json_t *vmi, json_t *out) {
  static const char *const seen[] = {"bridge", "network", "hostdev", NULL};
  gsize i;
  json_t *nic;
  json_array_foreach(ferry_json_get(vmi, "spec.domain.devices.interfaces"), i, nic) {
    const char *type = ferry_json_str(nic, "type");
    if (!type || g_strv_contains(seen, type))
      continue;
    g_autofree char *text = g_strdup_printf(
        "interface %s (%s) is on no bridge: where a host's firewall goes by the state of "
        "connections, its established ones break, and nobody sees whether the network learns where "
        "the VM is",
        ferry_json_text_at(nic, "macAddress"), type);
    json_array_append_new(out, json_string(text));
  }
}

json_t *ferry_migratable_losses(const json_t *vmi) {
  json_t *out = json_array();
  gsize i;
  json_t *disk;
  add_unseen_interfaces(vmi, out);
  json_array_foreach(ferry_json_get(vmi, "spec.domain.devices.disks"), i, disk) {
    const char *policy = ferry_json_str(disk, "startupPolicy");
    if ((g_strcmp0(policy, "optional") != 0 && g_strcmp0(policy, "requisite") != 0) ||
        ferry_json_bool(disk, "shared", TRUE))
      continue;
    g_autofree char *text =
        g_strdup_printf("drive %s holds %s, which is on this host alone: where the target has no "
                        "such file, libvirt "
                        "ejects it (startupPolicy='%s'); copy it there first, or eject it",
                        ferry_json_str(disk, "name"), ferry_json_text_at(disk, "source"), policy);
    json_array_append_new(out, json_string(text));
  }
  return out;
}
