// SPDX-License-Identifier: Apache-2.0
// Whether libvirtd, and each domain's QEMU, still answer.
//
// Theory of operation: a libvirtd that hangs keeps its connections open, and a QEMU that hangs
// leaves its domain "running": only a question shows either. libvirtd is asked for its version, by
// the connector's thread. Every ROUND_MS a thread of its own goes through the active domains and
// asks, first, libvirtd whether anybody's question to that domain's monitor has been open for long
// (virDomainGetControlInfo, which enters no monitor); and where nobody's is, QEMU for its I/O
// threads, the cheapest question there is, with NOWAIT, so that a domain that libvirt is busy with
// is left alone. Only libvirtd's word that the monitor has been entered and not left makes a domain
// silent, as a question can be late for other reasons. A question that is late stays the only one;
// no more than FERRY_LIBVIRT_LATE_MOST hang at a time, since libvirtd has 20 workers for everybody.
#include "host/libvirt/libvirt_pulse.h"
#include "host/libvirt/libvirt_ask.h"
#include "host/libvirt/libvirt_base.h"
#include "host/libvirt/libvirt_connect.h"
#include "host/libvirt/libvirt_domains.h"
#include "base/log.h"

#define ROUND_MS 5000
#define SILENT_MS 4000
#define BREATH_MS 20 /* between two domains, so that a host with thousands is not kept busy */

/* ---- libvirtd ---- */

static gboolean read_version(FerryLibvirtAsk *a, GError **error) {
  unsigned long version;
  if (virConnectGetLibVersion(a->conn, &version) < 0)
    return ferry_libvirt_error(error, "libvirtd does not tell its version");
  return TRUE;
}

static gint64 set_silent(FerryLibvirtHost *host, gint64 since_us) {
  g_mutex_lock(&host->lock);
  gint64 before = host->silent_us;
  host->silent_us = since_us;
  g_mutex_unlock(&host->lock);
  return before;
}

static void tell_answers(FerryLibvirtHost *host) {
  ferry_info("libvirtd answers again", "FERRY_LIBVIRT_URI", host->uri);
  FerryHostEvent event = {.type = FERRY_HOST_EVENT_CONNECTED, .detail = host->uri};
  ferry_libvirt_tell(host, &event);
}

void ferry_libvirt_sign_of_life(FerryLibvirtHost *host) {
  if (ferry_libvirt_silent_us(host) && set_silent(host, 0))
    tell_answers(host);
}

void ferry_libvirt_feel_daemon(FerryLibvirtHost *host, virConnectPtr conn) {
  g_autoptr(GError) error = NULL;
  g_autoptr(FerryLibvirtAsk) ask = ferry_libvirt_ask_new(host, read_version);
  ask->conn = conn;
  virConnectRef(conn);
  /* an error is that of the connection, whose end has a callback of its own */
  gboolean silent =
      !ferry_libvirt_ask(ask, FERRY_LIBVIRT_PULSE, FERRY_ASK_DAEMON, FERRY_ASK_DAEMON_MS, &error) &&
      g_error_matches(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_SILENT);
  gint64 since = silent ? ferry_patience_late_us(host->patience, FERRY_LIBVIRT_PULSE) : 0;
  gint64 before = set_silent(host, since);
  if (since && !before) {
    ferry_patience_give_up(host->patience);
    ferry_warning(error->message, "FERRY_LIBVIRT_URI", host->uri);
    FerryHostEvent event = {.type = FERRY_HOST_EVENT_DISCONNECTED, .detail = error->message};
    ferry_libvirt_tell(host, &event);
  } else if (!since && before) {
    tell_answers(host);
  }
}

/* ---- QEMUs ---- */

gboolean ferry_libvirt_is_silent(FerryLibvirtHost *host, const char *uuid) {
  g_mutex_lock(&host->lock);
  gboolean silent = g_hash_table_contains(host->silent, uuid);
  g_mutex_unlock(&host->lock);
  return silent;
}

static void note_silence(FerryLibvirtHost *host, const char *uuid, gboolean silent) {
  g_mutex_lock(&host->lock);
  gboolean news = silent ? g_hash_table_add(host->silent, g_strdup(uuid))
                         : g_hash_table_remove(host->silent, uuid);
  g_mutex_unlock(&host->lock);
  if (!news)
    return;
  if (silent)
    ferry_warning("the VM's QEMU does not answer its monitor", "FERRY_DOMAIN", uuid);
  else
    ferry_info("the VM's QEMU answers again", "FERRY_DOMAIN", uuid);
  FerryHostEvent event = {
      .type = FERRY_HOST_EVENT_STATE, .uuid = uuid, .detail = silent ? "silent" : "answers"};
  ferry_libvirt_tell(host, &event);
}

void ferry_libvirt_suspect(FerryLibvirtHost *host, const char *uuid) {
  g_mutex_lock(&host->lock);
  g_hash_table_add(host->silent, g_strdup(uuid));
  g_mutex_unlock(&host->lock);
}

void ferry_libvirt_is_back(FerryLibvirtHost *host, const char *uuid) {
  note_silence(host, uuid, FALSE);
}

/* number: how long, in ms, somebody has waited for the monitor; 0: nobody does. Of a domain with a
 * job such as a migration libvirtd does not say it: then how long our own question is late. */
