// SPDX-License-Identifier: Apache-2.0
// One migration, from "Scheduled" to its result.
//
// Theory of operation: the worker thread owns the migration. It probes, writes TargetReady and
// Running, and only when the server has taken these does it start libvirt's call, which runs in a
// thread of the driver. Then it supervises: every POLL_MS it reads the job's numbers, feeds the
// convergence controller and does what that decides; a few times a second it hands progress to the
// delivery thread. It is woken early by events (a new pass, the call's return, a cancel). When the
// call has returned, or the job is gone, it asks for the domain's state, cleans up, and hands in
// the result: the controller decides from both hosts' state what that means. A migration found in
// phase Running at the start is adopted: the same, without the call.
#include "agent/migration_private.h"
#include "base/error.h"
#include "base/log.h"
#include "base/rfc3339.h"
#include "model/flags/migration_flags.h"
#include "model/migration/migration_log.h"
#include <string.h>

#define FORECAST_S 5
#define PROBE_PATIENCE_MS 3000 /* for the target's agent to listen */

static char *now_text(void) {
  return ferry_rfc3339_format_ms(g_get_real_time() / 1000);
}

json_t *ferry_migration_phase(FerryMigration *m, const char *phase) {
  g_autofree char *now = now_text();
  json_array_append_new(m->timestamps,
                        json_pack("{s:s, s:s}", "phase", phase, "phaseTransitionTimestamp", now));
  return json_pack("{s:s, s:o}", "phase", phase, "phaseTransitionTimestamps",
                   json_deep_copy(m->timestamps));
}

gint64 ferry_migration_elapsed_ms(const FerryMigration *m) {
  return (g_get_monotonic_time() - m->start_us) / 1000;
}

/* Hands in the result and waits until it has arrived. */
static void finish(FerryMigration *m, gboolean returned, int code, const char *reason,
                   const char *message, const FerryDomainState *source) {
  const char *source_state = ferry_migration_state_word(source);
  ferry_migration_drop_changes(m);
  ferry_migration_end_stalling(m);
  g_autofree char *now = now_text();
  json_t *result =
      json_pack("{s:b, s:i, s:s, s:s, s:s}", "returned", returned, "errorCode", code, "error",
                message ? message : "", "sourceState", source_state, "endedAt", now);
  if (reason)
    ferry_json_set_str(result, "reason", reason);
  if (source->exists && source->reason)
    ferry_json_set_str(result, "sourceReason", source->reason);
  if (ferry_migration_attempt(m->object) > 0)
    ferry_json_set_int(result, "attempt", ferry_migration_attempt(m->object));
  gboolean moved = returned && code == 0 && !message;
  g_autoptr(json_t) status = json_pack("{s:{s:o}}", "migrationState", "agentResult", result);
  /* The controller's table ends a migration from PreparingTarget on. */
  if (!m->accepted) {
    g_autoptr(json_t) phase = ferry_migration_phase(m, "PreparingTarget");
    json_object_update(status, phase);
  }
  if (m->cancel_seen)
    ferry_json_set_str(status, "migrationState.abortStatus", moved ? "Failed" : "Succeeded");
  if (m->started) {
    const FerryJobStats *last = m->have_completed ? &m->completed : &m->last;
    json_object_set_new(status, "summary",
                        ferry_progress_summary(last, ferry_migration_elapsed_ms(m), moved));
    ferry_json_set_int(status, "summary.topThrottlePercent", m->top_throttle);
    if (moved && m->forecast_ms > 0)
      ferry_json_set(
          status, "summary.forecastErrorPercent",
          json_real(ferry_progress_forecast_error(m->forecast_ms, ferry_migration_elapsed_ms(m))));
    if (json_array_size(m->decisions))
      json_object_set(status, "decisions", m->decisions);
    ferry_migration_note_course(m, TRUE);
    if (json_array_size(m->course.rows))
      json_object_set(status, "course", m->course.rows);
    json_object_set_new(status, "progress",
                        ferry_progress_update(&m->progress, last, ferry_migration_elapsed_ms(m)));
  }
  ferry_log(moved ? G_LOG_LEVEL_INFO : G_LOG_LEVEL_WARNING,
            moved     ? "the migration call has returned"
            : message ? message
                      : "not moved",
            "FERRY_MIGRATION", m->name, "FERRY_DOMAIN", m->uuid, "FERRY_SOURCE_STATE", source_state,
            NULL);
  ferry_delivery_send(m->delivery, json_deep_copy(status));
  FerryDeliveryResult delivered = ferry_delivery_flush(m->delivery, 1000);
  if (delivered != FERRY_DELIVERY_PENDING)
    return;
  ferry_result_store(m->agent, m->object, status);
  if (ferry_delivery_flush(m->delivery, -1) != FERRY_DELIVERY_STOPPED)
    ferry_result_remove(m->agent, m->uid);
}

