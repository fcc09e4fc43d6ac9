// SPDX-License-Identifier: Apache-2.0
// The hypervisor port to one of the world's hosts: what runs there, what is told of it
// (hyper_tell.c).
#include "sim/world/hyper_job.h"

/* ---- libvirtd answers, late, or not ---- */

/* ---- events ---- */

static void port_start(FerryHost *base, FerryHostEventFunc func, gpointer data) {
  FerryWorldPort *port = (FerryWorldPort *)base;
  port->func = func;
  port->data = data;
  ferry_hyper_tell_begin(port);
  ferry_hyper_tell(port->host, &(FerryHostEvent){.type = ferry_hyper_answers(port->host)
                                                             ? FERRY_HOST_EVENT_CONNECTED
                                                             : FERRY_HOST_EVENT_DISCONNECTED});
}

static void port_free(FerryHost *base) {
  FerryWorldPort *port = (FerryWorldPort *)base;
  g_ptr_array_remove(port->host->handles, port);
  port->closed = TRUE;
  ferry_fiber_wake(&port->events, TRUE);
  if (port->teller)
    ferry_fiber_join(port->teller);
  ferry_hyper_tell_drop(port);
  g_free(port);
}

/* ---- what there is ---- */

static json_t *port_info(FerryHost *base, GError **error) {
  const FerryWorldPort *port = (FerryWorldPort *)base;
  const FerryWorldHost *host = port->host;
  if (!ferry_hyper_call(port, error))
    return NULL;
  g_autofree char *net = g_strconcat(host->address, "/24", NULL);
  json_t *hypervisor =
      json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:[s,s,s,s,s,s]}", "libvirtVersion", "11.3.0",
                "qemuVersion", "10.0.0", "libvirtURI", "qemu:///system", "cpuArch", "x86_64",
                "cpuModel", "world", "cpuVendor", "world", "features", "live", "tcp", "postcopy",
                "auto-converge", "tls", "parallel");
  return json_pack(
      "{s:{s:s, s:s}, s:{s:s, s:s}, s:o, s:{s:s}, s:[{s:s, s:[s], s:b, s:i}], s:[{s:s, "
      "s:s}]}",
      "capacity", "cpu", "64", "memory", "64Gi", "allocatable", "cpu", "64", "memory", "64Gi",
      "hypervisor", hypervisor, "nodeInfo", "operatingSystem", "linux", "interfaces", "name",
      "eth0", "addresses", net, "up", 1, "speedMbps", 1000, "addresses", "type", "InternalIP",
      "address", host->address);
}

static json_t *port_record_of(const FerryWorldCopy *copy) {
  const FerryWorldVm *vm = copy->vm;
  json_t *disks = json_array();
  if (vm->copies_disk) {
    g_autofree char *path = g_strdup_printf("/images/%s.qcow2", vm->name);
    json_array_append_new(disks,
                          json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:I}", "name", "vda", "type",
                                    "file", "source", path, "format", "qcow2", "readonly", 0,
                                    "shareable", 0, "sizeBytes", (json_int_t)(16 << 20)));
  }
  json_t *record =
      json_pack("{s:s, s:s, s:I, s:i, s:s, s:s, s:o, s:[], s:[], s:s, s:s, s:b, s:b}", "uuid",
                vm->uuid, "name", vm->name, "memoryBytes", (json_int_t)vm->guest.memory, "vcpus", 1,
                "cpuModel", "world", "machineType", "pc-world", "disks", disks, "interfaces",
                "hostDevices", "state", ferry_vm_state_name(copy->state), "reason", copy->reason,
                "active", copy->id >= 0, "persistent", copy->persistent);
  if (copy->id >= 0)
    ferry_json_set_int(record, "id", copy->id);
  if (copy->move && copy->move->stage != FERRY_MOVE_OVER)
    json_object_set_new(
        record, "job",
        json_pack("{s:s, s:s}", "type", "migration", "operation",
                  copy->move->from == copy->host ? "migration-out" : "migration-in"));
  return record;
}

static json_t *port_list(FerryHost *base, GError **error) {
  const FerryWorldPort *port = (FerryWorldPort *)base;
  if (!ferry_hyper_call(port, error))
    return NULL;
  json_t *list = json_array();
  for (guint i = 0; i < port->host->hyper->vms->len; i++) {
    const FerryWorldVm *vm = port->host->hyper->vms->pdata[i];
    const FerryWorldCopy *copy = ferry_hyper_copy(port->host, vm->uuid);
    if (copy)
      json_array_append_new(list, port_record_of(copy));
  }
  return list;
}

