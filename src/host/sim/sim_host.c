// SPDX-License-Identifier: Apache-2.0
// The hypervisor port to one simulated host: what it is, what runs there, hibernation. Answers and
// errors are those of the libvirt driver.
//
// Each call takes the world's lock, brings the world to now (sim_run.c) and answers from its
// tables of hosts and instances; a host whose libvirtd is set silent or off answers as an
// unreachable one does. Handles are what agents hold: events are queued in the world and given to
// each of them by the world's thread.
#include "base/error.h"
#include "base/file.h"
#include "host/sim/sim_base.h"
#include "host/sim/sim_disks.h"
#include "host/sim/sim_job.h"
#include "model/migration/node_address.h"
#include <string.h>

#define MAX_SAVED 65536

static gboolean sim_host_away(const FerrySimHandle *handle, GError **error) {
  const FerrySimHost *h = handle->host;
  return !ferry_sim_error(error, FERRY_HOST_ERROR_NO_CONNECTION,
                          "libvirt at sim://%s/system is not connected%s", h->name,
                          h->power ? "" : ": the host has no power");
}

static void sim_free(FerryHost *base) {
  FerrySimHandle *handle = (FerrySimHandle *)base;
  FerrySimWorld *w = handle->world;
  g_mutex_lock(&w->lock);
  g_ptr_array_remove(w->handles, handle);
  g_mutex_unlock(&w->lock);
  g_mutex_lock(&w->dispatch); /* nobody is told any more after this */
  g_mutex_unlock(&w->dispatch);
  g_free(handle);
}

static void sim_start(FerryHost *base, FerryHostEventFunc func, gpointer data) {
  FerrySimHandle *handle = (FerrySimHandle *)base;
  FerrySimWorld *w = handle->world;
  g_mutex_lock(&w->lock);
  handle->func = func;
  handle->data = data;
  handle->started = TRUE;
  gboolean up = handle->host->daemon && handle->host->power;
  FerrySimEvent *e = g_new0(FerrySimEvent, 1);
  e->host = handle->host;
  e->only = handle;
  e->type = up ? FERRY_HOST_EVENT_CONNECTED : FERRY_HOST_EVENT_DISCONNECTED;
  e->detail = g_strdup_printf("sim://%s/system", handle->host->name);
  g_queue_push_tail(&w->events, e);
  g_cond_broadcast(&w->cond);
  g_mutex_unlock(&w->lock);
}

static json_t *sim_info(FerryHost *base, GError **error) {
  FerrySimHandle *handle = (FerrySimHandle *)base;
  FerrySimWorld *w = handle->world;
  json_t *out = NULL;
  g_mutex_lock(&w->lock);
  const FerrySimHost *h = handle->host;
  if (handle->connected || !sim_host_away(handle, error)) {
    g_autofree char *cpus = g_strdup_printf("%d", h->cpus);
    g_autofree char *memory = g_strdup_printf("%" G_GINT64_FORMAT "Ki", h->memory / 1024);
    g_autofree char *uri = g_strdup_printf("sim://%s/system", h->name);
    g_autofree char *uuid = ferry_sim_uuid(h->name);
    gint64 mbps = (gint64)(h->link * w->speed * 8 / 1e6);
    json_t *addresses = json_array(), *interfaces = json_array();
    if (h->address) {
      g_autofree char *net =
          g_strdup_printf("%s/%d", h->address, strchr(h->address, ':') ? 64 : 24);
      json_array_append_new(addresses, json_pack("{s:s, s:s}", "type", FERRY_ADDRESS_INTERNAL,
                                                 "address", h->address));
      json_array_append_new(interfaces,
                            json_pack("{s:s, s:[s], s:b, s:I}", "name", "sim0", "addresses", net,
                                      "up", 1, "speedMbps", (json_int_t)MAX(1, mbps)));
    }
    json_array_append_new(addresses,
                          json_pack("{s:s, s:s}", "type", "Hostname", "address", h->name));
    json_t *features =
        json_pack("[s, s, s, s, s, s, s, s]", "live", "tcp", "postcopy", "auto-converge", "tls",
                  "parallel", "postcopy-recover", "postcopy-preempt");
    json_t *hypervisor =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "libvirtVersion", "11.3.0",
                  "qemuVersion", "10.0.0", "libvirtURI", uri, "hostUUID", uuid, "cpuArch", "x86_64",
                  "cpuModel", "sim", "cpuVendor", "sim", "features", features);
    json_t *info = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "containerRuntimeVersion",
                             "libvirt://11.3.0", "kubeProxyVersion", "", "operatingSystem", "linux",
                             "architecture", "amd64", "systemUUID", uuid, "machineID", uuid);
    out = json_pack("{s:{s:s, s:s}, s:{s:s, s:s}, s:o, s:o, s:o, s:o}", "capacity", "cpu", cpus,
                    "memory", memory, "allocatable", "cpu", cpus, "memory", memory, "hypervisor",
                    hypervisor, "nodeInfo", info, "interfaces", interfaces, "addresses", addresses);
    if (h->shared_file_systems)
      json_object_set_new(out, "sharedFileSystems", json_deep_copy(h->shared_file_systems));
  }
  g_mutex_unlock(&w->lock);
  return out;
}

