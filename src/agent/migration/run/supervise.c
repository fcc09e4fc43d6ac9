// SPDX-License-Identifier: Apache-2.0
// Theory of operation: every POLL_MS, or woken early by news, the worker takes a turn: it looks at
// the job, carries out what people changed (change.c), makes the calls that the steps ask for
// (steer.c), and shows progress. What a look means and what is to be done is decided in step.c,
// which is pure.
#include "agent/migration/run/supervise.h"
#include "agent/migration/run/change.h"
#include "agent/migration/run/doubt.h"
#include "agent/migration/run/stalling.h"
#include "agent/migration/run/steer.h"
#include "base/rfc3339.h"

#define POLL_MS 50

/* What the first plan expects is kept, to be scored when the migration has ended. */
static void note_forecast(FerryRunning *r) {
  json_t *forecast = ferry_step_forecast(&r->step, g_get_monotonic_time());
  if (!forecast)
    return;
  g_autofree char *time = ferry_rfc3339_format_ms(g_get_real_time() / 1000);
  ferry_json_set_str(forecast, "time", time);
  ferry_shown_send(r->shown, json_pack("{s:o}", "forecast", forecast));
}

static void show_turn(FerryRunning *r) {
  ferry_stalling_check(r);
  note_forecast(r);
  ferry_running_note_course(r, FALSE);
  FerryEta eta;
  ferry_convergence_eta(r->step.convergence, g_get_monotonic_time(), &eta);
  ferry_shown_progress(r->shown, &r->last, r->step.post_copy, &eta, ferry_running_elapsed_ms(r));
}

/* libvirt takes a definition while the VM moves, and loses it at the end: it is read at once. */
static void see_definition(FerryRunning *r) {
  if (r->kept && ferry_inbox_take_defined(r->inbox))
    ferry_kept_see(r->kept, r->job, TRUE);
}

/* What the guest has when it is paused is what it has when it goes on at the target. */
static void see_flows(FerryRunning *r) {
  gint64 switchover_us = 0;
  gboolean post_copy = FALSE;
  if (!r->flows)
    return;
  ferry_inbox_stage(r->inbox, &switchover_us, &post_copy);
  if (switchover_us || post_copy)
    ferry_flow_source_switch(r->flows);
}

static gboolean supervise_look(FerryRunning *r) {
  for (;;) {
    if (ferry_context_has_ended(r->ports->context))
      return FALSE;
    ferry_running_watch(r);
    ferry_doubt_guard(r);
    see_flows(r);
    see_definition(r);
    ferry_stalling_control(r);
    FerryLook seen = ferry_steer_look(r);
    if (!r->calling && seen == FERRY_LOOK_OVER) {
      return TRUE; /* adopted, and the job is over */
    } else if (!r->calling && seen == FERRY_LOOK_LOST && !ferry_running_open_job(r, -1, NULL)) {
      /* libvirt is back, the domain is not */
      return !ferry_context_has_ended(r->ports->context);
    }
    if (seen == FERRY_LOOK_RUNNING)
      ferry_change_apply(r);
    ferry_steer_act(r);
    if (seen == FERRY_LOOK_RUNNING)
      show_turn(r);
    if (ferry_inbox_wait(r->inbox, POLL_MS, r->cancel_seen))
      return TRUE;
  }
}

gboolean ferry_supervise(FerryRunning *r) {
  if (!r->step.convergence)
    ferry_steer_take_over(r);
  gboolean over = supervise_look(r);
  see_definition(r);
  ferry_running_unwatch(r);
  return over;
}
