// SPDX-License-Identifier: Apache-2.0
// What another host's libvirt says of a domain. libvirt has no time limit for opening a connection,
// so a libvirtd that hangs would keep the asking thread for as long as it likes.
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
