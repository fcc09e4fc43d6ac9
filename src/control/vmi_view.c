// SPDX-License-Identifier: Apache-2.0
// Each host's agent reports its own domains; status.domains keeps one record a host, and everything
// else about the VM follows from those records. Which host "has" the VM is decided in vmi_owner.c;
// spec, labels and memory are what that host says. What another one says of it is kept with its
// record (`claim`), so that it is there when the VM has come to that host.
#include "control/vmi_view.h"
#include "model/migration/reasons.h"
#include "base/quantity.h"
#include "base/rfc3339.h"
#include "control/conditions.h"
#include "model/domain/domain_states.h"
#include "model/migration/phase.h"
#include "model/validate/validate.h"
#include "policy/flags/migratable.h"

/* A person's labels come on top of these. */
#define MAX_DOMAIN_LABELS 64

static void merge_labels(json_t *vmi, const json_t *labels) {
  json_t *meta = ferry_json_own(vmi, "metadata");
  json_t *have = ferry_json_own(vmi, "metadata.labels");
  if (!json_is_object(have)) {
    have = json_object();
    json_object_set_new(meta, "labels", have);
  }
  const json_t *before = ferry_json_get(vmi, "status.domainLabels");
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)before, key, value) {
    if (!json_object_get(labels, key) && json_equal(json_object_get(have, key), value))
      json_object_del(have, key);
  }
  guint n = 0;
  json_object_foreach((json_t *)labels, key, value) {
    if (++n > MAX_DOMAIN_LABELS)
      break;
    const char *text = json_string_value(value);
    /* a label that someone changed through the API stays until the domain's own changes */
    if (text && ferry_format_check("label-key", key, NULL) &&
        ferry_format_check("label-value", text, NULL) &&
        !(before && json_equal(json_object_get(before, key), value)))
      json_object_set(have, key, value);
  }
  if (json_object_size(have) == 0)
    json_object_del(meta, "labels");
  ferry_json_set(vmi, "status.domainLabels",
                 json_object_size(labels) ? json_deep_copy(labels) : NULL);
}

static void copy_key(json_t *to, const char *to_key, const json_t *from, const char *key) {
  json_t *v = json_object_get(from, key);
  if (v && !json_is_null(v))
    ferry_json_set(to, to_key, json_deep_copy(v));
}

static void set_spec(json_t *vmi, const json_t *r) {
  gint64 memory = ferry_json_int(r, "memoryBytes", 0);
  json_t *spec = json_object();
  copy_key(spec, "domainName", r, "name");
  copy_key(spec, "persistent", r, "persistent");
  copy_key(spec, "domain.cpu.cores", r, "vcpus");
  copy_key(spec, "domain.cpu.model", r, "cpuModel");
  copy_key(spec, "domain.cpu.invariantTSC", r, "invariantTSC");
  copy_key(spec, "domain.clock.tscFrequencyHz", r, "tscFrequencyHz");
  copy_key(spec, "domain.features.hyperv.reenlightenment.enabled", r, "hypervReenlightenment");
  copy_key(spec, "domain.features.hypervPassthrough.enabled", r, "hypervPassthrough");
  copy_key(spec, "domain.launchSecurity.type", r, "launchSecurity");
  copy_key(spec, "domain.machine.type", r, "machineType");
  copy_key(spec, "domain.devices.disks", r, "disks");
  copy_key(spec, "domain.devices.interfaces", r, "interfaces");
  copy_key(spec, "domain.devices.hostDevices", r, "hostDevices");
  copy_key(spec, "domain.devices.filesystems", r, "filesystems");
  copy_key(spec, "domain.needs", r, "needs");
  copy_key(spec, "domain.traits", r, "traits");
  copy_key(spec, "domain.hostResources", r, "hostResources");
  copy_key(spec, "domain.snapshots", r, "snapshots");
  copy_key(spec, "domain.blockers", r, "blockers");
  copy_key(spec, "domain.managedSave", r, "managedSave");
  copy_key(spec, "migration", r, "migrationPolicy");
  if (memory > 0) {
    g_autofree char *text = ferry_quantity_format(memory);
    ferry_json_set_str(spec, "domain.memory.guest", text);
    ferry_json_set_int(vmi, "status.guestMemoryBytes", memory);
  }
  if (json_object_get(r, "memoryHardLimitBytes")) {
    g_autofree char *text = ferry_quantity_format(ferry_json_int(r, "memoryHardLimitBytes", 0));
    ferry_json_set_str(spec, "domain.memory.hardLimit", text);
  }
  if (!json_equal(spec, json_object_get(vmi, "spec"))) {
    gint64 generation = ferry_json_int(vmi, "metadata.generation", 0);
    ferry_json_set_int(vmi, "metadata.generation", generation + 1);
    json_object_set(vmi, "spec", spec);
  }
  json_decref(spec);
}

