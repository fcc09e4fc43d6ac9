// SPDX-License-Identifier: Apache-2.0
// Written before acted on: the worker writes PreparingTarget before it makes anything on the
// target, and Running before it calls libvirt, and goes on only when ferryd has taken that.
//
// Each step here either goes on or ends the migration with its reason, and the VM was not touched
// until the last: the job is checked against this host and ferryd's nodes, the domain is looked at
// (it runs, its QEMU answers, its copy is in no doubt), what was asked to be measured is measured,
// the way is looked up and the target probed. Only then is noted what libvirt's call may leave
// behind, and ferryd is asked for Running; its yes is good for a moment, and is asked for again
// where that has passed.
#include "agent/migration/prepare.h"
#include "model/domain/domain_states.h"
#include "model/migration/reasons.h"
#include "agent/link/job_fetch.h"
#include "agent/migration/arrange/arm.h"
#include "agent/migration/finish.h"
#include "agent/migration/arrange/forecast.h"
#include "agent/migration/arrange/measure_path.h"
#include "agent/path/probe.h"
#include "agent/path/ways.h"
#include "agent/twin/doubt_book.h"
#include "base/rfc3339.h"
#include "model/flags/migration_flags.h"
#include "model/migration/phase.h"
#include <string.h>

#define FORECAST_S 5
#define PROBE_PATIENCE_MS 3000 /* for the target's agent to listen */
#define JOB_PATIENCE_MS 10000
#define INVENTORY_POLL_MS 50
#define RESOLVE_TRIES 20
#define YES_HOLDS_US G_USEC_PER_SEC
#define DOUBT_PATIENCE_MS 10000
#define DOUBT_POLL_MS 100
#define RESOLVE_POLL_MS 100

/* Right after a start the inventory may not be read yet, or libvirt be away: nothing can be
 * concluded before it is whole. FALSE: the agent ends. */
static gboolean await_inventory(const FerryMigrationPorts *ports) {
  while (!ferry_inventory_is_ready(ports->inventory))
    if (!ferry_context_sleep(ports->context, INVENTORY_POLL_MS) ||
        ferry_context_has_ended(ports->context))
      return FALSE;
  return TRUE;
}

gboolean ferry_prepare_resolve(FerryMigrationParts *m) {
  FerryAsked *asked = &m->asked;
  if (!asked->uuid && !await_inventory(&m->ports))
    return FALSE;
  for (guint i = 0; !asked->uuid && i < RESOLVE_TRIES; i++) {
    ferry_asked_set_uuid(asked,
                         ferry_inventory_resolve(m->ports.inventory, asked->ns, asked->vmi_name));
    if (!asked->uuid && !ferry_context_sleep(m->ports.context, RESOLVE_POLL_MS))
      return FALSE;
  }
  if (asked->uuid)
    ferry_inbox_set_domain(m->inbox, asked->uuid);
  return asked->uuid != NULL;
}

/* With what keeps a promised pause from being begun; NULL: nothing. */
static char *send_forecast(FerryMigrationParts *m) {
  g_autofree char *now = ferry_rfc3339_format_ms(g_get_real_time() / 1000);
  json_t *forecast = ferry_migration_forecast(&m->ports, &m->asked, &m->measured);
  char *breaks = m->asked.settings.strict
                     ? ferry_migration_forecast_breaks(forecast, m->asked.settings.max_downtime_ms)
                     : NULL;
  ferry_json_set_str(forecast, "time", now);
  ferry_step_set_forecast(&m->running.step, ferry_json_int(forecast, "totalMs", 0));
  ferry_shown_send(&m->shown, json_pack("{s:o}", "forecast", forecast));
  return breaks;
}

/* Nothing is moved: the status gets what a migration would cost. */
static void forecast_only(FerryMigrationParts *m) {
  g_autoptr(GError) error = NULL;
  ferry_shown_send(&m->shown, ferry_shown_phase(&m->shown, FERRY_PHASE_PREPARING_TARGET));
  ferry_shown_accept(&m->shown);
  /* path and guest one after the other: either would disturb the other's figure */
  gboolean settled = ferry_measure_path(&m->running, PROBE_PATIENCE_MS);
  if (!ferry_measure_guest(m->running.job, FORECAST_S, &m->measured, &error)) {
    ferry_finish_before(m, FERRY_REASON_FORECAST_FAILED, error->message);
    return;
  }
  if (!settled)
    ferry_measure_path(&m->running, 0);
  g_free(send_forecast(m));
  ferry_finish_before(m, FERRY_REASON_FORECAST_MADE,
                      "nothing was moved: only a forecast was asked for");
}