static gboolean read_control(FerryLibvirtAsk *a, GError **error) {
  virDomainControlInfo info;
  if (virDomainGetControlInfo(a->domain, &info, 0) < 0)
    return ferry_libvirt_error(error, "cannot read the state of the domain's monitor");
  gint64 late_us = ferry_patience_late_us(a->host->patience, a->uuid);
  if (info.state == VIR_DOMAIN_CONTROL_OCCUPIED)
    a->number = (gint64)info.stateTime;
  else if (info.state == VIR_DOMAIN_CONTROL_JOB && late_us)
    a->number = (g_get_monotonic_time() - late_us) / 1000;
  return TRUE;
}

/* -1: not known. */
static gint64 occupied_ms(FerryLibvirtHost *host, virDomainPtr domain, const char *uuid) {
  g_autofree char *key = g_strconcat("state ", uuid, NULL);
  g_autoptr(FerryLibvirtAsk) ask = ferry_libvirt_ask_new(host, read_control);
  ask->uuid = g_strdup(uuid);
  ask->domain = domain;
  virDomainRef(domain);
  return ferry_libvirt_ask(ask, key, FERRY_ASK_DAEMON, FERRY_ASK_STATE_MS, NULL) ? ask->number : -1;
}

/* On a connection of its own: one that hangs takes a place among those that a client may have open.
 */
static gboolean feel_monitor(FerryLibvirtAsk *a, GError **error) {
  virConnectPtr conn = ferry_libvirt_take(a->host, error);
  virDomainPtr domain = conn ? ferry_libvirt_lookup(conn, a->uuid, error) : NULL;
  virDomainPtr domains[] = {domain, NULL};
  virDomainStatsRecordPtr *records = NULL;
  gboolean ok = domain && virDomainListGetStats(domains, VIR_DOMAIN_STATS_IOTHREAD, &records,
                                                VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT) >= 0;
  if (ok)
    virDomainStatsRecordListFree(records);
  else if (domain)
    ferry_libvirt_error(error, "the VM's QEMU does not tell its I/O threads");
  if (domain)
    virDomainFree(domain);
  ferry_libvirt_give(a->host, conn);
  return ok;
}

static void feel_qemu(FerryLibvirtHost *host, virDomainPtr domain) {
  char uuid[VIR_UUID_STRING_BUFLEN];
  if (virDomainGetUUIDString(domain, uuid) < 0)
    return;
  gint64 waited = occupied_ms(host, domain, uuid);
  if (waited >= 0 && waited < SILENT_MS && !ferry_patience_late_us(host->patience, uuid) &&
      ferry_patience_late(host->patience) < FERRY_LIBVIRT_LATE_MOST) {
    g_autoptr(FerryLibvirtAsk) ask = ferry_libvirt_ask_new(host, feel_monitor);
    ask->uuid = g_strdup(uuid);
    if (!ferry_libvirt_ask(ask, uuid, FERRY_ASK_QEMU, SILENT_MS + ROUND_MS / 10, NULL))
      waited = occupied_ms(host, domain, uuid);
  }
  if (waited >= 0)
    note_silence(host, uuid, waited >= SILENT_MS);
}

/* Waits; FALSE: the host stops. */
static gboolean pulse_pause(FerryLibvirtHost *host, gint64 ms) {
  gint64 until = g_get_monotonic_time() + ms * 1000;
  g_mutex_lock(&host->lock);
  while (!host->stop && g_cond_wait_until(&host->cond, &host->lock, until))
    ;
  gboolean stop = host->stop;
  g_mutex_unlock(&host->lock);
  return !stop;
}

static void feel_all(FerryLibvirtHost *host, virDomainPtr const *domains) {
  for (gsize i = 0; domains[i] && pulse_pause(host, BREATH_MS); i++)
    feel_qemu(host, domains[i]);
}

/* Of what is not active any more nothing is kept. */
static void forget_ended(FerryLibvirtHost *host, virDomainPtr const *domains) {
  g_autoptr(GHashTable) active = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (gsize i = 0; domains[i]; i++) {
    char uuid[VIR_UUID_STRING_BUFLEN] = "";
    virDomainGetUUIDString(domains[i], uuid);
    g_hash_table_add(active, g_strdup(uuid));
  }
  GHashTableIter iter;
  gpointer uuid;
  g_mutex_lock(&host->lock);
  GHashTable *tables[] = {host->silent, host->definitions};
  for (gsize i = 0; i < G_N_ELEMENTS(tables); i++) {
    g_hash_table_iter_init(&iter, tables[i]);
    while (g_hash_table_iter_next(&iter, &uuid, NULL))
      if (!g_hash_table_contains(active, uuid))
        g_hash_table_iter_remove(&iter);
  }
  g_mutex_unlock(&host->lock);
}

gpointer ferry_libvirt_pulse_thread(gpointer data) {
  FerryLibvirtHost *host = data;
  while (pulse_pause(host, ROUND_MS)) {
    virDomainPtr *active = ferry_libvirt_domains(host, VIR_CONNECT_LIST_DOMAINS_ACTIVE, NULL);
    if (!active)
      continue;
    forget_ended(host, active);
    feel_all(host, active);
    ferry_libvirt_domains_free(active);
  }
  return NULL;
}
