// SPDX-License-Identifier: Apache-2.0
// libvirt's events into the port's. Callbacks run in the event thread, so they only hand on.
#include "host/libvirt/libvirt_events.h"
#include "host/libvirt/libvirt_base.h"
#include "host/libvirt/libvirt_pulse.h"
#include "host/libvirt/libvirt_state.h"

static const char *const lifecycle_words[] = {"defined",   "undefined",   "started",
                                              "suspended", "resumed",     "stopped",
                                              "shutdown",  "pmsuspended", "crashed"};

/* By VIR_DOMAIN_EVENT_STOPPED_*, in their order. */
static const char *const stopped_details[] = {"shutdown",          "destroyed", "crashed",
                                              NULL /* migrated */, "saved",     "failed"};

static void libvirt_events_send(FerryLibvirtHost *host, virDomainPtr domain, FerryHostEvent event) {
  char uuid[VIR_UUID_STRING_BUFLEN];
  if (virDomainGetUUIDString(domain, uuid) < 0)
    return;
  ferry_libvirt_sign_of_life(host);
  event.uuid = uuid;
  ferry_libvirt_tell(host, &event);
}

static int on_lifecycle(virConnectPtr conn, virDomainPtr domain, int type, int detail, void *data) {
  g_autofree char *text = g_strdup_printf(
      "%s/%d",
      type >= 0 && type < (int)G_N_ELEMENTS(lifecycle_words) ? lifecycle_words[type] : "event",
      detail);
  FerryHostPause pause = FERRY_HOST_PAUSE_NONE;
  if (type == VIR_DOMAIN_EVENT_SUSPENDED)
    pause = detail == VIR_DOMAIN_EVENT_SUSPENDED_MIGRATED   ? FERRY_HOST_PAUSE_SWITCHOVER
            : detail == VIR_DOMAIN_EVENT_SUSPENDED_POSTCOPY ? FERRY_HOST_PAUSE_POST_COPY
                                                            : FERRY_HOST_PAUSE_NONE;
  else if (type == VIR_DOMAIN_EVENT_RESUMED)
    pause = FERRY_HOST_PAUSE_ENDED;
  libvirt_events_send(
      data, domain,
      (FerryHostEvent){.type = FERRY_HOST_EVENT_STATE,
                       .detail = text,
                       .pause = pause,
                       .stopped = type == VIR_DOMAIN_EVENT_STOPPED && detail >= 0 &&
                                          detail < (int)G_N_ELEMENTS(stopped_details)
                                      ? stopped_details[detail]
                                      : NULL,
                       .defined = type == VIR_DOMAIN_EVENT_DEFINED});
  return 0;
}

static void on_pm(virConnectPtr conn, virDomainPtr domain, int reason, void *data) {
  libvirt_events_send(data, domain,
                      (FerryHostEvent){.type = FERRY_HOST_EVENT_STATE, .detail = "power"});
}

static void on_reboot(virConnectPtr conn, virDomainPtr domain, void *data) {
  libvirt_events_send(data, domain,
                      (FerryHostEvent){.type = FERRY_HOST_EVENT_CONFIG, .detail = "reboot"});
}

static void on_device(virConnectPtr conn, virDomainPtr domain, const char *alias, void *data) {
  libvirt_events_send(data, domain,
                      (FerryHostEvent){.type = FERRY_HOST_EVENT_CONFIG, .detail = alias});
}

static void on_disk(virConnectPtr conn, virDomainPtr domain, const char *old_path,
                    const char *new_path, const char *alias, int reason, void *data) {
  libvirt_events_send(data, domain,
                      (FerryHostEvent){.type = FERRY_HOST_EVENT_CONFIG, .detail = "disk"});
}

/* A copy of a disk that ended, or holds all that the disk does; that one begins libvirt tells
 * nobody.
 */
