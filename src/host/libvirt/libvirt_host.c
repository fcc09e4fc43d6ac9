// SPDX-License-Identifier: Apache-2.0
// The libvirt driver: its connections and threads.
//
// Theory of operation: one thread of the process (the event thread) runs GLib's default main
// context, to which libvirt's event loop is attached; a program that uses this driver must leave
// that context alone. Each host has a connector thread: it opens the main connection, registers
// events, waits until that connection closes, and opens it again with growing pauses. The main
// connection serves events and queries. Every migration uses two connections of its own (a
// migration call blocks one for its whole time); two are kept open and idle so that a migration
// does not wait for them. A libvirtd that hangs keeps nobody: whatever waits for it is a question
// (libvirt_ask.h), and the connector feels its pulse (libvirt_pulse.c); what never comes back is
// left alone, with the host, which a count of references keeps for it.
#include "host/libvirt/libvirt_host.h"
#include "host/libvirt/libvirt_ask.h"
#include "host/libvirt/libvirt_autostart.h"
#include "host/libvirt/libvirt_base.h"
#include "host/libvirt/libvirt_connect.h"
#include "host/libvirt/libvirt_connections.h"
#include "host/libvirt/libvirt_definition.h"
#include "host/libvirt/libvirt_dirty_rate.h"
#include "host/libvirt/storage/libvirt_disks.h"
#include "host/libvirt/libvirt_domain.h"
#include "host/libvirt/libvirt_events.h"
#include "host/libvirt/libvirt_info.h"
#include "host/libvirt/libvirt_job.h"
#include "host/libvirt/libvirt_monitor.h"
#include "host/libvirt/libvirt_peer.h"
#include "host/libvirt/libvirt_pulse.h"
#include "host/libvirt/libvirt_resources.h"
#include "host/libvirt/libvirt_save.h"
#include "host/machine/lock_manager.h"
#include "host/machine/shared_files.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/log.h"
#include <string.h>

#define QEMU_CONF "/etc/libvirt/qemu.conf"
#define IDLE_CONNECTIONS 2
#define PULSE_MS 2000
#define HURRY_MS 500

static void libvirt_host_silent(void *data, virErrorPtr error) {
}

static gpointer event_thread(gpointer data) {
  for (;;)
    if (virEventRunDefaultImpl() < 0)
      g_usleep(10000);
  return NULL;
}

static void libvirt_host_nothing(int timer, void *data) {
}

static void libvirt_init(void) {
  static gsize once;
  if (!g_once_init_enter(&once))
    return;
  virSetErrorFunc(NULL, libvirt_host_silent);
  virInitialize();
  virEventRegisterDefaultImpl();
  /* Without any source an iteration of the loop would spin or never wake. */
  virEventAddTimeout(60000, libvirt_host_nothing, NULL, NULL);
  g_thread_unref(g_thread_new("libvirt-events", event_thread, NULL));
  g_once_init_leave(&once, 1);
}

static void on_close(virConnectPtr conn, int reason, void *data) {
  FerryLibvirtHost *host = data;
  g_mutex_lock(&host->lock);
  if (conn == host->conn)
    host->closed = TRUE;
  g_cond_broadcast(&host->cond);
  g_mutex_unlock(&host->lock);
}

static void libvirt_host_say(FerryLibvirtHost *host, FerryHostEventType type, const char *detail) {
  FerryHostEvent event = {.type = type, .detail = detail};
  ferry_libvirt_tell(host, &event);
}

/* ---- the main connection ---- */

typedef struct {
  virConnectPtr conn;
  FerryLibvirtHost *host; /* for as long as the close callback may be called */
  int ids[FERRY_LIBVIRT_EVENTS];
} Line;

static void unmake_line(gpointer made, FerryLibvirtHost *host) {
  Line *line = made;
  ferry_libvirt_events_unregister(line->conn, line->ids);
  if (virConnectUnregisterCloseCallback(line->conn, on_close) < 0)
    virResetLastError();
  virConnectClose(line->conn);
  ferry_libvirt_host_unref(line->host);
  g_free(line);
}

static gboolean make_line(FerryLibvirtAsk *a, GError **error) {
  virConnectPtr conn = ferry_libvirt_open(a->host->uri, error);
  if (!conn)
    return FALSE;
  Line *line = g_new0(Line, 1);
  line->conn = conn;
  line->host = ferry_libvirt_host_ref(a->host);
  /* a driver without such callbacks takes one, and never gives its data back */
  if (virConnectRegisterCloseCallback(conn, on_close, a->host, NULL) < 0)
    virResetLastError();
  ferry_libvirt_events_register(a->host, conn, line->ids);
  a->made = line;
  return TRUE;
}

static Line *open_line(FerryLibvirtHost *host, GError **error) {
  g_autoptr(FerryLibvirtAsk) ask = ferry_libvirt_ask_new(host, make_line);
  ask->unmake = unmake_line;
  if (!ferry_libvirt_ask(ask, "line", FERRY_ASK_DAEMON, FERRY_ASK_CONNECT_MS, error))
    return NULL;
  return g_steal_pointer(&ask->made);
}

