// SPDX-License-Identifier: Apache-2.0
// A simulated migration (src/host/sim/sim_migration.h) and the controller of production, coupled on
// one virtual clock.
//
// Theory of operation: the migration says how long nothing of its own happens; this world cuts that
// short where the controller is to hear something. It hears samples at intervals with some jitter,
// and passes with the delay of an event; each can be lost. What the controller decides is done at
// once. Beside the migration's own numbers it keeps what the guarantees are judged by: raises of
// the limit, and what each limit would have cost.
#include "sim/migration.h"
#include "host/sim/sim_migration.h"
#include <math.h>
#include <string.h>

#define PLAN_CODE "NotConverging"

typedef struct {
  FerrySimMigration m;
  const FerrySimSettings *settings;
  const FerryConvergenceIntent *intent;
  FerryConvergence *controller;
  FerrySimResult r;
  double sample_at, event_at; /* event_at: INFINITY when none is on its way */
  int event_iteration;
  gboolean aborted;
  int last_raise_iteration;
  guint32 random;
} Sim;

/* A small generator of its own (xorshift), so that results do not depend on a library. */
static double sim_migration_chance(Sim *s) {
  s->random ^= s->random << 13;
  s->random ^= s->random >> 17;
  s->random ^= s->random << 5;
  return s->random / 4294967296.0;
}

static gint64 now_us(const Sim *s) {
  return (gint64)(s->m.now * 1e6);
}

/* What goes over the wire; compressing may be slower than that. */
static double sim_wire(const FerrySimMigration *m) {
  double wire = ferry_sim_link_wire_rate(&m->link, m->now);
  return m->link.press > 0 ? MIN(wire, m->link.press / m->link.efficiency) : wire;
}

static void note_limit(Sim *s, double ms, const char *code) {
  const FerrySimMigration *m = &s->m;
  /* what that limit lets QEMU leave for the pause, by the path as it really is */
  double path = ferry_sim_link_rate(&m->link, m->now) * m->link.efficiency;
  if (m->link.press_stopped > 0)
    path = MIN(path, m->link.press_stopped);
  double seen = m->link.told > 0 ? m->link.told : sim_wire(m);
  double pause = seen * ms / 1000 / path + m->link.eps;
  double allowed = MAX((double)s->intent->max_downtime_ms / 1000, m->link.eps + 0.001);
  s->r.largest_limit = MAX(s->r.largest_limit, ms);
  s->r.worst_overrun = MAX(s->r.worst_overrun, pause / allowed);
  if (ms > m->limit_ms) {
    s->r.raises++;
    if (strcmp(code, PLAN_CODE) == 0) {
      if (s->last_raise_iteration && m->iteration < s->last_raise_iteration + 2)
        s->r.raises_too_soon++;
      s->last_raise_iteration = m->iteration;
    }
  }
  ferry_sim_migration_set_limit(&s->m, ms);
}

static void sim_migration_decisions(Sim *s) {
  FerryConvergenceDecision d;
  while (ferry_convergence_next(s->controller, now_us(s), &d)) {
    s->r.decisions++;
    switch (d.action) {
    case FERRY_ACTION_SET_DOWNTIME:
      note_limit(s, (double)d.value, d.code);
      break;
    case FERRY_ACTION_SET_THROTTLE:
      /* as the agent tells QEMU through its monitor */
      ferry_sim_migration_set_throttle_parameters(
          &s->m, MAX(1, (int)d.value), MAX(1, (int)d.value - 1), MAX(1, (int)d.value), 1);
      break;
    case FERRY_ACTION_START_POSTCOPY:
      ferry_sim_migration_start_postcopy(&s->m);
      break;
    case FERRY_ACTION_SUSPEND:
      s->r.suspended |= ferry_sim_migration_suspend(&s->m);
      break;
    case FERRY_ACTION_ABORT:
      s->r.abort_in_post_copy |= s->m.post_copy_asked;
      s->aborted = TRUE;
      break;
    default:
      if (!s->r.noted) {
        s->r.noted = TRUE;
        s->r.noted_s = s->m.now;
        s->r.noted_rounds = s->m.iteration - 1;
      }
      break;
    }
    g_free(d.reason);
  }
}

static void feed_sample(Sim *s) {
  const FerrySimMigration *m = &s->m;
  const FerrySimGuestSpec *g = &m->guest.spec;
  FerryConvergenceSample sample = {
      .processed = (gint64)m->sent,
      .remaining = (gint64)ferry_sim_guest_remaining(&m->guest),
      .total = (gint64)(g->memory + g->zero),
      .rate = (gint64)sim_wire(m),
      .dirty_rate = (gint64)m->dirty_rate,
      .iteration = m->iteration,
      .tells_throttle = TRUE,
      .throttle_percent = (int)lround(100 * m->throttle),
  };
  ferry_convergence_sample(s->controller, &sample, now_us(s));
}

