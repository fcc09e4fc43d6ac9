// SPDX-License-Identifier: Apache-2.0
// Errors of single calls are not fatal here: the job may just have ended, and the next turn sees
// that. The controller is told what was refused.
#include "agent/migration/steer.h"
#include "agent/migration/adopt.h"
#include "agent/migration/change.h"
#include "agent/migration/throttle.h"

static void record_decision(FerryRunning *r, const FerryConvergenceDecision *d) {
  ferry_running_record(r, ferry_convergence_action_name(d->action),
                       d->action == FERRY_CONVERGENCE_SET_DOWNTIME ||
                               d->action == FERRY_CONVERGENCE_SET_THROTTLE
                           ? d->value
                           : -1,
                       d->code, d->reason);
}

static gboolean suspend(FerryRunning *r, GError **error) {
  if (r->was_paused)
    return TRUE;
  if (!ferry_host_job_suspend(r->job, error))
    return FALSE;
  r->suspended = TRUE;
  ferry_shown_state(r->shown, "mode", "Paused");
  return TRUE;
}

static gboolean act_on(FerryRunning *r, const FerryConvergenceDecision *d, GError **error) {
  gboolean ok = TRUE;
  switch (d->action) {
  case FERRY_CONVERGENCE_SET_DOWNTIME:
    ok = r->limit_set = ferry_host_job_set_max_downtime(r->job, d->value, error);
    break;
  case FERRY_CONVERGENCE_START_POSTCOPY:
    ok = ferry_host_job_start_postcopy(r->job, error);
    if (ok)
      ferry_running_enter_post_copy(r);
    break;
  case FERRY_CONVERGENCE_SUSPEND:
    ok = suspend(r, error);
    break;
  case FERRY_CONVERGENCE_ABORT:
    r->abort_code = d->code;
    g_free(r->abort_reason);
    r->abort_reason = g_strdup(d->reason);
    break;
  case FERRY_CONVERGENCE_SET_THROTTLE:
    ok = ferry_host_job_set_throttle(r->job, (int)d->value, error);
    break;
  case FERRY_CONVERGENCE_NOTE:
    break;
  }
  return ok;
}

static void carry_out_decision(FerryRunning *r, const FerryConvergenceDecision *d) {
  g_autoptr(GError) error = NULL;
  if (act_on(r, d, &error))
    return;
  ferry_debug(error->message, "FERRY_MIGRATION", r->asked->name);
  ferry_convergence_refused(r->convergence, d->action);
  if (!r->started) /* not every hypervisor takes the first limit before the call: set again soon */
    return;
  g_autofree char *text = g_strdup_printf("%s was refused: %s",
                                          ferry_convergence_action_name(d->action), error->message);
  ferry_running_record(r, "Refuse", -1, "Refused", text);
}

void ferry_steer_decide(FerryRunning *r) {
  FerryConvergenceDecision d;
  gint64 now = g_get_monotonic_time();
  while (ferry_convergence_next(r->convergence, now, &d)) {
    record_decision(r, &d);
    carry_out_decision(r, &d);
    g_free(d.reason);
  }
}

void ferry_steer_begin(FerryRunning *r) {
  const FerryMeasured *measured = r->measured;
  FerryConvergenceIntent intent;
  ferry_measure_intent(r->ports, r->asked, r->measured, &intent);
  if (measured->long_s > 0) {
    intent.prior_seconds = measured->long_s;
    intent.prior_dirtied = (double)measured->long_rate * measured->long_s;
  }
  r->convergence = ferry_convergence_new(&intent, g_get_monotonic_time());
  ferry_change_recall(r);
  ferry_steer_decide(r);
}

void ferry_steer_take_over(FerryRunning *r) {
  const json_t *object = r->asked->object;
  FerryJobStats stats;
  gboolean told = ferry_host_job_stats(r->job, &stats, NULL) && stats.active;
  gint64 elapsed =
      ferry_adopt_elapsed_ms(object, told ? stats.elapsed_ms : 0, g_get_real_time() / 1000);
  gint64 now = g_get_monotonic_time(), best, stalled_ms;
  r->start_us = now - elapsed * 1000;
  r->stalling.told = ferry_adopt_stalling(object);
  const char *mode = ferry_json_str(object, "status.migrationState.mode");
  FerryDomainState state;
  r->suspended = g_strcmp0(mode, "Paused") == 0;
  r->was_paused = !r->suspended && ferry_host_job_state(r->job, &state, NULL) &&
                  g_str_equal(state.state, "paused") && g_str_equal(state.reason, "user");
  ferry_throttle_recall(r->asked);
  ferry_steer_begin(r);
  ferry_convergence_began(r->convergence, r->start_us);
  ferry_convergence_recall_guest(r->convergence, r->suspended, ferry_adopt_throttle(object), now);
  if (ferry_adopt_best(object, &best, &stalled_ms))
    ferry_convergence_recall(r->convergence, best, now - stalled_ms * 1000);
}

void ferry_steer_feed(FerryRunning *r, const FerryJobStats *s) {
  FerryProgress *progress = &r->shown->progress;
  if (r->asked->settings.request.copy_disks && progress->memory <= 0)
    progress->memory = ferry_measure_memory(r->ports, r->asked);
  FerryConvergenceSample sample = {
      .processed = MAX(0, s->data_processed),
      .remaining = MAX(0, s->data_remaining),
      .total = MAX(0, s->data_total),
      .follows = ferry_progress_follows(progress, s),
      .rate = MAX(0, s->memory_bps) + MAX(0, s->disk_bps),
      .dirty_rate = s->dirty_pages_per_s > 0
                        ? s->dirty_pages_per_s * (s->page_size > 0 ? s->page_size : 4096)
                        : 0,
      .tells_throttle = TRUE, /* libvirt leaves it out while there is none */
      .throttle_percent = (int)CLAMP(s->throttle_percent, 0, 99),
  };
  r->top_throttle = MAX(r->top_throttle, sample.throttle_percent);
  ferry_convergence_sample(r->convergence, &sample, g_get_monotonic_time());
  int iteration = MAX(ferry_inbox_iteration(r->inbox), (int)CLAMP(s->iteration, 0, G_MAXINT));
  if (iteration > r->iteration_fed) {
    r->iteration_fed = iteration;
    ferry_convergence_iteration(r->convergence, iteration, g_get_monotonic_time());
  }
}
