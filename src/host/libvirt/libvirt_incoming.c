// SPDX-License-Identifier: Apache-2.0
// How many VMs another host is receiving. libvirt gives no job statistics at the receiving end, so
// the domains' states tell: paused for a migration, or running with their memory still to come.
#include "host/libvirt/libvirt_ask.h"

static gboolean libvirt_incoming_arrives(virDomainPtr domain) {
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
    a->number += libvirt_incoming_arrives(domains[i]);
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
