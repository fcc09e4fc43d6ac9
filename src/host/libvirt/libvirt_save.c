// SPDX-License-Identifier: Apache-2.0
// Hibernation: a domain's whole state into a file, and back. Both take as long as the disk takes.
#include "host/libvirt/libvirt_save.h"
#include "host/libvirt/libvirt_ask.h"
#include "host/libvirt/libvirt_base.h"
#include "host/libvirt/libvirt_connect.h"

static gboolean save_domain(FerryLibvirtAsk *a, GError **error) {
  virConnectPtr conn = ferry_libvirt_take(a->host, error);
  virDomainPtr domain = conn ? ferry_libvirt_lookup(conn, a->uuid, error) : NULL;
  gboolean ok = domain && virDomainSave(domain, a->text) == 0;
  if (domain && !ok)
    ferry_libvirt_error(error, "cannot save the domain");
  if (domain)
    virDomainFree(domain);
  ferry_libvirt_give(a->host, conn);
  return ok;
}

gboolean ferry_libvirt_save(FerryHost *base, const char *uuid, const char *path, GError **error) {
  g_autoptr(FerryLibvirtAsk) ask = ferry_libvirt_ask_new((FerryLibvirtHost *)base, save_domain);
  ask->uuid = g_strdup(uuid);
  ask->text = g_strdup(path);
  return ferry_libvirt_ask(ask, NULL, FERRY_ASK_QEMU, FERRY_ASK_FOR_EVER_MS, error);
}

static gboolean restore_domain(FerryLibvirtAsk *a, GError **error) {
  virConnectPtr conn = ferry_libvirt_take(a->host, error);
  gboolean ok = conn && virDomainRestore(conn, a->text) == 0;
  if (conn && !ok)
    ferry_libvirt_error(error, "cannot restore the domain");
  ferry_libvirt_give(a->host, conn);
  return ok;
}

gboolean ferry_libvirt_restore(FerryHost *base, const char *path, GError **error) {
  g_autoptr(FerryLibvirtAsk) ask = ferry_libvirt_ask_new((FerryLibvirtHost *)base, restore_domain);
  ask->text = g_strdup(path);
  return ferry_libvirt_ask(ask, NULL, FERRY_ASK_DAEMON, FERRY_ASK_FOR_EVER_MS, error);
}
