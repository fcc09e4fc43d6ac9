// SPDX-License-Identifier: Apache-2.0
// Theory of operation: the worker thread owns the migration. It probes, writes TargetReady and
// Running, and only when the server has taken these does it start libvirt's call (prepare.c), which
// runs in a thread of the driver. Then it supervises (supervise.c): it reads the job's numbers,
// feeds the convergence controller and does what that decides; a few times a second it hands
// progress to delivery. It is woken early by its inbox (a new pass, the call's return, a cancel).
// When the call has returned, or the job is gone, it asks for the domain's state, cleans up
// (settle.c), and hands in the result (finish.c): ferryd's controller decides from both hosts'
// state what that means. A migration found in phase Running at the start is adopted: the same,
// without the call. Whose what is says parts.h.
#include "agent/migration/migration.h"
#include "model/domain/domain_states.h"
#include "model/migration/reasons.h"
#include "agent/link/delivery_server.h"
#include "agent/migration/arrange/arm.h"
#include "agent/migration/run/doubt.h"
#include "agent/migration/finish.h"
#include "agent/migration/parts.h"
#include "agent/migration/prepare.h"
#include "agent/migration/run/recovery.h"
#include "agent/migration/run/settle.h"
#include "agent/migration/run/steer.h"
#include "agent/migration/run/supervise.h"
#include "model/flags/migration_flags.h"
#include "model/migration/migration_log.h"
#include "model/migration/phase.h"

struct _FerryMigration {
  FerryMigrationParts parts;
  GThread *thread;
  gboolean abandoned; /* its call goes on in libvirt, as the agent ends; read after the join */
};

static void finish_gone(FerryMigrationParts *m) {
  FerryOutcome gone = {.state = {.state = FERRY_VM_GONE}};
  ferry_finish(m, &gone);
}

static void finish_unresolved(FerryMigrationParts *m) {
  if (ferry_context_has_ended(m->ports.context))
    return;
  if (m->asked.adopted) {
    /* It ran when the last agent ended, and is here no more: the target's report decides. */
    ferry_shown_accept(&m->shown);
    finish_gone(m);
    return;
  }
  g_autofree char *text =
      g_strdup_printf("host %s has no domain for the VM \"%s/%s\"",
                      ferry_context_node(m->ports.context), m->asked.ns, m->asked.vmi_name);
  ferry_finish_before(m, FERRY_REASON_VM_NOT_FOUND, text);
}

/* One that is in its switch-over just now, which the agent before this one was told of. */
static void recall_switchover(FerryMigrationParts *m) {
  FerryDomainState state;
  FerryHostEvent paused = {
      .type = FERRY_HOST_EVENT_STATE, .uuid = m->asked.uuid, .pause = FERRY_HOST_PAUSE_SWITCHOVER};
  if (ferry_host_job_state(m->running.job, &state, NULL) && state.state == FERRY_VM_PAUSED &&
      g_strcmp0(state.reason, FERRY_VM_REASON_MIGRATION) == 0)
    ferry_inbox_event(m->inbox, &paused);
}

/* What the target's agent is told of; without ferryd nobody hears it. */
static void begin_flows(FerryMigrationParts *m) {
  if (!m->asked.local && m->asked.uuid)
    ferry_running_begin_flows(&m->running);
}

/* FALSE: there is nothing to supervise. */
static gboolean migration_adopt(FerryMigrationParts *m) {
  g_autoptr(GError) error = NULL;
  ferry_shown_accept(&m->shown);
  ferry_step_set_started(&m->running.step);
  ferry_delivery_live(m->shown.delivery, TRUE);
  ferry_info("adopting a migration that began before this agent did", "FERRY_MIGRATION",
             m->asked.name);
  if (ferry_running_open_job(&m->running, -1, &error)) {
    recall_switchover(m);
    begin_flows(m);
    ferry_kept_see(&m->kept, m->running.job, FALSE);
    return TRUE;
  }
  if (g_error_matches(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_DOMAIN))
    finish_gone(m);
  return FALSE;
}

/* Whether this attempt's result was handed in, by an agent before this one. */
static gboolean has_handed_in(const FerryMigrationParts *m) {
  const json_t *result = ferry_json_get(m->asked.object, "status.migrationState.agentResult");
  return result && ferry_json_int(result, "attempt", 0) >= ferry_worker_attempt(m->asked.object);
}

/* The agent before this one ended in doubt of who has the VM. */
static void go_on_in_doubt(FerryMigrationParts *m) {
  FerryOutcome outcome = {0};
  ferry_inbox_set_called(m->inbox, TRUE);
  ferry_shown_accept(&m->shown);
  ferry_step_set_started(&m->running.step);
  ferry_info("going on with a copy of a VM of which it is not known whether it may run",
             "FERRY_MIGRATION", m->asked.name, "FERRY_DOMAIN", m->asked.uuid);
  ferry_running_open_job(&m->running, -1, NULL); /* one that is gone is found to be so */
  if (ferry_context_has_ended(m->ports.context))
    return;
  if (has_handed_in(m) && ferry_doubt_is_stale(&m->running))
    return;
  if (!has_handed_in(m)) {
    if (ferry_settle(&m->running, &outcome) != FERRY_SETTLED)
      return;
    ferry_finish(m, &outcome);
    ferry_outcome_clear(&outcome);
  }
  ferry_finish_doubt(m);
}

