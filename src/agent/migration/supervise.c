// SPDX-License-Identifier: Apache-2.0
// While a migration runs: numbers in, decisions carried out, progress told; and what is left to do
// when it has ended. Errors of single calls are not fatal here: the job may just have ended, and
// the next turn sees that.
#include "agent/migration_private.h"
#include "base/log.h"
#include "base/rfc3339.h"
#include <string.h>

#define POLL_MS 50
#define REPORT_MS 300
#define ABORT_RETRY_MS 200
#define COMPLETED_WAIT_MS 150
#define FINISH_MS 120 /* what libvirt does after the switch-over, until its call returns */
#define MAX_DECISIONS 100
#define COURSE_US (5 * G_USEC_PER_SEC)

void ferry_outcome_clear(FerryOutcome *outcome) {
  g_clear_pointer(&outcome->message, g_free);
}

void ferry_migration_record(FerryMigration *m, const char *action, gint64 value, const char *code,
                            const char *reason) {
  g_autofree char *now = ferry_rfc3339_format_ms(g_get_real_time() / 1000);
  json_t *entry = ferry_convergence_estimate(m->convergence, g_get_monotonic_time());
  const char *key;
  json_t *number;
  void *next;
  /* what the model cannot say is left out: the status takes no negative numbers */
  json_object_foreach_safe(entry, next, key, number) {
    if (json_is_integer(number) && json_integer_value(number) < 0)
      json_object_del(entry, key);
  }
  ferry_json_set_str(entry, "time", now);
  ferry_json_set_int(entry, "elapsedMs", ferry_migration_elapsed_ms(m));
  ferry_json_set_str(entry, "action", action);
  ferry_json_set_str(entry, "code", code);
  ferry_json_set_str(entry, "reason", reason);
  if (value >= 0)
    ferry_json_set_int(entry, "value", value);
  if (json_array_size(m->decisions) >= MAX_DECISIONS)
    json_array_remove(m->decisions, 1); /* the first says how it began */
  json_array_append_new(m->decisions, entry);
  m->reported_us = 0;
  ferry_info(reason, "FERRY_MIGRATION", m->name, "FERRY_DECISION", code);
}

static void record_decision(FerryMigration *m, const FerryConvergenceDecision *d) {
  ferry_migration_record(m, ferry_convergence_action_name(d->action),
                         d->action == FERRY_CONVERGENCE_SET_DOWNTIME ||
                                 d->action == FERRY_CONVERGENCE_SET_THROTTLE
                             ? d->value
                             : -1,
                         d->code, d->reason);
}

static void set_mode(FerryMigration *m, const char *mode) {
  ferry_delivery_send(m->delivery, json_pack("{s:{s:s}}", "migrationState", "mode", mode));
}

void ferry_migration_enter_post_copy(FerryMigration *m) {
  if (m->progress.post_copy)
    return;
  m->progress.post_copy = TRUE;
  ferry_convergence_post_copy(m->convergence);
  set_mode(m, "PostCopy");
}

static void carry_out(FerryMigration *m, const FerryConvergenceDecision *d) {
  g_autoptr(GError) error = NULL;
  gboolean ok = TRUE;
  switch (d->action) {
  case FERRY_CONVERGENCE_SET_DOWNTIME:
    ok = m->limit_set = ferry_host_job_set_max_downtime(m->job, d->value, &error);
    break;
  case FERRY_CONVERGENCE_START_POSTCOPY:
    ok = ferry_host_job_start_postcopy(m->job, &error);
    if (ok)
      ferry_migration_enter_post_copy(m);
    break;
  case FERRY_CONVERGENCE_SUSPEND:
    ok = m->was_paused || ferry_host_job_suspend(m->job, &error);
    if (ok && !m->was_paused) {
      m->suspended = TRUE;
      set_mode(m, "Paused");
    }
    break;
  case FERRY_CONVERGENCE_ABORT:
    m->abort_code = d->code;
    g_free(m->abort_reason);
    m->abort_reason = g_strdup(d->reason);
    break;
  case FERRY_CONVERGENCE_SET_THROTTLE:
    ok = ferry_host_job_set_throttle(m->job, (int)d->value, &error);
    break;
  case FERRY_CONVERGENCE_NOTE:
    break;
  }
  if (ok)
    return;
  ferry_debug(error->message, "FERRY_MIGRATION", m->name);
  ferry_convergence_refused(m->convergence, d->action);
  if (!m->started) /* not every hypervisor takes the first limit before the call: set again soon */
    return;
  g_autofree char *text = g_strdup_printf("%s was refused: %s",
                                          ferry_convergence_action_name(d->action), error->message);
  ferry_migration_record(m, "Refuse", -1, "Refused", text);
}

