// SPDX-License-Identifier: Apache-2.0
// The result is what the controller of ferryd decides by, from both hosts' state; so it waits until
// it has arrived, and where that takes long it is kept for the next agent as well.
#include "agent/migration/finish.h"
#include "agent/migration/arrange/arm.h"
#include "model/migration/reasons.h"
#include "agent/core/workers.h"
#include "agent/migration/run/change.h"
#include "agent/migration/run/doubt.h"
#include "agent/migration/run/stalling.h"
#include "base/rfc3339.h"
#include "model/migration/phase.h"

#define SOON_MS 1000

/* The API's word for a domain that is not there. */
static const char *state_word(const FerryDomainState *state) {
  return ferry_vm_state_name(state->exists ? state->state : FERRY_VM_NOSTATE);
}

/* Of a domain that was never defined nothing is left to ask but what was told when it stopped; the
 * end of a copy in doubt is this agent's own. */
static const char *reason_of(const FerryMigrationParts *m, const FerryDomainState *state) {
  if (state->exists)
    return state->reason;
  return m->running.doubt.guarded ? NULL : ferry_inbox_stopped(m->inbox);
}

static json_t *finish_agent_result(const FerryMigrationParts *m, const FerryOutcome *o,
                                   gboolean returned) {
  g_autofree char *now = ferry_rfc3339_format_ms(g_get_real_time() / 1000);
  json_t *result =
      json_pack("{s:b, s:i, s:s, s:s, s:s}", "returned", returned, "errorCode", o->code, "error",
                o->message ? o->message : "", "sourceState", state_word(&o->state), "endedAt", now);
  if (o->reason)
    ferry_json_set_str(result, "reason", o->reason);
  const char *why = reason_of(m, &o->state);
  if (why)
    ferry_json_set_str(result, "sourceReason", why);
  gint64 attempt = ferry_worker_attempt(m->asked.object);
  if (attempt > 0)
    ferry_json_set_int(result, "attempt", attempt);
  return result;
}

/* For the VM's next migration, which needs it most where this one came to nothing. */
static void add_lesson(FerryMigrationParts *m, json_t *status, const FerryJobStats *last,
                       gboolean moved) {
  FerryRunning *r = &m->running;
  FerryLesson lesson;
  if (!r->step.convergence)
    return;
  gint64 pause = moved && last->downtime_ms > 0 && !r->step.post_copy ? last->downtime_ms : -1;
  ferry_lesson_take(r->step.convergence, ferry_asked_compression(&m->asked), pause, &lesson);
  json_t *taught = ferry_lesson_to_json(&lesson);
  if (taught)
    ferry_json_set(status, "summary.lesson", taught);
}

/* What went on, for a migration that had been started. */
static void add_summary(FerryMigrationParts *m, json_t *status, gboolean moved) {
  FerryRunning *r = &m->running;
  gint64 elapsed = ferry_running_elapsed_ms(r);
  FerryJobStats last;
  if (!ferry_inbox_completed(m->inbox, 0, &last))
    last = r->last;
  json_object_set_new(status, "summary", ferry_progress_summary(&last, elapsed, moved));
  ferry_json_set_int(status, "summary.topThrottlePercent", r->step.top_throttle);
  if (moved && r->step.forecast_ms > 0)
    ferry_json_set(status, "summary.forecastErrorPercent",
                   json_real(ferry_progress_forecast_error(r->step.forecast_ms, elapsed)));
  add_lesson(m, status, &last, moved);
  if (json_array_size(m->shown.decisions))
    json_object_set(status, "decisions", m->shown.decisions);
  ferry_running_note_course(r, TRUE);
  if (json_array_size(m->shown.course.rows))
    json_object_set(status, "course", m->shown.course.rows);
  json_object_set_new(
      status, "progress",
      ferry_progress_update(&m->shown.progress, &last, r->step.post_copy, NULL, elapsed));
}

void ferry_finish_autostart(FerryMigrationParts *m) {
  FerryAutostartPlace place = {m->ports.host, m->running.job, m->asked.uuid,
                               m->asked.settings.request.dest_uri,
                               ferry_json_str(m->asked.object, "status.migrationState.targetNode")};
  g_autofree char *left = ferry_autostart_give(&m->autostart, &place);
  if (left)
    ferry_shown_tell(&m->shown, "Warning", ferry_reason_name(FERRY_REASON_AUTOSTART_NOT_SET), left);
}

static void tell_if(FerryMigrationParts *m, const char *type, FerryReason reason,
                    const char *text) {
  if (text)
    ferry_shown_tell(&m->shown, type, ferry_reason_name(reason), text);
}

static void give_kept(FerryMigrationParts *m) {
  const FerryMigrateRequest *request = &m->asked.settings.request;
  FerryKeptPlace place = {m->ports.host, m->asked.uuid, request->dest_uri,
                          ferry_json_str(m->asked.object, "status.migrationState.targetNode"),
                          request->config};
  FerryKeptNews news = {0};
  ferry_kept_give(&m->kept, &place, &news);
  tell_if(m, "Normal", FERRY_REASON_CARRIED_ALONG, news.given);
  tell_if(m, "Warning", FERRY_REASON_LOST_ON_THE_WAY, news.lost);
  tell_if(m, "Warning", FERRY_REASON_CHANGED_ON_THE_WAY, news.changed);
  ferry_kept_news_clear(&news);
}

static gboolean has_moved(const FerryMigrationParts *m, const FerryOutcome *o) {
  return o->code == 0 && !o->message && !m->running.doubt.in_doubt;
}

