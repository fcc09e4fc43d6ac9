// SPDX-License-Identifier: Apache-2.0
// QEMU's migration rules on a virtual clock.
//
// Theory of operation: the migration thread sends in chunks of at most 50 ms. Every 100 ms it works
// out the threshold, (bytes sent in the window / time) x downtime limit. When what remains is
// below it, the dirty log is read (one pass begins); when what remains is still below it, the guest
// stops, the cap is lifted, the rest is sent. Auto-converge looks at each reading that comes a
// second or more after the last: dirty bytes above half of the sent bytes for the second time mean
// 20 %, then 10 % more each, 99 % at most. Post-copy starts at the chunk after the request; what is
// missing then is fetched in the order the guest asks for it. Between two chunks the world advances
// in closed form, so a step costs a few exponentials however large the guest is.
#include "host/sim/sim_migration.h"
#include "base/limits.h"
#include <math.h>

#define WINDOW_S 0.1
#define CHUNK_S 0.05
#define LEAST_CHUNK_S 0.002
#define LEAST_STEP_S 1e-4
#define PAGE_WIRE_SHARE (9.0 / 4096)
#define ZERO_RATE 2e9 /* bytes/s at which zero pages are found */

void ferry_sim_migration_init(FerrySimMigration *m, const FerrySimGuestSpec *guest,
                              const FerrySimLink *link, const FerrySimOptions *options) {
  *m = (FerrySimMigration){.link = *link,
                           .options = *options,
                           .limit_ms = FERRY_QEMU_DOWNTIME_MS,
                           .looked_at = -1,
                           .iteration = 1,
                           .throttle = options->throttle / 100.0};
  ferry_sim_guest_init(&m->guest, guest);
}

void ferry_sim_migration_set_limit(FerrySimMigration *m, double ms) {
  m->limit_ms = ms;
}

void ferry_sim_migration_set_rate(FerrySimMigration *m, double bytes_per_s) {
  if (m->phase == FERRY_SIM_PHASE_SWITCHING || m->phase == FERRY_SIM_PHASE_POSTCOPY)
    m->until = m->now + (m->until - m->now) * m->link.rate / bytes_per_s;
  if (m->phase == FERRY_SIM_PHASE_SWITCHING)
    m->pause = m->until - m->began;
  m->link.rate = bytes_per_s;
}

void ferry_sim_migration_set_cap(FerrySimMigration *m, double bytes_per_s) {
  m->link.cap = bytes_per_s;
}

static void throttle_to(FerrySimMigration *m, double share) {
  m->throttle = share;
  m->top_throttle = MAX(m->top_throttle, (int)lround(share * 100));
}

void ferry_sim_migration_set_throttle_parameters(FerrySimMigration *m, int initial, int increment,
                                                 int max, int trigger) {
  m->options.throttle_initial = initial;
  m->options.throttle_increment = increment;
  m->options.throttle_max = max;
  m->options.throttle_trigger = trigger;
}

void ferry_sim_migration_start_postcopy(FerrySimMigration *m) {
  m->post_copy_asked = TRUE;
}

gboolean ferry_sim_migration_suspend(FerrySimMigration *m) {
  if (m->paused)
    return FALSE;
  m->paused = TRUE;
  m->paused_at = m->now;
  return TRUE;
}

static void sim_migration_stall(FerrySimMigration *m, double seconds) {
  m->gap = MAX(m->gap, seconds);
}

gboolean ferry_sim_migration_cancel(FerrySimMigration *m) {
  if (m->phase != FERRY_SIM_PHASE_ACTIVE && m->phase != FERRY_SIM_PHASE_SWITCHING)
    return FALSE;
  m->phase = FERRY_SIM_PHASE_CANCELLED;
  if (m->paused) {
    sim_migration_stall(m, m->now - m->paused_at);
    m->lost += m->now - m->paused_at;
  }
  return TRUE;
}

void ferry_sim_migration_fail(FerrySimMigration *m) {
  m->phase = FERRY_SIM_PHASE_FAILED;
}

static double wire_rate(const FerrySimMigration *m) {
  return ferry_sim_link_wire_rate(&m->link, m->now);
}

/* Bytes of memory per wire byte at this moment: what was never sent is sent whole. */
static double sim_migration_efficiency(const FerrySimMigration *m) {
  double left = ferry_sim_guest_remaining(&m->guest) - m->guest.zeroes;
  if (m->link.again <= 0 || m->iteration <= 1 || left <= 0)
    return m->link.efficiency;
  double fresh = MIN(left, m->guest.rest);
  return left / (fresh / m->link.efficiency + (left - fresh) / m->link.again);
}

/* Bytes of memory a second. */
static double sim_migration_rate(const FerrySimMigration *m) {
  double rate = wire_rate(m) * sim_migration_efficiency(m);
  return m->link.press > 0 ? MIN(rate, m->link.press) : rate;
}