static void decide(FerryMigration *m) {
  FerryConvergenceDecision d;
  gint64 now = g_get_monotonic_time();
  while (ferry_convergence_next(m->convergence, now, &d)) {
    record_decision(m, &d);
    carry_out(m, &d);
    g_free(d.reason);
  }
}

gint64 ferry_migration_memory(FerryMigration *m) {
  FerryAgent *agent = m->agent;
  gint64 bytes = 0;
  g_mutex_lock(&agent->lock);
  const FerryAgentDomain *domain = g_hash_table_lookup(agent->domains, m->uuid);
  if (domain)
    bytes = domain->memory;
  g_mutex_unlock(&agent->lock);
  if (bytes <= 0) { /* adopted before the first inventory: timeouts are reckoned with its size */
    g_autoptr(json_t) record = ferry_host_record(agent->host, m->uuid, NULL);
    bytes = ferry_json_int(record, "memoryBytes", 0);
  }
  return MAX(bytes, 1);
}

void ferry_migration_first_limit(FerryMigration *m) {
  FerryConvergenceIntent intent;
  ferry_migration_intent(m, &intent);
  if (m->measured.long_s > 0) {
    intent.prior_seconds = m->measured.long_s;
    intent.prior_dirtied = (double)m->measured.long_rate * m->measured.long_s;
  }
  m->convergence = ferry_convergence_new(&intent, g_get_monotonic_time());
  ferry_migration_recall_changes(m);
  decide(m);
}

/* What an agent before this one had begun goes on: its clocks, and what it had done to the guest.
 */
static void take_over(FerryMigration *m) {
  FerryJobStats stats;
  gboolean told = ferry_host_job_stats(m->job, &stats, NULL) && stats.active;
  gint64 elapsed =
      ferry_adopt_elapsed_ms(m->object, told ? stats.elapsed_ms : 0, g_get_real_time() / 1000);
  gint64 now = g_get_monotonic_time(), best, stalled_ms;
  m->start_us = now - elapsed * 1000;
  m->stalling = ferry_adopt_stalling(m->object);
  const char *mode = ferry_json_str(m->object, "status.migrationState.mode");
  FerryDomainState state;
  m->suspended = g_strcmp0(mode, "Paused") == 0;
  m->was_paused = !m->suspended && ferry_host_job_state(m->job, &state, NULL) &&
                  g_str_equal(state.state, "paused") && g_str_equal(state.reason, "user");
  ferry_migration_recall_throttle(m);
  ferry_migration_first_limit(m);
  ferry_convergence_began(m->convergence, m->start_us);
  ferry_convergence_recall_guest(m->convergence, m->suspended, ferry_adopt_throttle(m->object),
                                 now);
  if (ferry_adopt_best(m->object, &best, &stalled_ms))
    ferry_convergence_recall(m->convergence, best, now - stalled_ms * 1000);
}