static void fail_before(FerryMigration *m, const char *reason, const char *message) {
  FerryDomainState state = {.state = "nostate"};
  g_autofree char *text = g_strdup(message);
  if (m->job)
    ferry_host_job_state(m->job, &state, NULL);
  ferry_migration_disks_undo(m, &text);
  finish(m, FALSE, 0, reason, text, &state);
}

static gboolean ended_by_cancel(FerryMigration *m) {
  if (!ferry_migration_cancelled(m))
    return FALSE;
  fail_before(m, "Cancelled", "cancelled before it began");
  return TRUE;
}

/* What a person can do about an error of libvirt that flags would have avoided. */
static void advise(FerryMigration *m, char **message) {
  static const struct {
    const char *part, *advice;
  } known[] = {
      {"Migration without shared storage is unsafe",
       "copy the disks with copyStorageAll: true (--copy-storage-all)"},
      {"disks use cache other than none",
       "give the disks cache='none', or say unsafeMigrationOverride: true (--unsafe)"},
      {"Unable to access credentials",
       "QEMU's TLS needs certificates on both hosts (/etc/pki/qemu), or say disableTLS: true "
       "(--no-tls)"},
      {"TLS handshake", "look at QEMU's certificates on both hosts, or say disableTLS: true "
                        "(--no-tls)"},
      {"with no memory hard limit set", "give the domain <memtune><hard_limit>"},
      {"is being actively monitored by another thread",
       "the target has not noticed that the connection broke: close it there (ss -K dst ADDRESS, "
       "with this host's address on the migration's network), then resume it again"},
  };
  for (gsize i = 0; *message && i < G_N_ELEMENTS(known); i++)
    if (strstr(*message, known[i].part)) {
      char *text = g_strdup_printf("%s; %s", *message, known[i].advice);
      g_free(*message);
      *message = text;
      return;
    }
}

const char *ferry_migration_state_word(const FerryDomainState *state) {
  return state->exists ? state->state : "nostate";
}

gboolean ferry_migration_cancelled(FerryMigration *m) {
  g_mutex_lock(&m->lock);
  gboolean cancel = m->cancel;
  g_mutex_unlock(&m->lock);
  m->cancel_seen = m->cancel_seen || cancel;
  return cancel;
}

gboolean ferry_migration_must_stop(FerryMigration *m) {
  g_mutex_lock(&m->agent->lock);
  gboolean stop = m->agent->stop || m->agent->stale;
  g_mutex_unlock(&m->agent->lock);
  return stop;
}

static void call_returned(const GError *error, gpointer data) {
  FerryMigration *m = data;
  g_mutex_lock(&m->lock);
  m->returned = TRUE;
  m->call_error = error ? g_error_copy(error) : NULL;
  g_cond_broadcast(&m->cond);
  g_mutex_unlock(&m->lock);
}

/* Right after a start the inventory may not be read yet, or libvirt be away: nothing can be
 * concluded before it is whole. FALSE: the agent ends. */
static gboolean await_inventory(FerryMigration *m) {
  for (;;) {
    g_mutex_lock(&m->agent->lock);
    gboolean known = m->agent->inventory_ready;
    g_mutex_unlock(&m->agent->lock);
    if (known)
      return TRUE;
    if (!ferry_agent_sleep(m->agent, 50) || ferry_migration_must_stop(m))
      return FALSE;
  }
}