static json_t *port_record(FerryHost *base, const char *uuid, GError **error) {
  const FerryWorldPort *port = (FerryWorldPort *)base;
  if (!ferry_hyper_call(port, error))
    return NULL;
  const FerryWorldCopy *copy = ferry_hyper_copy(port->host, uuid);
  if (copy)
    return port_record_of(copy);
  ferry_hyper_error(error, FERRY_HOST_ERROR_NO_DOMAIN, "no domain with UUID %s", uuid);
  return NULL;
}

/* Another host's libvirtd, asked from here. */
static FerryWorldHost *hyper_peer_of(FerryHost *base, const char *uri, GError **error) {
  const FerryWorldPort *port = (FerryWorldPort *)base;
  FerryWorldHost *peer = ferry_hyper_find(port->host->hyper, uri);
  gint64 until = ferry_fiber_now() + 10 * G_USEC_PER_SEC;
  gboolean open = peer && (!ferry_hyper_reaches(port->host, peer) || peer->hung);
  while (open && !port->process->dead && ferry_fiber_now() < until) {
    ferry_fiber_wait(port->host->hyper, until);
    open = peer && (!ferry_hyper_reaches(port->host, peer) || peer->hung);
  }
  ferry_fiber_sleep(2000);
  if (!port->process->dead && peer && ferry_hyper_reaches(port->host, peer) &&
      ferry_hyper_answers(peer))
    return peer;
  ferry_hyper_error(error, FERRY_HOST_ERROR_PEER_UNREACHABLE, "%s does not answer", uri);
  return NULL;
}

static gboolean port_peer_state(FerryHost *base, const char *uri, const char *uuid,
                                FerryDomainState *out, GError **error) {
  const FerryWorldHost *peer = hyper_peer_of(base, uri, error);
  ferry_copy_state(NULL, out);
  if (peer)
    ferry_copy_state(ferry_hyper_copy(peer, uuid), out);
  return peer != NULL;
}

static gboolean port_peer_incoming(FerryHost *base, const char *uri, gint64 *n, GError **error) {
  *n = 0;
  return hyper_peer_of(base, uri, error) != NULL;
}

static gboolean port_peer_set_autostart(FerryHost *base, const char *uri, const char *uuid,
                                        gboolean on, GError **error) {
  const FerryWorldHost *peer = hyper_peer_of(base, uri, error);
  FerryWorldCopy *copy = peer ? ferry_hyper_copy(peer, uuid) : NULL;
  if (peer && !copy)
    return ferry_hyper_error(error, FERRY_HOST_ERROR_NO_DOMAIN, "no domain with UUID %s", uuid);
  if (copy)
    copy->autostart = on;
  return copy != NULL;
}

static gboolean port_save(FerryHost *base, const char *uuid, const char *path, GError **error) {
  return ferry_hyper_error(error, FERRY_HOST_ERROR_INVALID_STATE, "nobody hibernates here");
}

static gboolean port_restore(FerryHost *base, const char *path, GError **error) {
  return ferry_hyper_error(error, FERRY_HOST_ERROR_INVALID_STATE, "nobody hibernates here");
}

static const FerryHostOps world_ops = {
    .free = port_free,
    .start = port_start,
    .info = port_info,
    .list = port_list,
    .record = port_record,
    .peer_state = port_peer_state,
    .peer_incoming = port_peer_incoming,
    .peer_set_autostart = port_peer_set_autostart,
    .save = port_save,
    .restore = port_restore,
    .job_open = ferry_world_job_open,
    .job_close = ferry_world_job_close,
    .job_start = ferry_world_job_start,
    .job_disks_plan = ferry_world_job_disks_plan,
    .job_disks_make = ferry_world_job_disks_make,
    .job_disks_remove = ferry_world_job_disks_remove,
    .job_stats = ferry_world_job_stats,
    .job_state = ferry_world_job_state,
    .job_set_max_downtime = ferry_world_job_set_max_downtime,
    .job_set_max_speed = ferry_world_job_set_max_speed,
    .job_dirty_rate = ferry_world_job_dirty_rate,
    .job_resident = ferry_world_job_resident,
    .job_start_postcopy = ferry_world_job_start_postcopy,
    .job_abort = ferry_world_job_abort,
    .job_suspend = ferry_world_job_suspend,
    .job_resume = ferry_world_job_resume,
    .job_destroy = ferry_world_job_destroy,
    .job_autostart = ferry_world_job_autostart,
    .job_set_autostart = ferry_world_job_set_autostart,
    .job_connections = ferry_world_job_connections,
    .job_disconnect = ferry_world_job_disconnect,
};

FerryHost *ferry_hyper_open(FerryWorldHost *host, FerryWorldProcess *process) {
  FerryWorldPort *port = g_new0(FerryWorldPort, 1);
  port->base.ops = &world_ops;
  port->host = host;
  port->process = process;
  g_queue_init(&port->events);
  g_ptr_array_add(host->handles, port);
  return &port->base;
}