static void on_block_job(virConnectPtr conn, virDomainPtr domain, const char *disk, int type,
                         int status, void *data) {
  libvirt_events_send(data, domain,
                      (FerryHostEvent){.type = FERRY_HOST_EVENT_CONFIG, .detail = "block job"});
}

static void on_balloon(virConnectPtr conn, virDomainPtr domain, unsigned long long actual,
                       void *data) {
  libvirt_events_send(data, domain,
                      (FerryHostEvent){.type = FERRY_HOST_EVENT_CONFIG, .detail = "balloon"});
}

static void on_metadata(virConnectPtr conn, virDomainPtr domain, int type, const char *ns,
                        void *data) {
  libvirt_events_send(data, domain,
                      (FerryHostEvent){.type = FERRY_HOST_EVENT_CONFIG, .detail = "metadata"});
}

static void on_iteration(virConnectPtr conn, virDomainPtr domain, int iteration, void *data) {
  libvirt_events_send(data, domain,
                      (FerryHostEvent){.type = FERRY_HOST_EVENT_ITERATION,
                                       .detail = "iteration",
                                       .iteration = iteration});
}

static void on_completed(virConnectPtr conn, virDomainPtr domain, virTypedParameterPtr params,
                         int n, void *data) {
  FerryJobStats stats;
  ferry_libvirt_stats(params, n, &stats);
  libvirt_events_send(data, domain,
                      (FerryHostEvent){.type = FERRY_HOST_EVENT_COMPLETED,
                                       .detail = stats.operation,
                                       .stats = &stats});
}

static const struct {
  int id;
  virConnectDomainEventGenericCallback callback;
} event_table[] = {
    {VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle)},
    {VIR_DOMAIN_EVENT_ID_REBOOT, on_reboot},
    {VIR_DOMAIN_EVENT_ID_PMSUSPEND, VIR_DOMAIN_EVENT_CALLBACK(on_pm)},
    {VIR_DOMAIN_EVENT_ID_PMWAKEUP, VIR_DOMAIN_EVENT_CALLBACK(on_pm)},
    {VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, VIR_DOMAIN_EVENT_CALLBACK(on_device)},
    {VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, VIR_DOMAIN_EVENT_CALLBACK(on_device)},
    {VIR_DOMAIN_EVENT_ID_DISK_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(on_disk)},
    {VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2, VIR_DOMAIN_EVENT_CALLBACK(on_block_job)},
    {VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(on_balloon)},
    {VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(on_metadata)},
    {VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION, VIR_DOMAIN_EVENT_CALLBACK(on_iteration)},
    {VIR_DOMAIN_EVENT_ID_JOB_COMPLETED, VIR_DOMAIN_EVENT_CALLBACK(on_completed)},
};
G_STATIC_ASSERT(G_N_ELEMENTS(event_table) <= FERRY_LIBVIRT_EVENTS);

static void let_go(void *host) {
  ferry_libvirt_host_unref(host);
}

void ferry_libvirt_events_register(FerryLibvirtHost *host, virConnectPtr conn,
                                   int ids[FERRY_LIBVIRT_EVENTS]) {
  for (guint i = 0; i < FERRY_LIBVIRT_EVENTS; i++) {
    ids[i] = -1;
    if (i >= G_N_ELEMENTS(event_table))
      continue;
    /* a callback may be under way in the event thread when the host is freed */
    ids[i] =
        virConnectDomainEventRegisterAny(conn, NULL, event_table[i].id, event_table[i].callback,
                                         ferry_libvirt_host_ref(host), let_go);
    if (ids[i] < 0) {
      ferry_libvirt_host_unref(host);
      virResetLastError();
    }
  }
}

void ferry_libvirt_events_unregister(virConnectPtr conn, const int ids[FERRY_LIBVIRT_EVENTS]) {
  for (guint i = 0; i < FERRY_LIBVIRT_EVENTS; i++)
    if (ids[i] >= 0 && virConnectDomainEventDeregisterAny(conn, ids[i]) < 0)
      virResetLastError();
}
