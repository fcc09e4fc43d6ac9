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
#include "sim/migration.h"
#include <math.h>
#include <string.h>

#define WINDOW_S 0.1
#define CHUNK_S 0.05
#define LEAST_CHUNK_S 0.002
#define PAGE_WIRE_SHARE (9.0 / 4096)
#define ZERO_RATE 2e9 /* bytes/s at which zero pages are found */
#define DEFAULT_LIMIT_MS 300
#define PLAN_CODE "NotConverging"

typedef struct {
  FerrySimGuest guest;
  const FerrySimLink *link;
  const FerrySimSettings *settings;
  const FerryConvergenceIntent *intent;
  FerryConvergence *controller;
  FerrySimResult r;
  double now, sent; /* sent: wire bytes */
  double threshold, limit_ms, window_at, window_sent;
  double sample_at, event_at; /* event_at: INFINITY when none is on its way */
  int iteration, event_iteration;
  double sync_at, sync_sent, dirty_sum, dirty_rate; /* auto-converge's period */
  int high_count;
  double throttle; /* 0..1 */
  gboolean paused, post_copy_asked, aborted;
  double paused_at;
  int last_raise_iteration;
  guint32 random;
} Sim;

/* A small generator of its own (xorshift), so that results do not depend on a library. */
static double chance(Sim *s) {
  s->random ^= s->random << 13;
  s->random ^= s->random >> 17;
  s->random ^= s->random << 5;
  return s->random / 4294967296.0;
}

static double link_rate(const FerrySimLink *l, double now) {
  return l->drop_to > 0 && now >= l->drop_at && now < l->drop_end ? l->rate * l->drop_to : l->rate;
}

static double wire_rate(const Sim *s) {
  double rate = link_rate(s->link, s->now);
  return s->link->cap > 0 ? MIN(rate, s->link->cap) : rate;
}

/* How long `wire` bytes take from now on, at the link's full rate. */
static double sending(const Sim *s, double wire) {
  const FerrySimLink *l = s->link;
  double now = s->now, rate = link_rate(l, now);
  double change = l->drop_to <= 0 ? INFINITY : now < l->drop_at ? l->drop_at : l->drop_end;
  if (now >= change || now + wire / rate <= change)
    return wire / rate;
  double rest = wire - rate * (change - now);
  return change - now + rest / link_rate(l, change);
}

static void note_limit(Sim *s, double ms, const char *code) {
  /* what that limit lets QEMU leave for the pause, by the path as it really is */
  double path = link_rate(s->link, s->now) * s->link->efficiency;
  double pause = wire_rate(s) * ms / 1000 / path + s->link->eps;
  double allowed = MAX((double)s->intent->max_downtime_ms / 1000, s->link->eps + 0.001);
  s->r.largest_limit = MAX(s->r.largest_limit, ms);
  s->r.worst_overrun = MAX(s->r.worst_overrun, pause / allowed);
  if (ms > s->limit_ms) {
    s->r.raises++;
    if (strcmp(code, PLAN_CODE) == 0) {
      if (s->last_raise_iteration && s->iteration < s->last_raise_iteration + 2)
        s->r.raises_too_soon++;
      s->last_raise_iteration = s->iteration;
    }
  }
  s->limit_ms = ms;
}

static void decisions(Sim *s) {
  FerryConvergenceDecision d;
  while (ferry_convergence_next(s->controller, (gint64)(s->now * 1e6), &d)) {
    s->r.decisions++;
    switch (d.action) {
    case FERRY_CONVERGENCE_SET_DOWNTIME:
      note_limit(s, (double)d.value, d.code);
      break;
    case FERRY_CONVERGENCE_SET_THROTTLE:
      s->throttle = (double)d.value / 100;
      s->r.top_throttle = MAX(s->r.top_throttle, (int)d.value);
      break;
    case FERRY_CONVERGENCE_START_POSTCOPY:
      s->post_copy_asked = TRUE;
      break;
    case FERRY_CONVERGENCE_SUSPEND:
      if (!s->paused) {
        s->paused = s->r.suspended = TRUE;
        s->paused_at = s->now;
      }
      break;
    case FERRY_CONVERGENCE_ABORT:
      s->r.abort_in_post_copy |= s->post_copy_asked;
      s->aborted = TRUE;
      break;
    case FERRY_CONVERGENCE_NOTE:
      if (!s->r.noted) {
        s->r.noted = TRUE;
        s->r.noted_s = s->now;
        s->r.noted_rounds = s->iteration - 1;
      }
      break;
    }
    g_free(d.reason);
  }
}

