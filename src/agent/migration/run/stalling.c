// SPDX-License-Identifier: Apache-2.0
#include "agent/migration/run/stalling.h"
#include "agent/migration/run/recovery.h"
#include "model/domain/domain_states.h"
#include "model/migration/reasons.h"
#include "base/rfc3339.h"
#include "model/migration/condition.h"

static void set_stalling(FerryRunning *r, gboolean stalling, const char *reason,
                         const char *message) {
  g_autofree char *now = ferry_rfc3339_format(g_get_real_time() / 1000);
  ferry_stall_set_told(&r->stalling, stalling);
  ferry_shown_send(r->shown, json_pack("{s:[{s:s, s:s, s:s, s:s, s:s}]}", "conditions", "type",
                                       ferry_condition_name(FERRY_CONDITION_STALLING), "status",
                                       stalling ? "True" : "False", "reason", reason, "message",
                                       message, "lastTransitionTime", now));
}

static char *broken_text(const FerryRunning *r, gboolean here) {
  const char *target = ferry_json_str(r->asked->object, "status.migrationState.targetNode");
  const char *node = ferry_context_node(r->ports->context);
  if (here)
    return g_strdup_printf("the connection broke in post-copy and %s has not noticed: its QEMU "
                           "waits, and this migration with it. Where Ferry can resume it, the "
                           "agent there closes the connection; by hand: ss -K dst ADDRESS, with "
                           "the address of %s on the migration's network. Destroy the VM on "
                           "neither host",
                           target ? target : "the target", node);
  return g_strdup_printf("nothing has moved for %d s in post-copy, and the VM waits for its "
                         "memory. It goes on by itself when the link comes back; "
                         "status.migrationState.recovery says what else is done. Destroy the VM "
                         "on neither host",
                         FERRY_BROKEN_S);
}

static void check_connection(FerryRunning *r) {
  FerryDomainState state;
  gint64 moved_us = r->broken.moved_us;
  ferry_recovery_note_path(r);
  gboolean due = ferry_broken_is_due(&r->broken, r->last.memory_processed, g_get_monotonic_time());
  if (r->broken.moved_us != moved_us)
    ferry_recovery_moves(r);
  if (!due)
    return;
  gboolean here = ferry_host_job_state(r->job, &state, NULL) &&
                  g_str_equal(state.reason, FERRY_VM_REASON_POST_COPY_FAILED);
  if (ferry_broken_tells(&r->broken, here)) {
    g_autofree char *message = broken_text(r, here);
    ferry_warning(message, "FERRY_MIGRATION", r->asked->name);
    ferry_shown_tell(r->shown, "Warning", ferry_reason_name(FERRY_REASON_POST_COPY_BROKEN),
                     message);
    ferry_recovery_note_told(r);
  }
  ferry_recovery_turn(r);
}

/* What was asked for may have come too late: then the guest was paused for pre-copy's switch-over,
 * and whoever waits for a post-copy here is blind for libvirt resuming the source. */
static gboolean is_in_post_copy(FerryRunning *r) {
  gint64 switchover_us = 0;
  gboolean post_copy = FALSE;
  ferry_inbox_stage(r->inbox, &switchover_us, &post_copy);
  return r->step.post_copy && (post_copy || !switchover_us);
}

void ferry_stalling_check(FerryRunning *r) {
  if (is_in_post_copy(r))
    check_connection(r);
  FerryConvergenceStall seen;
  ferry_convergence_stall(r->step.convergence, g_get_monotonic_time(), &seen);
  gboolean stalls = ferry_stall_judge(&r->stalling, &seen, r->step.post_copy);
  if (!ferry_stall_is_news(&r->stalling, stalls))
    return;
  g_autofree char *message = ferry_stall_text(&seen, stalls, r->step.post_copy);
  set_stalling(r, stalls,
               ferry_reason_name(stalls ? FERRY_REASON_NO_PROGRESS : FERRY_REASON_PROGRESSING),
               message);
  ferry_shown_tell(r->shown, stalls ? "Warning" : "Normal",
                   ferry_reason_name(stalls ? FERRY_REASON_MIGRATION_STALLING
                                            : FERRY_REASON_MIGRATION_PROGRESSING),
                   message);
}

void ferry_stalling_control(FerryRunning *r) {
  g_autofree char *text = NULL;
  if (!ferry_inbox_take_control(r->inbox, &text))
    return;
  const char *reason =
      ferry_reason_name(text ? FERRY_REASON_LINK_STALLED : FERRY_REASON_PROGRESSING);
  const char *message = text ? text : "the target's libvirtd answers again";
  ferry_stall_set_deaf(&r->stalling, text != NULL);
  set_stalling(r, text != NULL, reason, message);
  ferry_shown_tell(r->shown, text ? "Warning" : "Normal", reason, message);
}

void ferry_stalling_silence(FerryRunning *r, const GError *error) {
  gint64 now = g_get_monotonic_time();
  if (!ferry_silence_tells(&r->silence, error != NULL, now))
    return;
  g_autofree char *message = g_strdup_printf(
      "%s on %s: until it does nothing can be done with the VM; a cancel is carried out then. Look "
      "at that process there (stopped, or waiting for storage or for a dead link)",
      error->message, ferry_context_node(r->ports->context));
  const char *reason = ferry_reason_name(error->code == FERRY_HOST_ERROR_VM_SILENT
                                             ? FERRY_REASON_QEMU_SILENT
                                             : FERRY_REASON_LIBVIRT_UNREACHABLE);
  ferry_warning(message, "FERRY_MIGRATION", r->asked->name);
  set_stalling(r, TRUE, reason, message);
  ferry_shown_tell(r->shown, "Warning", reason, message);
}

void ferry_stalling_end(FerryRunning *r) {
  if (r->stalling.told)
    set_stalling(r, FALSE, ferry_reason_name(FERRY_REASON_ENDED), "the migration has ended");
}
