// SPDX-License-Identifier: Apache-2.0
// Theory of operation: keys keep apart what hangs for different reasons. "UUID" is what a domain's
// QEMU is asked, one question at a time, as libvirt asks it one at a time; "state UUID" what
// libvirtd answers by itself, which is answered while the former hangs. Another host's libvirtd has
// some places for each question: a connection that was begun while the network was away hangs for a
// minute and longer after it is back, as the kernel tries less and less often, and one that is
// begun then succeeds at once. So one that has had its time is no reason not to ask again. But all
// that hang on one peer, about whichever VM, have a bound in common: each holds a thread.
#include "host/libvirt/libvirt_ask.h"
#include "host/libvirt/libvirt_base.h"
#include <string.h>

static void ask_clear(gpointer data) {
  FerryLibvirtAsk *a = data;
  if (a->made && a->unmake)
    a->unmake(a->made, a->host);
  if (a->domain)
    virDomainFree(a->domain);
  if (a->conn)
    virConnectClose(a->conn);
  g_clear_error(&a->error);
  g_free(a->uuid);
  g_free(a->text);
  json_decref(a->json);
  json_decref(a->found);
  ferry_libvirt_host_unref(a->host);
}

FerryLibvirtAsk *ferry_libvirt_ask_new(FerryLibvirtHost *host, FerryLibvirtAskFunc func) {
  FerryLibvirtAsk *a = g_atomic_rc_box_new0(FerryLibvirtAsk);
  a->host = ferry_libvirt_host_ref(host);
  a->func = func;
  ferry_job_stats_clear(&a->stats);
  a->state =
      (FerryDomainState){.state = FERRY_VM_GONE, .reason = FERRY_VM_REASON_UNKNOWN, .id = -1};
  return a;
}

void ferry_libvirt_ask_unref(FerryLibvirtAsk *a) {
  g_atomic_rc_box_release_full(a, ask_clear);
}

static void ask_work(gpointer data) {
  FerryLibvirtAsk *a = data;
  a->ok = a->func(a, &a->error);
}

static gboolean say_silent(const char *who, gint64 since_us, GError **error) {
  double s = (double)(g_get_monotonic_time() - since_us) / G_USEC_PER_SEC;
  gboolean vm = strcmp(who, FERRY_ASK_QEMU) == 0;
  g_set_error(error, FERRY_HOST_ERROR, vm ? FERRY_HOST_ERROR_VM_SILENT : FERRY_HOST_ERROR_SILENT,
              "%s has not answered for %.1f s", who, s);
  return FALSE;
}

gboolean ferry_libvirt_ask_anyway(FerryPatience *patience, FerryLibvirtAsk *a, const char *key,
                                  gint64 ms, gint64 *since_us) {
  a->until_us = g_get_monotonic_time() + ms * 1000;
  return ferry_patience_call(patience, key, ms, ask_work, a, ask_clear, since_us);
}

gboolean ferry_libvirt_ask_is_wanted(const FerryLibvirtAsk *a, GError **error) {
  if (g_get_monotonic_time() < a->until_us)
    return TRUE;
  g_set_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_INVALID_STATE,
              "libvirt answered so late that nothing was done");
  return FALSE;
}

gboolean ferry_libvirt_ask(FerryLibvirtAsk *a, const char *key, const char *who, gint64 ms,
                           GError **error) {
  gint64 since =
      key && strcmp(key, FERRY_LIBVIRT_PULSE) == 0 ? 0 : ferry_libvirt_silent_us(a->host);
  if (since)
    return say_silent(FERRY_ASK_DAEMON, since, error);
  if (!ferry_libvirt_ask_anyway(a->host->patience, a, key, ms, &since))
    return say_silent(who, since, error);
  if (a->error)
    g_propagate_error(error, g_steal_pointer(&a->error));
  return a->ok;
}

int ferry_libvirt_ask_place(const gint64 *late_us, guint n, gint64 now_us) {
  gint64 last = 0;
  int place = -1;
  for (guint i = 0; i < n; i++) {
    last = MAX(last, late_us[i]);
    if (!late_us[i] && place < 0)
      place = (int)i;
  }
  return last && now_us - last < FERRY_ASK_PEER_MS * (gint64)1000 ? -1 : place;
}

/* The key under which a peer is asked now; NULL: what was asked before it is waited for. */
static char *peer_key(FerryLibvirtAsk *a, const char *what) {
  g_autofree char *about = g_strdup_printf("%s ", a->text);
  if (ferry_patience_late_of(a->host->peers, about) >= FERRY_ASK_PEER_MOST)
    return NULL;
  char *keys[FERRY_ASK_PEER_PLACES] = {NULL};
  gint64 late[FERRY_ASK_PEER_PLACES];
  for (guint i = 0; i < FERRY_ASK_PEER_PLACES; i++) {
    keys[i] = g_strdup_printf("%s%s %s %u", about, what, a->uuid ? a->uuid : "", i);
    late[i] = ferry_patience_late_us(a->host->peers, keys[i]);
  }
  int place = ferry_libvirt_ask_place(late, FERRY_ASK_PEER_PLACES, g_get_monotonic_time());
  char *key = place >= 0 ? g_steal_pointer(&keys[place]) : NULL;
  for (guint i = 0; i < FERRY_ASK_PEER_PLACES; i++)
    g_free(keys[i]);
  return key;
}

gboolean ferry_libvirt_ask_peer(FerryLibvirtAsk *a, const char *what, const char *uri,
                                GError **error) {
  gint64 since;
  a->text = g_strdup(uri ? uri : "");
  g_autofree char *key = peer_key(a, what);
  gint64 ms = a->peer_ms ? a->peer_ms : FERRY_ASK_PEER_MS;
  if (!key || !ferry_libvirt_ask_anyway(a->host->peers, a, key, ms, &since)) {
    g_set_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_PEER_UNREACHABLE,
                "the other host's libvirt (%s) does not answer", a->text);
    return FALSE;
  }
  if (a->error)
    g_propagate_error(error, g_steal_pointer(&a->error));
  return a->ok;
}