static void sim_migration_hear(Sim *s) {
  double every = s->settings->sample_s > 0 ? s->settings->sample_s : 0.25;
  if (s->m.now >= s->event_at) {
    s->event_at = INFINITY;
    feed_sample(s);
    ferry_convergence_iteration(s->controller, s->event_iteration, now_us(s));
    sim_migration_decisions(s);
  }
  if (s->m.now >= s->sample_at) {
    s->sample_at = s->m.now + every * (0.9 + 0.2 * sim_migration_chance(s));
    if (sim_migration_chance(s) >= s->settings->lose_samples)
      feed_sample(s);
    sim_migration_decisions(s);
  }
}

/* A pass began: the event is on its way, or is lost. */
static void send_event(Sim *s) {
  if (sim_migration_chance(s) < s->settings->lose_events)
    return;
  double delay = s->settings->event_delay_s > 0 ? s->settings->event_delay_s : 0.005;
  s->event_iteration = s->m.iteration;
  if (!isfinite(s->event_at))
    s->event_at = s->m.now + delay;
}

static double sim_migration_step(const Sim *s) {
  double dt = ferry_sim_migration_step(&s->m);
  dt = MIN(dt, MAX(1e-4, s->sample_at - s->m.now));
  return MIN(dt, MAX(1e-4, s->event_at - s->m.now));
}

static void sim_migration_loop(Sim *s) {
  double give_up = s->settings->give_up_s > 0 ? s->settings->give_up_s : 600;
  FerrySimMigration *m = &s->m;
  while (m->now < give_up && m->phase == FERRY_SIM_PHASE_ACTIVE) {
    ferry_sim_migration_run(m, sim_migration_step(s));
    sim_migration_hear(s);
    if (s->aborted) {
      ferry_sim_migration_cancel(m);
      s->r.outcome = FERRY_SIM_ABORTED;
      return;
    }
    if (m->post_copy_asked)
      ferry_convergence_post_copy(s->controller);
    if (ferry_sim_migration_turn(m))
      send_event(s);
  }
  if (m->phase == FERRY_SIM_PHASE_ACTIVE)
    return; /* given up: ENDLESS */
  s->r.post_copy = m->phase == FERRY_SIM_PHASE_POSTCOPY;
  ferry_sim_migration_complete(m);
  s->r.outcome = FERRY_SIM_DONE;
  if (s->r.post_copy)
    sim_migration_decisions(s); /* nothing may come any more */
}

FerrySimResult ferry_sim_migrate(const FerrySimGuestSpec *guest, const FerrySimLink *link,
                                 const FerrySimSettings *settings,
                                 const FerryConvergenceIntent *intent, json_t **history) {
  FerrySimOptions options = {.auto_converge = settings->auto_converge,
                             .preempt = settings->preempt,
                             .throttle = settings->fixed_throttle};
  if (intent->can_throttle && intent->max_slowdown_percent > 0 && !intent->schedule) {
    options.auto_converge = TRUE; /* on from the start, at its least */
    options.throttle_initial = options.throttle_increment = 1;
  }
  Sim s = {.settings = settings,
           .intent = intent,
           .event_at = INFINITY,
           .random = settings->seed * 2654435761u + 12345u};
  s.random = s.random ? s.random : 1;
  s.r.outcome = FERRY_SIM_ENDLESS;
  ferry_sim_migration_init(&s.m, guest, link, &options);
  s.controller = ferry_convergence_new(intent, 0);
  sim_migration_decisions(&s);
  s.r.raises = 0;
  sim_migration_loop(&s);
  s.r.seconds = s.m.now;
  s.r.bytes = s.m.sent;
  s.r.pause = s.m.pause;
  s.r.lost = s.m.lost;
  s.r.top_throttle = s.m.top_throttle;
  s.r.means = settings->means;
  s.r.stolen = guest->pattern == FERRY_SIM_IDLE ? 0 : (int)lround(100 * link->stolen);
  s.r.iterations = s.m.iteration;
  s.r.gap = MAX(s.m.gap, ferry_model_throttle_stall(s.r.top_throttle / 100.0));
  if (settings->learnt && s.r.outcome == FERRY_SIM_DONE)
    ferry_lesson_take(s.controller, settings->means, (gint64)lround(1000 * s.m.pause),
                      settings->learnt);
  if (history)
    *history = ferry_convergence_history(s.controller);
  ferry_convergence_free(s.controller);
  return s.r;
}
