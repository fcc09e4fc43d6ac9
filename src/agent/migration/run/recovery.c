// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a post-copy that broke leaves a part of the VM on each host, and libvirt can
// be called once more to join them. Each turn looks at what both hosts have and at the path between
// them, asks the table of path/mend.h what may be done now, does that one thing (wait, let go of a
// dead connection here, have the target's agent close its end, call libvirt again), and shows it in
// the migration's status, from which an agent that takes over goes on.
#include "agent/migration/run/recovery.h"
#include "agent/path/mend.h"
#include "agent/path/probe.h"
#include "base/log.h"
#include "base/rfc3339.h"
#include "model/domain/domain_states.h"
#include "model/flags/resume_defects.h"
#include "model/migration/reasons.h"

#define TURN_MS 1000

static const char *recovery_target_of(const FerryRunning *r) {
  const char *target = ferry_json_str(r->asked->object, "status.migrationState.targetNode");
  return target ? target : "the target";
}

void ferry_recovery_recall(FerryRunning *r) {
  const json_t *object = r->asked->object;
  r->recovery.tries = ferry_recovery_tries(object);
  r->recovery.since = g_strdup(ferry_json_str(object, "status.migrationState.recovery.since"));
  r->recovery.closes = ferry_json_int(object, "status.migrationState.recovery.closeRequests", 0);
  r->recovery.port = ferry_recovery_port(object);
}

void ferry_recovery_clear(FerryRunning *r) {
  g_clear_pointer(&r->recovery.since, g_free);
  g_clear_pointer(&r->recovery.message, g_free);
  g_clear_pointer(&r->recovery.failure, g_free);
}

void ferry_recovery_note_told(FerryRunning *r) {
  r->recovery.told = TRUE;
}

/* ---- what is shown ---- */

static void recovery_show(FerryRunning *r, FerryRecoveryState state, const char *message) {
  FerryRecovery *v = &r->recovery;
  if (state == v->state && g_strcmp0(message, v->message) == 0)
    return;
  v->state = state;
  g_free(v->message);
  v->message = g_strdup(message);
  if (!v->since)
    v->since = ferry_rfc3339_format_ms(g_get_real_time() / 1000);
  FerryRecoveryWord word = {state, message, v->since, v->tries, v->closes, v->port};
  ferry_shown_send(r->shown, ferry_recovery_patch(&word));
  ferry_info(message, "FERRY_MIGRATION", r->asked->name, "FERRY_DOMAIN", r->asked->uuid);
}

/* `why` NULL: nothing is known of what is in the way. */
static void recovery_show_state(FerryRunning *r, FerryRecoveryState state, const char *why) {
  static const char broke[] = "post-copy broke, and each host holds a part of the VM's memory";
  const char *target = recovery_target_of(r);
  g_autofree char *text = NULL;
  switch (state) {
  case FERRY_RECOVERY_STALLED:
    text = g_strdup_printf("nothing moves in post-copy, and the VM waits for its memory%s%s; if "
                           "the link comes back, it goes on",
                           why ? ": " : "", why ? why : "");
    break;
  case FERRY_RECOVERY_SILENT:
    text = g_strdup_printf("%s: it is resumed when the libvirtd of %s can be asked again (%s)",
                           broke, target, why ? why : "it does not answer");
    break;
  case FERRY_RECOVERY_PATH_DOWN:
    text = g_strdup_printf("%s: it is resumed when the way to %s is open again (%s)", broke, target,
                           why ? why : "it does not answer");
    break;
  case FERRY_RECOVERY_UNNOTICED:
    text = g_strdup_printf("%s: %s has not noticed, and its agent was asked to close the dead "
                           "connection there; by hand: ss -K sport PORT, with the port that QEMU "
                           "has of 49152 to 49215",
                           broke, target);
    break;
  case FERRY_RECOVERY_WAITING:
    text = g_strdup_printf("%s: try %" G_GINT64_FORMAT " to resume it failed (%s), the next one "
                           "follows soon",
                           broke, r->recovery.tries,
                           r->recovery.failure ? r->recovery.failure : "libvirt did not say why");
    break;
  case FERRY_RECOVERY_RESUMING:
    text =
        g_strdup_printf("%s: it is resumed (try %" G_GINT64_FORMAT ")", broke, r->recovery.tries);
    break;
  default:
    text = g_strdup_printf("%s: it is not being resumed", broke);
  }
  recovery_show(r, state, text);
}

/* ---- what is seen ---- */

typedef struct {
  FerryMendSeen seen;
  char *why; /* owned: what is in the way */
} RecoveryLook;

static gboolean look_at_path_up(FerryRunning *r, char **why) {
  g_autoptr(GError) error = NULL;
  const FerryMigrateRequest *request = &r->asked->settings.request;
  gint64 now = g_get_monotonic_time();
  if (!r->ports->host->local || !request->address ||
      ferry_probe(request->address, r->asked->object, NULL, &error)) {
    r->recovery.path_up_us = r->recovery.path_up_us ? r->recovery.path_up_us : now;
    return TRUE;
  }
  r->recovery.path_up_us = 0;
  if (!*why)
    *why = g_strdup(error->message);
  return FALSE;
}