/* What a host says the VM is, without what it says of its state. */
static json_t *claim_of(const json_t *r) {
  static const char *const others[] = {"uuid",   "namespace", "state", "reason",     "id",
                                       "active", "silent",    "job",   "annotations"};
  json_t *claim = json_copy((json_t *)r);
  for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
    json_object_del(claim, others[i]);
  return claim;
}

void ferry_vmi_merge_record(json_t *vmi, const char *node, const json_t *r, gint64 now_ms) {
  json_t *domains = ferry_json_own(vmi, "status.domains");
  if (!json_is_array(domains)) {
    domains = json_array();
    ferry_json_set(vmi, "status.domains", domains);
  }
  json_t *d = ferry_json_own_found(domains, "nodeName", node);
  if (!d) {
    d = json_object();
    json_array_append_new(domains, d);
    ferry_json_set_str(d, "nodeName", node);
  }
  gboolean moved = g_strcmp0(ferry_json_str(d, "state"), ferry_json_str(r, "state")) != 0;
  gboolean received = ferry_vmi_record_receives(d) || ferry_json_bool(d, "received", FALSE);
  static const char *const keys[] = {"state",  "reason",     "id", "active",
                                     "silent", "persistent", "job"};
  for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
    json_object_del(d, keys[i]);
    copy_key(d, keys[i], r, keys[i]);
  }
  ferry_json_set(d, "received",
                 received && ferry_json_bool(d, "active", FALSE) ? json_true() : NULL);
  if (moved) {
    g_autofree char *now = ferry_rfc3339_format_ms(now_ms);
    ferry_json_set_str(d, "since", now);
  }
  /* one whose QEMU does not answer says nothing new of what it is, and maybe nothing at all */
  if (!ferry_json_bool(r, "silent", FALSE) || json_object_size(json_object_get(vmi, "spec")) == 0)
    json_object_set_new(d, "claim", claim_of(r));
}

gboolean ferry_vmi_remove_node(json_t *vmi, const char *node) {
  const json_t *domains = ferry_json_get(vmi, "status.domains");
  for (gsize i = 0; i < json_array_size(domains); i++)
    if (g_strcmp0(ferry_json_str(json_array_get(domains, i), "nodeName"), node) == 0) {
      json_array_remove(ferry_json_own(vmi, "status.domains"), i);
      return TRUE;
    }
  return FALSE;
}

static FerryPhase phase_of(const json_t *domain) {
  FerryVmState state = ferry_vm_state_of(domain, "state");
  if (!domain)
    return FERRY_PHASE_UNKNOWN;
  if (!ferry_json_bool(domain, "active", FALSE))
    return state == FERRY_VM_CRASHED ? FERRY_PHASE_CRASHED : FERRY_PHASE_STOPPED;
  if (state == FERRY_VM_PAUSED || state == FERRY_VM_PMSUSPENDED)
    return FERRY_PHASE_PAUSED;
  return state == FERRY_VM_CRASHED ? FERRY_PHASE_CRASHED : FERRY_PHASE_RUNNING;
}

static void condition_migratable(json_t *vmi, gint64 now_ms) {
  g_autoptr(json_t) reasons = ferry_migratable_reasons(vmi);
  if (json_array_size(reasons) == 0) {
    ferry_condition_set(vmi, FERRY_CONDITION_LIVE_MIGRATABLE, "True", "", "", now_ms);
    return;
  }
  g_autoptr(GString) text = g_string_new(NULL);
  gsize i;
  json_t *r;
  json_array_foreach(reasons, i, r)
      g_string_append_printf(text, "%s%s", i ? "; " : "", ferry_json_str(r, "message"));
  ferry_condition_set(vmi, FERRY_CONDITION_LIVE_MIGRATABLE, "False",
                      ferry_json_str(json_array_get(reasons, 0), "reason"), text->str, now_ms);
}