/* Seconds for what takes `wire` seconds on the link, and is compressed before. */
static double sim_migration_pressed(const FerrySimMigration *m, double bytes, double wire) {
  return m->link.press_stopped > 0 ? MAX(wire, bytes / m->link.press_stopped) : wire;
}

/* Share of its time that compressing takes from the guest, if it has a use for it. */
static double sim_migration_stolen(const FerrySimMigration *m) {
  return m->guest.n_classes ? m->link.stolen * ferry_sim_guest_activity(&m->guest, m->now) : 0;
}

static double sim_migration_speed(const FerrySimMigration *m) {
  return m->paused ? 0
                   : (1 - m->throttle) * (1 - sim_migration_stolen(m)) *
                         ferry_sim_guest_activity(&m->guest, m->now);
}

double ferry_sim_migration_step(const FerrySimMigration *m) {
  double remaining = ferry_sim_guest_remaining(&m->guest);
  double rate = sim_migration_rate(m), dt = CHUNK_S;
  dt = MIN(dt, MAX(LEAST_CHUNK_S, remaining / rate));
  dt = MIN(dt, MAX(LEAST_STEP_S, m->window_at + WINDOW_S - m->now));
  if (remaining > m->threshold && m->guest.zeroes <= 0)
    dt = MIN(dt, (remaining - m->threshold) / rate + 1e-5);
  dt = MIN(dt, MAX(LEAST_STEP_S, ferry_sim_guest_next_change(&m->guest, m->now) - m->now));
  return MIN(dt, MAX(LEAST_STEP_S, ferry_sim_link_next_change(&m->link, m->now) - m->now));
}

/* Zero pages stand in the middle of memory, unless it was said where. */
static gboolean zeroes_next(const FerrySimMigration *m) {
  const FerrySimGuestSpec *spec = &m->guest.spec;
  if (m->guest.zeroes <= 0)
    return FALSE;
  if (spec->zero_after > 0)
    return m->sent * sim_migration_efficiency(m) >= 0.999 * spec->zero_after * spec->memory;
  return m->guest.rest < spec->memory / 2;
}

void ferry_sim_migration_run(FerrySimMigration *m, double seconds) {
  double held = 1 - (1 - m->throttle) * (1 - sim_migration_stolen(m));
  ferry_sim_guest_run(&m->guest, seconds, sim_migration_speed(m));
  m->lost += m->paused ? 0 : held * seconds; /* a pause is counted at its end */
  double left = seconds;
  if (zeroes_next(m)) {
    double used = MIN(left, m->guest.zeroes / ZERO_RATE);
    m->guest.zeroes -= used * ZERO_RATE;
    if (m->guest.zeroes < 1)
      m->guest.zeroes = 0;
    m->sent += used * ZERO_RATE * PAGE_WIRE_SHARE;
    left -= used;
  }
  double bytes =
      MIN(left * sim_migration_rate(m), ferry_sim_guest_remaining(&m->guest) - m->guest.zeroes);
  ferry_sim_guest_send(&m->guest, bytes);
  m->sent += bytes / sim_migration_efficiency(m);
  m->now += seconds;
}

static double share_or(int percent, int otherwise) {
  return (percent > 0 ? percent : otherwise) / 100.0;
}

static void auto_converge(FerrySimMigration *m, double found) {
  const FerrySimOptions *o = &m->options;
  m->period_dirty += found;
  double period = m->now - m->period_at;
  if (period < 1)
    return;
  double sent = m->sent - m->period_sent;
  m->dirty_rate = m->period_dirty / period;
  if (o->auto_converge && m->period_dirty > sent * share_or(o->throttle_trigger, 50) &&
      ++m->high_count >= 2) {
    m->high_count = 0;
    throttle_to(m, m->throttle <= 0 ? share_or(o->throttle_initial, 20)
                                    : MIN(share_or(o->throttle_max, 99),
                                          m->throttle + share_or(o->throttle_increment, 10)));
  }
  m->period_at = m->now;
  m->period_sent = m->sent;
  m->period_dirty = 0;
}

static void switch_over(FerrySimMigration *m) {
  ferry_sim_guest_sync(&m->guest); /* what it wrote up to the last moment */
  m->left = ferry_sim_guest_remaining(&m->guest);
  double zeroes = m->guest.zeroes; /* found quickly, and a few bytes each on the wire */
  double wire = (m->left - zeroes) / sim_migration_efficiency(m) + zeroes * PAGE_WIRE_SHARE;
  double sending = ferry_sim_link_sending(&m->link, m->now, wire);
  double pause =
      sim_migration_pressed(m, m->left - zeroes, sending) + m->link.eps + zeroes / ZERO_RATE;
  m->phase = FERRY_SIM_PHASE_SWITCHING;
  m->began = m->now;
  m->sent += wire;
  m->until = m->now + pause;
  m->pause = pause;
}

