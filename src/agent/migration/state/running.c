// SPDX-License-Identifier: Apache-2.0
#include "agent/migration/state/running.h"
#include "model/migration/phase.h"

#define LEAST_SENT (32 * 1024 * 1024) /* less says nothing of the path */

void ferry_running_init(FerryRunning *r, const FerryMigrationPorts *ports, FerryAsked *asked,
                        FerryMeasured *measured, FerryShown *shown, FerryInbox *inbox) {
  *r = (FerryRunning){
      .ports = ports, .asked = asked, .measured = measured, .shown = shown, .inbox = inbox};
  ferry_step_init(&r->step);
  ferry_step_set_forecast(&r->step, ferry_json_int(asked->object, "status.forecast.totalMs", 0));
  ferry_step_set_may_post_copy(&r->step, asked->settings.request.post_copy);
  ferry_step_set_scheduled(&r->step, asked->settings.schedule != NULL);
  ferry_stall_set_limit(&r->stalling,
                        ferry_json_int(asked->settings.request.config, "stallingLimit", 0));
  ferry_job_stats_clear(&r->last);
}

void ferry_running_clear(FerryRunning *r) {
  ferry_step_clear(&r->step);
}

void ferry_running_set_kept(FerryRunning *r, FerryKept *kept) {
  r->kept = kept;
}

void ferry_running_begin_flows(FerryRunning *r) {
  r->flows =
      ferry_flow_source_start(r->ports->host, r->shown->delivery, r->asked->uuid, r->asked->object);
}

void ferry_running_end_flows(FerryRunning *r) {
  g_clear_pointer(&r->flows, ferry_flow_source_stop);
}

void ferry_running_close_job(FerryRunning *r) {
  g_clear_pointer(&r->job, ferry_host_job_close);
}

void ferry_running_note_call(FerryRunning *r, gboolean calling) {
  r->calling = calling;
}

void ferry_running_note_stats(FerryRunning *r, const FerryJobStats *stats) {
  r->last = *stats;
}

void ferry_running_note_limit(FerryRunning *r) {
  r->path_changed = TRUE;
}

void ferry_running_set_again(FerryRunning *r, gint64 bandwidth) {
  r->again_bandwidth = bandwidth;
}

gint64 ferry_running_elapsed_ms(const FerryRunning *r) {
  return (g_get_monotonic_time() - r->step.start_us) / 1000;
}

gboolean ferry_running_is_cancelled(FerryRunning *r) {
  r->cancel_seen = r->cancel_seen || ferry_inbox_is_cancelled(r->inbox);
  return r->cancel_seen;
}

gboolean ferry_running_is_over(gpointer run) {
  FerryRunning *r = run;
  return ferry_context_has_ended(r->ports->context) || ferry_running_is_cancelled(r);
}

static void running_stage(gpointer inbox, gint64 *switchover_us, gboolean *post_copy) {
  ferry_inbox_stage(inbox, switchover_us, post_copy);
}

static void running_found(gpointer inbox, const char *reason, const char *text) {
  ferry_inbox_blame(inbox, reason, text);
}

static void running_silent(gpointer inbox, const char *text) {
  ferry_inbox_control(inbox, text);
}

void ferry_running_watch(FerryRunning *r) {
  const FerryMigrateRequest *request = &r->asked->settings.request;
  FerryPathWatchOwner owner = {r->inbox, running_stage, running_found, running_silent};
  if (r->watch || !r->job)
    return;
  ferry_host_job_set_path(r->job, request);
  r->watch = ferry_path_watch_new(
      r->job, &owner, ferry_json_str(r->asked->object, "status.migrationState.targetNode"),
      request->address);
}

void ferry_running_unwatch(FerryRunning *r) {
  g_clear_pointer(&r->watch, ferry_path_watch_free);
}

/* Somebody who cancels while libvirt is away is told that it is heard, and not that it is done. */
static void answer_cancel(FerryRunning *r) {
  if (!r->step.started || !ferry_running_is_cancelled(r) || r->step.giving_up.told)
    return;
  ferry_step_set_cancel_told(&r->step);
  ferry_shown_state(r->shown, "abortStatus", ferry_abort_name(FERRY_ABORT_ABORTING));
}

gboolean ferry_running_open_job(FerryRunning *r, gint64 patience_ms, GError **error) {
  gint64 backoff = 0, until = g_get_monotonic_time() + patience_ms * 1000;
  for (;;) {
    g_autoptr(GError) cause = NULL;
    ferry_running_unwatch(r);
    g_clear_pointer(&r->job, ferry_host_job_close);
    r->job = ferry_host_job_open(r->ports->host, r->asked->uuid, &cause);
    if (r->job)
      return TRUE;
    answer_cancel(r);
    if (!ferry_host_error_is_away(cause) || (patience_ms >= 0 && g_get_monotonic_time() > until) ||
        !ferry_context_sleep(r->ports->context, ferry_backoff_next(&backoff))) {
      g_propagate_error(error, g_steal_pointer(&cause));
      return FALSE;
    }
  }
}

void ferry_running_flush(FerryRunning *r) {
  for (;;) {
    g_autoptr(FerryStepWrite) w = ferry_step_take_write(&r->step);
    if (!w)
      return;
    if (w->key)
      ferry_shown_state(r->shown, w->key, w->value);
    else
      ferry_shown_record(r->shown, g_steal_pointer(&w->estimate), w->elapsed_ms, w->action,
                         w->number, w->code, w->reason);
  }
}

void ferry_running_record(FerryRunning *r, FerryAction action, gint64 value, const char *code,
                          const char *reason) {
  ferry_step_record(&r->step, action, value, code, reason, g_get_monotonic_time());
  ferry_running_flush(r);
}

void ferry_running_note_course(FerryRunning *r, gboolean last) {
  if (!r->step.convergence)
    return;
  g_autoptr(json_t) estimate =
      ferry_convergence_estimate(r->step.convergence, g_get_monotonic_time());
  /* libvirt's time goes on over a restart of the agent */
  gint64 elapsed = MAX(r->last.elapsed_ms, ferry_running_elapsed_ms(r));
  ferry_course_add(&r->shown->course, estimate, elapsed, last);
}

void ferry_running_enter_post_copy(FerryRunning *r) {
  ferry_step_enter_post_copy(&r->step);
  ferry_running_flush(r);
}

void ferry_running_enter_path(FerryRunning *r) {
  r->path_us = ferry_path_book_enter(r->ports->book);
}

void ferry_running_leave_path(FerryRunning *r, gboolean moved) {
  const FerryMigrateRequest *request = &r->asked->settings.request;
  gboolean alone = ferry_path_book_leave(r->ports->book, r->path_us);
  gint64 known = ferry_path_book_rate(r->ports->book, request->address);
  /* a cap says nothing of the link, a share of it no more, and in post-copy nobody measures */
  if (!(moved || r->cancel_seen) || !alone || !r->step.convergence || !request->address ||
      request->bandwidth > 0 || r->path_changed || r->again_bandwidth > 0 || r->step.post_copy ||
      r->last.data_processed < LEAST_SENT)
    return;
  g_autoptr(json_t) now = ferry_convergence_estimate(r->step.convergence, g_get_monotonic_time());
  gint64 rate = ferry_json_int(now, "rateBytesPerSecond", 0);
  /* one that was cancelled may have been so for a bad moment of the path: it teaches what nobody
   * knew, and no less than is known */
  if (rate > (moved ? 0 : known))
    ferry_path_book_set_rate(r->ports->book, request->address, rate);
}
