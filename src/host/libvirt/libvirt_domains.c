// SPDX-License-Identifier: Apache-2.0
#include "host/libvirt/libvirt_domains.h"
#include "host/libvirt/libvirt_ask.h"
#include "host/libvirt/libvirt_base.h"
#include <stdlib.h>

static gboolean read_domains(FerryLibvirtAsk *a, GError **error) {
  virDomainPtr *domains = NULL;
  if (virConnectListAllDomains(a->conn, &domains, (unsigned)a->value) < 0)
    return ferry_libvirt_error(error, "cannot list the domains");
  a->made = domains;
  return TRUE;
}

void ferry_libvirt_domains_free(virDomainPtr *domains) {
  for (gsize i = 0; domains && domains[i]; i++)
    virDomainFree(domains[i]);
  free(domains);
}

static void unmake_domains(gpointer made, FerryLibvirtHost *host) {
  ferry_libvirt_domains_free(made);
}

virDomainPtr *ferry_libvirt_domains(FerryLibvirtHost *host, unsigned flags, GError **error) {
  virConnectPtr conn = ferry_libvirt_ref(host, error);
  if (!conn)
    return NULL;
  g_autofree char *key = g_strdup_printf("domains %u", flags);
  g_autoptr(FerryLibvirtAsk) ask = ferry_libvirt_ask_new(host, read_domains);
  ask->conn = conn;
  ask->value = flags;
  ask->unmake = unmake_domains;
  if (!ferry_libvirt_ask(ask, key, FERRY_ASK_DAEMON, 2 * FERRY_ASK_STATE_MS, error))
    return NULL;
  return g_steal_pointer(&ask->made);
}