static gint64 ms_until(gint64 at_us) {
  return at_us ? (at_us - g_get_monotonic_time()) / 1000 : 0;
}

/* Only where both parts are there is a version worth a question. */
static gboolean recovery_is_allowed(FerryRunning *r) {
  FerryHostVersions v;
  return ferry_host_peer_versions(r->ports->host, r->asked->settings.request.dest_uri, &v, NULL) &&
         ferry_resume_is_allowed(v.here, v.there);
}

static void look_at_both(FerryRunning *r, const FerryDomainState *here, RecoveryLook *look) {
  g_autoptr(GError) error = NULL;
  FerryDomainState peer;
  FerryRecovery *v = &r->recovery;
  gboolean told = ferry_host_peer_state(r->ports->host, r->asked->settings.request.dest_uri,
                                        r->asked->uuid, &peer, &error);
  look->why = told ? NULL : g_strdup(error->message);
  look->seen = (FerryMendSeen){.here = ferry_mend_here(here),
                               .there = ferry_mend_there(told ? &peer : NULL),
                               .stopped = ferry_running_is_cancelled(r) && !v->cancelled_before,
                               .next_try_ms = ms_until(v->next_try_us),
                               .next_close_ms = ms_until(v->next_close_us)};
  FerryMendSeen *s = &look->seen;
  if (s->there == FERRY_MEND_THERE_WAITS || s->there == FERRY_MEND_THERE_BROKEN)
    s->allowed = recovery_is_allowed(r);
  s->path_up = look_at_path_up(r, &look->why);
  gint64 now = g_get_monotonic_time();
  gboolean answers = s->path_up && r->ports->host->local && r->asked->settings.request.address;
  if (told || !v->heard_us || answers)
    v->heard_us = now;
  s->silent_ms = (now - v->heard_us) / 1000;
  s->path_up_ms = v->path_up_us ? (g_get_monotonic_time() - v->path_up_us) / 1000 : 0;
}

/* ---- what is done ---- */

static void recovery_begin(FerryRunning *r) {
  FerryRecovery *v = &r->recovery;
  if (v->begun)
    return;
  v->begun = TRUE;
  /* a cancel that came too late to be carried out was no word about what broke after it */
  v->cancelled_before = ferry_running_is_cancelled(r);
}

static void ask_to_close(FerryRunning *r) {
  FerryRecovery *v = &r->recovery;
  v->closes++;
  v->next_close_us = g_get_monotonic_time() + FERRY_RECOVERY_CLOSE_MS * 1000;
  v->state = FERRY_RECOVERY_NONE; /* the number is news */
  recovery_show_state(r, FERRY_RECOVERY_UNNOTICED, NULL);
}

static void give_up_connection(FerryRunning *r) {
  g_autoptr(GError) error = NULL;
  if (ferry_host_job_break_post_copy(r->job, &error)) {
    ferry_running_record(r, FERRY_ACTION_NOTE, -1, ferry_reason_name(FERRY_REASON_POST_COPY_BROKEN),
                         "the connection carries nothing though its path is open: it is given up, "
                         "to be resumed over a new one");
  } else {
    ferry_warning(error->message, "FERRY_MIGRATION", r->asked->name);
  }
}

void ferry_recovery_note_path(FerryRunning *r) {
  gint64 now = g_get_monotonic_time();
  if (now - r->recovery.looked_us < TURN_MS * 1000)
    return;
  r->recovery.looked_us = now;
  GArray *connections = ferry_host_job_connections(r->job, NULL);
  for (guint i = 0; connections && i < connections->len; i++) {
    const FerryHostConnection *c = &g_array_index(connections, FerryHostConnection, i);
    if (!c->connecting && !c->control)
      r->recovery.port = c->port;
  }
  if (connections)
    g_array_unref(connections);
}

void ferry_recovery_turn(FerryRunning *r) {
  FerryDomainState here;
  RecoveryLook look;
  if (r->asked->local || !ferry_host_job_state(r->job, &here, NULL))
    return;
  recovery_begin(r);
  look_at_both(r, &here, &look);
  FerryMendAnswer answer = ferry_mend_judge(&look.seen);
  if (answer.act == FERRY_MEND_CLOSE)
    ask_to_close(r);
  else if (answer.act == FERRY_MEND_BREAK)
    give_up_connection(r);
  else if (answer.act == FERRY_MEND_WAIT)
    recovery_show_state(r, answer.state, NULL);
  g_free(look.why); /* the rest is for when the call has returned, which it is about to */
}

void ferry_recovery_moves(FerryRunning *r) {
  if (r->recovery.state == FERRY_RECOVERY_STALLED)
    recovery_show(r, FERRY_RECOVERY_RECOVERED,
                  "post-copy goes on: the link between both hosts is back");
}

