// SPDX-License-Identifier: Apache-2.0
// A domain of libvirt as a record: its XML, its state, its disks' sizes, a job somebody runs on it.
//
// A record is made in two questions. One is about what libvirtd knows by itself, the other about
// what it asks QEMU for (of a domain that runs: its definition, the sizes of its disks, what keeps
// it from moving); that one has a connection of its own, since a QEMU that hangs takes the
// question with it. Where it does not answer, the record is made of what was last known, and says
// so. A list is all records or an error: half of one would read as if the others were gone.
#include "host/libvirt/libvirt_domain.h"
#include "host/libvirt/libvirt_ask.h"
#include "host/libvirt/libvirt_base.h"
#include "host/libvirt/libvirt_connect.h"
#include "host/libvirt/libvirt_domains.h"
#include "host/libvirt/libvirt_pulse.h"
#include "host/libvirt/libvirt_state.h"
#include "host/machine/shared_files.h"
#include "host/port/domain_xml.h"
#include "base/log.h"
#include "model/domain/domain_limits.h"
#include <libvirt/libvirt-qemu.h>
#include <stdlib.h>
#include <string.h>

/* In a record on its way: the domain has arguments that are its own and not libvirt's. */
#define OWN_ARGUMENTS "ownArguments"

/* ---- what only QEMU knows ---- */

/* A size once known is kept until reconnect; -1: not known. */
static gint64 known_size(FerryLibvirtHost *host, const char *key) {
  g_mutex_lock(&host->lock);
  const gint64 *known = g_hash_table_lookup(host->disk_sizes, key);
  gint64 size = known ? *known : -1;
  g_mutex_unlock(&host->lock);
  return size;
}

static void keep_size(FerryLibvirtHost *host, const char *key, gint64 size) {
  g_mutex_lock(&host->lock);
  if (g_hash_table_size(host->disk_sizes) > 100000)
    g_hash_table_remove_all(host->disk_sizes);
  g_hash_table_insert(host->disk_sizes, g_strdup(key), g_memdup2(&size, sizeof size));
  g_mutex_unlock(&host->lock);
}

static char *size_key(const char *uuid, const json_t *disk) {
  const char *target = ferry_json_str(disk, "name"), *source = ferry_json_str(disk, "source");
  if (!target || !source || strlen(target) > 64)
    return NULL;
  return g_strdup_printf("%s/%s/%s", uuid, target, source);
}

static void add_known_sizes(FerryLibvirtHost *host, const char *uuid, const json_t *disks) {
  json_t *disk;
  size_t i;
  json_array_foreach((json_t *)disks, i, disk) {
    g_autofree char *key = size_key(uuid, disk);
    gint64 size = key ? known_size(host, key) : -1;
    if (size >= 0)
      ferry_json_set_int(disk, "sizeBytes", size);
  }
}