static void take_autostart(FerryMigrationParts *m) {
  g_autoptr(GError) error = NULL;
  if (!ferry_autostart_take(&m->autostart, m->running.job, &error))
    ferry_warning(error->message, "FERRY_MIGRATION", m->asked.name);
}

/* FALSE: it has ended. */
static gboolean call_libvirt(FerryMigrationParts *m) {
  g_autoptr(GError) error = NULL;
  FerryRunning *r = &m->running;
  FerryConvergenceIntent intent;
  ferry_measure_intent(&m->ports, &m->asked, &m->measured, &intent);
  ferry_throttle_arm(&m->asked, &m->measured, &intent, r->step.was_paused);
  ferry_steer_begin(r);
  if (m->means)
    ferry_running_record(r, FERRY_ACTION_CHOOSE_MEANS, -1, ferry_reason_name(FERRY_REASON_CHEAPEST),
                         m->means);
  take_autostart(m);
  if (m->asked.settings.request.active)
    begin_flows(m);
  if (!ferry_prepare_holds(m)) /* all this may have taken its time */
    return FALSE;
  ferry_step_set_start(&r->step, g_get_monotonic_time());
  if (!ferry_host_job_start(r->job, &m->asked.settings.request, ferry_inbox_return, m->inbox,
                            &error)) {
    ferry_finish_before(m, FERRY_REASON_MIGRATION_FAILED, error->message);
    return FALSE;
  }
  ferry_step_set_started(&r->step);
  ferry_running_note_call(r, TRUE);
  ferry_delivery_live(m->shown.delivery, TRUE);
  return TRUE;
}

/* Until it has ended. FALSE: the agent ends, and the next one adopts. */
static gboolean see_it_through(FerryMigrationParts *m, FerryOutcome *outcome) {
  FerrySettled settled = FERRY_SETTLE_GOES_ON;
  ferry_running_enter_path(&m->running);
  while (settled == FERRY_SETTLE_GOES_ON)
    settled =
        ferry_supervise(&m->running) ? ferry_settle(&m->running, outcome) : FERRY_SETTLE_STOPPED;
  ferry_running_leave_path(&m->running, settled == FERRY_SETTLED && !outcome->message);
  return settled == FERRY_SETTLED;
}

static void carry_out(FerryMigrationParts *m) {
  FerryOutcome outcome = {0};
  ferry_step_set_start(&m->running.step, g_get_monotonic_time());
  if (!ferry_prepare_resolve(m)) {
    finish_unresolved(m);
    return;
  }
  if (ferry_doubt_recall(&m->running)) {
    go_on_in_doubt(m);
    return;
  }
  if (m->asked.adopted ? !migration_adopt(m) : !(ferry_prepare(m) && call_libvirt(m)))
    return;
  if (see_it_through(m, &outcome)) {
    ferry_finish_note_call(m, &outcome);
    ferry_finish_advise(&outcome);
    /* libvirt sends no event when an offline migration undefines the domain: look at it anew */
    ferry_inventory_mark(m->ports.inventory, m->asked.uuid, TRUE);
    if (outcome.message && outcome.state.active && !m->running.step.post_copy &&
        !m->running.doubt.in_doubt) /* else they may be those of a copy that goes on */
      ferry_disks_undo(&m->disks, m->running.job, &outcome.message);
    ferry_finish(m, &outcome);
    ferry_finish_doubt(m);
  }
  ferry_outcome_clear(&outcome);
}

/* What may be left, here or at the target, as far as this worker knows. */
static FerryLeftoversLeft migration_left(const FerryMigrationParts *m) {
  FerryDomainState here = {.state = FERRY_VM_GONE};
  const FerryMigrateRequest *request = &m->asked.settings.request;
  if (!m->ending.moved &&
      m->running.step.started) /* after a call that failed the target is looked at */
    return m->ending.peer_lost ? FERRY_LEFTOVERS_LATE : FERRY_LEFTOVERS_SOME;
  if (!m->ending.moved)
    return ferry_disks_are_left(&m->disks) ? FERRY_LEFTOVERS_SOME : FERRY_LEFTOVERS_NONE;
  if (m->running.job)
    ferry_host_job_state(m->running.job, &here, NULL);
  gboolean left =
      here.exists && !here.active &&
      (!here.persistent || ferry_migration_undefines(request->config, TRUE, request->active));
  return left ? FERRY_LEFTOVERS_SOME : FERRY_LEFTOVERS_NONE;
}

/* What is left is looked after by others. */
static void put_away(FerryMigrationParts *m) {
  if (!ferry_context_has_ended(m->ports.context)) /* else the next agent takes it over */
    ferry_leftovers_end(m->ports.leftovers, m->asked.object, migration_left(m));
}