static void feed(FerryMigration *m, const FerryJobStats *s) {
  if (m->settings.request.copy_disks && m->progress.memory <= 0)
    m->progress.memory = ferry_migration_memory(m);
  FerryConvergenceSample sample = {
      .processed = MAX(0, s->data_processed),
      .remaining = MAX(0, s->data_remaining),
      .total = MAX(0, s->data_total),
      .follows = ferry_progress_follows(&m->progress, s),
      .rate = MAX(0, s->memory_bps) + MAX(0, s->disk_bps),
      .dirty_rate = s->dirty_pages_per_s > 0
                        ? s->dirty_pages_per_s * (s->page_size > 0 ? s->page_size : 4096)
                        : 0,
      .tells_throttle = TRUE, /* libvirt leaves it out while there is none */
      .throttle_percent = (int)CLAMP(s->throttle_percent, 0, 99),
  };
  m->top_throttle = MAX(m->top_throttle, sample.throttle_percent);
  ferry_convergence_sample(m->convergence, &sample, g_get_monotonic_time());
  g_mutex_lock(&m->lock);
  int iteration = MAX(m->iteration_seen, (int)CLAMP(s->iteration, 0, G_MAXINT));
  g_mutex_unlock(&m->lock);
  if (iteration > m->iteration_fed) {
    m->iteration_fed = iteration;
    ferry_convergence_iteration(m->convergence, iteration, g_get_monotonic_time());
  }
}

/* What the first plan expects is kept, to be scored when the migration has ended. */
static void note_forecast(FerryMigration *m) {
  if (m->forecast_ms > 0 || m->settings.schedule)
    return;
  g_autoptr(json_t) now = ferry_convergence_estimate(m->convergence, g_get_monotonic_time());
  m->forecast_ms = ferry_json_int(now, "forecastMs", 0);
  if (m->forecast_ms <= 0)
    return;
  m->forecast_ms += FINISH_MS;
  g_autofree char *time = ferry_rfc3339_format_ms(g_get_real_time() / 1000);
  ferry_delivery_send(m->delivery,
                      json_pack("{s:{s:I, s:I, s:s}}", "forecast", "totalMs",
                                (json_int_t)m->forecast_ms, "madeAtMs",
                                (json_int_t)ferry_migration_elapsed_ms(m), "time", time));
}

void ferry_migration_note_course(FerryMigration *m, gboolean last) {
  if (!m->convergence)
    return;
  g_autoptr(json_t) estimate = ferry_convergence_estimate(m->convergence, g_get_monotonic_time());
  /* libvirt's time goes on over a restart of the agent */
  gint64 elapsed = MAX(m->last.elapsed_ms, ferry_migration_elapsed_ms(m));
  ferry_course_add(&m->course, estimate, elapsed, last);
}

static void report(FerryMigration *m) {
  gint64 now = g_get_monotonic_time();
  if (now - m->reported_us < REPORT_MS * 1000)
    return;
  m->reported_us = now;
  json_t *progress = ferry_progress_update(&m->progress, &m->last, ferry_migration_elapsed_ms(m));
  json_t *status = json_pack("{s:o}", "progress", progress);
  if (json_array_size(m->decisions))
    json_object_set_new(status, "decisions", json_deep_copy(m->decisions));
  if (now - m->course_us > COURSE_US) {
    m->course_us = now;
    json_object_set_new(status, "course", json_deep_copy(m->course.rows));
  }
  ferry_delivery_telemetry(m->delivery, status);
}

/* A cancel, or convergence gave up: aborts, again and again until the job is gone. */
static void abort_if_asked(FerryMigration *m) {
  gboolean cancel = ferry_migration_cancelled(m);
  gint64 now = g_get_monotonic_time();
  if ((!cancel && !m->abort_code) || now - m->abort_us < ABORT_RETRY_MS * 1000)
    return;
  m->abort_us = now;
  if (m->progress.post_copy) {
    if (cancel && !m->abort_told)
      ferry_delivery_send(m->delivery,
                          json_pack("{s:{s:s}}", "migrationState", "abortStatus", "Failed"));
    m->abort_told = TRUE;
    return;
  }
  if (cancel && !m->abort_told) {
    m->abort_told = TRUE;
    ferry_delivery_send(m->delivery,
                        json_pack("{s:{s:s}}", "migrationState", "abortStatus", "Aborting"));
  }
  g_autoptr(GError) error = NULL;
  if (!ferry_host_job_abort(m->job, &error))
    ferry_debug(error->message, "FERRY_MIGRATION", m->name);
}