static json_t *sim_host_record_of(const FerrySimInstance *i) {
  const FerrySimDomain *d = i->domain;
  json_t *disks = json_array(), *disk;
  size_t k;
  json_array_foreach(d->disks, k, disk) {
    const char *name = ferry_json_str(disk, "name");
    g_autofree char *path = g_strdup_printf("/sim/%s-%s.qcow2", d->name, name ? name : "");
    gboolean shared = ferry_json_bool(disk, "shared", FALSE);
    json_t *entry =
        json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:I}", "name", name ? name : "", "type", "file",
                  "source", path, "format", "qcow2", "readonly", 0, "shareable", shared,
                  "sizeBytes", (json_int_t)ferry_json_int(disk, "sizeBytes", 0));
    if (shared)
      ferry_json_set_bool(entry, "shared", TRUE);
    json_array_append_new(disks, entry);
  }
  json_t *r = json_pack("{s:s, s:s, s:I, s:i, s:s, s:s, s:o, s:[], s:[], s:s, s:s, s:i, s:b, s:b}",
                        "uuid", d->uuid, "name", i->name, "memoryBytes",
                        (json_int_t)(d->guest.memory + d->guest.zero), "vcpus",
                        MAX(1, d->guest.vcpus), "cpuModel", "sim", "machineType", "pc-sim", "disks",
                        disks, "interfaces", "hostDevices", "state",
                        ferry_vm_state_name(i->state.state), "reason", i->state.reason, "id",
                        i->state.id, "active", i->state.active, "persistent", i->state.persistent);
  if (d->ns)
    ferry_json_set_str(r, "namespace", d->ns);
  if (i->transfer)
    json_object_set_new(r, "job",
                        json_pack("{s:s, s:s}", "type", "migration", "operation",
                                  i->transfer->source == i ? "migration-out" : "migration-in"));
  return r;
}

static json_t *sim_list(FerryHost *base, GError **error) {
  FerrySimHandle *handle = (FerrySimHandle *)base;
  json_t *list = NULL;
  g_mutex_lock(&handle->world->lock);
  if (handle->connected || !sim_host_away(handle, error)) {
    list = json_array();
    GHashTableIter iter;
    gpointer instance;
    g_hash_table_iter_init(&iter, handle->host->instances);
    while (g_hash_table_iter_next(&iter, NULL, &instance))
      json_array_append_new(list, sim_host_record_of(instance));
  }
  g_mutex_unlock(&handle->world->lock);
  return list;
}

