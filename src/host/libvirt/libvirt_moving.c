// SPDX-License-Identifier: Apache-2.0
#include "host/libvirt/libvirt_moving.h"
#include "host/libvirt/libvirt_state.h"

gboolean ferry_libvirt_moves(int state, int reason, gboolean known, const FerryJobStats *job) {
  static const struct {
    int state, reason;
  } moving[] = {{VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_MIGRATION},
                {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_STARTING_UP},
                {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_POSTCOPY},
                {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_POSTCOPY_FAILED},
                {VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_POSTCOPY},
                {VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_POSTCOPY_FAILED}};
  for (gsize i = 0; i < G_N_ELEMENTS(moving); i++)
    if (state == moving[i].state && reason == moving[i].reason)
      return TRUE;
  return !known || (job && (job->migration_out || job->migration_in));
}

/* A driver without jobs has no migrations; a target's libvirtd tells nothing of one that comes. */
static gboolean domain_moves(virDomainPtr domain) {
  virTypedParameterPtr params = NULL;
  int n = 0, type = VIR_DOMAIN_JOB_NONE, state = VIR_DOMAIN_NOSTATE, reason = 0;
  FerryJobStats stats = {0};
  gboolean known = virDomainGetState(domain, &state, &reason, 0) >= 0 &&
                   virDomainGetJobStats(domain, &type, &params, &n, 0) >= 0;
  virErrorPtr e = known ? NULL : virGetLastError();
  if (e && (e->code == VIR_ERR_NO_SUPPORT || e->code == VIR_ERR_NO_DOMAIN))
    known = TRUE;
  ferry_libvirt_stats(params, n, &stats);
  virTypedParamsFree(params, n);
  virResetLastError();
  return ferry_libvirt_moves(state, reason, known, type == VIR_DOMAIN_JOB_NONE ? NULL : &stats);
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