/* What is asked for to be known beforehand. The migration does not depend on it, but where a pause
 * is promised. FALSE: it has ended. */
static gboolean measure_if_asked(FerryMigrationParts *m) {
  g_autoptr(GError) error = NULL;
  gboolean strict = m->asked.settings.strict;
  int seconds = MAX(m->asked.settings.dirty_rate_s, strict ? FORECAST_S : 0);
  if (seconds <= 0)
    return TRUE;
  if (ferry_measure_guest(m->running.job, seconds, &m->measured, &error)) {
    g_autofree char *breaks = send_forecast(m);
    if (breaks)
      ferry_finish_before(m, FERRY_REASON_PAUSE_NOT_PROMISED, breaks);
    return !breaks;
  }
  if (strict) {
    ferry_finish_before(m, FERRY_REASON_FORECAST_FAILED, error->message);
    return FALSE;
  }
  ferry_warning(error->message, "FERRY_MIGRATION", m->asked.name, "FERRY_DOMAIN", m->asked.uuid);
  return TRUE;
}

/* Whether the job fits this host and ferryd's nodes. FALSE: it has ended. */
static gboolean accept_job(FerryMigrationParts *m) {
  g_autoptr(GError) error = NULL;
  const FerryMigrationPorts *ports = &m->ports;
  if (m->asked.local) /* root's own word on this host's socket */
    return TRUE;
  if (!await_inventory(ports))
    return FALSE;
  g_autofree char *name = ferry_inventory_domain_name(ports->inventory, m->asked.uuid);
  FerryJobHere here = {ferry_context_node(ports->context), name ? m->asked.uuid : NULL, name};
  FerryJobVerdict verdict = ferry_job_verdict(ports->context, ports->session, m->asked.object,
                                              &here, ferry_running_is_over, &m->running, &error);
  if (verdict == FERRY_JOB_REFUSED)
    ferry_finish_before(m, FERRY_REASON_JOB_REFUSED, error->message);
  else if (verdict == FERRY_JOB_STOPPED && !ferry_context_has_ended(ports->context))
    ferry_finish_if_cancelled(m);
  return verdict == FERRY_JOB_FITS;
}

/* libvirt refuses post-copy of a paused guest, and pre-copy needs no help with one. A post-copy
 * that broke is resumed as one. */
static void do_without_post_copy(FerryMigrationParts *m, const FerryDomainState *state) {
  if (!m->asked.settings.request.post_copy || ferry_vm_reason_is_post_copy(state->reason))
    return;
  ferry_asked_forgo_post_copy(&m->asked);
  ferry_step_set_may_post_copy(&m->running.step, FALSE);
}

/* One whose QEMU does not answer cannot be moved, and libvirt would wait for it for ever. FALSE: it
 * has ended. */
static gboolean prepare_asks_qemu(FerryMigrationParts *m) {
  g_autoptr(GError) error = NULL;
  gint64 bytes;
  if (ferry_host_job_resident(m->running.job, &bytes, &error) || !ferry_host_error_is_silent(error))
    return TRUE;
  g_autofree char *text = g_strdup_printf(
      "%s on %s: look at that process (stopped, or waiting for storage), then migrate again",
      error->message, ferry_context_node(m->ports.context));
  ferry_finish_before(m, FERRY_REASON_HYPERVISOR_ERROR, text);
  return FALSE;
}

/* Whether the copy runs by somebody's will: not by libvirt's own resume after a switch-over, which
 * whoever noted the copy is about to undo. */
static gboolean runs_by_will(const FerryDomainState *state) {
  return state->state == FERRY_VM_RUNNING &&
         g_strcmp0(state->reason, FERRY_VM_REASON_CANCELED) != 0;
}

/* Whether the copy here is one that an earlier migration suspended, or is about to. What ends a
 * doubt resumes first and forgets then, what begins one notes it first: so the book is read before
 * and after. */
