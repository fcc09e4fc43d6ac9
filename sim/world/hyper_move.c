// SPDX-License-Identifier: Apache-2.0
// One migration, peer to peer, as libvirt's and QEMU's processes on both hosts carry it out.
//
// Theory of operation: one fiber plays the source's libvirtd and both QEMUs. Where it waits, it
// looks at what has become of all four: a libvirtd that died conducts no more (QEMU goes on by its
// own rules), one that hangs does so later. What the target's libvirtd was told lies in its socket
// until it can read it, whatever the source thinks by then: that is how two copies come to run.
#include "sim/world/hyper.h"
#include "base/limits.h"
#include "model/domain/domain_states.h"

#define CHUNK_US 50000
#define TCP_TIMEOUT_US (120 * G_USEC_PER_SEC)
#define CONNECT_TIMEOUT_US (130 * G_USEC_PER_SEC)
#define ERROR_FAILED 9
#define MS 1000

typedef enum { WENT_WELL, WENT_ON_WITHOUT, WENT_WRONG } Went;

static FerryWorldCopy *hyper_move_half(const FerryWorldMove *m, const FerryWorldHost *host) {
  FerryWorldCopy *copy = ferry_hyper_copy(host, m->vm->uuid);
  return copy && copy->move == m ? copy : NULL;
}

static gboolean qemu_lives(const FerryWorldMove *m, const FerryWorldHost *host) {
  const FerryWorldCopy *copy = hyper_move_half(m, host);
  return copy && copy->qemu;
}

static gboolean hyper_move_conducts(const FerryWorldMove *m) {
  return m->from->power && m->from->daemon && m->from->life == m->life_from;
}

static gboolean target_listens(const FerryWorldMove *m) {
  return m->to->power && m->to->daemon && m->to->life == m->life_to;
}

/* Whoever waits for a migration to be just there is told. */
static void move_enter(FerryWorldMove *m, FerryMoveStage stage) {
  m->stage = stage;
  ferry_fiber_wake(&m->hyper->moves, TRUE);
}

static void move_wait(FerryWorldMove *m, gint64 us) {
  ferry_fiber_wait(m->hyper, ferry_fiber_now() + us);
}

/* The call comes back; takes `error`. */
static void move_return(FerryWorldMove *m, GError *error) {
  if (m->done) {
    FerryMigrateDone done = m->done;
    m->done = NULL;
    m->job = NULL;
    done(error, m->done_data);
  }
  g_clear_error(&error);
}

static void return_lost(FerryWorldMove *m) {
  move_return(m, g_error_new_literal(FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_CONNECTION,
                                     "the connection to libvirtd broke"));
}

void ferry_move_lose_calls(FerryWorldHost *host) {
  FerryHyper *h = host->hyper;
  for (guint i = 0; i < h->moves->len; i++) {
    FerryWorldMove *m = h->moves->pdata[i];
    if (m->from == host)
      return_lost(m);
  }
}

/* ---- what the target's libvirtd does ---- */

typedef struct {
  FerryWorldHost *host;
  const char *uuid;
  int id;
} Received;

/* Its connection to the source is gone: what was not let go on is thrown away. */
static gpointer clean_up(gpointer data) {
  g_autofree Received *r = data;
  guint life = r->host->life;
  while (r->host->power && r->host->life == life && !ferry_hyper_answers(r->host))
    ferry_fiber_wait(r->host, ferry_fiber_now() + G_USEC_PER_SEC);
  ferry_fiber_sleep(100 * MS);
  FerryWorldCopy *copy = ferry_hyper_copy(r->host, r->uuid);
  if (!copy || copy->id != r->id || !copy->incoming || copy->runs || !r->host->daemon)
    return NULL; /* a libvirtd that starts does so by itself */
  copy->move = NULL;
  ferry_copy_stop(copy, "failed", TRUE);
  return NULL;
}

