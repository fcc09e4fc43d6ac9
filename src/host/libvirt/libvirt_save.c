// SPDX-License-Identifier: Apache-2.0
// Hibernation: a domain's whole state into a file, and back.
#include "host/libvirt/libvirt_private.h"

gboolean ferry_libvirt_save(FerryHost *base, const char *uuid, const char *path, GError **error) {
  FerryLibvirtHost *host = (FerryLibvirtHost *)base;
  virConnectPtr conn = ferry_libvirt_take(host, error);
  virDomainPtr domain = conn ? ferry_libvirt_lookup(conn, uuid, error) : NULL;
  gboolean ok = domain && virDomainSave(domain, path) == 0;
  if (domain && !ok)
    ferry_libvirt_error(error, "cannot save the domain");
  if (domain)
    virDomainFree(domain);
  if (conn)
    ferry_libvirt_give(host, conn);
  return ok;
}

gboolean ferry_libvirt_restore(FerryHost *base, const char *path, GError **error) {
  FerryLibvirtHost *host = (FerryLibvirtHost *)base;
  virConnectPtr conn = ferry_libvirt_take(host, error);
  gboolean ok = conn && virDomainRestore(conn, path) == 0;
  if (conn && !ok)
    ferry_libvirt_error(error, "cannot restore the domain");
  if (conn)
    ferry_libvirt_give(host, conn);
  return ok;
}