static gboolean is_in_doubt(const FerryMigrationParts *m, FerryDomainState *state, GError **error) {
  const char *dir = ferry_context_state_dir(m->ports.context);
  gboolean before = ferry_doubt_book_has_domain(dir, m->asked.uuid, m->asked.uid);
  if (!ferry_host_job_state(m->running.job, state, error))
    return FALSE;
  if (before && runs_by_will(state)) /* a person, or an agent that was killed then, let it go on */
    ferry_doubt_book_forget_domain(dir, m->asked.uuid, m->asked.uid);
  if (!state->active || runs_by_will(state))
    return FALSE;
  return before || ferry_doubt_book_has_domain(dir, m->asked.uuid, m->asked.uid);
}

/* A copy of which it is not known whether it may run is moved by nobody: it would arrive suspended
 * for good, as one that a person had paused. What becomes of it is mostly known within a second.
 * FALSE: it has ended. */
static gboolean await_no_doubt(FerryMigrationParts *m, FerryDomainState *state) {
  g_autoptr(GError) error = NULL;
  gint64 until = g_get_monotonic_time() + DOUBT_PATIENCE_MS * 1000;
  while (is_in_doubt(m, state, &error)) {
    if (ferry_finish_if_cancelled(m))
      return FALSE;
    if (g_get_monotonic_time() > until) {
      gboolean paused = state->state == FERRY_VM_PAUSED;
      g_autofree char *text = g_strdup_printf(
          "the VM is %s on %s since an earlier migration, as it is not known whether its copy on "
          "the other host runs: say which goes on (ferry resolve %s --keep HOST), or, where that "
          "migration is not there any more, look at both hosts and %s'virsh resume' it",
          paused ? "suspended" : "to be suspended", ferry_context_node(m->ports.context),
          m->asked.vmi_name, paused ? "" : "'virsh suspend' and ");
      ferry_finish_before(m, FERRY_REASON_VM_IN_DOUBT, text);
      return FALSE;
    }
    if (!ferry_context_sleep(m->ports.context, DOUBT_POLL_MS))
      return FALSE;
  }
  if (error)
    ferry_finish_before(m, FERRY_REASON_HYPERVISOR_ERROR, error->message);
  return !error;
}

/* What the domain is like before anything is done. FALSE: it has ended. */
static gboolean look_at_domain(FerryMigrationParts *m) {
  g_autoptr(GError) error = NULL;
  FerryDomainState state;
  FerryRunning *r = &m->running;
  if (!ferry_running_open_job(r, JOB_PATIENCE_MS, &error) ||
      !ferry_host_job_state(r->job, &state, &error)) {
    /* A domain that is not here is first of all a job that doesn't fit. */
    if (!g_error_matches(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_DOMAIN) || accept_job(m))
      ferry_finish_before(m, FERRY_REASON_HYPERVISOR_ERROR, error->message);
    return FALSE;
  }
  if (!accept_job(m) || !await_no_doubt(m, &state))
    return FALSE;
  if (!state.active && !ferry_json_bool(m->asked.settings.request.config, "offline", FALSE)) {
    g_autofree char *text =
        g_strdup_printf("the VM is not running (%s) on %s: start it first",
                        ferry_vm_state_name(state.state), ferry_context_node(m->ports.context));
    ferry_finish_before(m, FERRY_REASON_VM_NOT_RUNNING, text);
    return FALSE;
  }
  if (state.active && !prepare_asks_qemu(m))
    return FALSE;
  ferry_step_set_was_paused(&r->step, state.state == FERRY_VM_PAUSED);
  if (r->step.was_paused)
    do_without_post_copy(m, &state);
  ferry_asked_set_domain(&m->asked, &state);
  return TRUE;
}

/* Where all of its connections would go, and whether the target answers there. */
static gboolean look_at_way(FerryMigrationParts *m, GError **error) {
  const FerryMigrateRequest *request = &m->asked.settings.request;
  ferry_step_set_ways(&m->running.step, ferry_ways_look(m->asked.object, request, error));
  return m->running.step.ways &&
         (!request->address || !ferry_migration_uses_network(request->config) ||
          ferry_probe(request->address, m->asked.object, NULL, error));
}

