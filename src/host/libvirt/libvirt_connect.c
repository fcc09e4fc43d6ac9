// SPDX-License-Identifier: Apache-2.0
#include "host/libvirt/libvirt_connect.h"
#include "host/libvirt/libvirt_ask.h"
#include "host/libvirt/libvirt_base.h"

#define IDLE_MAX 8
#define PEER_KEEPALIVE_S 3 /* others wait for that one: it is given up sooner */
#define PEER_KEEPALIVE_COUNT 2

/* Where a libvirtd dies silently, its keepalive ends what waits for it, at last. */
static virConnectPtr open_alive(const char *uri, int interval_s, unsigned count, GError **error) {
  virConnectPtr conn = virConnectOpen(uri);
  if (!conn) {
    g_autofree char *doing = g_strdup_printf("cannot connect to libvirt at %s", uri);
    ferry_libvirt_error(error, doing);
    if (error && *error)
      (*error)->code = FERRY_HOST_ERROR_NO_CONNECTION;
    return NULL;
  }
  if (virConnectSetKeepAlive(conn, interval_s, count) < 0)
    virResetLastError(); /* drivers without a connection (test) have none */
  return conn;
}

virConnectPtr ferry_libvirt_open(const char *uri, GError **error) {
  return open_alive(uri, FERRY_LIBVIRT_KEEPALIVE_S, FERRY_LIBVIRT_KEEPALIVE_COUNT, error);
}

static gboolean close_it(FerryLibvirtAsk *a, GError **error) {
  g_clear_pointer(&a->conn, virConnectClose);
  return TRUE;
}

void ferry_libvirt_close(FerryLibvirtHost *host, virConnectPtr conn) {
  if (!conn)
    return;
  g_autoptr(FerryLibvirtAsk) ask = ferry_libvirt_ask_new(host, close_it);
  gint64 since;
  ask->conn = conn;
  g_mutex_lock(&host->lock);
  gboolean wait = !host->silent_us && !host->stop;
  g_mutex_unlock(&host->lock);
  ferry_libvirt_ask_anyway(host->patience, ask, NULL, wait ? FERRY_ASK_CALL_MS : 0, &since);
}

static void unmake_connection(gpointer made, FerryLibvirtHost *host) {
  virConnectClose(made);
}

static gboolean open_peer(FerryLibvirtAsk *a, GError **error) {
  a->made = open_alive(a->text, PEER_KEEPALIVE_S, PEER_KEEPALIVE_COUNT, error);
  return a->made != NULL;
}

virConnectPtr ferry_libvirt_open_peer(FerryLibvirtHost *host, const char *uri, GError **error) {
  g_autoptr(FerryLibvirtAsk) ask = ferry_libvirt_ask_new(host, open_peer);
  ask->unmake = unmake_connection;
  return ferry_libvirt_ask_peer(ask, "open", uri, error) ? g_steal_pointer(&ask->made) : NULL;
}

virConnectPtr ferry_libvirt_take(FerryLibvirtHost *host, GError **error) {
  for (;;) {
    g_mutex_lock(&host->lock);
    virConnectPtr conn = g_queue_pop_tail(&host->idle);
    g_mutex_unlock(&host->lock);
    if (!conn)
      return ferry_libvirt_open(host->uri, error);
    if (virConnectIsAlive(conn) == 1)
      return conn;
    ferry_libvirt_close(host, conn);
  }
}

void ferry_libvirt_give(FerryLibvirtHost *host, virConnectPtr conn) {
  if (!conn)
    return;
  gboolean alive = virConnectIsAlive(conn) == 1;
  g_mutex_lock(&host->lock);
  gboolean keep =
      alive && !host->stop && host->conn && !host->silent_us && host->idle.length < IDLE_MAX;
  if (keep)
    g_queue_push_tail(&host->idle, conn);
  g_mutex_unlock(&host->lock);
  if (!keep)
    ferry_libvirt_close(host, conn);
}

void ferry_libvirt_drop_idle(FerryLibvirtHost *host) {
  for (;;) {
    g_mutex_lock(&host->lock);
    virConnectPtr conn = g_queue_pop_head(&host->idle);
    g_mutex_unlock(&host->lock);
    if (!conn)
      return;
    ferry_libvirt_close(host, conn);
  }
}