static void abandon_target(FerryWorldMove *m) {
  const FerryWorldCopy *copy = hyper_move_half(m, m->to);
  if (!copy)
    return;
  Received *r = g_new(Received, 1);
  *r = (Received){m->to, m->vm->uuid, copy->id};
  ferry_fiber_new(NULL, clean_up, r, FALSE);
}

static void move_unref(FerryWorldMove *m) {
  if (--m->users == 0)
    g_free(m);
}

static gboolean target_reads(FerryWorldMove *m) {
  while (target_listens(m) && m->to->hung)
    ferry_fiber_wait(m->to, ferry_fiber_now() + G_USEC_PER_SEC);
  return target_listens(m);
}

/* Told to finish: lets the guest go on. */
static gpointer finish_there(gpointer data) {
  FerryWorldMove *m = data;
  if (target_reads(m)) {
    ferry_fiber_sleep(ferry_world_between(5, 40) * MS);
    FerryWorldCopy *copy = target_reads(m) ? ferry_hyper_copy(m->to, m->vm->uuid) : NULL;
    if (copy && copy->qemu && copy->incoming && copy->whole) {
      copy->incoming = FALSE;
      copy->persistent = m->persist;
      copy->runs = !m->was_paused;
      ferry_copy_set(copy, copy->runs ? FERRY_VM_RUNNING : FERRY_VM_PAUSED,
                     copy->runs ? "migrated" : "user");
      ferry_hyper_tell_state(m->to, m->vm->uuid, FERRY_HOST_PAUSE_ENDED);
    } else if (target_listens(m)) {
      m->refused = TRUE;
      if (copy && !copy->qemu && copy->incoming) { /* it has seen its QEMU's end */
        copy->move = NULL;
        ferry_copy_stop(copy, "failed", TRUE);
      }
    }
    ferry_fiber_sleep(ferry_world_between(1, 5) * MS);
    while (target_reads(m) && m->stage == FERRY_MOVE_SENT && !m->replied) {
      m->replied = ferry_hyper_reaches(m->from, m->to);
      if (!m->replied) /* sent again until the source gives up */
        move_wait(m, G_USEC_PER_SEC);
    }
  }
  ferry_fiber_wake(m->hyper, TRUE);
  move_unref(m);
  return NULL;
}

/* ---- ways to end ---- */

static void go_on_at_source(FerryWorldMove *m, FerryWorldCopy *copy) {
  copy->runs = TRUE;
  if (!m->from->daemon)
    return; /* it sees that when it starts */
  ferry_copy_set(copy, FERRY_VM_RUNNING, "migration-canceled");
  ferry_hyper_tell_state(m->from, m->vm->uuid, FERRY_HOST_PAUSE_ENDED);
}

/* QEMU lets the guest go on at the source. TRUE: it was paused for the switch-over. */
static gboolean resume_source(FerryWorldMove *m) {
  FerryWorldCopy *copy = hyper_move_half(m, m->from);
  if (!copy || !copy->qemu)
    return FALSE;
  copy->stuck = FALSE;
  gboolean paused = copy->state == FERRY_VM_PAUSED && g_str_equal(copy->reason, "migration");
  if (m->was_paused || !paused)
    return FALSE;
  go_on_at_source(m, copy);
  return TRUE;
}

/* Of a switch-over that QEMU has given up: a moment later libvirtd puts back the state from before
 * the migration, and so resumes a guest that somebody has suspended in between. */
static void restore_source(FerryWorldMove *m) {
  ferry_fiber_sleep(ferry_world_between(1, 150) * MS);
  FerryWorldCopy *copy = hyper_move_half(m, m->from);
  if (hyper_move_conducts(m) && copy && copy->qemu && !m->vm->person_paused &&
      copy->state == FERRY_VM_PAUSED)
    go_on_at_source(m, copy);
}