/* FALSE: it has ended. */
static gboolean probe_target(FerryMigrationParts *m) {
  g_autoptr(GError) error = NULL;
  if (!m->ports.host->local || look_at_way(m, &error))
    return TRUE;
  const char *target = ferry_json_str(m->asked.object, "status.migrationState.targetNode");
  g_prefix_error(&error, "%s: ", target ? target : "the target");
  ferry_finish_before(m,
                      g_error_matches(error, FERRY_ERROR, FERRY_ERROR_CONFLICT)
                          ? FERRY_REASON_WRONG_WAY
                          : FERRY_REASON_TARGET_UNREACHABLE,
                      error->message);
  return FALSE;
}

/* libvirt has no time limit for connecting to the target's libvirtd: one that hangs is found by
 * asking it, beside the rest, as that takes its time over ssh. */
typedef struct {
  FerryHost *host;
  char *uri, *uuid;
  GThread *thread;
  /* read after the join */
  GError *error;
  FerryDomainState state;
  gboolean told;
} PeerCheck;

static gpointer peer_check_thread(gpointer data) {
  PeerCheck *check = data;
  check->told =
      ferry_host_peer_state(check->host, check->uri, check->uuid, &check->state, &check->error);
  return NULL;
}

static void peer_check_begin(PeerCheck *check, const FerryMigrationParts *m) {
  check->host = m->ports.host;
  check->uri = g_strdup(m->asked.settings.request.dest_uri);
  check->uuid = g_strdup(m->asked.uuid);
  if (check->uri)
    check->thread = g_thread_new("peer-check", peer_check_thread, check);
}

static void peer_check_end(PeerCheck *check) {
  if (check->thread)
    g_thread_join(g_steal_pointer(&check->thread));
}

