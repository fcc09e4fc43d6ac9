// SPDX-License-Identifier: Apache-2.0
// What libvirt has no call for: the throttle of a running migration.
//
// Theory of operation: QEMU slows a guest down by auto-converge only. At a look at the dirty log, a
// second after the last at the least, it raises the throttle from cpu-throttle-initial by
// cpu-throttle-increment up to max-cpu-throttle once more was dirtied than
// throttle-trigger-threshold percent of what was sent, twice. All four may be set while it runs, so
// that the next raise ends at the percentage that is wanted, and an equal or lower maximum keeps or
// takes it there. The capability itself must have been on from the start.
#include "host/libvirt/libvirt_monitor.h"
#include "host/libvirt/libvirt_ask.h"
#include "host/libvirt/libvirt_base.h"
#include "host/libvirt/libvirt_job_ask.h"
#include <libvirt/libvirt-qemu.h>

#define KIB 1024
#define LEAST 1 /* QEMU's least; it stands for "not at all" */

static gboolean set_qemu_throttle(FerryLibvirtAsk *a, GError **error) {
  int wanted = (int)CLAMP(a->value, LEAST, 99);
  g_autofree char *command = g_strdup_printf(
      "{\"execute\":\"migrate-set-parameters\",\"arguments\":{\"cpu-throttle-initial\":%d,"
      "\"max-cpu-throttle\":%d,\"cpu-throttle-increment\":%d,\"throttle-trigger-threshold\":1}}",
      wanted, wanted, MAX(LEAST, wanted - 1));
  char *answer = NULL;
  int failed = virDomainQemuMonitorCommand(a->domain, command, &answer, 0);
  g_autoptr(json_t) object = answer ? json_loads(answer, 0, NULL) : NULL;
  free(answer);
  if (failed < 0)
    return ferry_libvirt_error(error, "cannot set the throttle");
  const char *refusal = ferry_json_str(object, "error.desc");
  if (!refusal)
    return TRUE;
  g_set_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_INVALID_STATE,
              "QEMU does not take a throttle of %d %%: %s", wanted, refusal);
  return FALSE;
}

gboolean ferry_libvirt_job_set_throttle(FerryHostJob *base, int percent, GError **error) {
  return ferry_libvirt_tell_job(base, set_qemu_throttle, percent, FERRY_ASK_CALL_MS, error);
}

static gboolean read_resident(FerryLibvirtAsk *a, GError **error) {
  virDomainMemoryStatStruct stats[VIR_DOMAIN_MEMORY_STAT_NR];
  int n = virDomainMemoryStats(a->domain, stats, G_N_ELEMENTS(stats), 0);
  if (n < 0)
    return ferry_libvirt_error(error, "cannot read how much memory the domain holds");
  for (int i = 0; i < n; i++)
    if (stats[i].tag == VIR_DOMAIN_MEMORY_STAT_RSS) {
      a->number = (gint64)MIN(stats[i].val, (unsigned long long)(G_MAXINT64 / KIB)) * KIB;
      return TRUE;
    }
  g_set_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_INVALID_STATE,
              "libvirt does not say how much memory the domain holds");
  return FALSE;
}

gboolean ferry_libvirt_job_resident(FerryHostJob *base, gint64 *bytes, GError **error) {
  g_autoptr(FerryLibvirtAsk) ask =
      ferry_libvirt_ask_new(ferry_libvirt_job_host(base), read_resident);
  if (!ferry_libvirt_ask_job(base, ask, TRUE, FERRY_ASK_NUMBERS_MS, error))
    return FALSE;
  *bytes = ask->number;
  return TRUE;
}
