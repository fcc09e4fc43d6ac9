// SPDX-License-Identifier: Apache-2.0
// Theory of operation: the watch thread puts entries "Requested" of status.changes into a queue and
// wakes the worker, which carries them out between two looks at the job, tells the controller, so
// that it keeps within them, and writes back what became of each. An agent that adopts a migration
// takes what still waits, and tells its controller what had been applied before it.
#include "agent/migration/run/change.h"
#include "model/migration/migration.h"
#include "model/migration/phase.h"
#include "model/migration/reasons.h"
#include "base/quantity.h"
#include "base/rfc3339.h"

static void tell_controller(FerryRunning *r, const json_t *fields) {
  FerryTechnique technique = ferry_technique_of(fields);
  gint64 downtime = ferry_json_int(fields, "downtimeMs", 0);
  gint64 bandwidth = ferry_json_int(fields, "bandwidthMiBps", 0) * FERRY_MIB;
  if (downtime > 0 || bandwidth > 0)
    ferry_convergence_override(r->step.convergence, downtime, bandwidth, g_get_monotonic_time());
  if (technique)
    ferry_convergence_keep_precopy(r->step.convergence, technique == FERRY_TECHNIQUE_PRE_COPY);
  ferry_stall_set_limit(&r->stalling,
                        ferry_json_int(fields, "stallingLimitSeconds", r->stalling.limit_s));
}

void ferry_change_recall(FerryRunning *r) {
  gsize i;
  json_t *change;
  json_array_foreach(ferry_json_get(r->asked->object, "status.changes"), i, change) {
    gboolean whole = ferry_change_state_of(change) == FERRY_CHANGE_APPLIED; /* or a part */
    const json_t *fields = json_object_get(change, whole ? "fields" : "inForce");
    if (!fields)
      continue;
    tell_controller(r, fields);
    if (!json_object_get(fields, "bandwidthMiBps"))
      continue;
    ferry_running_note_limit(r);
    if (!r->asked->adopted) /* a new attempt begins with the policy's bandwidth */
      ferry_running_set_again(r, ferry_json_int(fields, "bandwidthMiBps", 0));
  }
}

/* One by one in the hypervisor; TRUE: all of it is in force. `done` gets what is. */
static gboolean carry_out_change(FerryRunning *r, const json_t *fields, json_t *done,
                                 GString *message) {
  g_autoptr(GError) error = NULL;
  const char *technique = ferry_json_str(fields, "technique");
  gint64 downtime = ferry_json_int(fields, "downtimeMs", 0);
  gint64 bandwidth = ferry_json_int(fields, "bandwidthMiBps", 0);
  gboolean post_copy = ferry_technique_of(fields) == FERRY_TECHNIQUE_POST_COPY;
  if (json_object_get(fields, "stallingLimitSeconds")) {
    json_object_set(done, "stallingLimitSeconds", json_object_get(fields, "stallingLimitSeconds"));
    g_string_append_printf(message, "stalling limit %" G_GINT64_FORMAT " s",
                           ferry_json_int(fields, "stallingLimitSeconds", 0));
  }
  const char *obstacle = ferry_migration_change_obstacle(fields, r->step.post_copy,
                                                         r->asked->settings.request.post_copy);
  if (obstacle) {
    g_string_append_printf(message, "%s%s", message->len ? "; " : "", obstacle);
    return FALSE;
  }
  if (downtime > 0) {
    if (!ferry_host_job_set_max_downtime(r->job, downtime, &error))
      goto failed;
    ferry_step_set_limit(&r->step);
    json_object_set(done, "downtimeMs", json_object_get(fields, "downtimeMs"));
    g_string_append_printf(message, "%sdowntime limit %" G_GINT64_FORMAT " ms",
                           message->len ? ", " : "", downtime);
  }
  if (bandwidth > 0) {
    gint64 first = ferry_convergence_before_bandwidth(r->step.convergence, bandwidth * FERRY_MIB,
                                                      g_get_monotonic_time());
    if (first > 0 && !ferry_host_job_set_max_downtime(r->job, first, &error))
      goto failed;
    ferry_running_note_limit(r);
    if (!ferry_host_job_set_max_speed(r->job, bandwidth * FERRY_MIB, &error))
      goto failed;
    json_object_set(done, "bandwidthMiBps", json_object_get(fields, "bandwidthMiBps"));
    g_string_append_printf(message, "%sbandwidth limit %" G_GINT64_FORMAT " MiB/s",
                           message->len ? ", " : "", bandwidth);
  }
  if (technique) {
    if (post_copy)
      ferry_inbox_set_post_copy(r->inbox);
    if (post_copy && !ferry_host_job_start_postcopy(r->job, &error))
      goto failed;
    json_object_set(done, "technique", json_object_get(fields, "technique"));
    g_string_append_printf(message, "%s%s", message->len ? ", " : "",
                           post_copy ? "switched to post-copy" : "it stays in pre-copy");
  }
  return TRUE;
failed:
  g_string_append_printf(message, "%s%s", message->len ? " is in force; but " : "", error->message);
  return FALSE;
}

