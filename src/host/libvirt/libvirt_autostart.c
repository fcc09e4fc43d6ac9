// SPDX-License-Identifier: Apache-2.0
#include "host/libvirt/libvirt_private.h"

gboolean ferry_libvirt_job_autostart(FerryHostJob *job, gboolean *on, GError **error) {
  virDomainPtr domain = ferry_libvirt_job_domain(job);
  int value = 0;
  *on = FALSE;
  if (virDomainIsPersistent(domain) == 1 && virDomainGetAutostart(domain, &value) < 0)
    return ferry_libvirt_error(error, "cannot ask whether the domain starts with its host");
  *on = value != 0;
  return TRUE;
}

gboolean ferry_libvirt_job_set_autostart(FerryHostJob *job, gboolean on, GError **error) {
  if (virDomainSetAutostart(ferry_libvirt_job_domain(job), on) < 0)
    return ferry_libvirt_error(error, "cannot set whether the domain starts with its host");
  return TRUE;
}

gboolean ferry_libvirt_peer_set_autostart(FerryHost *host, const char *uri, const char *uuid,
                                          gboolean on, GError **error) {
  virConnectPtr conn = virConnectOpen(uri);
  virDomainPtr domain = conn ? virDomainLookupByUUIDString(conn, uuid) : NULL;
  gboolean ok = domain && virDomainSetAutostart(domain, on) == 0;
  if (!ok)
    ferry_libvirt_error(error, "cannot set at the other host whether the domain starts with it");
  if (domain)
    virDomainFree(domain);
  if (conn)
    virConnectClose(conn);
  return ok;
}