static void move_fail(FerryWorldMove *m, int code, const char *text) {
  if (!qemu_lives(m, m->from)) {
    FerryWorldCopy *copy = hyper_move_half(m, m->from);
    if (copy && m->from->daemon) {
      copy->move = NULL;
      ferry_copy_stop(copy, "crashed", FALSE);
    }
  } else if (resume_source(m) && m->stage == FERRY_MOVE_SWITCHING) {
    restore_source(m);
  }
  abandon_target(m);
  while (m->from->daemon && m->from->hung)
    ferry_fiber_wait(m->from, ferry_fiber_now() + G_USEC_PER_SEC);
  FerryWorldCopy *here = hyper_move_half(m, m->from);
  if (here)
    here->move = NULL;
  move_enter(m, FERRY_MOVE_OVER);
  if (hyper_move_conducts(m))
    move_return(m, g_error_new_literal(FERRY_HOST_ERROR, code, text));
  else
    return_lost(m);
}

/* What everybody who waits looks at; FALSE: it has failed, and ended. */
static gboolean still_well(FerryWorldMove *m) {
  if (!hyper_move_conducts(m))
    move_fail(m, FERRY_HOST_ERROR_NO_CONNECTION, "libvirtd is gone");
  else if (!qemu_lives(m, m->from))
    move_fail(m, ERROR_FAILED, "domain is not running");
  else if (m->aborted)
    move_fail(m, FERRY_HOST_ERROR_ABORTED, "migration out job: canceled by client");
  else if (!target_listens(m) && (m->to->power || ferry_hyper_reaches(m->from, m->to)))
    move_fail(m, FERRY_HOST_ERROR_PEER_LOST, "client socket is closed");
  else if (hyper_move_half(m, m->to) && !qemu_lives(m, m->to))
    move_fail(m, ERROR_FAILED, "Unable to write to socket: Broken pipe");
  else if (m->disconnected)
    move_fail(m, ERROR_FAILED, "Unable to write to socket: Connection reset by peer");
  else
    return TRUE;
  return FALSE;
}

/* ---- the stages ---- */

/* The source's libvirtd connects to the target's, which makes a QEMU. */
static gboolean hyper_move_prepare(FerryWorldMove *m) {
  gint64 until = ferry_fiber_now() + FERRY_WORLD_KEEPALIVE_US;
  while (ferry_fiber_now() < until &&
         (!ferry_hyper_reaches(m->from, m->to) || (m->to->daemon && m->to->hung))) {
    move_wait(m, G_USEC_PER_SEC);
    if (!hyper_move_conducts(m) || m->aborted)
      break;
  }
  if (!ferry_hyper_reaches(m->from, m->to) || !ferry_hyper_answers(m->to)) {
    move_fail(m, FERRY_HOST_ERROR_PEER_UNREACHABLE, "unable to connect to libvirtd");
    return FALSE;
  }
  m->life_to = m->to->life;
  move_wait(m, ferry_world_between(20, 80) * MS);
  if (!still_well(m))
    return FALSE;
  FerryWorldCopy *there = ferry_hyper_copy(m->to, m->vm->uuid);
  if (there && there->id >= 0) {
    move_fail(m, FERRY_HOST_ERROR_INVALID_STATE, "domain is already active");
    return FALSE;
  }
  gboolean defined = there && there->persistent;
  there = ferry_copy_new(m->to, m->vm);
  there->persistent = defined;
  there->incoming = TRUE;
  there->move = m;
  ferry_copy_set(there, FERRY_VM_PAUSED, "migration");
  ferry_hyper_tell_state(m->to, m->vm->uuid, FERRY_HOST_PAUSE_NONE);
  move_wait(m, ferry_world_between(50, 250) * MS);
  return still_well(m);
}

static double share_of_link(const FerryWorldMove *m) {
  guint n = 0;
  for (guint i = 0; i < m->hyper->moves->len; i++) {
    const FerryWorldMove *other = m->hyper->moves->pdata[i];
    gboolean moves = other->stage == FERRY_MOVE_ACTIVE || other->stage == FERRY_MOVE_POSTCOPY;
    n += moves && (other->from == m->from || other->to == m->to);
  }
  return m->hyper->link / MAX(1, n);
}