static void condition_storage(json_t *vmi, gint64 now_ms) {
  g_autoptr(GString) text = g_string_new(NULL);
  gsize i;
  json_t *disk;
  json_array_foreach(ferry_json_get(vmi, "spec.domain.devices.disks"), i, disk) {
    const char *name = ferry_json_str(disk, "name");
    if (ferry_disk_is_local(disk))
      g_string_append_printf(text, "%s%s (%s)", text->len ? ", " : "", name ? name : "?",
                             ferry_json_str(disk, "source"));
  }
  if (text->len == 0) {
    ferry_condition_set(vmi, FERRY_CONDITION_STORAGE_LIVE_MIGRATABLE, "True", "", "", now_ms);
    ferry_json_set_str(vmi, "status.migrationMethod", "LiveMigration");
    return;
  }
  ferry_json_set_str(vmi, "status.migrationMethod", "BlockMigration");
  g_string_prepend(text, "only this host has the data of ");
  g_string_append(text, "; it can be copied along (--copy-storage-all)");
  ferry_condition_set(vmi, FERRY_CONDITION_STORAGE_LIVE_MIGRATABLE, "False",
                      ferry_reason_name(FERRY_REASON_DISKS_NOT_LIVE_MIGRATABLE), text->str, now_ms);
}

/* Post-copy broke: what two hosts have then are parts of one VM, no copies. */
static gboolean is_in_parts(const json_t *vmi) {
  gsize i;
  json_t *d;
  json_array_foreach(ferry_json_get(vmi, "status.domains"), i, d) {
    if (g_strcmp0(ferry_json_str(d, "reason"), FERRY_VM_REASON_POST_COPY_FAILED) == 0)
      return TRUE;
  }
  return FALSE;
}

static void condition_two_hosts(json_t *vmi, const FerryVmiContext *context, gint64 now_ms) {
  const json_t *state = ferry_json_get(context->migration, "status.migrationState");
  guint running = 0, strangers = 0;
  g_autoptr(GString) where = g_string_new(NULL);
  gsize i;
  json_t *d;
  json_array_foreach(ferry_json_get(vmi, "status.domains"), i, d) {
    const char *node = ferry_json_str(d, "nodeName");
    if (!ferry_vmi_record_runs(d))
      continue;
    running++;
    strangers += g_strcmp0(node, ferry_json_str(state, "sourceNode")) != 0 &&
                 g_strcmp0(node, ferry_json_str(state, "targetNode")) != 0;
    g_string_append_printf(where, "%s%s", where->len ? " and " : "", node);
  }
  if (running < 2 || is_in_parts(vmi) || (context->migration && !strangers)) {
    ferry_condition_remove(vmi, FERRY_CONDITION_RUNNING_ON_TWO_HOSTS);
    return;
  }
  g_autofree char *text = g_strdup_printf(
      "the VM runs on %s at once: its disks are in danger. Where a migration left both: ferry "
      "resolve %s --keep HOST; else stop one of the two with virsh destroy",
      where->str, ferry_json_str(vmi, "metadata.name"));
  ferry_condition_set(vmi, FERRY_CONDITION_RUNNING_ON_TWO_HOSTS, "True",
                      ferry_reason_name(FERRY_REASON_SAME_UUID_TWICE), text, now_ms);
}

static void condition_claimed(json_t *vmi, const FerryVmiContext *context, const GPtrArray *by,
                              const char *owner, gint64 now_ms) {
  if (by->len == 0) {
    ferry_condition_remove(vmi, FERRY_CONDITION_CLAIMED_BY_ANOTHER_HOST);
    return;
  }
  g_autoptr(GString) who = g_string_new(NULL);
  for (guint i = 0; i < by->len; i++)
    g_string_append_printf(who, "%s%s", i ? " and " : "", (char *)by->pdata[i]);
  if (is_in_parts(vmi)) {
    g_autofree char *parts =
        g_strdup_printf("%s and %s each hold a part of the VM's memory since its post-copy broke: "
                        "destroy it on neither; its last migration says how it goes on",
                        owner, who->str);
    ferry_condition_set(vmi, FERRY_CONDITION_CLAIMED_BY_ANOTHER_HOST, "True",
                        ferry_reason_name(FERRY_REASON_POST_COPY_FAILED), parts, now_ms);
    return;
  }
  gboolean silent = context->owner_word == FERRY_HOST_SILENT;
  g_autofree char *text =
      silent
          ? g_strdup_printf("the VM is %s's, which does not answer now, and %s reports it as "
                            "active: it stays %s's until that host reports it as stopped or "
                            "gone. If %s is dead and stays so: ferry delete node %s --force",
                            owner, who->str, owner, owner, owner)
          : g_strdup_printf("the VM is %s's, where it is active, and %s reports the same UUID as "
                            "active: it stays %s's, with the settings that %s reports, until "
                            "that host reports it as stopped or gone. Look at both hosts with "
                            "virsh; where a migration left both say which goes on: ferry resolve "
                            "%s --keep HOST; else stop the one that is not wanted",
                            owner, who->str, owner, owner, ferry_json_str(vmi, "metadata.name"));
  ferry_condition_set(
      vmi, FERRY_CONDITION_CLAIMED_BY_ANOTHER_HOST, "True",
      ferry_reason_name(silent ? FERRY_REASON_HOST_SILENT : FERRY_REASON_SAME_UUID_TWICE), text,
      now_ms);
}