static json_t *sim_record(FerryHost *base, const char *uuid, GError **error) {
  FerrySimHandle *handle = (FerrySimHandle *)base;
  json_t *record = NULL;
  g_mutex_lock(&handle->world->lock);
  if (handle->connected || !sim_host_away(handle, error)) {
    const FerrySimInstance *i = ferry_sim_find(handle->host, uuid);
    if (i)
      record = sim_host_record_of(i);
    else
      ferry_sim_error(error, FERRY_HOST_ERROR_NO_DOMAIN, "cannot find the domain: none has UUID %s",
                      uuid);
  }
  g_mutex_unlock(&handle->world->lock);
  return record;
}

static gboolean sim_peer_state(FerryHost *base, const char *uri, const char *uuid,
                               FerryDomainState *out, GError **error) {
  FerrySimHandle *handle = (FerrySimHandle *)base;
  *out = (FerryDomainState){.state = FERRY_VM_GONE, .reason = FERRY_VM_REASON_UNKNOWN, .id = -1};
  g_mutex_lock(&handle->world->lock);
  FerrySimHost *peer = ferry_sim_find_host(handle->world, uri);
  gboolean ok = peer && peer->daemon && peer->power;
  const FerrySimInstance *i = ok ? ferry_sim_find(peer, uuid) : NULL;
  if (i)
    *out = i->state;
  g_mutex_unlock(&handle->world->lock);
  return ok || ferry_sim_error(error, FERRY_HOST_ERROR_NO_CONNECTION,
                               "cannot ask the other host's libvirt: %s does not answer", uri);
}

static gboolean sim_peer_incoming(FerryHost *base, const char *uri, gint64 *n, GError **error) {
  FerrySimHandle *handle = (FerrySimHandle *)base;
  g_mutex_lock(&handle->world->lock);
  FerrySimHost *peer = ferry_sim_find_host(handle->world, uri);
  gboolean ok = peer && peer->daemon && peer->power;
  if (ok) {
    GHashTableIter iter;
    gpointer value;
    *n = 0;
    g_hash_table_iter_init(&iter, peer->instances);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
      const FerrySimInstance *i = value;
      *n += i->transfer && i->transfer->source != i;
    }
  }
  g_mutex_unlock(&handle->world->lock);
  return ok || ferry_sim_error(error, FERRY_HOST_ERROR_NO_CONNECTION,
                               "cannot ask the other host's libvirt: %s does not answer", uri);
}

static gboolean sim_save(FerryHost *base, const char *uuid, const char *path, GError **error) {
  FerrySimHandle *handle = (FerrySimHandle *)base;
  FerrySimWorld *w = handle->world;
  g_autoptr(json_t) saved = NULL;
  g_mutex_lock(&w->lock);
  gboolean up = handle->host->daemon && handle->host->power;
  FerrySimInstance *i = up ? ferry_sim_find(handle->host, uuid) : NULL;
  if (!up)
    sim_host_away(handle, error);
  else if (!i)
    ferry_sim_error(error, FERRY_HOST_ERROR_NO_DOMAIN, "cannot find the domain %s", uuid);
  else if (!i->state.active)
    ferry_sim_error(error, FERRY_HOST_ERROR_INVALID_STATE,
                    "cannot save the domain: domain is not running");
  else if (i->transfer)
    ferry_sim_error(error, FERRY_SIM_ERROR_BUSY, "cannot save the domain: it is migrating");
  else
    saved = json_pack("{s:s, s:s, s:s, s:b}", "ferrySimSaved", uuid, "name", i->name, "state",
                      ferry_vm_state_name(i->state.state), "persistent", i->state.persistent);
  g_mutex_unlock(&w->lock);
  if (!saved)
    return FALSE;
  g_autofree char *text = ferry_json_dump(saved);
  g_autoptr(GError) cause = NULL;
  if (!ferry_file_write(path, text, strlen(text), 0600, &cause))
    return ferry_sim_error(error, FERRY_SIM_ERROR_FAILED, "cannot save the domain: %s",
                           cause->message);
  g_mutex_lock(&w->lock);
  i = ferry_sim_find(handle->host, uuid);
  if (i && !i->transfer)
    ferry_sim_instance_stop(w, i, "saved", FALSE);
  g_mutex_unlock(&w->lock);
  return TRUE;
}