static gpointer migration_thread(gpointer data) {
  FerryMigration *migration = data;
  FerryMigrationParts *m = &migration->parts;
  ferry_log_scope(m->shown.log);
  carry_out(m);
  ferry_running_end_flows(&m->running);
  put_away(m);
  /* Closing a job joins its call: at shutdown that would wait for the whole migration, so then the
   * process leaves it to libvirt. */
  migration->abandoned = m->running.calling && !ferry_inbox_has_returned(m->inbox);
  if (!migration->abandoned)
    ferry_running_close_job(&m->running);
  ferry_shown_end(&m->shown);
  ferry_inbox_set_done(m->inbox);
  return NULL;
}

/* Takes `log` and `delivery`. */
static FerryMigration *start_worker(const FerryMigrationPorts *ports, const json_t *object,
                                    gboolean local, FerryLogContext *log, FerryDelivery *delivery) {
  FerryMigration *migration = g_new0(FerryMigration, 1);
  FerryMigrationParts *m = &migration->parts;
  m->ports = *ports;
  m->inbox = ferry_inbox_new();
  ferry_asked_init(&m->asked, object, local);
  ferry_autostart_recall(&m->autostart, object);
  ferry_kept_recall(&m->kept, object);
  ferry_shown_init(&m->shown, &m->asked, delivery, log);
  ferry_disks_init(&m->disks, &m->ports, &m->asked, &m->shown);
  ferry_running_init(&m->running, &m->ports, &m->asked, &m->measured, &m->shown, m->inbox);
  ferry_running_set_kept(&m->running, &m->kept);
  ferry_recovery_recall(&m->running);
  if (m->asked.uuid)
    ferry_inbox_set_domain(m->inbox, m->asked.uuid);
  ferry_inbox_update(m->inbox, object);
  /* an adopted one has, and one that is over comes to a doubt that it goes on with */
  ferry_inbox_set_called(m->inbox, m->asked.adopted || has_handed_in(m) ||
                                       ferry_phase_is_final(ferry_phase_of(object)));
  migration->thread = g_thread_new("migration", migration_thread, migration);
  return migration;
}

FerryMigration *ferry_migration_start(const FerryMigrationPorts *ports, const json_t *object) {
  FerryLogContext *log = ferry_migration_log_context(object, ferry_context_node(ports->context));
  FerryDelivery *delivery = ferry_delivery_server_new(ports->context, ports->session,
                                                      ferry_json_str(object, "metadata.namespace"),
                                                      ferry_json_str(object, "metadata.name"), log);
  return start_worker(ports, object, FALSE, log, delivery);
}

FerryMigration *ferry_migration_start_local(const FerryMigrationPorts *ports, const json_t *object,
                                            FerryDeliverySink sink, gpointer data) {
  FerryLogContext *log = ferry_migration_log_context(object, ferry_context_node(ports->context));
  return start_worker(ports, object, TRUE, log, ferry_delivery_local_new(sink, data));
}

/* ---- what the table of workers can do with one ---- */

static gboolean migration_is_done(gpointer worker) {
  const FerryMigration *migration = worker;
  return ferry_inbox_is_done(migration->parts.inbox);
}

static const char *migration_domain(gpointer worker) {
  const FerryMigration *migration = worker;
  return ferry_inbox_domain(migration->parts.inbox);
}

static gboolean migration_is_before(gpointer worker, const json_t *object) {
  const FerryMigration *migration = worker;
  return ferry_worker_attempt(migration->parts.asked.object) < ferry_worker_attempt(object);
}

static void migration_update(gpointer worker, const json_t *object) {
  const FerryMigration *migration = worker;
  ferry_inbox_update(migration->parts.inbox, object);
}

static void migration_event(gpointer worker, const FerryHostEvent *event) {
  const FerryMigration *migration = worker;
  ferry_inbox_event(migration->parts.inbox, event);
}

static void migration_free(gpointer worker) {
  FerryMigration *migration = worker;
  FerryMigrationParts *m = &migration->parts;
  g_thread_join(migration->thread);
  if (migration->abandoned)
    return; /* the driver's thread still uses it; the process is about to end */
  ferry_recovery_clear(&m->running);
  ferry_running_clear(&m->running);
  ferry_disks_clear(&m->disks);
  ferry_kept_clear(&m->kept);
  ferry_shown_clear(&m->shown);
  ferry_measured_clear(&m->measured);
  ferry_asked_clear(&m->asked);
  g_free(m->means);
  ferry_inbox_free(m->inbox);
  g_free(migration);
}

static gboolean migration_has_called(gpointer worker) {
  const FerryMigration *migration = worker;
  return ferry_inbox_has_called(migration->parts.inbox);
}

const FerryWorkerOps ferry_migration_ops = {
    migration_is_done, migration_domain,     migration_is_before, migration_update,
    migration_event,   migration_has_called, migration_free};
