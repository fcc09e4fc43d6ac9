// SPDX-License-Identifier: Apache-2.0
// A domain of libvirt as a record: its XML, its state, its disks' sizes, a job somebody runs on it.
#include "host/libvirt/libvirt_private.h"
#include "host/machine/shared_files.h"
#include "host/port/domain_xml.h"
#include "base/log.h"
#include "model/domain/domain_limits.h"
#include <string.h>

/* libvirt's reasons by state, indexed by the numbers of its enums. */
static const char *const running_reasons[] = {
    "unknown",       "booted",   "migrated",           "restored",
    "from-snapshot", "unpaused", "migration-canceled", "save-canceled",
    "wakeup",        "crashed",  "postcopy",           "postcopy-failed"};
static const char *const paused_reasons[] = {
    "unknown",  "user",        "migration",     "save",           "dump",
    "io-error", "watchdog",    "from-snapshot", "shutting-down",  "snapshot",
    "crashed",  "starting-up", "postcopy",      "postcopy-failed"};
static const char *const shutoff_reasons[] = {"unknown", "shutdown",      "destroyed",
                                              "crashed", "migrated",      "saved",
                                              "failed",  "from-snapshot", "daemon"};

static const struct {
  const char *name;
  const char *const *reasons;
  guint n;
} states[] = {
    [VIR_DOMAIN_NOSTATE] = {"nostate", NULL, 0},
    [VIR_DOMAIN_RUNNING] = {"running", running_reasons, G_N_ELEMENTS(running_reasons)},
    [VIR_DOMAIN_BLOCKED] = {"blocked", NULL, 0},
    [VIR_DOMAIN_PAUSED] = {"paused", paused_reasons, G_N_ELEMENTS(paused_reasons)},
    [VIR_DOMAIN_SHUTDOWN] = {"shutdown", NULL, 0},
    [VIR_DOMAIN_SHUTOFF] = {"shutoff", shutoff_reasons, G_N_ELEMENTS(shutoff_reasons)},
    [VIR_DOMAIN_CRASHED] = {"crashed", NULL, 0},
    [VIR_DOMAIN_PMSUSPENDED] = {"pmsuspended", NULL, 0},
};

gboolean ferry_libvirt_state(virDomainPtr domain, FerryDomainState *out, GError **error) {
  int state = 0, reason = 0;
  *out = (FerryDomainState){.state = "gone", .reason = "unknown", .id = -1};
  if (virDomainGetState(domain, &state, &reason, 0) < 0) {
    virErrorPtr e = virGetLastError();
    if (e && e->code == VIR_ERR_NO_DOMAIN) {
      virResetLastError();
      return TRUE;
    }
    return ferry_libvirt_error(error, "cannot read the domain's state");
  }
  out->exists = TRUE;
  if (state < 0 || state >= (int)G_N_ELEMENTS(states))
    state = VIR_DOMAIN_NOSTATE;
  out->state = states[state].name;
  if (reason >= 0 && reason < (int)states[state].n)
    out->reason = states[state].reasons[reason];
  /* The domain object may come from before a stop: its own id is stale then. */
  out->active = state != VIR_DOMAIN_SHUTOFF && state != VIR_DOMAIN_NOSTATE;
  int persistent = virDomainIsPersistent(domain);
  if (persistent < 0)
    virResetLastError();
  out->persistent = persistent == 1;
  unsigned id = out->active ? virDomainGetID(domain) : (unsigned)-1;
  out->id = id == (unsigned)-1 ? -1 : (int)id;
  virResetLastError();
  return TRUE;
}

/* Asking QEMU for a size needs the monitor, so a size once known is kept until reconnect. */
static void add_disk_sizes(FerryLibvirtHost *host, virDomainPtr domain, const char *uuid,
                           json_t *record) {
  json_t *disk;
  size_t i;
  json_array_foreach(json_object_get(record, "disks"), i, disk) {
    const char *target = ferry_json_str(disk, "name"), *source = ferry_json_str(disk, "source");
    if (!target || !source || strlen(target) > 64)
      continue;
    g_autofree char *key = g_strdup_printf("%s/%s/%s", uuid, target, source);
    g_mutex_lock(&host->lock);
    gint64 *known = g_hash_table_lookup(host->disk_sizes, key);
    gint64 size = known ? *known : -1;
    g_mutex_unlock(&host->lock);
    virDomainBlockInfo info;
    if (size < 0) {
      if (virDomainGetBlockInfo(domain, target, &info, 0) < 0) {
        virResetLastError();
        continue;
      }
      size = (gint64)info.capacity;
      g_mutex_lock(&host->lock);
      if (g_hash_table_size(host->disk_sizes) > 100000)
        g_hash_table_remove_all(host->disk_sizes);
      g_hash_table_insert(host->disk_sizes, g_steal_pointer(&key), g_memdup2(&size, sizeof size));
      g_mutex_unlock(&host->lock);
    }
    ferry_json_set_int(disk, "sizeBytes", size);
  }
}