typedef enum {
  LOOK_RUNNING,
  LOOK_OVER,    /* no job of ours is there (any more) */
  LOOK_UNKNOWN, /* libvirt did not say, being busy: the job may go on */
  LOOK_LOST,    /* there is no connection */
} Look;

static Look look(FerryMigration *m) {
  g_autoptr(GError) error = NULL;
  FerryJobStats stats;
  if (!ferry_host_job_stats(m->job, &stats, &error)) {
    FerryDomainState state;
    if (g_error_matches(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_CONNECTION))
      return LOOK_LOST;
    if (g_error_matches(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_DOMAIN))
      return LOOK_OVER;
    ferry_debug(error->message, "FERRY_MIGRATION", m->name);
    gboolean known = ferry_host_job_state(m->job, &state, NULL);
    return known && !state.active ? LOOK_OVER : LOOK_UNKNOWN;
  }
  if (!stats.active || !stats.migration_out)
    return LOOK_OVER;
  m->last = stats;
  if (!m->calling) { /* a post-copy job that broke stays active for ever, with nobody to end it */
    FerryDomainState state;
    if (ferry_host_job_state(m->job, &state, NULL) && g_str_equal(state.reason, "postcopy-failed"))
      return LOOK_OVER;
  }
  if (m->settings.request.post_copy && !m->progress.post_copy) {
    FerryDomainState state;
    if (ferry_host_job_state(m->job, &state, NULL) && g_str_equal(state.state, "paused") &&
        g_str_has_prefix(state.reason, "postcopy"))
      ferry_migration_enter_post_copy(m);
  }
  feed(m, &stats);
  if (!m->limit_set)
    m->limit_set = ferry_host_job_set_max_downtime(
        m->job, ferry_convergence_downtime_ms(m->convergence), NULL);
  return LOOK_RUNNING;
}

/* Sleeps until something happened, at most POLL_MS. TRUE: our call has returned. */
static gboolean wait(FerryMigration *m) {
  gint64 until = g_get_monotonic_time() + POLL_MS * 1000;
  g_mutex_lock(&m->lock);
  gboolean cancel = m->cancel && !m->cancel_seen;
  while (!m->returned && !m->news && !cancel && g_cond_wait_until(&m->cond, &m->lock, until))
    cancel = m->cancel && !m->cancel_seen;
  m->news = FALSE;
  gboolean returned = m->returned;
  g_mutex_unlock(&m->lock);
  return returned;
}

gboolean ferry_migration_supervise(FerryMigration *m) {
  if (!m->convergence)
    take_over(m);
  for (;;) {
    if (ferry_migration_must_stop(m))
      return FALSE;
    Look seen = look(m);
    if (seen == LOOK_RUNNING) {
      ferry_migration_apply_changes(m);
      decide(m);
      ferry_migration_check_stalling(m);
      note_forecast(m);
      ferry_migration_note_course(m, FALSE);
      report(m);
    } else if (!m->calling && seen == LOOK_OVER) {
      return TRUE; /* adopted, and the job is over */
    } else if (!m->calling && seen == LOOK_LOST && !ferry_migration_open_job(m, -1, NULL)) {
      return !ferry_migration_must_stop(m); /* libvirt is back, the domain is not */
    }
    abort_if_asked(m);
    if (wait(m))
      return TRUE;
  }
}