static gboolean connect_data(FerryWorldMove *m) {
  gint64 until = ferry_fiber_now() + CONNECT_TIMEOUT_US;
  m->connecting = TRUE;
  move_enter(m, FERRY_MOVE_ACTIVE);
  while (!ferry_hyper_carries(m->from, m->to)) {
    move_wait(m, G_USEC_PER_SEC);
    gboolean late = ferry_fiber_now() > until;
    if (m->disconnected || late) {
      move_fail(m, FERRY_HOST_ERROR_PEER_PORT, "Failed to connect to the target's port");
      return FALSE;
    }
    if (!still_well(m))
      return FALSE;
  }
  m->connecting = FALSE;
  return TRUE;
}

static void tell_pass(FerryWorldMove *m) {
  if (m->pass == m->data.iteration)
    return;
  m->pass = m->data.iteration;
  ferry_hyper_tell(m->from, &(FerryHostEvent){.type = FERRY_HOST_EVENT_ITERATION,
                                              .uuid = m->vm->uuid,
                                              .iteration = m->pass});
}

/* A silent link; FALSE: TCP itself gives up. */
static gboolean sit_out(FerryWorldMove *m) {
  move_wait(m, 500 * MS);
  if (ferry_fiber_now() - m->heard_us < TCP_TIMEOUT_US)
    return TRUE;
  m->disconnected = TRUE;
  return FALSE;
}

static void begin_switch(FerryWorldMove *m) {
  FerryWorldCopy *copy = hyper_move_half(m, m->from);
  move_enter(m, FERRY_MOVE_SWITCHING);
  m->frozen_us = ferry_fiber_now();
  copy->runs = FALSE;
  if (!m->was_paused)
    ferry_copy_set(copy, FERRY_VM_PAUSED, "migration");
  ferry_hyper_tell_state(m->from, m->vm->uuid, FERRY_HOST_PAUSE_SWITCHOVER);
}

/* All of the memory by pre-copy, or as much as there was before post-copy. */
static gboolean send_memory(FerryWorldMove *m) {
  FerrySimMigration *d = &m->data;
  m->began_us = m->heard_us = ferry_fiber_now();
  while (d->phase != FERRY_SIM_PHASE_COMPLETED && d->phase != FERRY_SIM_PHASE_POSTCOPY) {
    FerryWorldCopy *copy = hyper_move_half(m, m->from);
    if (!ferry_hyper_carries(m->from, m->to)) {
      copy->stuck = m->stage == FERRY_MOVE_SWITCHING;
      sit_out(m);
    } else {
      copy->stuck = FALSE;
      m->heard_us = ferry_fiber_now();
      if (!copy->runs && m->stage == FERRY_MOVE_ACTIVE && !m->was_paused && !d->paused)
        ferry_sim_migration_suspend(d); /* a person, or the controller, paused it */
      ferry_sim_migration_set_rate(d, share_of_link(m));
      double before = d->now;
      ferry_sim_migration_advance(d, before + (double)CHUNK_US / G_USEC_PER_SEC);
      gint64 took = (gint64)((d->now - before) * G_USEC_PER_SEC);
      move_wait(m, MAX(took, 100));
      tell_pass(m);
    }
    if (!still_well(m))
      return FALSE;
    if (d->phase == FERRY_SIM_PHASE_SWITCHING && m->stage == FERRY_MOVE_ACTIVE)
      begin_switch(m);
  }
  return TRUE;
}

static void tell_completed(FerryWorldMove *m) {
  FerryJobStats stats;
  ferry_job_stats_clear(&stats);
  stats.migration_out = TRUE;
  stats.elapsed_ms = (ferry_fiber_now() - m->began_us) / MS;
  stats.downtime_ms = (gint64)(m->data.pause * 1000);
  stats.data_processed = stats.data_total = (gint64)m->data.sent;
  stats.data_remaining = 0;
  ferry_hyper_tell(
      m->from,
      &(FerryHostEvent){.type = FERRY_HOST_EVENT_COMPLETED, .uuid = m->vm->uuid, .stats = &stats});
}

