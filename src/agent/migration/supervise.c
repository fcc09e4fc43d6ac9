// SPDX-License-Identifier: Apache-2.0
// Theory of operation: every POLL_MS, or woken early by news, the worker looks at the job. While it
// runs, the numbers go to the controller (steer.c), what people changed is carried out (change.c),
// and progress is shown. What a look means is judged by judge.c.
#include "agent/migration/supervise.h"
#include "agent/migration/change.h"
#include "agent/migration/stalling.h"
#include "agent/migration/steer.h"
#include "base/rfc3339.h"

#define POLL_MS 50
#define FINISH_MS 120 /* what libvirt does after the switch-over, until its call returns */

static FerryLook look_at_job(FerryRunning *r) {
  g_autoptr(GError) error = NULL;
  FerryJobStats stats;
  FerryDomainState state;
  gboolean may_be_post_copy = r->asked->settings.request.post_copy && !r->post_copy;
  gboolean told = ferry_host_job_stats(r->job, &stats, &error);
  FerryLookInput seen = {told ? &stats : NULL, error, NULL, r->calling};
  if (ferry_judge_needs_state(&seen, may_be_post_copy) &&
      ferry_host_job_state(r->job, &state, NULL))
    seen.state = &state;
  FerryLook found = ferry_judge_look(&seen);
  if (found == FERRY_LOOK_UNKNOWN)
    ferry_debug(error->message, "FERRY_MIGRATION", r->asked->name);
  if (told && stats.active && stats.migration_out)
    r->last = stats;
  if (found != FERRY_LOOK_RUNNING)
    return found;
  if (may_be_post_copy && seen.state && ferry_judge_is_post_copy(seen.state))
    ferry_running_enter_post_copy(r);
  ferry_steer_feed(r, &stats);
  if (!r->limit_set)
    r->limit_set = ferry_host_job_set_max_downtime(
        r->job, ferry_convergence_downtime_ms(r->convergence), NULL);
  return found;
}

/* What the first plan expects is kept, to be scored when the migration has ended. */
static void note_forecast(FerryRunning *r) {
  if (r->forecast_ms > 0 || r->asked->settings.schedule)
    return;
  g_autoptr(json_t) now = ferry_convergence_estimate(r->convergence, g_get_monotonic_time());
  r->forecast_ms = ferry_json_int(now, "forecastMs", 0);
  if (r->forecast_ms <= 0)
    return;
  r->forecast_ms += FINISH_MS;
  g_autofree char *time = ferry_rfc3339_format_ms(g_get_real_time() / 1000);
  ferry_shown_send(r->shown, json_pack("{s:{s:I, s:I, s:s}}", "forecast", "totalMs",
                                       (json_int_t)r->forecast_ms, "madeAtMs",
                                       (json_int_t)ferry_running_elapsed_ms(r), "time", time));
}

/* A cancel, or convergence gave up. */
static void abort_if_asked(FerryRunning *r) {
  FerryGivingUpPlan plan =
      ferry_judge_giving_up(&r->giving_up, ferry_running_is_cancelled(r), r->abort_code != NULL,
                            r->post_copy, g_get_monotonic_time());
  if (plan.status)
    ferry_shown_state(r->shown, "abortStatus", plan.status);
  g_autoptr(GError) error = NULL;
  if (plan.abort && !ferry_host_job_abort(r->job, &error))
    ferry_debug(error->message, "FERRY_MIGRATION", r->asked->name);
}

static void work_on_job(FerryRunning *r) {
  ferry_change_apply(r);
  ferry_steer_decide(r);
  ferry_stalling_check(r);
  note_forecast(r);
  ferry_running_note_course(r, FALSE);
  ferry_shown_progress(r->shown, &r->last, r->post_copy, ferry_running_elapsed_ms(r));
}

gboolean ferry_supervise(FerryRunning *r) {
  if (!r->convergence)
    ferry_steer_take_over(r);
  for (;;) {
    if (ferry_context_has_ended(r->ports->context))
      return FALSE;
    FerryLook seen = look_at_job(r);
    if (seen == FERRY_LOOK_RUNNING) {
      work_on_job(r);
    } else if (!r->calling && seen == FERRY_LOOK_OVER) {
      return TRUE; /* adopted, and the job is over */
    } else if (!r->calling && seen == FERRY_LOOK_LOST && !ferry_running_open_job(r, -1, NULL)) {
      /* libvirt is back, the domain is not */
      return !ferry_context_has_ended(r->ports->context);
    }
    abort_if_asked(r);
    if (ferry_inbox_wait(r->inbox, POLL_MS, r->cancel_seen))
      return TRUE;
  }
}
