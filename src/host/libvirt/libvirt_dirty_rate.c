// SPDX-License-Identifier: Apache-2.0
// How fast a guest changes its memory: QEMU samples pages at the start and the end of a period.
#include "host/libvirt/libvirt_dirty_rate.h"
#include "host/libvirt/libvirt_ask.h"
#include "host/libvirt/libvirt_base.h"
#include "host/libvirt/libvirt_job_ask.h"
#include "base/quantity.h"
#include <string.h>

#define POLL_US 50000
#define PATIENCE_US (5 * G_USEC_PER_SEC) /* beyond the period */

/* The newest calculation: its state, when it began (QEMU's clock) and its result; -1: not said. */
static gboolean libvirt_dirty_rate_look(virDomainPtr domain, long long *state, long long *began,
                                        long long *mib) {
  virDomainPtr domains[] = {domain, NULL};
  virDomainStatsRecordPtr *records = NULL;
  *state = *began = *mib = -1;
  int n = virDomainListGetStats(domains, VIR_DOMAIN_STATS_DIRTYRATE, &records, 0);
  if (n < 0)
    return FALSE;
  for (int i = 0; i < n; i++)
    for (int k = 0; k < records[i]->nparams; k++) {
      const virTypedParameter *p = &records[i]->params[k];
      if (strcmp(p->field, "dirtyrate.calc_status") == 0)
        *state = p->value.i;
      else if (strcmp(p->field, "dirtyrate.calc_start_time") == 0)
        *began = p->value.l;
      else if (strcmp(p->field, "dirtyrate.megabytes_per_second") == 0)
        *mib = p->value.l;
    }
  virDomainStatsRecordListFree(records);
  return TRUE;
}

static gboolean measure_dirty_rate(FerryLibvirtAsk *a, GError **error) {
  virDomainPtr domain = a->domain;
  int seconds = (int)a->value;
  long long state, began, mib, before;
  /* an earlier measurement stays readable until this one has begun: its start tells them apart */
  if (!libvirt_dirty_rate_look(domain, &state, &before, &mib))
    return ferry_libvirt_error(error, "cannot read the dirty rate");
  if (virDomainStartDirtyRateCalc(domain, seconds, VIR_DOMAIN_DIRTYRATE_MODE_PAGE_SAMPLING) < 0)
    return ferry_libvirt_error(error, "cannot measure the dirty rate");
  gint64 until = g_get_monotonic_time() + seconds * G_USEC_PER_SEC + PATIENCE_US;
  g_usleep((gulong)seconds * G_USEC_PER_SEC);
  do {
    if (!libvirt_dirty_rate_look(domain, &state, &began, &mib))
      return ferry_libvirt_error(error, "cannot read the dirty rate");
    if (state == VIR_DOMAIN_DIRTYRATE_MEASURED && mib >= 0 && (before < 0 || began != before)) {
      a->number = (gint64)MIN(mib, G_MAXINT64 / FERRY_MIB) * FERRY_MIB;
      return TRUE;
    }
    g_usleep(POLL_US);
  } while (g_get_monotonic_time() < until);
  g_set_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_INVALID_STATE,
              "the dirty rate was not measured within %d s", seconds + 5);
  return FALSE;
}

/* Not as a question to QEMU that others wait for: it takes its time. */
gboolean ferry_libvirt_job_dirty_rate(FerryHostJob *base, int seconds, gint64 *bytes_per_s,
                                      GError **error) {
  g_autofree char *key = g_strconcat("rate ", ferry_libvirt_job_path(base)->uuid, NULL);
  FerryLibvirtHost *host = ferry_libvirt_job_host(base);
  g_autoptr(FerryLibvirtAsk) ask = ferry_libvirt_ask_new(host, measure_dirty_rate);
  gint64 most_ms = (seconds * G_USEC_PER_SEC + 2 * PATIENCE_US) / 1000;
  ask->value = seconds;
  ask->domain = ferry_libvirt_job_domain(base);
  virDomainRef(ask->domain);
  if (!ferry_libvirt_ask(ask, key, FERRY_ASK_QEMU, most_ms, error))
    return FALSE;
  *bytes_per_s = ask->number;
  return TRUE;
}
