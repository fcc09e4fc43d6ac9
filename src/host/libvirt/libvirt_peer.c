// SPDX-License-Identifier: Apache-2.0
// What another host's libvirt says of a domain and of itself. libvirt has no time limit for opening
// a connection, so a libvirtd that hangs would keep the asking thread for as long as it likes.
#include "host/libvirt/libvirt_ask.h"

gboolean ferry_libvirt_ask_peer(FerryLibvirtAsk *a, const char *what, const char *uri,
                                GError **error) {
  g_autofree char *key = g_strdup_printf("%s %s %s", what, uri ? uri : "", a->uuid ? a->uuid : "");
  gint64 since;
  a->text = g_strdup(uri ? uri : "");
  gint64 ms = a->peer_ms ? a->peer_ms : FERRY_ASK_PEER_MS;
  if (!ferry_libvirt_ask_anyway(a->host->peers, a, key, ms, &since)) {
    g_set_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_PEER_UNREACHABLE,
                "the other host's libvirt (%s) does not answer", a->text);
    return FALSE;
  }
  if (a->error)
    g_propagate_error(error, g_steal_pointer(&a->error));
  return a->ok;
}

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