/* The UUID of the VM. */
static gboolean resolve(FerryMigration *m) {
  if (!m->uuid && !await_inventory(m))
    return FALSE;
  for (guint i = 0; !m->uuid && i < 20; i++) {
    char *uuid = ferry_agent_resolve(m->agent, m->ns, m->vmi_name);
    g_mutex_lock(&m->agent->lock); /* events look at the UUID under this lock */
    m->uuid = uuid;
    g_mutex_unlock(&m->agent->lock);
    if (!uuid && !ferry_agent_sleep(m->agent, 100))
      return FALSE;
  }
  return m->uuid != NULL;
}

/* Opens the job, waiting for libvirt while it is away. FALSE with an error: no such domain, or the
 * agent ends. */
gboolean ferry_migration_open_job(FerryMigration *m, gint64 patience_ms, GError **error) {
  gint64 backoff = 0, until = g_get_monotonic_time() + patience_ms * 1000;
  for (;;) {
    g_autoptr(GError) cause = NULL;
    g_clear_pointer(&m->job, ferry_host_job_close);
    m->job = ferry_host_job_open(m->agent->host, m->uuid, &cause);
    if (m->job)
      return TRUE;
    gboolean away = g_error_matches(cause, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_CONNECTION);
    if (!away || (patience_ms >= 0 && g_get_monotonic_time() > until) ||
        !ferry_agent_sleep(m->agent, ferry_agent_backoff(&backoff))) {
      g_propagate_error(error, g_steal_pointer(&cause));
      return FALSE;
    }
  }
}

static void send_forecast(FerryMigration *m) {
  g_autofree char *now = now_text();
  json_t *forecast = ferry_migration_forecast(m);
  ferry_json_set_str(forecast, "time", now);
  m->forecast_ms = ferry_json_int(forecast, "totalMs", 0);
  ferry_delivery_send(m->delivery, json_pack("{s:o}", "forecast", forecast));
}

/* Nothing is moved: the status gets what a migration would cost. */
static void forecast_only(FerryMigration *m) {
  g_autoptr(GError) error = NULL;
  ferry_delivery_send(m->delivery, ferry_migration_phase(m, "PreparingTarget"));
  m->accepted = TRUE;
  /* path and guest one after the other: either would disturb the other's figure */
  gboolean settled = ferry_migration_measure_path(m, PROBE_PATIENCE_MS);
  if (!ferry_migration_measure(m, FORECAST_S, &error)) {
    fail_before(m, "ForecastFailed", error->message);
    return;
  }
  if (!settled)
    ferry_migration_measure_path(m, 0);
  send_forecast(m);
  fail_before(m, "ForecastMade", "nothing was moved: only a forecast was asked for");
}

/* What is asked for to be known beforehand. The migration does not depend on it. */
static void measure(FerryMigration *m) {
  g_autoptr(GError) error = NULL;
  if (m->settings.dirty_rate_s <= 0)
    return;
  if (ferry_migration_measure(m, m->settings.dirty_rate_s, &error))
    send_forecast(m);
  else
    ferry_warning(error->message, "FERRY_MIGRATION", m->name, "FERRY_DOMAIN", m->uuid);
}

static gboolean job_stopped(gpointer data) {
  FerryMigration *m = data;
  return ferry_migration_must_stop(m) || ferry_migration_cancelled(m);
}

/* Whether the job fits this host and ferryd's nodes. FALSE: it has ended. */
static gboolean accept_job(FerryMigration *m) {
  g_autoptr(GError) error = NULL;
  if (m->local) /* root's own word on this host's socket */
    return TRUE;
  if (!await_inventory(m))
    return FALSE;
  g_autofree char *name = ferry_agent_domain_name(m->agent, m->uuid);
  FerryJobHere here = {m->agent->node, name ? m->uuid : NULL, name};
  FerryJobVerdict verdict = ferry_job_verdict(m->agent, m->object, &here, job_stopped, m, &error);
  if (verdict == FERRY_JOB_REFUSED)
    fail_before(m, "JobRefused", error->message);
  else if (verdict == FERRY_JOB_STOPPED && !ferry_migration_must_stop(m))
    ended_by_cancel(m);
  return verdict == FERRY_JOB_FITS;
}

