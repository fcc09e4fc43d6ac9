// SPDX-License-Identifier: Apache-2.0
// What another host's libvirt says of a domain, of itself and of what arrives there. libvirt has no
// time limit for opening a connection, so a libvirtd that hangs would keep the asking thread for as
// long as it likes.
#include "host/libvirt/libvirt_peer.h"
#include "host/libvirt/libvirt_ask.h"
#include "host/libvirt/libvirt_base.h"
#include "host/libvirt/libvirt_state.h"

static gboolean read_peer_state(FerryLibvirtAsk *a, GError **error) {
  virConnectPtr conn = virConnectOpen(a->text);
  if (!conn)
    return ferry_libvirt_error(error, "cannot ask the other host's libvirt");
  gboolean ok = FALSE;
  virDomainPtr domain = virDomainLookupByUUIDString(conn, a->uuid);
  if (domain) {
    ok = ferry_libvirt_state(domain, &a->state, error);
    virDomainFree(domain);
  } else {
    virErrorPtr e = virGetLastError();
    ok = e && e->code == VIR_ERR_NO_DOMAIN;
    if (!ok)
      ok = ferry_libvirt_error(error, "cannot look up the domain at the other host");
  }
  virConnectClose(conn);
  virResetLastError();
  return ok;
}

gboolean ferry_libvirt_peer_state(FerryHost *base, const char *uri, const char *uuid,
                                  FerryDomainState *out, GError **error) {
  g_autoptr(FerryLibvirtAsk) ask = ferry_libvirt_ask_new((FerryLibvirtHost *)base, read_peer_state);
  ask->uuid = g_strdup(uuid);
  *out = ask->state;
  if (!ferry_libvirt_ask_peer(ask, "state", uri, error))
    return FALSE;
  *out = ask->state;
  return TRUE;
}

static void write_version(char out[24], unsigned long v) {
  g_snprintf(out, 24, "%lu.%lu.%lu", v / 1000000, v / 1000 % 1000, v % 1000);
}

typedef struct {
  unsigned long here, there;
} PeerVersions;

static void versions_free(gpointer made, FerryLibvirtHost *host) {
  g_free(made);
}

static gboolean read_peer_versions(FerryLibvirtAsk *a, GError **error) {
  PeerVersions *v = g_new0(PeerVersions, 1);
  a->made = v;
  if (virConnectGetLibVersion(a->conn, &v->here) < 0)
    return ferry_libvirt_error(error, "cannot ask this host's libvirt for its version");
  virConnectPtr conn = virConnectOpen(a->text);
  if (!conn)
    return ferry_libvirt_error(error, "cannot ask the other host's libvirt");
  gboolean ok = virConnectGetLibVersion(conn, &v->there) == 0 ||
                ferry_libvirt_error(error, "cannot ask the other host's libvirt for its version");
  virConnectClose(conn);
  virResetLastError();
  return ok;
}

gboolean ferry_libvirt_peer_versions(FerryHost *base, const char *uri, FerryHostVersions *out,
                                     GError **error) {
  FerryLibvirtHost *host = (FerryLibvirtHost *)base;
  g_autoptr(FerryLibvirtAsk) ask = ferry_libvirt_ask_new(host, read_peer_versions);
  ask->unmake = versions_free;
  ask->conn = ferry_libvirt_ref(host, error);
  if (!ask->conn || !ferry_libvirt_ask_peer(ask, "versions", uri, error))
    return FALSE;
  const PeerVersions *v = ask->made;
  write_version(out->here, v->here);
  write_version(out->there, v->there);
  return TRUE;
}

/* libvirt gives no job statistics at the receiving end, so the domains' states tell: paused for a
 * migration, or running with their memory still to come. */
static gboolean libvirt_peer_arrives(virDomainPtr domain) {
  int state = 0, reason = 0;
  if (virDomainGetState(domain, &state, &reason, 0) < 0)
    return FALSE; /* gone meanwhile */
  return (state == VIR_DOMAIN_PAUSED && reason == VIR_DOMAIN_PAUSED_MIGRATION) ||
         (state == VIR_DOMAIN_RUNNING && reason == VIR_DOMAIN_RUNNING_POSTCOPY);
}

static gboolean count_incoming(FerryLibvirtAsk *a, GError **error) {
  virConnectPtr conn = virConnectOpen(a->text);
  virDomainPtr *domains = NULL;
  int count = conn ? virConnectListAllDomains(conn, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE) : -1;
  if (count < 0)
    ferry_libvirt_error(error, "cannot ask the other host what arrives there");
  for (int i = 0; i < count; i++) {
    a->number += libvirt_peer_arrives(domains[i]);
    virDomainFree(domains[i]);
  }
  free(domains);
  if (conn)
    virConnectClose(conn);
  return count >= 0;
}

gboolean ferry_libvirt_peer_incoming(FerryHost *base, const char *uri, gint64 *n, GError **error) {
  g_autoptr(FerryLibvirtAsk) ask = ferry_libvirt_ask_new((FerryLibvirtHost *)base, count_incoming);
  if (!ferry_libvirt_ask_peer(ask, "incoming", uri, error))
    return FALSE;
  *n = ask->number;
  return TRUE;
}