static gboolean end_line(FerryLibvirtAsk *a, GError **error) {
  unmake_line(g_steal_pointer(&a->made), a->host);
  return TRUE;
}

static void close_line(FerryLibvirtHost *host, Line *line) {
  g_autoptr(FerryLibvirtAsk) ask = ferry_libvirt_ask_new(host, end_line);
  gint64 since;
  ask->made = line;
  ferry_libvirt_ask_anyway(host->patience, ask, NULL, FERRY_ASK_CALL_MS, &since);
}

static gboolean fill_idle(FerryLibvirtAsk *a, GError **error) {
  for (guint i = 0; i < IDLE_CONNECTIONS; i++)
    ferry_libvirt_give(a->host, ferry_libvirt_open(a->host->uri, NULL));
  return TRUE;
}

static void adopt_line(FerryLibvirtHost *host, virConnectPtr conn) {
  g_autofree char *conf = NULL;
  if (host->base.local)
    g_file_get_contents(QEMU_CONF, &conf, NULL, NULL);
  char **directories = ferry_shared_directories(conf ? conf : "");
  g_mutex_lock(&host->lock);
  host->conn = conn;
  g_hash_table_remove_all(host->disk_sizes);
  g_strfreev(host->shared_directories);
  host->shared_directories = g_steal_pointer(&directories);
  g_free(host->lock_manager);
  host->lock_manager = conf ? ferry_lock_manager_of(conf) : NULL;
  g_clear_pointer(&host->why, g_free);
  g_mutex_unlock(&host->lock);
  if (virConnectIsAlive(conn) == 0) /* it closed before it was known here */
    on_close(conn, 0, host);
}

/* One life of the main connection: from open until it closes or the host is freed. */
static void libvirt_host_serve(FerryLibvirtHost *host, Line *line) {
  adopt_line(host, line->conn);
  libvirt_host_say(host, FERRY_HOST_EVENT_CONNECTED, host->uri);
  g_autoptr(FerryLibvirtAsk) spare = ferry_libvirt_ask_new(host, fill_idle);
  ferry_libvirt_ask(spare, "idle", FERRY_ASK_DAEMON, FERRY_ASK_CONNECT_MS, NULL);
  g_mutex_lock(&host->lock);
  while (!host->closed && !host->stop) {
    if (g_cond_wait_until(&host->cond, &host->lock, g_get_monotonic_time() + PULSE_MS * 1000))
      continue;
    g_mutex_unlock(&host->lock);
    ferry_libvirt_feel_daemon(host, line->conn);
    g_mutex_lock(&host->lock);
  }
  host->conn = NULL;
  host->silent_us = 0;
  g_hash_table_remove_all(host->silent);
  g_mutex_unlock(&host->lock);
  ferry_libvirt_drop_idle(host);
  close_line(host, line);
}

static void note_why(FerryLibvirtHost *host, const char *why) {
  g_mutex_lock(&host->lock);
  g_free(host->why);
  host->why = g_strdup(why);
  g_mutex_unlock(&host->lock);
}

static gpointer connector_thread(gpointer data) {
  FerryLibvirtHost *host = data;
  gint64 backoff = FERRY_BACKOFF_MIN_MS;
  gboolean complained = FALSE;
  g_mutex_lock(&host->lock);
  while (!host->stop) {
    host->closed = FALSE;
    g_mutex_unlock(&host->lock);
    g_autoptr(GError) error = NULL;
    Line *line = open_line(host, &error);
    if (line) {
      backoff = FERRY_BACKOFF_MIN_MS;
      complained = FALSE;
      libvirt_host_serve(host, line);
      g_mutex_lock(&host->lock);
      gboolean stop = host->stop;
      g_mutex_unlock(&host->lock);
      if (!stop)
        libvirt_host_say(host, FERRY_HOST_EVENT_DISCONNECTED, "libvirt closed the connection");
    } else if (!complained) {
      complained = TRUE;
      note_why(host, error->message);
      ferry_warning(error->message, "FERRY_LIBVIRT_URI", host->uri);
      libvirt_host_say(host, FERRY_HOST_EVENT_DISCONNECTED, error->message);
    }
    g_mutex_lock(&host->lock);
    gint64 until = g_get_monotonic_time() + backoff * 1000;
    backoff = MIN(backoff * 2, FERRY_BACKOFF_MAX_MS);
    while (!host->stop && g_cond_wait_until(&host->cond, &host->lock, until))
      ;
  }
  g_mutex_unlock(&host->lock);
  return NULL;
}

static void on_network(gpointer data) {
  libvirt_host_say(data, FERRY_HOST_EVENT_NETWORK, "network");
}

static void libvirt_start(FerryHost *base, FerryHostEventFunc func, gpointer data) {
  FerryLibvirtHost *host = (FerryLibvirtHost *)base;
  g_mutex_lock(&host->telling);
  host->func = func;
  host->data = data;
  g_mutex_unlock(&host->telling);
  host->connector = g_thread_new("libvirt-connect", connector_thread, host);
  host->pulse = g_thread_new("libvirt-pulse", ferry_libvirt_pulse_thread, host);
  g_autoptr(GError) error = NULL;
  host->network = base->local ? ferry_network_watch_new(on_network, host, &error) : NULL;
  if (error)
    ferry_warning(error->message, "FERRY_LIBVIRT_URI", host->uri);
}

