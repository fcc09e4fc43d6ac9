// SPDX-License-Identifier: Apache-2.0
#include "host/libvirt/libvirt_state.h"
#include <string.h>

/* libvirt's reasons by state, indexed by the numbers of its enums. */
static const char *const running_reasons[] = {
    "unknown",       "booted",   "migrated",           "restored",
    "from-snapshot", "unpaused", "migration-canceled", "save-canceled",
    "wakeup",        "crashed",  "postcopy",           "postcopy-failed"};
static const char *const paused_reasons[] = {"unknown",       "user",
                                             "migration",     "save",
                                             "dump",          "io-error",
                                             "watchdog",      "from-snapshot",
                                             "shutting-down", "snapshot",
                                             "crashed",       "starting-up",
                                             "postcopy",      "postcopy-failed",
                                             "api-error"};
static const char *const shutoff_reasons[] = {"unknown", "shutdown",      "destroyed",
                                              "crashed", "migrated",      "saved",
                                              "failed",  "from-snapshot", "daemon"};

static const struct {
  FerryVmState state;
  const char *const *reasons;
  guint n;
} libvirt_states[] = {
    [VIR_DOMAIN_NOSTATE] = {FERRY_VM_NOSTATE, NULL, 0},
    [VIR_DOMAIN_RUNNING] = {FERRY_VM_RUNNING, running_reasons, G_N_ELEMENTS(running_reasons)},
    [VIR_DOMAIN_BLOCKED] = {FERRY_VM_BLOCKED, NULL, 0},
    [VIR_DOMAIN_PAUSED] = {FERRY_VM_PAUSED, paused_reasons, G_N_ELEMENTS(paused_reasons)},
    [VIR_DOMAIN_SHUTDOWN] = {FERRY_VM_SHUTDOWN, NULL, 0},
    [VIR_DOMAIN_SHUTOFF] = {FERRY_VM_SHUTOFF, shutoff_reasons, G_N_ELEMENTS(shutoff_reasons)},
    [VIR_DOMAIN_CRASHED] = {FERRY_VM_CRASHED, NULL, 0},
    [VIR_DOMAIN_PMSUSPENDED] = {FERRY_VM_PMSUSPENDED, NULL, 0},
};

gboolean ferry_libvirt_state(virDomainPtr domain, FerryDomainState *out, GError **error) {
  int state = 0, reason = 0;
  *out = (FerryDomainState){.state = FERRY_VM_GONE, .reason = "unknown", .id = -1};
  if (virDomainGetState(domain, &state, &reason, 0) < 0) {
    virErrorPtr e = virGetLastError();
    if (e && e->code == VIR_ERR_NO_DOMAIN) {
      virResetLastError();
      return TRUE;
    }
    return ferry_libvirt_error(error, "cannot read the domain's state");
  }
  out->exists = TRUE;
  if (state < 0 || state >= (int)G_N_ELEMENTS(libvirt_states))
    state = VIR_DOMAIN_NOSTATE;
  out->state = libvirt_states[state].state;
  if (reason >= 0 && reason < (int)libvirt_states[state].n)
    out->reason = libvirt_states[state].reasons[reason];
  /* The domain object may come from before a stop: its own id is stale then. */
  out->active = state != VIR_DOMAIN_SHUTOFF && state != VIR_DOMAIN_NOSTATE;
  int persistent = virDomainIsPersistent(domain);
  if (persistent < 0)
    virResetLastError();
  out->persistent = persistent == 1;
  unsigned id = out->active ? virDomainGetID(domain) : (unsigned)-1;
  out->id = id == (unsigned)-1 ? -1 : (int)id;
  virResetLastError();
  return TRUE;
}

static const char *const job_operations[] = {
    "unknown",  "start",           "save", "restore", "migration-in",   "migration-out",
    "snapshot", "snapshot-revert", "dump", "backup",  "snapshot-delete"};

void ferry_libvirt_stats(const virTypedParameter *params, int n, FerryJobStats *out) {
  ferry_job_stats_clear(out);
  const struct {
    const char *name;
    gint64 *field;
  } map[] = {
      {VIR_DOMAIN_JOB_TIME_ELAPSED, &out->elapsed_ms},
      {VIR_DOMAIN_JOB_DOWNTIME, &out->downtime_ms},
      {VIR_DOMAIN_JOB_SETUP_TIME, &out->setup_ms},
      {VIR_DOMAIN_JOB_DATA_TOTAL, &out->data_total},
      {VIR_DOMAIN_JOB_DATA_PROCESSED, &out->data_processed},
      {VIR_DOMAIN_JOB_DATA_REMAINING, &out->data_remaining},
      {VIR_DOMAIN_JOB_MEMORY_TOTAL, &out->memory_total},
      {VIR_DOMAIN_JOB_MEMORY_PROCESSED, &out->memory_processed},
      {VIR_DOMAIN_JOB_MEMORY_REMAINING, &out->memory_remaining},
      {VIR_DOMAIN_JOB_MEMORY_BPS, &out->memory_bps},
      {VIR_DOMAIN_JOB_MEMORY_DIRTY_RATE, &out->dirty_pages_per_s},
      {VIR_DOMAIN_JOB_MEMORY_PAGE_SIZE, &out->page_size},
      {VIR_DOMAIN_JOB_MEMORY_ITERATION, &out->iteration},
      {VIR_DOMAIN_JOB_AUTO_CONVERGE_THROTTLE, &out->throttle_percent},
      {VIR_DOMAIN_JOB_MEMORY_NORMAL, &out->normal_pages},
      {VIR_DOMAIN_JOB_COMPRESSION_PAGES, &out->xbzrle_pages},
      {VIR_DOMAIN_JOB_DISK_TOTAL, &out->disk_total},
      {VIR_DOMAIN_JOB_DISK_PROCESSED, &out->disk_processed},
      {VIR_DOMAIN_JOB_DISK_REMAINING, &out->disk_remaining},
      {VIR_DOMAIN_JOB_DISK_BPS, &out->disk_bps},
  };
  g_strlcpy(out->operation, "unknown", sizeof out->operation);
  for (int i = 0; i < n; i++) {
    const virTypedParameter *p = &params[i];
    if (p->type == VIR_TYPED_PARAM_INT && strcmp(p->field, VIR_DOMAIN_JOB_OPERATION) == 0) {
      int op = p->value.i;
      if (op >= 0 && op < (int)G_N_ELEMENTS(job_operations))
        g_strlcpy(out->operation, job_operations[op], sizeof out->operation);
      out->migration_out = op == VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT;
      out->migration_in = op == VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN;
      continue;
    }
    for (gsize k = 0; k < G_N_ELEMENTS(map); k++)
      if (strcmp(p->field, map[k].name) == 0) {
        if (p->type == VIR_TYPED_PARAM_ULLONG)
          *map[k].field = (gint64)MIN(p->value.ul, (unsigned long long)G_MAXINT64);
        else if (p->type == VIR_TYPED_PARAM_INT)
          *map[k].field = p->value.i;
        break;
      }
  }
}