static void learn_sizes(FerryLibvirtHost *host, virDomainPtr domain, const char *uuid,
                        const json_t *disks) {
  json_t *disk;
  size_t i;
  json_array_foreach((json_t *)disks, i, disk) {
    g_autofree char *key = size_key(uuid, disk);
    virDomainBlockInfo info;
    if (!key || known_size(host, key) >= 0)
      continue;
    if (virDomainGetBlockInfo(domain, ferry_json_str(disk, "name"), &info, 0) < 0)
      virResetLastError();
    else
      keep_size(host, key, (gint64)info.capacity);
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

/* QEMU knows itself what of it keeps it from moving. Asking it so marks the domain as one that
 * others than libvirt have had a hand in: only those are asked that are marked already, or that
 * share a directory, which keeps them once the guest has mounted it. */
static void ask_blockers(virDomainPtr domain, json_t *record) {
  char *answer = NULL;
  gboolean asked = ferry_json_bool(record, OWN_ARGUMENTS, FALSE) ||
                   json_array_size(json_object_get(record, "filesystems")) > 0;
  json_object_del(record, OWN_ARGUMENTS);
  if (!asked)
    return;
  if (virDomainQemuMonitorCommand(domain, "{\"execute\":\"query-migrate\"}", &answer, 0) < 0)
    virResetLastError();
  g_autoptr(json_t) object = answer ? json_loads(answer, 0, NULL) : NULL;
  free(answer);
  json_t *blockers = json_array(), *reason;
  gsize i;
  json_array_foreach(ferry_json_get(object, "return.blocked-reasons"), i, reason) {
    if (json_is_string(reason) && json_array_size(blockers) < FERRY_DOMAIN_BLOCKERS_MAX)
      json_array_append(blockers, reason);
  }
  if (json_array_size(blockers))
    json_object_set(record, "blockers", blockers);
  json_decref(blockers);
}

static json_t *read_definition(FerryLibvirtHost *host, virDomainPtr domain, GError **error) {
  char *xml = virDomainGetXMLDesc(domain, 0);
  if (!xml) {
    ferry_libvirt_error(error, "cannot read the domain's XML");
    return NULL;
  }
  json_t *record = ferry_domain_xml_parse(xml, strlen(xml), error);
  if (record && strstr(xml, "qemu:commandline"))
    ferry_json_set_bool(record, OWN_ARGUMENTS, TRUE);
  free(xml);
  if (record)
    add_disk_sharing(host, record);
  return record;
}

/* On a connection of its own, as what hangs there takes one of the few places that a client has.
 * libvirt asks QEMU for the XML of a domain that runs, too (11.3; the inactive one as well). */
static gboolean ask_qemu_of_record(FerryLibvirtAsk *a, GError **error) {
  virConnectPtr conn = ferry_libvirt_take(a->host, error);
  virDomainPtr domain = conn ? ferry_libvirt_lookup(conn, a->uuid, error) : NULL;
  a->found = domain ? read_definition(a->host, domain, error) : NULL;
  if (a->found) {
    if (a->value)
      add_job(domain, a->found);
    if (a->value)
      ask_blockers(domain, a->found);
    learn_sizes(a->host, domain, a->uuid, json_object_get(a->found, "disks"));
  }
  if (domain)
    virDomainFree(domain);
  ferry_libvirt_give(a->host, conn);
  return a->found != NULL;
}

/* ---- a record ---- */

/* libvirt tells of none that is made or deleted: they are as of the last look at the domain. */
static void libvirt_domain_add_snapshots(virDomainPtr domain, json_t *record) {
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

/* A file that is there for one that runs is stale: libvirt removes it with the start. */
static void libvirt_domain_add_managed_save(virDomainPtr domain, json_t *record) {
  int has =
      json_is_true(json_object_get(record, "active")) ? 0 : virDomainHasManagedSaveImage(domain, 0);
  if (has < 0)
    virResetLastError();
  if (has > 0)
    ferry_json_set_bool(record, "managedSave", TRUE);
}

/* What libvirtd says by itself, of a domain that runs or not. */
static gboolean read_shape(FerryLibvirtAsk *a, GError **error) {
  if (!a->domain)
    a->domain = ferry_libvirt_lookup(a->conn, a->uuid, error);
  if (!a->domain || !ferry_libvirt_state(a->domain, &a->state, error))
    return FALSE;
  if (!a->state.exists) {
    g_set_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_DOMAIN, "the domain is gone");
    return FALSE;
  }
  a->found = json_pack("{s:s, s:s, s:i, s:b, s:b}", "state", ferry_vm_state_name(a->state.state),
                       "reason", a->state.reason, "id", a->state.id, "active", a->state.active,
                       "persistent", a->state.persistent);
  libvirt_domain_add_snapshots(a->domain, a->found);
  libvirt_domain_add_managed_save(a->domain, a->found);
  return TRUE;
}

/* What was last known of a domain that runs, for the time in which its QEMU does not answer. */
static void keep_definition(FerryLibvirtHost *host, const char *uuid, gboolean active,
                            json_t *record) {
  g_mutex_lock(&host->lock);
  if (active)
    g_hash_table_replace(host->definitions, g_strdup(uuid), json_incref(record));
  else
    g_hash_table_remove(host->definitions, uuid);
  g_mutex_unlock(&host->lock);
}

static json_t *kept_definition(FerryLibvirtHost *host, const char *uuid) {
  g_mutex_lock(&host->lock);
  json_t *kept = json_deep_copy(g_hash_table_lookup(host->definitions, uuid));
  g_mutex_unlock(&host->lock);
  json_object_del(kept, "job");
  return kept;
}

/* FALSE: QEMU does not answer. Whatever else is wrong is in `error`. */
static gboolean learn_definition(FerryLibvirtHost *host, const char *uuid, gboolean active,
                                 json_t **record, GError **error) {
  guint late = ferry_patience_late(host->patience);
  if (late >= FERRY_LIBVIRT_LATE_MOST || ferry_libvirt_is_silent(host, uuid) ||
      ferry_patience_late_us(host->patience, uuid))
    return FALSE;
  /* where one hangs others may as well, and the report waits for all of them */
  gint64 ms = late ? FERRY_ASK_NUMBERS_MS / 4 : FERRY_ASK_NUMBERS_MS;
  g_autoptr(FerryLibvirtAsk) ask = ferry_libvirt_ask_new(host, ask_qemu_of_record);
  g_autoptr(GError) cause = NULL;
  ask->uuid = g_strdup(uuid);
  ask->value = active;
  if (ferry_libvirt_ask(ask, uuid, FERRY_ASK_QEMU, ms, &cause)) {
    keep_definition(host, uuid, active, ask->found);
    *record = json_deep_copy(ask->found);
    return TRUE;
  }
  if (g_error_matches(cause, FERRY_HOST_ERROR, FERRY_HOST_ERROR_VM_SILENT))
    return FALSE;
  g_propagate_error(error, g_steal_pointer(&cause));
  return TRUE;
}

/* Where nothing is known of it yet, the agent having just started, what it is called is all. */
static json_t *definition_of(FerryLibvirtHost *host, virDomainPtr domain, const char *uuid,
                             gboolean active, GError **error) {
  json_t *record = NULL;
  if (learn_definition(host, uuid, active, &record, error))
    return record;
  record = kept_definition(host, uuid);
  if (record)
    return record;
  ferry_libvirt_suspect(host, uuid);
  return json_pack("{s:s, s:s, s:b}", "uuid", uuid, "name", virDomainGetName(domain), "silent", 1);
}

/* The whole record. Takes `conn`; `domain` (may be NULL) is borrowed. */
static json_t *whole_record(FerryLibvirtHost *host, virConnectPtr conn, virDomainPtr domain,
                            const char *uuid, GError **error) {
  g_autofree char *key = g_strconcat("state ", uuid, NULL);
  g_autoptr(FerryLibvirtAsk) ask = ferry_libvirt_ask_new(host, read_shape);
  ask->conn = conn;
  ask->uuid = g_strdup(uuid);
  ask->domain = domain;
  if (domain)
    virDomainRef(domain);
  if (!ferry_libvirt_ask(ask, key, FERRY_ASK_DAEMON, FERRY_ASK_STATE_MS, error))
    return NULL;
  json_t *record = definition_of(host, ask->domain, uuid, ask->state.active, error);
  if (!record)
    return NULL;
  json_object_update(record, ask->found);
  add_known_sizes(host, uuid, json_object_get(record, "disks"));
  if (ask->state.active && ferry_libvirt_is_silent(host, uuid))
    ferry_json_set_bool(record, "silent", TRUE);
  return record;
}

json_t *ferry_libvirt_record(FerryHost *base, const char *uuid, GError **error) {
  FerryLibvirtHost *host = (FerryLibvirtHost *)base;
  virConnectPtr conn = ferry_libvirt_ref(host, error);
  return conn ? whole_record(host, conn, NULL, uuid, error) : NULL;
}

/* ---- all domains ---- */

/* FALSE: nothing can be said of it, nor then of the others: half a list would read as "the others
 * are gone". */
static gboolean list_one(FerryLibvirtHost *host, virDomainPtr domain, json_t *list,
                         GError **error) {
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  g_autoptr(GError) one = NULL;
  virDomainGetUUIDString(domain, uuid);
  virConnectPtr conn = ferry_libvirt_ref(host, error);
  if (!conn)
    return FALSE;
  json_t *record = whole_record(host, conn, domain, uuid, &one);
  if (record)
    json_array_append_new(list, record);
  else if (ferry_host_error_is_away(one)) {
    g_propagate_error(error, g_steal_pointer(&one));
    return FALSE;
  } else if (!g_error_matches(one, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_DOMAIN)) {
    ferry_warning(one->message, "FERRY_DOMAIN", virDomainGetName(domain));
  }
  return TRUE;
}

json_t *ferry_libvirt_list(FerryHost *base, GError **error) {
  FerryLibvirtHost *host = (FerryLibvirtHost *)base;
  virDomainPtr *domains = ferry_libvirt_domains(host, 0, error);
  g_autoptr(json_t) list = domains ? json_array() : NULL;
  gboolean ok = TRUE;
  for (gsize i = 0; ok && domains && domains[i]; i++)
    ok = list_one(host, domains[i], list, error);
  ferry_libvirt_domains_free(domains);
  return ok ? g_steal_pointer(&list) : NULL;
}