static gboolean sim_restore(FerryHost *base, const char *path, GError **error) {
  FerrySimHandle *handle = (FerrySimHandle *)base;
  FerrySimWorld *w = handle->world;
  g_autoptr(GError) cause = NULL;
  gsize len;
  g_autofree char *text = ferry_file_read(path, MAX_SAVED, &len, &cause);
  g_autoptr(json_t) saved = text ? ferry_json_parse(text, len, &cause) : NULL;
  const char *uuid = ferry_json_str(saved, "ferrySimSaved");
  if (!uuid)
    return ferry_sim_error(error, FERRY_SIM_ERROR_FAILED, "cannot restore the domain: %s",
                           cause ? cause->message : "the file holds none");
  gboolean ok = FALSE;
  g_mutex_lock(&w->lock);
  FerrySimDomain *d = g_hash_table_lookup(w->domains, uuid);
  FerrySimInstance *i = ferry_sim_find(handle->host, uuid);
  if (!handle->host->daemon || !handle->host->power) {
    sim_host_away(handle, error);
  } else if (!d || (i && i->state.active)) {
    ferry_sim_error(error, FERRY_HOST_ERROR_INVALID_STATE, "cannot restore the domain: %s",
                    d ? "it is active" : "it is of another world");
  } else {
    const char *name = ferry_json_str(saved, "name");
    if (!i)
      i = ferry_sim_instance_new(handle->host, d, name ? name : d->name);
    i->state.persistent = ferry_json_bool(saved, "persistent", FALSE);
    gboolean paused = ferry_vm_state_of(saved, "state") == FERRY_VM_PAUSED;
    ferry_sim_set_state(i, paused ? FERRY_VM_PAUSED : FERRY_VM_RUNNING,
                        paused ? "user" : "restored");
    ferry_sim_tell(w, handle->host, FERRY_HOST_EVENT_STATE, uuid, "started/restored");
    ok = TRUE;
  }
  g_mutex_unlock(&w->lock);
  return ok;
}

static const FerryHostOps sim_ops = {
    .free = sim_free,
    .start = sim_start,
    .info = sim_info,
    .list = sim_list,
    .record = sim_record,
    .peer_state = sim_peer_state,
    .peer_incoming = sim_peer_incoming,
    .save = sim_save,
    .restore = sim_restore,
    .job_open = ferry_sim_job_open,
    .job_close = ferry_sim_job_close,
    .job_start = ferry_sim_job_start,
    .job_disks_plan = ferry_sim_job_disks_plan,
    .job_disks_make = ferry_sim_job_disks_make,
    .job_disks_remove = ferry_sim_job_disks_remove,
    .job_stats = ferry_sim_job_stats,
    .job_state = ferry_sim_job_state,
    .job_set_max_downtime = ferry_sim_job_set_max_downtime,
    .job_set_max_speed = ferry_sim_job_set_max_speed,
    .job_dirty_rate = ferry_sim_job_dirty_rate,
    .job_resident = ferry_sim_job_resident,
    .job_set_throttle = ferry_sim_job_set_throttle,
    .job_start_postcopy = ferry_sim_job_start_postcopy,
    .job_abort = ferry_sim_job_abort,
    .job_suspend = ferry_sim_job_suspend,
    .job_resume = ferry_sim_job_resume,
};

FerryHost *ferry_host_sim_new(FerrySimWorld *w, const char *name, GError **error) {
  FerrySimHandle *handle = NULL;
  g_mutex_lock(&w->lock);
  FerrySimHost *h = ferry_sim_find_host(w, name);
  if (h) {
    handle = g_new0(FerrySimHandle, 1);
    handle->base.ops = &sim_ops;
    handle->world = w;
    handle->host = h;
    g_ptr_array_add(w->handles, handle);
  }
  g_mutex_unlock(&w->lock);
  if (!handle)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND,
                "there is no simulated host \"%s\"; expected one of the world's", name);
  return handle ? &handle->base : NULL;
}
