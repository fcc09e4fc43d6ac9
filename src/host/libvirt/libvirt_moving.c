// SPDX-License-Identifier: Apache-2.0
#include "host/libvirt/libvirt_moving.h"
#include "host/libvirt/libvirt_state.h"

static gboolean domain_moves(virDomainPtr domain) {
  virTypedParameterPtr params = NULL;
  int n = 0, type = VIR_DOMAIN_JOB_NONE;
  FerryJobStats stats;
  if (virDomainGetJobStats(domain, &type, &params, &n, 0) < 0 || type == VIR_DOMAIN_JOB_NONE)
    return FALSE;
  ferry_libvirt_stats(params, n, &stats);
  virTypedParamsFree(params, n);
  return stats.migration_out || stats.migration_in;
}

char *ferry_libvirt_moving(const char *uri) {
  virConnectPtr conn = virConnectOpen(uri);
  virDomainPtr *domains = NULL;
  int n = conn ? virConnectListAllDomains(conn, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE) : -1;
  g_autoptr(GString) names = g_string_new(NULL);
  for (int i = 0; i < n; i++) {
    if (domain_moves(domains[i]))
      g_string_append_printf(names, "%s%s", names->len ? ", " : "", virDomainGetName(domains[i]));
    virDomainFree(domains[i]);
  }
  free(domains);
  if (conn)
    virConnectClose(conn);
  return n < 0 ? NULL : g_string_free(g_steal_pointer(&names), FALSE);
}
