// SPDX-License-Identifier: Apache-2.0
#include "host/libvirt/libvirt_autostart.h"
#include "host/libvirt/libvirt_ask.h"
#include "host/libvirt/libvirt_base.h"
#include "host/libvirt/libvirt_job_ask.h"

static gboolean read_autostart(FerryLibvirtAsk *a, GError **error) {
  int value = 0;
  if (virDomainIsPersistent(a->domain) == 1 && virDomainGetAutostart(a->domain, &value) < 0)
    return ferry_libvirt_error(error, "cannot ask whether the domain starts with its host");
  a->value = value != 0;
  return TRUE;
}

gboolean ferry_libvirt_job_autostart(FerryHostJob *job, gboolean *on, GError **error) {
  g_autoptr(FerryLibvirtAsk) ask =
      ferry_libvirt_ask_new(ferry_libvirt_job_host(job), read_autostart);
  *on = FALSE;
  if (!ferry_libvirt_ask_job(job, ask, FALSE, FERRY_ASK_STATE_MS, error))
    return FALSE;
  *on = ask->value != 0;
  return TRUE;
}

static gboolean set_autostart(FerryLibvirtAsk *a, GError **error) {
  if (virDomainSetAutostart(a->domain, a->value != 0) < 0)
    return ferry_libvirt_error(error, "cannot set whether the domain starts with its host");
  return TRUE;
}

gboolean ferry_libvirt_job_set_autostart(FerryHostJob *job, gboolean on, GError **error) {
  return ferry_libvirt_tell_job(job, set_autostart, on, FERRY_ASK_CALL_MS, error);
}

static gboolean set_at_peer(FerryLibvirtAsk *a, GError **error) {
  virConnectPtr conn = virConnectOpen(a->text);
  virDomainPtr domain = conn ? virDomainLookupByUUIDString(conn, a->uuid) : NULL;
  gboolean wanted = !domain || ferry_libvirt_ask_is_wanted(a, error);
  gboolean ok = domain && wanted && virDomainSetAutostart(domain, a->value != 0) == 0;
  if (!ok && wanted)
    ferry_libvirt_error(error, "cannot set at the other host whether the domain starts with it");
  if (domain)
    virDomainFree(domain);
  if (conn)
    virConnectClose(conn);
  return ok;
}

gboolean ferry_libvirt_peer_set_autostart(FerryHost *host, const char *uri, const char *uuid,
                                          gboolean on, GError **error) {
  g_autoptr(FerryLibvirtAsk) ask = ferry_libvirt_ask_new((FerryLibvirtHost *)host, set_at_peer);
  ask->uuid = g_strdup(uuid);
  ask->value = on;
  return ferry_libvirt_ask_peer(ask, "autostart", uri, error);
}