static void feed_sample(Sim *s) {
  const FerrySimGuestSpec *g = &s->guest.spec;
  FerryConvergenceSample sample = {.processed = (gint64)s->sent,
                                   .remaining = (gint64)ferry_sim_guest_remaining(&s->guest),
                                   .total = (gint64)(g->memory + g->zero),
                                   .rate = (gint64)wire_rate(s),
                                   .dirty_rate = (gint64)s->dirty_rate,
                                   .iteration = s->iteration};
  ferry_convergence_sample(s->controller, &sample, (gint64)(s->now * 1e6));
}

static void hear(Sim *s) {
  double every = s->settings->sample_s > 0 ? s->settings->sample_s : 0.25;
  if (s->now >= s->event_at) {
    s->event_at = INFINITY;
    feed_sample(s);
    ferry_convergence_iteration(s->controller, s->event_iteration, (gint64)(s->now * 1e6));
    decisions(s);
  }
  if (s->now >= s->sample_at) {
    s->sample_at = s->now + every * (0.9 + 0.2 * chance(s));
    if (chance(s) >= s->settings->lose_samples)
      feed_sample(s);
    decisions(s);
  }
}

static double speed(const Sim *s) {
  return s->paused ? 0 : (1 - s->throttle) * ferry_sim_guest_activity(&s->guest, s->now);
}

/* Sends for `seconds`, or until nothing is left; the guest runs meanwhile. */
static void advance(Sim *s, double seconds) {
  double wire = wire_rate(s);
  ferry_sim_guest_run(&s->guest, seconds, speed(s));
  s->r.lost += s->paused ? 0 : s->throttle * seconds; /* a pause is counted at its end */
  double left = seconds;
  /* zero pages stand in the middle of memory: they come when half of the rest has gone */
  if (s->guest.zeroes > 0 && s->guest.rest < s->guest.spec.memory / 2) {
    double used = MIN(left, s->guest.zeroes / ZERO_RATE);
    s->guest.zeroes -= used * ZERO_RATE;
    if (s->guest.zeroes < 1)
      s->guest.zeroes = 0;
    s->sent += used * ZERO_RATE * PAGE_WIRE_SHARE;
    left -= used;
  }
  double bytes = MIN(left * wire * s->link->efficiency,
                     ferry_sim_guest_remaining(&s->guest) - s->guest.zeroes);
  ferry_sim_guest_send(&s->guest, bytes);
  s->sent += bytes / s->link->efficiency;
  s->now += seconds;
}

static void auto_converge(Sim *s, double found) {
  s->dirty_sum += found;
  double period = s->now - s->sync_at;
  if (period < 1)
    return;
  double sent = s->sent - s->sync_sent;
  s->dirty_rate = s->dirty_sum / period;
  if (s->settings->auto_converge && s->dirty_sum > sent / 2 && ++s->high_count >= 2) {
    s->high_count = 0;
    s->throttle = s->throttle <= 0 ? 0.2 : MIN(0.99, s->throttle + 0.1);
    s->r.top_throttle = MAX(s->r.top_throttle, (int)lround(s->throttle * 100));
  }
  s->sync_at = s->now;
  s->sync_sent = s->sent;
  s->dirty_sum = 0;
}

static void look(Sim *s) {
  auto_converge(s, ferry_sim_guest_sync(&s->guest));
  s->iteration++;
  if (chance(s) >= s->settings->lose_events) {
    double delay = s->settings->event_delay_s > 0 ? s->settings->event_delay_s : 0.005;
    s->event_iteration = s->iteration;
    if (!isfinite(s->event_at))
      s->event_at = s->now + delay;
  }
}

static void stall(Sim *s, double seconds) {
  s->r.gap = MAX(s->r.gap, seconds);
}

static void switch_over(Sim *s) {
  ferry_sim_guest_sync(&s->guest); /* what it wrote up to the last moment */
  double pending = ferry_sim_guest_remaining(&s->guest);
  double pause = sending(s, pending / s->link->efficiency) + s->link->eps;
  s->sent += pending / s->link->efficiency;
  s->now += pause;
  s->r.pause = pause;
  if (s->paused)
    pause = s->now - s->paused_at;
  stall(s, pause);
  s->r.lost += pause;
  s->r.outcome = FERRY_SIM_DONE;
}