static void condition_migrating(json_t *vmi, const FerryVmiContext *context, const json_t *host,
                                gint64 now_ms) {
  if (context->migration)
    return;
  if (ferry_json_str(host, "job.operation"))
    ferry_condition_set(
        vmi, FERRY_CONDITION_MIGRATING, "True", ferry_reason_name(FERRY_REASON_STARTED_ELSEWHERE),
        "a migration that Ferry did not start is under way; it is left alone", now_ms);
  else
    ferry_condition_remove(vmi, FERRY_CONDITION_MIGRATING);
}

/* Since when a QEMU is silent says the condition's own time. */
static void condition_ready(json_t *vmi, FerryPhase phase, const json_t *host, gint64 now_ms) {
  gboolean runs = phase == FERRY_PHASE_RUNNING;
  if (!ferry_json_bool(host, "silent", FALSE)) {
    ferry_condition_set(vmi, FERRY_CONDITION_READY, runs ? "True" : "False",
                        runs ? "" : ferry_phase_name(phase), "", now_ms);
    return;
  }
  g_autofree char *text = ferry_silent_text(ferry_json_str(host, "nodeName"));
  ferry_condition_set(vmi, FERRY_CONDITION_READY, "False",
                      ferry_reason_name(FERRY_REASON_QEMU_SILENT), text, now_ms);
}

void ferry_vmi_derive(json_t *vmi, const FerryVmiContext *context, gint64 now_ms) {
  g_autoptr(GPtrArray) conflicts = g_ptr_array_new();
  json_t *host = ferry_vmi_owner(vmi, context, conflicts);
  FerryPhase phase = phase_of(host);
  const char *word = ferry_phase_name(phase), *node = ferry_json_str(host, "nodeName");
  const json_t *said = json_object_get(host, "claim");
  if (said) {
    set_spec(vmi, said);
    merge_labels(vmi, json_object_get(said, "labels"));
    host = ferry_json_own_found(ferry_json_own(vmi, "status.domains"), "nodeName", node);
    json_object_del(host, "claim");
  }
  ferry_json_set_str(vmi, "status.phase", word);
  ferry_json_set_str(vmi, "status.nodeName", node);
  condition_ready(vmi, phase, host, now_ms);
  if (phase == FERRY_PHASE_PAUSED)
    ferry_condition_set(vmi, FERRY_CONDITION_PAUSED, "True",
                        ferry_json_str(host, "reason") ? ferry_json_str(host, "reason") : "", "",
                        now_ms);
  else
    ferry_condition_remove(vmi, FERRY_CONDITION_PAUSED);
  condition_two_hosts(vmi, context, now_ms);
  condition_claimed(vmi, context, conflicts, node, now_ms);
  condition_migrating(vmi, context, host, now_ms);
  condition_migratable(vmi, now_ms);
  condition_storage(vmi, now_ms);
}

char *ferry_vmi_name(const char *domain_name, const char *uuid,
                     gboolean (*taken)(const char *name, gpointer data), gpointer data) {
  if (ferry_format_check("dns-label", domain_name, NULL) && !taken(domain_name, data))
    return g_strdup(domain_name);
  g_autoptr(GString) out = g_string_new(NULL);
  for (const char *p = domain_name; *p && out->len < 50; p++) {
    char c = g_ascii_tolower(*p);
    if (g_ascii_isalnum(c))
      g_string_append_c(out, c);
    else if (out->len && out->str[out->len - 1] != '-')
      g_string_append_c(out, '-');
  }
  while (out->len && out->str[out->len - 1] == '-')
    g_string_truncate(out, out->len - 1);
  if (!out->len)
    g_string_append(out, "vm");
  return g_strdup_printf("%s-%.8s", out->str, uuid);
}
