// SPDX-License-Identifier: Apache-2.0
#include "agent/migration/doubt.h"
#include "agent/twin/ambiguity.h"
#include "base/log.h"
#include "model/flags/migration_flags.h"
#include "model/migration/reasons.h"

#define ASK_MS 500

static void doubt_warn(FerryRunning *r, const GError *error) {
  ferry_warning(error->message, "FERRY_MIGRATION", r->asked->name, "FERRY_DOMAIN", r->asked->uuid);
}

static void suspend(FerryRunning *r) {
  g_autoptr(GError) error = NULL;
  if (!r->job || !ferry_host_job_suspend(r->job, &error)) {
    if (error)
      doubt_warn(r, error);
    return;
  }
  r->guarded = TRUE;
  ferry_running_record(r, "Suspend", -1, ferry_reason_name(FERRY_REASON_AMBIGUOUS),
                       "libvirt resumed the guest after its switch-over had begun: it waits until "
                       "it is known that it does not run on the target");
}

void ferry_doubt_guard(FerryRunning *r) {
  const char *text;
  if (!r->guarded && !r->step.was_paused && ferry_inbox_was_resumed(r->inbox) &&
      !ferry_inbox_blamed(r->inbox, &text))
    suspend(r);
}

gboolean ferry_doubt_arises(FerryRunning *r, const GError *error, FerryDomainState *state) {
  gint64 switchover_us = 0;
  gboolean post_copy = FALSE;
  const char *text;
  ferry_inbox_stage(r->inbox, &switchover_us, &post_copy);
  /* a connection that this agent closed carried less than the whole */
  if (!state->active || ferry_inbox_blamed(r->inbox, &text) ||
      !ferry_ambiguity_arises(error, switchover_us, post_copy || r->step.post_copy))
    return FALSE;
  if (!r->guarded && !r->step.was_paused && g_strcmp0(state->state, "paused") != 0)
    suspend(r);
  ferry_host_job_state(r->job, state, NULL);
  state->reason = "migration"; /* whoever paused it: it is no person's pause */
  return TRUE;
}

static void go_on_here(FerryRunning *r) {
  g_autoptr(GError) error = NULL;
  if (!r->step.was_paused && !ferry_host_job_resume(r->job, &error))
    doubt_warn(r, error);
}

/* One that runs was resumed by a person meanwhile: which copy is worth more only he can say. */
static void end_here(FerryRunning *r) {
  g_autoptr(GError) error = NULL;
  FerryDomainState here;
  if (!ferry_host_job_state(r->job, &here, &error)) {
    doubt_warn(r, error);
    return;
  }
  if (g_strcmp0(here.state, "paused") != 0)
    return;
  gboolean undefine = ferry_migration_flag_on(r->asked->settings.request.config, "undefineSource");
  if (!ferry_host_job_destroy(r->job, undefine, &error))
    doubt_warn(r, error);
}

FerryAmbiguityAnswer ferry_doubt_resolve(FerryRunning *r, gint64 patience_ms) {
  FerryAmbiguity heard = {0};
  gint64 until = g_get_monotonic_time() + patience_ms * 1000;
  for (;;) {
    FerryDomainState peer;
    gboolean told = ferry_host_peer_state(r->ports->host, r->asked->settings.request.dest_uri,
                                          r->asked->uuid, &peer, NULL);
    FerryAmbiguityAnswer answer =
        ferry_ambiguity_hear(&heard, told ? &peer : NULL, g_get_monotonic_time());
    if (answer == FERRY_AMBIGUITY_STAYED)
      go_on_here(r);
    else if (answer == FERRY_AMBIGUITY_MOVED)
      end_here(r);
    if (answer != FERRY_AMBIGUITY_OPEN)
      return answer;
    if ((patience_ms >= 0 && g_get_monotonic_time() > until) ||
        !ferry_context_sleep(r->ports->context, ASK_MS))
      return FERRY_AMBIGUITY_OPEN;
  }
}