/* Everything before the call. FALSE: it has ended, the result is handed in. */
static gboolean prepare(FerryMigration *m) {
  g_autoptr(GError) error = NULL;
  FerryDomainState state;
  if (!ferry_migration_open_job(m, 10000, &error) ||
      !ferry_host_job_state(m->job, &state, &error)) {
    fail_before(m, "HypervisorError", error->message);
    return FALSE;
  }
  if (!accept_job(m))
    return FALSE;
  const json_t *config = m->settings.request.config;
  gboolean offline = ferry_json_bool(config, "offline", FALSE);
  if (!state.active && !offline) {
    g_autofree char *text = g_strdup_printf("the VM is not running (%s) on %s: start it first",
                                            state.state, m->agent->node);
    fail_before(m, "VMNotRunning", text);
    return FALSE;
  }
  m->was_paused = strcmp(state.state, "paused") == 0;
  m->settings.request.persistent = state.persistent;
  m->settings.request.active = state.active;
  if (ferry_json_bool(m->object, "spec.forecastOnly", FALSE)) {
    forecast_only(m);
    return FALSE;
  }
  const json_t *subnets =
      ferry_json_get(m->object, "status.migrationState.migrationConfiguration.networkSubnets");
  const char *address = m->settings.request.address;
  if (m->agent->host->local && address && ferry_migration_uses_network(config) &&
      !ferry_probe(address, subnets, NULL, &error)) {
    fail_before(m, "TargetUnreachable", error->message);
    return FALSE;
  }
  if (ended_by_cancel(m))
    return FALSE;
  if (state.active && !m->was_paused)
    measure(m);
  if (!ferry_migration_disks_prepare(m, &error)) {
    if (!ferry_migration_must_stop(m))
      fail_before(m, "TargetNotPrepared", error->message);
    return FALSE;
  }
  if (ended_by_cancel(m))
    return FALSE;
  json_t *ready = ferry_migration_phase(m, "TargetReady");
  ferry_json_set_int(ready, "migrationState.agentEpoch", m->agent->epoch);
  ferry_delivery_send(m->delivery, ready);
  ferry_delivery_send(m->delivery, ferry_migration_phase(m, "Running"));
  FerryDeliveryResult delivered = FERRY_DELIVERY_PENDING;
  while (delivered == FERRY_DELIVERY_PENDING && !ferry_migration_must_stop(m))
    delivered = ferry_delivery_flush(m->delivery, 500);
  if (delivered != FERRY_DELIVERED) {
    ferry_warning("not started: the server did not take the word", "FERRY_MIGRATION", m->name);
    if (delivered == FERRY_DELIVERY_REFUSED || delivered == FERRY_DELIVERY_GONE)
      ferry_migration_disks_undo(m, NULL); /* it was given up meanwhile: nobody comes back to it */
    return FALSE;
  }
  m->accepted = TRUE;
  if (ended_by_cancel(m))
    return FALSE;
  return TRUE;
}