static void peer_check_clear(PeerCheck *check) {
  peer_check_end(check);
  g_free(check->uri);
  g_free(check->uuid);
  g_clear_error(&check->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PeerCheck, peer_check_clear)

/* Whatever else is wrong libvirt says itself, and better. FALSE: it has ended. */
static gboolean target_lives(FerryMigrationParts *m, PeerCheck *check) {
  peer_check_end(check);
  if (ferry_context_has_ended(m->ports.context))
    return FALSE;
  if (!g_error_matches(check->error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_PEER_UNREACHABLE))
    return TRUE;
  const char *target = ferry_json_str(m->asked.object, "status.migrationState.targetNode");
  g_autofree char *text =
      g_strdup_printf("the libvirtd of %s does not answer (%s): look at it there",
                      target ? target : "the target", check->error->message);
  ferry_finish_before(m, FERRY_REASON_TARGET_LIBVIRT_UNREACHABLE, text);
  return FALSE;
}

/* What libvirt's call may leave here or there. */
static void note_leftovers(const FerryMigrationParts *m, const PeerCheck *check) {
  const FerryMigrateRequest *request = &m->asked.settings.request;
  FerryLeftoverNote note = {
      .uuid = m->asked.uuid,
      .uri = request->dest_uri,
      .disks = m->disks.made,
      .before = check->told ? &check->state : NULL,
      .undefine = ferry_migration_undefines(request->config, request->persistent, request->active),
      .offline = ferry_migration_flag_on(request->config, "offline")};
  ferry_leftovers_begin(m->ports.leftovers, m->asked.object, &note);
}

/* ferryd's yes is good for a moment: where it took long to come, or this agent stood still as it
 * came, another agent may have this node by now, and have gone on without this one. So it is asked
 * anew, which is refused then. A ferryd that is slow all the time is believed in the end. */
static FerryDeliveryResult ask_until_fresh(FerryMigrationParts *m, json_t *question) {
  for (gint64 holds_us = YES_HOLDS_US;; holds_us *= 2) {
    m->yes_us = g_get_monotonic_time();
    ferry_shown_send(&m->shown, question);
    FerryDeliveryResult delivered = ferry_shown_await(&m->shown, m->ports.context);
    if (delivered != FERRY_DELIVERED || g_get_monotonic_time() - m->yes_us <= holds_us)
      return delivered;
    question = json_pack("{s:s}", "phase", ferry_phase_name(FERRY_PHASE_RUNNING));
  }
}

/* FALSE: it has ended. */
static gboolean say_running(FerryMigrationParts *m, json_t *question) {
  FerryDeliveryResult delivered = ask_until_fresh(m, question);
  if (delivered == FERRY_DELIVERED)
    return TRUE;
  ferry_warning("not started: the server refused the phase Running", "FERRY_MIGRATION",
                m->asked.name);
  if (delivered == FERRY_DELIVERY_REFUSED || delivered == FERRY_DELIVERY_GONE) {
    /* it was given up meanwhile: nobody comes back to it */
    ferry_disks_undo(&m->disks, m->running.job, NULL);
    ferry_finish_autostart(m);
  }
  return FALSE;
}

/* FALSE: it has ended. */
static gboolean announce_start(FerryMigrationParts *m) {
  json_t *ready = ferry_shown_phase(&m->shown, FERRY_PHASE_TARGET_READY);
  ferry_json_set_int(ready, "migrationState.agentEpoch", ferry_session_epoch_now(m->ports.session));
  if (json_array_size(m->running.step.ways))
    json_object_set(ferry_json_get(ready, "migrationState"), "ways", m->running.step.ways);
  if (m->autostart.on)
    ferry_json_set(ready, "migrationState.autostart", json_true());
  json_t *means = ferry_arm_chosen(&m->asked);
  if (means || ferry_json_get(m->asked.object, "status.migrationState.means"))
    ferry_json_set(ready, "migrationState.means", means ? means : json_null());
  json_t *kept = ferry_kept_record(&m->kept);
  if (kept)
    ferry_json_set(ready, "migrationState.kept", kept);
  ferry_shown_send(&m->shown, ready);
  if (!say_running(m, ferry_shown_phase(&m->shown, FERRY_PHASE_RUNNING)))
    return FALSE;
  ferry_shown_accept(&m->shown);
  return !ferry_finish_if_cancelled(m);
}

gboolean ferry_prepare_holds(FerryMigrationParts *m) {
  FerryDomainState state;
  do {
    ferry_inbox_set_called(m->inbox, FALSE);
    if (!await_no_doubt(m, &state))
      return FALSE;
    if (g_get_monotonic_time() - m->yes_us > YES_HOLDS_US &&
        !say_running(m, json_pack("{s:s}", "phase", ferry_phase_name(FERRY_PHASE_RUNNING))))
      return FALSE;
    ferry_inbox_set_called(m->inbox, TRUE); /* whoever is in doubt of the VM waits from now on */
  } while (is_in_doubt(m, &state, NULL));
  return !ferry_context_has_ended(m->ports.context);
}

/* The migration does not depend on it. */
static void look_at_kept(FerryMigrationParts *m) {
  g_autoptr(GError) error = NULL;
  if (!ferry_kept_look(&m->kept, m->running.job, &error) && error)
    ferry_warning(error->message, "FERRY_MIGRATION", m->asked.name, "FERRY_DOMAIN", m->asked.uuid);
}

static void choose_means(FerryMigrationParts *m) {
  FerryConvergenceIntent intent;
  ferry_measure_intent(&m->ports, &m->asked, &m->measured, &intent);
  m->means = ferry_arm_means(&m->asked, &m->measured, &intent);
  ferry_step_set_may_post_copy(&m->running.step, m->asked.settings.request.post_copy);
}

gboolean ferry_prepare(FerryMigrationParts *m) {
  g_autoptr(GError) error = NULL;
  if (!look_at_domain(m))
    return FALSE;
  if (ferry_json_bool(m->asked.object, "spec.forecastOnly", FALSE)) {
    forecast_only(m);
    return FALSE;
  }
  if (!probe_target(m) || ferry_finish_if_cancelled(m))
    return FALSE;
  g_auto(PeerCheck) check = {0};
  peer_check_begin(&check, m);
  if (m->asked.settings.request.active && !m->running.step.was_paused) {
    if (!measure_if_asked(m))
      return FALSE;
    choose_means(m);
  }
  if (!ferry_disks_prepare(&m->disks, m->running.job, &error)) {
    if (!ferry_context_has_ended(m->ports.context))
      ferry_finish_before(m, FERRY_REASON_TARGET_NOT_PREPARED, error->message);
    return FALSE;
  }
  ferry_autostart_look(&m->autostart, m->running.job);
  look_at_kept(m);
  if (ferry_finish_if_cancelled(m) || !target_lives(m, &check))
    return FALSE;
  note_leftovers(m, &check);
  return announce_start(m);
}