static void hand_in(FerryMigrationParts *m, const FerryOutcome *o, gboolean returned) {
  gboolean moved = returned && o->code == 0 && !o->message;
  gboolean had_flows = m->running.flows != NULL;
  ferry_running_end_flows(&m->running); /* nothing of them is written after this */
  if (!m->running.doubt.in_doubt)
    ferry_finish_autostart(m);
  if (returned && has_moved(m, o) && ferry_kept_has_load(&m->kept))
    give_kept(m); /* before it is said to have moved; a mere comparison comes after that */
  ferry_change_drop(&m->running);
  ferry_stalling_end(&m->running);
  g_autoptr(json_t) status =
      json_pack("{s:{s:o}}", "migrationState", "agentResult", finish_agent_result(m, o, returned));
  if (!m->running.doubt.in_doubt)
    ferry_json_set(status, "migrationState.kept", json_null()); /* it has served */
  if (had_flows)
    ferry_json_set(status, "migrationState.flows", json_null()); /* the same */
  /* The controller's table ends a migration from PreparingTarget on. */
  if (!m->shown.accepted) {
    g_autoptr(json_t) phase = ferry_shown_phase(&m->shown, FERRY_PHASE_PREPARING_TARGET);
    json_object_update(status, phase);
  }
  if (m->running.cancel_seen)
    ferry_json_set_str(status, "migrationState.abortStatus",
                       ferry_abort_name(moved ? FERRY_ABORT_FAILED : FERRY_ABORT_SUCCEEDED));
  if (m->running.step.started)
    add_summary(m, status, moved);
  ferry_log(moved ? G_LOG_LEVEL_INFO : G_LOG_LEVEL_WARNING,
            moved        ? "the migration call has returned"
            : o->message ? o->message
                         : "not moved",
            "FERRY_MIGRATION", m->asked.name, "FERRY_DOMAIN", m->asked.uuid, "FERRY_SOURCE_STATE",
            state_word(&o->state), NULL);
  ferry_delivery_live(m->shown.delivery, FALSE);
  ferry_shown_send(&m->shown, json_deep_copy(status));
  if (ferry_delivery_flush(m->shown.delivery, SOON_MS) != FERRY_DELIVERY_PENDING)
    return;
  ferry_results_store(m->ports.results, m->asked.object, status);
  if (ferry_delivery_flush(m->shown.delivery, -1) != FERRY_DELIVERY_STOPPED)
    ferry_results_remove(m->ports.results, m->asked.uid);
}

void ferry_finish_note_call(FerryMigrationParts *m, const FerryOutcome *outcome) {
  m->ending.peer_lost = outcome->code == FERRY_HOST_ERROR_PEER_LOST;
}

void ferry_finish(FerryMigrationParts *m, const FerryOutcome *outcome) {
  hand_in(m, outcome, TRUE);
  m->ending.moved = has_moved(m, outcome);
  if (m->ending.moved)
    give_kept(m);
}

void ferry_finish_doubt(FerryMigrationParts *m) {
  FerryAmbiguityAnswer answer =
      m->running.doubt.in_doubt ? ferry_doubt_resolve(&m->running, -1) : FERRY_AMBIGUITY_OPEN;
  if (answer == FERRY_AMBIGUITY_OPEN)
    return;
  ferry_doubt_set_open(&m->running, FALSE);
  if (answer == FERRY_AMBIGUITY_STAYED)
    ferry_disks_undo(&m->disks, m->running.job, NULL);
  ferry_finish_autostart(m);
  m->ending.moved = answer == FERRY_AMBIGUITY_MOVED;
  if (m->ending.moved)
    give_kept(m);
}

void ferry_finish_before(FerryMigrationParts *m, FerryReason reason, const char *message) {
  FerryOutcome o = {.reason = ferry_reason_name(reason),
                    .message = g_strdup(message),
                    .state = {.state = FERRY_VM_NOSTATE}};
  if (m->running.job)
    ferry_host_job_state(m->running.job, &o.state, NULL);
  ferry_disks_undo(&m->disks, m->running.job, &o.message);
  hand_in(m, &o, FALSE);
  ferry_outcome_clear(&o);
}

gboolean ferry_finish_if_cancelled(FerryMigrationParts *m) {
  if (!ferry_running_is_cancelled(&m->running))
    return FALSE;
  ferry_finish_before(m, FERRY_REASON_CANCELLED, "cancelled before it began");
  return TRUE;
}

void ferry_finish_advise(FerryOutcome *outcome) {
  static const char *const advice[] = {
      [FERRY_HOST_HINT_DISKS_ARE_NOT_SHARED] =
          "copy the disks with copyStorageAll: true (--copy-storage-all)",
      [FERRY_HOST_HINT_DISKS_ARE_CACHED] =
          "give the disks cache='none', or say unsafeMigrationOverride: true (--unsafe)",
      [FERRY_HOST_HINT_NO_CERTIFICATES] =
          "QEMU's TLS needs certificates on both hosts (/etc/pki/qemu), or say disableTLS: true "
          "(--no-tls)",
      [FERRY_HOST_HINT_HANDSHAKE] =
          "look at QEMU's certificates on both hosts, or say disableTLS: true (--no-tls)",
      [FERRY_HOST_HINT_NO_MEMORY_LIMIT] = "give the domain <memtune><hard_limit>",
      [FERRY_HOST_HINT_TARGET_IS_BUSY] =
          "the target has not noticed that the connection broke: close it there (ss -K dst "
          "ADDRESS, with this host's address on the migration's network), then resume it again",
  };
  if (!outcome->message || !advice[outcome->hint])
    return;
  char *text = g_strdup_printf("%s; %s", outcome->message, advice[outcome->hint]);
  g_free(outcome->message);
  outcome->message = text;
}