/* Writes what became of a change, as its state and as an Event. */
static void answer_change(FerryRunning *r, const json_t *change, gboolean applied, json_t *in_force,
                          const char *message) {
  g_autofree char *now = ferry_rfc3339_format_ms(g_get_real_time() / 1000);
  const char *by = ferry_json_str(change, "by"), *why = ferry_json_str(change, "reason");
  json_t *part = !applied && json_object_size(in_force) ? json_incref(in_force) : NULL;
  ferry_shown_send(r->shown, json_pack("{s:[{s:s, s:s, s:s, s:s, s:o*}]}", "changes", "id",
                                       ferry_json_str(change, "id"), "state",
                                       ferry_change_state_name(applied ? FERRY_CHANGE_APPLIED
                                                                       : FERRY_CHANGE_REFUSED),
                                       "message", message, "appliedTime", now, "inForce", part));
  g_autofree char *text =
      g_strdup_printf("%s %s%s%s: %s", applied ? "changed for" : "refused to", by ? by : "?",
                      why ? ", who said: " : "", why ? why : "", message);
  ferry_shown_tell(r->shown, applied ? "Normal" : "Warning",
                   ferry_reason_name(applied ? FERRY_REASON_MIGRATION_CHANGED
                                             : FERRY_REASON_MIGRATION_CHANGE_REFUSED),
                   text);
  if (r->step.convergence)
    ferry_running_record(
        r, applied ? FERRY_ACTION_CHANGE : FERRY_ACTION_REFUSE, -1,
        ferry_reason_name(applied ? FERRY_REASON_REQUESTED : FERRY_REASON_REFUSED_CHANGE), text);
}

void ferry_change_apply(FerryRunning *r) {
  if (r->again_bandwidth > 0 &&
      ferry_host_job_set_max_speed(r->job, r->again_bandwidth * FERRY_MIB, NULL))
    ferry_running_set_again(r, 0);
  for (;;) {
    g_autoptr(json_t) change = ferry_inbox_take_change(r->inbox);
    if (!change)
      return;
    g_autoptr(json_t) done = json_object();
    g_autoptr(GString) message = g_string_new(NULL);
    gboolean applied = carry_out_change(r, json_object_get(change, "fields"), done, message);
    tell_controller(r, done);
    if (ferry_technique_of(done) == FERRY_TECHNIQUE_POST_COPY)
      ferry_running_enter_post_copy(r);
    answer_change(r, change, applied, done, message->str);
  }
}

void ferry_change_drop(FerryRunning *r) {
  for (;;) {
    g_autoptr(json_t) change = ferry_inbox_take_change(r->inbox);
    if (!change)
      return;
    answer_change(r, change, FALSE, NULL,
                  "nothing is in progress: it ended before this could be done");
  }
}