static void post_copy(FerrySimMigration *m) {
  ferry_sim_guest_sync(&m->guest);
  double rate = ferry_sim_link_rate(&m->link, m->now) * m->link.efficiency;
  if (m->link.press > 0)
    rate = MIN(rate, m->link.press);
  double pending = ferry_sim_guest_remaining(&m->guest) - m->guest.zeroes, missing = 0, writes = 0;
  for (guint i = 0; i < m->guest.n_classes; i++) {
    missing += m->guest.classes[i].pending;
    writes += m->guest.classes[i].rate;
  }
  /* a guest that touches pages faster than they come stands still for most of the time */
  double hunger = MIN(1, writes * ferry_sim_guest_activity(&m->guest, m->now) / (0.25 * rate));
  double wire = missing / rate;
  sim_migration_stall(m, m->link.eps + (m->options.preempt ? 0.05 : 0.8) * hunger * wire);
  if (m->paused)
    sim_migration_stall(m, m->now - m->paused_at + m->link.eps);
  m->lost += m->link.eps + 1.02 * hunger * wire + (m->paused ? m->now - m->paused_at : 0);
  m->pause = m->link.eps;
  m->phase = FERRY_SIM_PHASE_POSTCOPY;
  m->began = m->now;
  m->left = pending;
  m->sent += pending / m->link.efficiency;
  m->until = m->now + (m->link.eps + pending / rate);
}

gboolean ferry_sim_migration_turn(FerrySimMigration *m) {
  if (m->post_copy_asked) {
    post_copy(m);
    return FALSE;
  }
  if (m->now - m->window_at >= WINDOW_S - 1e-9) {
    double rate = (m->sent - m->window_sent) / (m->now - m->window_at);
    m->threshold = (m->link.told > 0 ? m->link.told : rate) * m->limit_ms / 1000;
    m->window_at = m->now;
    m->window_sent = m->sent;
  }
  double remaining = ferry_sim_guest_remaining(&m->guest);
  /* one chunk lies between two looks unless everything has been sent */
  if (remaining >= m->threshold || (m->now - m->looked_at < CHUNK_S && remaining > 1))
    return FALSE;
  auto_converge(m, ferry_sim_guest_sync(&m->guest));
  m->iteration++;
  m->looked_at = m->now;
  m->looked_left = ferry_sim_guest_remaining(&m->guest);
  if (m->looked_left < m->threshold)
    switch_over(m);
  return TRUE;
}

void ferry_sim_migration_complete(FerrySimMigration *m) {
  m->now = m->until;
  if (m->phase == FERRY_SIM_PHASE_SWITCHING) {
    double stood = m->paused ? m->now - m->paused_at : m->pause;
    sim_migration_stall(m, stood);
    m->lost += stood;
  }
  m->phase = FERRY_SIM_PHASE_COMPLETED;
}

gboolean ferry_sim_migration_advance(FerrySimMigration *m, double to) {
  FerrySimPhase before = m->phase;
  while (m->phase == FERRY_SIM_PHASE_ACTIVE && to - m->now > 1e-9) {
    ferry_sim_migration_run(m, MIN(ferry_sim_migration_step(m), to - m->now));
    if (ferry_sim_migration_turn(m) || m->phase != before)
      return TRUE;
  }
  if (m->phase != FERRY_SIM_PHASE_SWITCHING && m->phase != FERRY_SIM_PHASE_POSTCOPY)
    return FALSE;
  if (to < m->until) {
    m->now = MAX(m->now, to);
    return FALSE;
  }
  ferry_sim_migration_complete(m);
  return TRUE;
}

double ferry_sim_migration_expected_ms(const FerrySimMigration *m) {
  double rate = sim_migration_rate(m);
  return m->dirty_rate > 0 ? m->looked_left / rate * 1000 : m->limit_ms;
}

/* Share of a switch-over or of post-copy that is still to come, 0..1. */
static double sim_migration_ahead(const FerrySimMigration *m) {
  return m->until > m->began ? CLAMP((m->until - m->now) / (m->until - m->began), 0, 1) : 0;
}

double ferry_sim_migration_remaining(const FerrySimMigration *m) {
  switch (m->phase) {
  case FERRY_SIM_PHASE_SWITCHING:
  case FERRY_SIM_PHASE_POSTCOPY:
    return m->left * sim_migration_ahead(m);
  case FERRY_SIM_PHASE_COMPLETED:
    return 0;
  default:
    return ferry_sim_guest_remaining(&m->guest);
  }
}

double ferry_sim_migration_sent(const FerrySimMigration *m) {
  gboolean moving = m->phase == FERRY_SIM_PHASE_SWITCHING || m->phase == FERRY_SIM_PHASE_POSTCOPY;
  return m->sent - (moving ? m->left * sim_migration_ahead(m) / sim_migration_efficiency(m) : 0);
}