static void hyper_move_confirm(FerryWorldMove *m) {
  FerryWorldCopy *copy = hyper_move_half(m, m->from);
  move_enter(m, FERRY_MOVE_OVER);
  if (copy) {
    copy->move = NULL;
    ferry_copy_stop(copy, "migrated", m->undefine);
  }
  tell_completed(m);
  move_return(m, NULL);
}

/* Tells the target to let the guest go on, and waits for its word. */
static void hyper_move_finish(FerryWorldMove *m) {
  FerryWorldCopy *there = hyper_move_half(m, m->to);
  gint64 asked = ferry_fiber_now();
  move_enter(m, FERRY_MOVE_SENT);
  there->whole = TRUE;
  ferry_hyper_changed(m->hyper);
  gboolean sent = FALSE;
  while (!m->replied) {
    if (m->from->hung || !sent) /* a libvirtd that hangs asks nobody, and hears nothing */
      asked = m->from->hung ? ferry_fiber_now() : asked;
    if (!sent && hyper_move_conducts(m) && !m->from->hung && ferry_hyper_reaches(m->from, m->to)) {
      sent = TRUE;
      m->users++;
      ferry_fiber_new(NULL, finish_there, m, FALSE);
    }
    move_wait(m, 200 * MS);
    if (!hyper_move_conducts(m)) { /* the source stays as it is; what was not told to go on, goes */
      if (!sent)
        abandon_target(m);
      FerryWorldCopy *here = hyper_move_half(m, m->from);
      if (here)
        here->move = NULL;
      move_enter(m, FERRY_MOVE_OVER);
      return_lost(m);
      return;
    }
    if (m->from->hung || m->replied)
      continue;
    gboolean silent = ferry_fiber_now() - asked >= FERRY_WORLD_KEEPALIVE_US;
    gboolean closed = !target_listens(m) && m->to->power;
    if (!qemu_lives(m, m->from) || silent || closed) {
      move_fail(m, FERRY_HOST_ERROR_PEER_LOST,
                silent ? "connection closed due to keepalive timeout" : "client socket is closed");
      return;
    }
  }
  while (hyper_move_conducts(m) && m->from->hung)
    move_wait(m, G_USEC_PER_SEC);
  if (m->refused || !hyper_move_conducts(m))
    move_fail(m, ERROR_FAILED, "the target's QEMU is gone");
  else
    hyper_move_confirm(m);
}

/* Half of the memory is on either side, and both are needed. */
static void broken_post_copy(FerryWorldMove *m) {
  FerryWorldCopy *here = hyper_move_half(m, m->from), *there = hyper_move_half(m, m->to);
  move_enter(m, FERRY_MOVE_OVER);
  m->vm->lost = TRUE;
  if (there && there->qemu && !there->incoming) {
    there->runs = FALSE;
    there->move = NULL;
    ferry_copy_set(there, FERRY_VM_RUNNING, "postcopy-failed");
    ferry_hyper_tell_state(m->to, m->vm->uuid, FERRY_HOST_PAUSE_NONE);
  } else if (there && m->to->daemon) {
    there->move = NULL;
    ferry_copy_stop(there, "failed", TRUE);
  }
  if (here && here->qemu) {
    here->move = NULL;
    ferry_copy_set(here, FERRY_VM_PAUSED, "postcopy-failed");
    ferry_hyper_tell_state(m->from, m->vm->uuid, FERRY_HOST_PAUSE_NONE);
  } else if (here && m->from->daemon) {
    here->move = NULL;
    ferry_copy_stop(here, "crashed", FALSE);
  }
  if (hyper_move_conducts(m))
    move_return(m, g_error_new_literal(FERRY_HOST_ERROR, ERROR_FAILED,
                                       "job 'migration out' failed in post-copy phase"));
  else
    return_lost(m);
}