/* Only where the agent sees the host's files. */
static void add_disk_sharing(FerryLibvirtHost *host, json_t *record) {
  json_t *disk;
  size_t i;
  if (!host->base.local)
    return;
  g_mutex_lock(&host->lock);
  g_auto(GStrv) directories = g_strdupv(host->shared_directories);
  g_mutex_unlock(&host->lock);
  json_array_foreach(json_object_get(record, "disks"), i, disk) {
    const char *source = ferry_json_str(disk, "source");
    int shared = g_strcmp0(ferry_json_str(disk, "type"), "file") == 0 && source
                     ? ferry_file_is_shared(source, (const char *const *)directories)
                     : -1;
    if (shared >= 0)
      ferry_json_set_bool(disk, "shared", shared);
  }
}

static void add_job(virDomainPtr domain, json_t *record) {
  int type = VIR_DOMAIN_JOB_NONE, n = 0;
  virTypedParameterPtr params = NULL;
  if (virDomainGetJobStats(domain, &type, &params, &n, 0) < 0) {
    virResetLastError();
    return;
  }
  FerryJobStats stats;
  ferry_libvirt_stats(params, n, &stats);
  virTypedParamsFree(params, n);
  if (type == VIR_DOMAIN_JOB_NONE || !(stats.migration_in || stats.migration_out))
    return;
  json_object_set_new(record, "job",
                      json_pack("{s:s, s:s}", "type", "migration", "operation", stats.operation));
}

/* libvirt tells of none that is made or deleted: they are as of the last look at the domain. */
static void add_snapshots(virDomainPtr domain, json_t *record) {
  virDomainSnapshotPtr *all = NULL;
  int n = virDomainListAllSnapshots(domain, &all, 0);
  if (n < 0)
    virResetLastError();
  json_t *names = json_array();
  for (int i = 0; i < n; i++) {
    if (i < FERRY_DOMAIN_SNAPSHOTS_MAX)
      json_array_append_new(names, json_string(virDomainSnapshotGetName(all[i])));
    virDomainSnapshotFree(all[i]);
  }
  free(all);
  if (json_array_size(names))
    json_object_set(record, "snapshots", names);
  json_decref(names);
}

static json_t *build(FerryLibvirtHost *host, virDomainPtr domain, GError **error) {
  char *xml = virDomainGetXMLDesc(domain, 0);
  if (!xml) {
    ferry_libvirt_error(error, "cannot read the domain's XML");
    return NULL;
  }
  g_autoptr(json_t) record = ferry_domain_xml_parse(xml, strlen(xml), error);
  free(xml);
  FerryDomainState state;
  if (!record || !ferry_libvirt_state(domain, &state, error))
    return NULL;
  if (!state.exists) {
    g_set_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_DOMAIN, "the domain is gone");
    return NULL;
  }
  ferry_json_set_str(record, "state", state.state);
  ferry_json_set_str(record, "reason", state.reason);
  ferry_json_set_int(record, "id", state.id);
  ferry_json_set_bool(record, "active", state.active);
  ferry_json_set_bool(record, "persistent", state.persistent);
  if (state.active)
    add_job(domain, record);
  add_snapshots(domain, record);
  add_disk_sizes(host, domain, ferry_json_str(record, "uuid"), record);
  add_disk_sharing(host, record);
  return g_steal_pointer(&record);
}

json_t *ferry_libvirt_record(FerryHost *base, const char *uuid, GError **error) {
  FerryLibvirtHost *host = (FerryLibvirtHost *)base;
  virConnectPtr conn = ferry_libvirt_ref(host, error);
  if (!conn)
    return NULL;
  virDomainPtr domain = ferry_libvirt_lookup(conn, uuid, error);
  json_t *record = domain ? build(host, domain, error) : NULL;
  if (domain)
    virDomainFree(domain);
  virConnectClose(conn);
  return record;
}

json_t *ferry_libvirt_list(FerryHost *base, GError **error) {
  FerryLibvirtHost *host = (FerryLibvirtHost *)base;
  virConnectPtr conn = ferry_libvirt_ref(host, error);
  if (!conn)
    return NULL;
  virDomainPtr *domains = NULL;
  int n = virConnectListAllDomains(conn, &domains, 0);
  json_t *list = NULL;
  if (n < 0) {
    ferry_libvirt_error(error, "cannot list the domains");
  } else {
    list = json_array();
  }
  for (int i = 0; i < n; i++) {
    g_autoptr(GError) one = NULL;
    json_t *record = list ? build(host, domains[i], &one) : NULL;
    if (record)
      json_array_append_new(list, record);
    else if (one && one->code == FERRY_HOST_ERROR_NO_CONNECTION &&
             one->domain == FERRY_HOST_ERROR) {
      /* Half a list would read as "the others are gone". */
      g_clear_pointer(&list, json_decref);
      g_propagate_error(error, g_steal_pointer(&one));
    } else if (one && list && !g_error_matches(one, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_DOMAIN)) {
      ferry_warning(one->message, "FERRY_DOMAIN", virDomainGetName(domains[i]));
    }
    virDomainFree(domains[i]);
  }
  free(domains);
  virConnectClose(conn);
  return list;
}
