// SPDX-License-Identifier: Apache-2.0
// While the source's agent prepares the target.
//
// The agent may hang there (a storage pool on NFS, a libvirtd) and report all the same, so there is
// a limit, KubeVirt's for a target that stays pending, and a shorter one for a cancel that nobody
// answers. Nothing has moved in these phases: the agent calls libvirt only once the store has taken
// Running, and a migration that has ended takes no phase any more. So it may be ended here whatever
// the agent does; it is asked to stop so that it removes what it has made.
#include "base/rfc3339.h"
#include "model/migration/reasons.h"
#include "control/migration_timeouts.h"
#include "control/migration_preparing.h"
#include "control/migration_outcome.h"
#include "control/migration_step.h"
#include "model/domain/domain_states.h"
#include "model/migration/migration.h"

static const char *migration_preparing_state(const FerryStep *s, const char *key) {
  const char *text = ferry_json_str(ferry_json_get(s->m, "status.migrationState"), key);
  return text ? text : "an unknown host";
}

/* Whether `limit` ms have gone by since `since`; else there is a wake for it. */
static gboolean is_over(FerryStep *s, gint64 since, gint64 limit) {
  if (s->now_ms - since >= limit)
    return TRUE;
  ferry_plan_wake(s->plan, since + limit);
  return FALSE;
}

/* What both hosts last said: nobody is there to ask. */
static void preparing_end(FerryStep *s) {
  const char *here =
      ferry_json_str(ferry_step_domain_on(s, migration_preparing_state(s, "sourceNode")), "state");
  const char *there =
      ferry_json_str(ferry_step_domain_on(s, migration_preparing_state(s, "targetNode")), "state");
  ferry_step_set(s, FERRY_STATE "sourceDomainState", here ? json_string(here) : NULL);
  ferry_step_set(s, FERRY_STATE "targetDomainState",
                 json_string(there ? there : ferry_vm_state_name(ferry_step_rest_at_target(s))));
}

/* The images that are there now, for the end of a sentence; new text. */
static char *left_behind(const FerryStep *s) {
  g_autoptr(GString) text = g_string_new(NULL);
  gsize i;
  json_t *disk;
  json_array_foreach(ferry_json_get(s->m, FERRY_STATE "targetDisks"), i, disk) {
    const char *path = ferry_json_str(disk, "path");
    if (path && ferry_json_bool(disk, "create", FALSE))
      g_string_append_printf(text, "%s%s", text->len ? ", " : "", path);
  }
  if (!text->len)
    return g_strdup("");
  return g_strdup_printf("; the agent removes %s on %s when it answers, else do so yourself",
                         text->str, migration_preparing_state(s, "targetNode"));
}

gboolean ferry_step_guard_cancel_unanswered(FerryStep *s) {
  if (!ferry_step_cancel_requested(s) || ferry_json_get(s->m, FERRY_STATE "agentResult"))
    return FALSE;
  gint64 since = ferry_rfc3339_parse(ferry_json_str(s->m, FERRY_STATE "abortTimestamp"));
  if (since < 0) {
    g_autofree char *now = ferry_rfc3339_format_ms(s->now_ms);
    ferry_step_set(s, FERRY_STATE "abortTimestamp", json_string(now));
    since = s->now_ms;
  }
  return is_over(s, since, FERRY_CANCEL_TIMEOUT_MS);
}

void ferry_step_act_cancel_unanswered(FerryStep *s) {
  const char *by = ferry_json_str(s->m, FERRY_STATE "abortRequestedBy");
  g_autofree char *left = left_behind(s);
  preparing_end(s);
  ferry_step_set(s, FERRY_STATE "abortStatus",
                 json_string(ferry_abort_name(FERRY_ABORT_SUCCEEDED)));
  ferry_step_fail(
      s, ferry_reason_name(FERRY_REASON_CANCELLED),
      "cancelled%s%s before it began; the VM was not touched, though the agent of %s has "
      "not answered%s",
      by ? " by " : "", by ? by : "", migration_preparing_state(s, "sourceNode"), left);
}

/* Since it was scheduled, for that is ferryd's own stamp: when the phase began is told by the clock
 * of the agent's host. */
gboolean ferry_step_guard_not_prepared(FerryStep *s) {
  gint64 since = ferry_rfc3339_parse(ferry_json_str(s->m, FERRY_STATE "startTimestamp"));
  if (ferry_step_cancel_requested(s) || ferry_json_get(s->m, FERRY_STATE "agentResult"))
    return FALSE;
  return is_over(s, since < 0 ? s->now_ms - ferry_step_phase_age(s) : since,
                 FERRY_PREPARE_TIMEOUT_MS);
}

void ferry_step_act_not_prepared(FerryStep *s) {
  const char *source = migration_preparing_state(s, "sourceNode"),
             *target = migration_preparing_state(s, "targetNode");
  int minutes = FERRY_PREPARE_TIMEOUT_MS / 60000;
  g_autofree char *left = left_behind(s);
  preparing_end(s);
  ferry_step_set(s, FERRY_STATE "abortRequested", json_true());
  ferry_step_set(s, FERRY_STATE "abortRequestedBy", json_string(FERRY_ITSELF));
  if (ferry_migration_is_forecast(s->m))
    ferry_step_fail(
        s, ferry_reason_name(FERRY_REASON_FORECAST_FAILED),
        "the agents of %s and %s have not measured within %d minutes; nothing was moved. "
        "See: journalctl -u ferry-agentd on %s",
        source, target, minutes, source);
  else
    ferry_step_fail(
        s, ferry_reason_name(FERRY_REASON_TARGET_NOT_READY),
        "host %s did not get ready for the VM within %d minutes; the VM was not touched%s. "
        "Look at libvirtd and the storage pools of %s, and at journalctl -u ferry-agentd "
        "on %s, which prepares it",
        target, minutes, left, target, source);
}