static gpointer run(gpointer data) {
  static const FerryDomainState gone = {.state = "gone"};
  FerryMigration *m = data;
  g_autoptr(GError) error = NULL;
  m->start_us = g_get_monotonic_time();
  if (!resolve(m)) {
    if (!ferry_migration_must_stop(m) && !m->adopted) {
      g_autofree char *text = g_strdup_printf("host %s has no domain for the VM \"%s/%s\"",
                                              m->agent->node, m->ns, m->vmi_name);
      fail_before(m, "VMNotFound", text);
    } else if (!ferry_migration_must_stop(m)) {
      /* It ran when the last agent ended, and is here no more: the target's report decides. */
      m->accepted = TRUE;
      finish(m, TRUE, 0, NULL, NULL, &gone);
    }
    return NULL;
  }
  if (!m->adopted && !prepare(m))
    return NULL;
  if (m->adopted) {
    m->accepted = m->started = TRUE;
    ferry_info("adopting a migration that began before this agent did", "FERRY_MIGRATION", m->name);
    if (!ferry_migration_open_job(m, -1, &error)) {
      if (g_error_matches(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_DOMAIN))
        finish(m, TRUE, 0, NULL, NULL, &gone);
      return NULL;
    }
  } else {
    ferry_migration_arm_throttle(m);
    ferry_migration_first_limit(m);
    m->start_us = g_get_monotonic_time();
    if (!ferry_host_job_start(m->job, &m->settings.request, call_returned, m, &error)) {
      fail_before(m, "MigrationFailed", error->message);
      return NULL;
    }
    m->started = m->calling = TRUE;
  }
  FerryOutcome outcome = {0};
  ferry_migration_use_path(m);
  gboolean ended = ferry_migration_supervise(m) && ferry_migration_settle(m, &outcome);
  ferry_migration_leave_path(m, ended && !outcome.message);
  if (!ended) {
    ferry_outcome_clear(&outcome);
    return NULL; /* the agent ends; the next one adopts */
  }
  advise(m, &outcome.message);
  /* libvirt sends no event when an offline migration undefines the domain: look at it anew */
  FerryHostEvent look = {.type = FERRY_HOST_EVENT_STATE, .uuid = m->uuid, .detail = "migrated"};
  ferry_report_host_event(&look, m->agent);
  if (outcome.message && outcome.state.active && !m->progress.post_copy)
    ferry_migration_disks_undo(m, &outcome.message);
  finish(m, TRUE, outcome.code, outcome.reason, outcome.message, &outcome.state);
  ferry_outcome_clear(&outcome);
  return NULL;
}

static gpointer run_and_leave(gpointer data) {
  FerryMigration *m = data;
  ferry_log_scope(m->log);
  run(m);
  /* Closing a job joins its call: at shutdown that would wait for the whole migration, so then the
   * process leaves it to libvirt. */
  g_mutex_lock(&m->lock);
  gboolean calling = m->calling && !m->returned;
  g_mutex_unlock(&m->lock);
  if (!calling)
    g_clear_pointer(&m->job, ferry_host_job_close);
  g_clear_pointer(&m->delivery, ferry_delivery_free);
  g_mutex_lock(&m->lock);
  m->done = TRUE;
  m->abandoned = calling;
  g_mutex_unlock(&m->lock);
  return NULL;
}

static FerryMigration *start(FerryAgent *agent, const json_t *object, FerryDeliverySink sink,
                             gpointer data) {
  FerryMigration *m = g_new0(FerryMigration, 1);
  m->agent = agent;
  m->object = json_deep_copy(object);
  m->uid = ferry_json_str(m->object, "metadata.uid");
  m->ns = ferry_json_str(m->object, "metadata.namespace");
  m->name = ferry_json_str(m->object, "metadata.name");
  m->vmi_name = ferry_json_str(m->object, "spec.vmiName");
  if (!m->vmi_name)
    m->vmi_name = "";
  const char *uuid = ferry_json_str(m->object, "status.migrationState.vmiUID");
  m->uuid = uuid && g_uuid_string_is_valid(uuid) ? g_strdup(uuid) : NULL;
  const char *phase = ferry_json_str(m->object, "status.phase");
  m->adopted = g_strcmp0(phase, "Running") == 0;
  const json_t *stamps = ferry_json_get(m->object, "status.phaseTransitionTimestamps");
  m->timestamps = json_is_array(stamps) ? json_deep_copy(stamps) : json_array();
  const json_t *decisions = ferry_json_get(m->object, "status.decisions");
  m->decisions = json_is_array(decisions) ? json_deep_copy(decisions) : json_array();
  ferry_course_init(&m->course, m->adopted ? ferry_json_get(m->object, "status.course") : NULL);
  const json_t *disks = ferry_json_get(m->object, "status.migrationState.targetDisks");
  m->disks = json_is_array(disks) ? json_deep_copy(disks) : NULL;
  m->forecast_ms = ferry_json_int(m->object, "status.forecast.totalMs", 0);
  m->progress.percent = (int)ferry_json_int(m->object, "status.progress.percent", 0);
  ferry_job_stats_clear(&m->last);
  ferry_settings_read(&m->settings, m->object);
  m->settings.request.copy_disks |= json_array_size(m->disks) > 0; /* an agent before chose them */
  m->stalling_limit_s = ferry_json_int(m->settings.request.config, "stallingLimit", 0);
  g_queue_init(&m->changes);
  g_mutex_init(&m->lock);
  g_cond_init(&m->cond);
  m->local = sink != NULL;
  m->log = ferry_migration_log_context(m->object, agent->node);
  m->delivery = sink ? ferry_delivery_new_local(agent, m->name, m->log, sink, data)
                     : ferry_delivery_new(agent, m->ns, m->name, m->log);
  ferry_migration_update(m, object);
  m->thread = g_thread_new("migration", run_and_leave, m);
  return m;
}