/* libvirt is called once more. */
static gboolean recovery_resume(FerryRunning *r, GError **error) {
  const FerryMigrateRequest *asked = &r->asked->settings.request;
  g_autoptr(json_t) config = json_copy((json_t *)asked->config);
  FerryMigrateRequest request = *asked;
  json_object_set_new(config, "postCopyResume", json_true());
  json_object_set_new(config, "allowPostCopy", json_true());
  request.config = config;
  request.post_copy = TRUE;
  if (!ferry_running_open_job(r, 0, error)) /* one that has been started starts no second call */
    return FALSE;
  ferry_inbox_forget_call(r->inbox);
  if (!ferry_host_job_start(r->job, &request, ferry_inbox_return, r->inbox, error))
    return FALSE;
  ferry_running_note_call(r, TRUE);
  ferry_broken_reset(&r->broken);
  return TRUE;
}

static void recovery_failed(FerryRunning *r, const GError *error) {
  FerryRecovery *v = &r->recovery;
  if (v->tries == 0 || !error)
    return;
  g_free(v->failure);
  v->failure = g_strdup(error->message);
  v->next_try_us = g_get_monotonic_time() + ferry_mend_pause_ms(v->tries) * 1000;
}

static gboolean recovery_try(FerryRunning *r) {
  g_autoptr(GError) error = NULL;
  r->recovery.tries++;
  recovery_show_state(r, FERRY_RECOVERY_RESUMING, NULL);
  if (recovery_resume(r, &error))
    return TRUE;
  recovery_failed(r, error);
  return FALSE;
}

/* FALSE: the agent ends. */
static gboolean recovery_look_here(FerryRunning *r, FerryDomainState *state) {
  *state = (FerryDomainState){.state = FERRY_VM_GONE, .reason = FERRY_VM_REASON_UNKNOWN, .id = -1};
  while (!r->job || !ferry_host_job_state(r->job, state, NULL)) {
    g_autoptr(GError) error = NULL;
    if (!ferry_running_open_job(r, -1, &error))
      return g_error_matches(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_DOMAIN);
  }
  return TRUE;
}

/* Once, where a stall had not told it before. */
static void tell_broken(FerryRunning *r) {
  FerryRecovery *v = &r->recovery;
  if (!v->told)
    ferry_shown_tell(r->shown, "Warning", ferry_reason_name(FERRY_REASON_POST_COPY_BROKEN),
                     v->message);
  v->told = TRUE;
}

/* TRUE: it is over, by `end`. */
static gboolean recovery_act(FerryRunning *r, const FerryMendAnswer *answer, const char *why,
                             FerryRecoveryEnd *end) {
  switch (answer->act) {
  case FERRY_MEND_NONE:
    *end = FERRY_RECOVERY_LEFT;
    return TRUE;
  case FERRY_MEND_STOP:
    *end = FERRY_RECOVERY_LEFT;
    if (r->recovery.state != FERRY_RECOVERY_NONE)
      recovery_show_state(r, answer->state, NULL);
    return TRUE;
  case FERRY_MEND_CLOSE:
    ask_to_close(r);
    break;
  case FERRY_MEND_RESUME:
    *end = FERRY_RECOVERY_AGAIN;
    if (recovery_try(r))
      return TRUE;
    break;
  default:
    recovery_show_state(r, answer->state, why);
  }
  tell_broken(r);
  return FALSE;
}

FerryRecoveryEnd ferry_recovery_run(FerryRunning *r, FerryDomainState *state, const GError *error) {
  FerryRecoveryEnd end = FERRY_RECOVERY_LEFT;
  if (r->asked->local || ferry_mend_here(state) != FERRY_MEND_HERE_BROKEN)
    return end;
  recovery_begin(r);
  recovery_failed(r, error);
  ferry_running_unwatch(r);
  do {
    if (!recovery_look_here(r, state))
      return FERRY_RECOVERY_ENDED;
    RecoveryLook look;
    look_at_both(r, state, &look);
    FerryMendAnswer answer = ferry_mend_judge(&look.seen);
    gboolean over = recovery_act(r, &answer, look.why, &end);
    g_free(look.why);
    if (over)
      return end;
  } while (ferry_context_sleep(r->ports->context, TURN_MS));
  return FERRY_RECOVERY_ENDED;
}

void ferry_recovery_end(FerryRunning *r, gboolean moved) {
  FerryRecovery *v = &r->recovery;
  if (v->tries == 0 || !moved)
    return;
  g_autofree char *text = g_strdup_printf(
      "post-copy had broken and was resumed: the VM is whole again, after %" G_GINT64_FORMAT " %s",
      v->tries, v->tries == 1 ? "try" : "tries");
  recovery_show(r, FERRY_RECOVERY_RECOVERED, text);
  ferry_shown_tell(r->shown, "Normal", ferry_reason_name(FERRY_REASON_POST_COPY_RECOVERED), text);
}