/* FALSE: it broke, and ended. */
static gboolean halves_live(FerryWorldMove *m) {
  if (!hyper_move_conducts(m))
    return_lost(m);
  if (qemu_lives(m, m->from) && qemu_lives(m, m->to))
    return TRUE;
  broken_post_copy(m);
  return FALSE;
}

static void move_post_copy(FerryWorldMove *m) {
  FerrySimMigration *d = &m->data;
  FerryWorldCopy *here = hyper_move_half(m, m->from), *there = hyper_move_half(m, m->to);
  move_enter(m, FERRY_MOVE_POSTCOPY);
  m->post_copy = TRUE;
  here->runs = here->whole = FALSE;
  ferry_copy_set(here, FERRY_VM_PAUSED, "postcopy");
  ferry_hyper_tell_state(m->from, m->vm->uuid, FERRY_HOST_PAUSE_POST_COPY);
  while (!ferry_hyper_answers(m->to)) {
    move_wait(m, 200 * MS);
    if (!halves_live(m))
      return;
  }
  there->incoming = FALSE;
  there->persistent = m->persist;
  there->runs = TRUE;
  ferry_copy_set(there, FERRY_VM_RUNNING, "postcopy");
  ferry_hyper_tell_state(m->to, m->vm->uuid, FERRY_HOST_PAUSE_ENDED);
  while (d->phase == FERRY_SIM_PHASE_POSTCOPY) {
    if (ferry_hyper_carries(m->from, m->to)) {
      m->heard_us = ferry_fiber_now();
      ferry_sim_migration_advance(d, d->now + (double)CHUNK_US / G_USEC_PER_SEC);
    }
    move_wait(m, CHUNK_US);
    if (!halves_live(m))
      return;
  }
  there->whole = TRUE;
  move_enter(m, FERRY_MOVE_SENT);
  while (!ferry_hyper_answers(m->to) || !ferry_hyper_answers(m->from)) {
    move_wait(m, 200 * MS); /* whoever is away adopts it when it is back */
    if (!hyper_move_conducts(m))
      return_lost(m);
    if (!hyper_move_half(m, m->to) || !hyper_move_half(m, m->from))
      break;
  }
  there = hyper_move_half(m, m->to);
  if (there) {
    there->move = NULL;
    ferry_copy_set(there, FERRY_VM_RUNNING, "migrated");
    ferry_hyper_tell_state(m->to, m->vm->uuid, FERRY_HOST_PAUSE_NONE);
  }
  hyper_move_confirm(m);
}

static gpointer move_fiber(gpointer data) {
  FerryWorldMove *m = data;
  FerryHyper *h = m->hyper;
  if (hyper_move_prepare(m) && connect_data(m) && send_memory(m)) {
    if (m->data.phase == FERRY_SIM_PHASE_POSTCOPY)
      move_post_copy(m);
    else
      hyper_move_finish(m);
  }
  FerryWorldHost *const both[] = {m->from, m->to};
  for (guint i = 0; i < G_N_ELEMENTS(both); i++) {
    FerryWorldCopy *copy = hyper_move_half(m, both[i]);
    if (copy)
      copy->move = NULL;
  }
  g_ptr_array_remove(h->moves, m);
  ferry_hyper_changed(h);
  move_unref(m);
  return NULL;
}

void ferry_move_start(FerryWorldMove *m) {
  m->users = 1;
  m->life_from = m->from->life;
  m->life_to = m->to->life;
  FerrySimLink link = {
      .rate = m->hyper->link, .efficiency = 1, .eps = FERRY_SWITCHOVER_COST_MS / 1000.0};
  FerrySimOptions options = {0};
  ferry_sim_migration_init(&m->data, &m->vm->guest, &link, &options);
  if (m->was_paused)
    ferry_sim_migration_suspend(&m->data);
  g_ptr_array_add(m->hyper->moves, m);
  move_enter(m, FERRY_MOVE_PREPARING);
  ferry_hyper_changed(m->hyper);
  ferry_fiber_new(NULL, move_fiber, m, FALSE);
}