gint64 ferry_migration_attempt(const json_t *object) {
  return ferry_json_int(object, "status.migrationState.attempt", 0);
}

gboolean ferry_migration_is_before(const FerryMigration *m, const json_t *object) {
  return ferry_migration_attempt(m->object) < ferry_migration_attempt(object);
}

FerryMigration *ferry_migration_start(FerryAgent *agent, const json_t *object) {
  return start(agent, object, NULL, NULL);
}

FerryMigration *ferry_migration_start_local(FerryAgent *agent, const json_t *object,
                                            FerryDeliverySink sink, gpointer data) {
  return start(agent, object, sink, data);
}

const char *ferry_migration_domain(const FerryMigration *m) {
  return m->uuid;
}

void ferry_migration_update(FerryMigration *m, const json_t *object) {
  gboolean cancel = ferry_json_bool(object, "status.migrationState.abortRequested", FALSE) ||
                    ferry_json_str(object, "metadata.deletionTimestamp") != NULL;
  g_mutex_lock(&m->lock);
  if (cancel && !m->cancel) {
    m->cancel = TRUE;
    g_cond_broadcast(&m->cond);
  }
  ferry_migration_see_probe(m, object);
  if (ferry_migration_see_changes(m, object)) {
    m->news = TRUE;
    g_cond_broadcast(&m->cond);
  }
  g_mutex_unlock(&m->lock);
}

void ferry_migration_event(FerryMigration *m, const FerryHostEvent *event) {
  g_mutex_lock(&m->lock);
  if (event->type == FERRY_HOST_EVENT_ITERATION) {
    m->iteration_seen = event->iteration;
  } else if (event->type == FERRY_HOST_EVENT_COMPLETED && event->stats &&
             event->stats->migration_out) {
    m->completed = *event->stats;
    m->have_completed = TRUE;
  }
  m->news = TRUE;
  g_cond_broadcast(&m->cond);
  g_mutex_unlock(&m->lock);
}

gboolean ferry_migration_is_done(FerryMigration *m) {
  g_mutex_lock(&m->lock);
  gboolean done = m->done;
  g_mutex_unlock(&m->lock);
  return done;
}

void ferry_migration_free(gpointer p) {
  FerryMigration *m = p;
  g_mutex_lock(&m->lock);
  g_cond_broadcast(&m->cond);
  g_mutex_unlock(&m->lock);
  g_thread_join(m->thread);
  if (m->abandoned)
    return; /* the driver's thread still uses it; the process is about to end */
  g_clear_error(&m->call_error);
  g_queue_clear_full(&m->changes, (GDestroyNotify)json_decref);
  g_clear_pointer(&m->convergence, ferry_convergence_free);
  ferry_settings_clear(&m->settings);
  ferry_log_context_unref(m->log);
  json_decref(m->timestamps);
  json_decref(m->decisions);
  ferry_course_clear(&m->course);
  json_decref(m->disks);
  json_decref(m->own_config);
  json_decref(m->probe);
  g_free(m->path_note);
  json_decref(m->object);
  g_mutex_clear(&m->lock);
  g_cond_clear(&m->cond);
  g_free(m->uuid);
  g_free(m);
}