/* A source that a failed migration left paused is resumed, if nobody else runs the VM. */
static void revive(FerryMigration *m, FerryOutcome *o) {
  gboolean by_us = m->suspended && g_str_equal(o->state.reason, "user");
  gboolean by_migration = g_str_equal(o->state.reason, "migration");
  if (m->was_paused || !g_str_equal(o->state.state, "paused") || (!by_us && !by_migration))
    return;
  g_autoptr(GError) error = NULL;
  FerryDomainState peer;
  if (!ferry_host_peer_state(m->agent->host, m->settings.request.dest_uri, m->uuid, &peer,
                             &error)) {
    char *text = g_strdup_printf("%s; the VM is left paused here because the target can't be asked "
                                 "whether it runs it (%s): look at it there, then 'virsh resume' "
                                 "it on one host",
                                 o->message, error->message);
    g_free(o->message);
    o->message = text;
    return;
  }
  if (peer.active)
    return; /* it is there: the controller sees both hosts and decides */
  if (!ferry_host_job_resume(m->job, &error))
    ferry_warning(error->message, "FERRY_MIGRATION", m->name, "FERRY_DOMAIN", m->uuid);
  ferry_host_job_state(m->job, &o->state, NULL);
}

/* Takes the state, over a new connection where the old one broke. FALSE: the agent ends. */
static gboolean take_state(FerryMigration *m, FerryDomainState *state) {
  *state = (FerryDomainState){.state = "gone", .reason = "unknown", .id = -1};
  for (;;) {
    g_autoptr(GError) error = NULL;
    if (m->job && ferry_host_job_state(m->job, state, &error))
      return TRUE;
    g_clear_error(&error);
    if (!ferry_migration_open_job(m, -1, &error))
      return g_error_matches(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_DOMAIN);
  }
}

gboolean ferry_migration_settle(FerryMigration *m, FerryOutcome *o) {
  g_mutex_lock(&m->lock);
  g_autoptr(GError) error = g_steal_pointer(&m->call_error);
  gboolean returned = m->returned;
  g_mutex_unlock(&m->lock);
  /* The connection of the call broke, not the migration: go on as one that was adopted. */
  if (returned && g_error_matches(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_CONNECTION)) {
    FerryJobStats stats;
    g_clear_pointer(&m->job, ferry_host_job_close);
    if (!take_state(m, &o->state))
      return FALSE;
    m->calling = FALSE;
    g_mutex_lock(&m->lock);
    m->returned = FALSE;
    g_mutex_unlock(&m->lock);
    gboolean told = o->state.active && ferry_host_job_stats(m->job, &stats, NULL);
    if (o->state.active && (!told || (stats.active && stats.migration_out)))
      return ferry_migration_supervise(m) && ferry_migration_settle(m, o);
  }
  if (!take_state(m, &o->state))
    return FALSE;
  gboolean stayed = o->state.active;
  if (error && (stayed || error->code != FERRY_HOST_ERROR_NO_CONNECTION)) {
    o->code = error->code;
    o->message = g_strdup(error->message);
    o->reason = m->cancel_seen ? "Cancelled" : m->abort_code ? m->abort_code : "MigrationFailed";
    if (m->abort_code && !m->cancel_seen) {
      g_free(o->message);
      o->message = g_steal_pointer(&m->abort_reason);
    }
    if (error->code == FERRY_HOST_ERROR_NO_CONNECTION) {
      o->reason = "HypervisorLost";
      g_free(o->message);
      o->message =
          g_strdup_printf("libvirtd of this host went away in the middle of the migration, "
                          "which ended it (%s); start it again once libvirtd is well",
                          error->message);
    }
  } else if (stayed && !m->calling) {
    o->code = FERRY_HOST_ERROR_ABORTED;
    o->reason = m->cancel_seen ? "Cancelled" : m->abort_code ? m->abort_code : "MigrationFailed";
    o->message = m->abort_reason ? g_steal_pointer(&m->abort_reason)
                                 : g_strdup("the migration ended without moving the VM while "
                                            "nobody was there to see why (the agent or libvirtd "
                                            "had been restarted); start it again");
  }
  if (stayed && o->message && !m->progress.post_copy)
    revive(m, o);
  if (!o->message) {
    gint64 until = g_get_monotonic_time() + COMPLETED_WAIT_MS * 1000;
    g_mutex_lock(&m->lock);
    while (!m->have_completed && m->calling && g_cond_wait_until(&m->cond, &m->lock, until))
      ;
    g_mutex_unlock(&m->lock);
  }
  return TRUE;
}