static void libvirt_hurry(FerryHost *base) {
  const FerryLibvirtHost *host = (FerryLibvirtHost *)base;
  ferry_patience_hurry(host->patience, HURRY_MS);
  ferry_patience_hurry(host->peers, HURRY_MS);
  ferry_patience_hurry(host->looks, HURRY_MS);
}

static void libvirt_free(FerryHost *base) {
  FerryLibvirtHost *host = (FerryLibvirtHost *)base;
  g_mutex_lock(&host->lock);
  host->stop = TRUE;
  g_cond_broadcast(&host->cond);
  g_mutex_unlock(&host->lock);
  libvirt_hurry(base);
  if (host->connector)
    g_thread_join(host->connector);
  if (host->pulse)
    g_thread_join(host->pulse);
  ferry_network_watch_free(host->network);
  ferry_libvirt_drop_idle(host);
  g_mutex_lock(&host->telling);
  host->func = NULL;
  g_mutex_unlock(&host->telling);
  ferry_libvirt_host_unref(host);
}

/* "qemu:///system" and "qemu+unix:///system" are this machine. */
static gboolean is_local(const char *uri) {
  const char *authority = strstr(uri, "://");
  return authority && authority[3] == '/';
}

static void on_back(const char *key, gpointer data) {
  const FerryLibvirtAsk *ask = data;
  if (key)
    ferry_libvirt_is_back(ask->host, key);
}

static const FerryHostOps libvirt_ops = {
    .free = libvirt_free,
    .hurry = libvirt_hurry,
    .start = libvirt_start,
    .info = ferry_libvirt_info,
    .resources = ferry_libvirt_resources,
    .network = ferry_libvirt_network,
    .list = ferry_libvirt_list,
    .record = ferry_libvirt_record,
    .peer_state = ferry_libvirt_peer_state,
    .peer_incoming = ferry_libvirt_peer_incoming,
    .peer_sweep = ferry_libvirt_peer_sweep,
    .forget = ferry_libvirt_forget,
    .peer_forget = ferry_libvirt_peer_forget,
    .save = ferry_libvirt_save,
    .restore = ferry_libvirt_restore,
    .job_open = ferry_libvirt_job_open,
    .job_close = ferry_libvirt_job_close,
    .job_start = ferry_libvirt_job_start,
    .job_disks_plan = ferry_libvirt_job_disks_plan,
    .job_disks_make = ferry_libvirt_job_disks_make,
    .job_disks_remove = ferry_libvirt_job_disks_remove,
    .job_stats = ferry_libvirt_job_stats,
    .job_state = ferry_libvirt_job_state,
    .job_set_max_downtime = ferry_libvirt_job_set_max_downtime,
    .job_set_max_speed = ferry_libvirt_job_set_max_speed,
    .job_dirty_rate = ferry_libvirt_job_dirty_rate,
    .job_resident = ferry_libvirt_job_resident,
    .job_set_throttle = ferry_libvirt_job_set_throttle,
    .job_start_postcopy = ferry_libvirt_job_start_postcopy,
    .job_abort = ferry_libvirt_job_abort,
    .job_suspend = ferry_libvirt_job_suspend,
    .job_resume = ferry_libvirt_job_resume,
    .job_destroy = ferry_libvirt_job_destroy,
    .peer_set_autostart = ferry_libvirt_peer_set_autostart,
    .job_autostart = ferry_libvirt_job_autostart,
    .job_set_autostart = ferry_libvirt_job_set_autostart,
    .job_definition = ferry_libvirt_job_definition,
    .job_stored = ferry_libvirt_job_stored,
    .peer_give = ferry_libvirt_peer_give,
    .job_set_path = ferry_libvirt_job_set_path,
    .job_connections = ferry_libvirt_job_connections,
    .job_disconnect = ferry_libvirt_job_disconnect,
    .job_break_post_copy = ferry_libvirt_job_break_post_copy,
    .peer_versions = ferry_libvirt_peer_versions,
    .incoming_close = ferry_libvirt_incoming_close,
};

FerryHost *ferry_host_libvirt_new(const char *uri) {
  libvirt_init();
  FerryLibvirtHost *host = g_new0(FerryLibvirtHost, 1);
  host->base.ops = &libvirt_ops;
  host->base.local = is_local(uri);
  g_atomic_ref_count_init(&host->refs);
  host->uri = g_strdup(uri);
  host->patience = ferry_patience_new(on_back);
  host->peers = ferry_patience_new(NULL);
  host->looks = ferry_patience_new(NULL);
  g_mutex_init(&host->telling);
  g_mutex_init(&host->lock);
  g_cond_init(&host->cond);
  g_queue_init(&host->idle);
  host->disk_sizes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  host->silent = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  host->definitions =
      g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)json_decref);
  return &host->base;
}