static void post_copy(Sim *s) {
  ferry_convergence_post_copy(s->controller);
  ferry_sim_guest_sync(&s->guest);
  double rate = link_rate(s->link, s->now) * s->link->efficiency;
  double pending = ferry_sim_guest_remaining(&s->guest) - s->guest.zeroes, missing = 0, writes = 0;
  for (guint i = 0; i < s->guest.n_classes; i++) {
    missing += s->guest.classes[i].pending;
    writes += s->guest.classes[i].rate;
  }
  /* a guest that touches pages faster than they come stands still for most of the time */
  double hunger = MIN(1, writes * ferry_sim_guest_activity(&s->guest, s->now) / (0.25 * rate));
  double wire = missing / rate;
  stall(s, s->link->eps + (s->settings->preempt ? 0.235 : 0.8) * hunger * wire);
  if (s->paused)
    stall(s, s->now - s->paused_at + s->link->eps);
  s->r.lost += s->link->eps + 1.02 * hunger * wire + (s->paused ? s->now - s->paused_at : 0);
  s->r.pause = s->link->eps;
  s->sent += pending / s->link->efficiency;
  s->now += s->link->eps + pending / rate;
  s->r.post_copy = TRUE;
  s->r.outcome = FERRY_SIM_DONE;
  decisions(s); /* nothing may come any more */
}

/* The longest step that nothing interrupts. */
static double step(const Sim *s) {
  double remaining = ferry_sim_guest_remaining(&s->guest);
  double rate = wire_rate(s) * s->link->efficiency, dt = CHUNK_S;
  dt = MIN(dt, MAX(LEAST_CHUNK_S, remaining / rate));
  dt = MIN(dt, MAX(1e-4, s->window_at + WINDOW_S - s->now));
  dt = MIN(dt, MAX(1e-4, s->sample_at - s->now));
  dt = MIN(dt, MAX(1e-4, s->event_at - s->now));
  if (remaining > s->threshold && s->guest.zeroes <= 0)
    dt = MIN(dt, (remaining - s->threshold) / rate + 1e-5);
  double change = ferry_sim_guest_next_change(&s->guest, s->now);
  dt = MIN(dt, MAX(1e-4, change - s->now));
  if (s->link->drop_to > 0 && s->link->drop_at > s->now)
    dt = MIN(dt, MAX(1e-4, s->link->drop_at - s->now));
  if (s->link->drop_to > 0 && s->link->drop_end > s->now)
    dt = MIN(dt, MAX(1e-4, s->link->drop_end - s->now));
  return dt;
}

static void loop(Sim *s) {
  double give_up = s->settings->give_up_s > 0 ? s->settings->give_up_s : 600;
  double looked = -1;
  while (s->now < give_up) {
    advance(s, step(s));
    hear(s);
    if (s->aborted) {
      s->r.outcome = FERRY_SIM_ABORTED;
      if (s->paused) {
        stall(s, s->now - s->paused_at);
        s->r.lost += s->now - s->paused_at;
      }
      return;
    }
    if (s->post_copy_asked) {
      post_copy(s);
      return;
    }
    if (s->now - s->window_at >= WINDOW_S - 1e-9) {
      s->threshold = (s->sent - s->window_sent) / (s->now - s->window_at) * s->limit_ms / 1000;
      s->window_at = s->now;
      s->window_sent = s->sent;
    }
    double remaining = ferry_sim_guest_remaining(&s->guest);
    /* one chunk lies between two looks unless everything has been sent */
    if (remaining >= s->threshold || (s->now - looked < CHUNK_S && remaining > 1))
      continue;
    look(s);
    looked = s->now;
    if (ferry_sim_guest_remaining(&s->guest) < s->threshold) {
      switch_over(s);
      return;
    }
  }
  s->r.outcome = FERRY_SIM_ENDLESS;
}

FerrySimResult ferry_sim_migrate(const FerrySimGuestSpec *guest, const FerrySimLink *link,
                                 const FerrySimSettings *settings,
                                 const FerryConvergenceIntent *intent, json_t **history) {
  Sim s = {.link = link,
           .settings = settings,
           .intent = intent,
           .limit_ms = DEFAULT_LIMIT_MS,
           .event_at = INFINITY,
           .iteration = 1,
           .throttle = settings->fixed_throttle / 100.0,
           .random = settings->seed * 2654435761u + 12345u};
  s.random = s.random ? s.random : 1;
  s.r.outcome = FERRY_SIM_ENDLESS;
  ferry_sim_guest_init(&s.guest, guest);
  s.controller = ferry_convergence_new(intent, 0);
  decisions(&s);
  s.r.raises = 0;
  loop(&s);
  s.r.seconds = s.now;
  s.r.bytes = s.sent;
  s.r.iterations = s.iteration;
  stall(&s, ferry_model_throttle_stall(s.r.top_throttle / 100.0));
  if (history)
    *history = ferry_convergence_history(s.controller);
  ferry_convergence_free(s.controller);
  return s.r;
}
