// SPDX-License-Identifier: Apache-2.0
// The intent-driven controller: the cheapest end that keeps what was asked for.
//
// Theory of operation: QEMU switches over once what remains fits into (rate x limit), so the limit
// is a target as much as a cap. It starts so low that only a nearly idle guest passes. After the
// first pass one number is known (what the guest dirtied in it), which says what a switch-over now
// would cost, but not how fast the guest is; so the limit goes just so high that looking on costs
// at most SLACK of the time spent. From the second round on the model (model.h) prices every way to
// end: each limit up to the maximum, throttles, post-copy. Those that break the intent are dropped;
// the rest is measured against the earliest end among them, and of all that are at most SLACK later
// the one that costs the guest the least is taken. That is done again at each pass, when the rate
// has changed by a fifth, and when a plan is overdue. Where nothing is left, it is said once, with
// what would be needed; the limit then stays at the allowed maximum, because a guest may calm down.
//
// Guarantees (tests/convergence/test-properties.c): the limit never exceeds (max - eps) L/B; a plan
// raises it at most once in two passes; nothing aborts after post-copy; a limit that is safe stays
// set whatever happens to the controller; a rate that falls by 20 % makes a new plan at once.
#include "convergence/private.h"
#include <math.h>

#define SLACK 0.04    /* share of the time that may be spent on a cheaper end */
#define TRUSTED 0.15  /* residual up to which the model is believed */
#define CANDIDATES 18 /* limits that are priced */
#define LOOK_SHARE 0.8
#define RATE_CHANGE 0.2  /* makes a new plan */
#define SIGNIFICANT 0.05 /* smaller changes of the limit are not worth a call */
#define ROUNDS_BETWEEN 2
#define START_SHARE 4 /* the first limit is eps / 4: an idle guest pauses 1.25 eps at most */
#define START_LEAST_MS 5
#define THROTTLE_STEP 0.05
#define WORTH 0.85 /* a new limit must cost the guest that much less */
#define MARGIN 1.1
#define OVERDUE 1.5          /* times the promised time */
#define OVERDUE_LEAST_S 0.25 /* QEMU takes up a new limit every 100 ms */
#define BROKEN_PROMISES 2    /* after so many only what was seen is believed */
#define LIMIT_TAKEN_UP_US 150000
#define WAVERING 4          /* times the patience */
#define THROTTLE_RAISE 10   /* percent */
#define POSTCOPY_DOUBT 1.25 /* how much longer the stalls of post-copy may get than reckoned */
#define HOPELESS 8
#define BEYOND 4
#define REPLAN_US 200000

/* The largest limit in seconds of pause without eps. */
static double room(const FerryConvergence *c) {
  return (double)MAX(1, c->intent.max_downtime_ms - c->intent.switchover_cost_ms) / 1000;
}

static double elapsed(const FerryConvergence *c, gint64 now_us) {
  return (double)(now_us - c->start_us) / 1e6;
}

FerryPath ferry_intent_path(const FerryConvergence *c) {
  const FerryTracker *t = &c->t;
  double rate = t->rate > 0 ? t->rate : (double)t->last.rate;
  FerryPath path = {rate, rate, (double)c->intent.switchover_cost_ms / 1000};
  double cap = (double)c->intent.bandwidth_cap, link = (double)c->intent.link_rate;
  /* the cap only binds where it is reached: on a link that is slower, lifting it changes nothing */
  if (cap > 0 && link > cap && t->wire_rate > 0.85 * cap)
    path.switch_rate = MAX(rate, link * (t->efficiency > 1.1 ? t->efficiency : 1));
  return path;
}

/* What QEMU must be told for a pause of `seconds`: it multiplies the limit with the wire's rate. */
static double scale(const FerryConvergence *c, const FerryPath *path) {
  double wire = c->t.wire_rate > 0 ? c->t.wire_rate : path->rate;
  if (path->switch_rate > path->rate) /* a window may send more than the mean, up to the cap */
    wire = MAX(wire, (double)c->intent.bandwidth_cap);
  if (wire <= 0 || path->switch_rate < 1.1 * wire)
    return 1;
  return path->switch_rate / wire;
}

static gint64 limit_ms(const FerryConvergence *c, const FerryPath *path, double seconds) {
  return MAX(1, (gint64)(MIN(seconds, room(c)) * scale(c, path) * 1000));
}

static void set_limit(FerryConvergence *c, gint64 now_us, const FerryPath *path, double seconds,
                      const char *code, const char *why) {
  gint64 ms = limit_ms(c, path, seconds);
  c->is.plan_limit = MIN(seconds, room(c));
  gint64 change = ABS(ms - c->limit_ms);
  if (change == 0 || (double)change < SIGNIFICANT * (double)c->limit_ms)
    return;
  if (ms > c->limit_ms)
    c->is.raised_at = c->t.passes;
  c->is.limit_us = now_us;
  ferry_decide(c, now_us, FERRY_CONVERGENCE_SET_DOWNTIME, ms, code,
               "%s: %.1f MiB to send at %.1f MiB/s; limit %" G_GINT64_FORMAT " -> %" G_GINT64_FORMAT
               " ms for a pause of about %.0f ms, %" G_GINT64_FORMAT " ms are allowed",
               why, ferry_mib(MAX(0, c->t.boundary_start)), ferry_mib(path->rate), c->limit_ms, ms,
               (MIN(seconds, room(c)) + path->eps) * 1000, c->intent.max_downtime_ms);
}

void ferry_intent_start(FerryConvergence *c, gint64 now_us) {
  gint64 low = MAX(START_LEAST_MS, c->intent.switchover_cost_ms / START_SHARE);
  c->limit_ms = MIN(low, MAX(1, c->intent.max_downtime_ms - c->intent.switchover_cost_ms));
  c->is.plan_limit = (double)c->limit_ms / 1000;
  c->is.reference = INFINITY;
  ferry_decide(c, now_us, FERRY_CONVERGENCE_SET_DOWNTIME, c->limit_ms, "Start",
               "start low: the pause is about %" G_GINT64_FORMAT " ms where the guest lets it",
               c->limit_ms + c->intent.switchover_cost_ms);
}

/* Below this QEMU switches over, in bytes. */
static double threshold(const FerryConvergence *c) {
  return (double)c->limit_ms / 1000 * c->t.wire_rate;
}

/* What there was to send when the last pass began. A look that did not end in a switch-over found
 * more than the threshold, whatever a late sample says. */
static double observed(const FerryConvergence *c, gint64 now_us, double seen) {
  if (c->t.passes < 2 || now_us - c->is.limit_us < LIMIT_TAKEN_UP_US)
    return seen;
  return MAX(seen, threshold(c));
}

/* No model yet. After the first pass: how high may the limit stay low? Later: the passes are too
 * short or too alike to learn from, so what was seen decides. */
static void look(FerryConvergence *c, gint64 now_us, const FerryPath *path, double v) {
  double need = v / path->switch_rate, limit;
  if (c->t.passes < 2) {
    double budget = SLACK * (elapsed(c, now_us) + need);
    limit = MIN(need, room(c)) - budget;
    if (limit > LOOK_SHARE * need) /* a look so short teaches nothing */
      limit = need * 1.05;
    if (v / path->rate > budget && limit > c->is.plan_limit)
      set_limit(c, now_us, path, limit, "FirstPass", "after the first pass");
  } else if (c->t.passes >= c->is.raised_at + ROUNDS_BETWEEN) {
    limit = need <= room(c) ? need * MARGIN : room(c) / 2; /* too high to learn from: lower it */
    set_limit(c, now_us, path, limit, limit > c->is.plan_limit ? "NotConverging" : "Plan",
              "no pass was shorter than another");
  }
}

static gboolean allowed(const FerryConvergence *c, const FerryOption *o, double now) {
  double max = (double)c->intent.max_downtime_ms / 1000;
  double pause = o->kind == FERRY_OPTION_POSTCOPY ? o->pause * POSTCOPY_DOUBT : o->pause;
  if (!isfinite(o->seconds) || pause > max)
    return FALSE;
  return c->intent.max_duration_ms <= 0 ||
         now + o->seconds <= (double)c->intent.max_duration_ms / 1000;
}

/* The model's price of a limit; where it is not trusted, what was seen decides. */
static FerryOption price(const FerryConvergence *c, const FerryPath *path, double v, double limit,
                         double throttle) {
  double horizon = c->intent.max_duration_ms > 0 ? (double)c->intent.max_duration_ms / 1000 : 600;
  const FerryTracker *t = &c->t;
  gboolean trusted = t->writer.residual <= TRUSTED && c->is.broken < BROKEN_PROMISES;
  if (trusted || v <= limit * path->switch_rate)
    return ferry_model_precopy(&t->writer, path, v, limit, throttle, horizon);
  FerryOption o = ferry_model_precopy(&t->writer, path, v, limit, throttle, horizon);
  double reached = limit * path->switch_rate;
  double best = c->is.broken > 0 ? MAX(t->best_v, threshold(c)) : t->best_v;
  if (throttle <= 0 && best * MARGIN <= reached) { /* a pass as good as the best will come */
    double seconds = 3 * v / path->rate + limit + path->eps;
    if (!isfinite(o.seconds) || o.seconds > seconds)
      return (FerryOption){.kind = FERRY_OPTION_PRECOPY,
                           .limit = limit,
                           .seconds = seconds,
                           .pause = limit + path->eps,
                           .lost = limit + path->eps,
                           .bytes = 3 * v};
    return o;
  }
  if (throttle <= 0 && c->is.broken >= BROKEN_PROMISES)
    o.seconds = o.pause = o.lost = INFINITY; /* it was promised, and it did not happen */
  return o;
}

typedef struct {
  FerryOption all[2 * CANDIDATES + 24];
  guint n;
} Options;

static void add(Options *options, FerryOption o) {
  if (options->n < G_N_ELEMENTS(options->all))
    options->all[options->n++] = o;
}

/* What of `pending` bytes the guest will ask for soon; without a model that may be all. */
static double touched(const FerryConvergence *c, double pending) {
  return c->t.fitted ? c->t.writer.working_set : pending;
}

static double throttle_bound(const FerryConvergence *c) {
  double max = (double)c->intent.max_downtime_ms / 1000;
  if (!c->intent.can_throttle || c->no_throttle)
    return 0;
  return MIN((double)c->intent.max_slowdown_percent / 100, max / (max + 0.01));
}

static void gather(FerryConvergence *c, const FerryPath *path, double v, double now,
                   Options *options) {
  double top = room(c), low = MIN(top, START_LEAST_MS / 1000.0);
  gboolean feasible = FALSE;
  add(options, price(c, path, v, MIN(top, c->is.plan_limit), 0)); /* the first: what is set */
  for (int i = 0; i < CANDIDATES; i++) {
    FerryOption o = price(c, path, v, low * pow(top / low, (double)i / (CANDIDATES - 1)), 0);
    feasible |= allowed(c, &o, now);
    add(options, o);
  }
  if (v / path->switch_rate <= top)
    add(options, price(c, path, v, v / path->switch_rate * 1.001, 0));
  if (c->intent.allow_post_copy && !c->no_post_copy) {
    FerryOption o = ferry_model_postcopy(path, v, touched(c, v), c->intent.post_copy_preempt);
    add(options, o);
  }
  double bound = throttle_bound(c);
  if (!feasible)
    for (double p = THROTTLE_STEP; p <= bound + 1e-9; p += THROTTLE_STEP)
      add(options, price(c, path, v, top, p));
}

/* The earliest allowed end; throttled ones only count where there is no other. */
static double earliest(const FerryConvergence *c, const Options *options, double now) {
  double best = INFINITY, best_throttled = INFINITY;
  for (guint i = 0; i < options->n; i++) {
    const FerryOption *o = &options->all[i];
    if (!allowed(c, o, now))
      continue;
    if (o->throttle > 0)
      best_throttled = MIN(best_throttled, o->seconds);
    else
      best = MIN(best, o->seconds);
  }
  return isfinite(best) ? best : best_throttled;
}

static const FerryOption *choose(const FerryConvergence *c, const Options *options, double now) {
  double first = earliest(c, options, now);
  if (!isfinite(first))
    return NULL;
  double until = (1 + SLACK) * MIN(c->is.reference, now + first) - now;
  until = MAX(until, first * 1.001);
  const FerryOption *best = NULL, *kept = &options->all[0];
  for (guint i = 0; i < options->n; i++) {
    const FerryOption *o = &options->all[i];
    if (allowed(c, o, now) && o->seconds <= until && (!best || o->lost < best->lost))
      best = o;
  }
  /* what is set already stays unless another end is clearly cheaper */
  if (c->is.planned && best->throttle <= 0 && allowed(c, kept, now) && kept->seconds <= until &&
      best->lost > WORTH * kept->lost)
    best = kept;
  return best;
}

static void set_throttle(FerryConvergence *c, gint64 now_us, int percent, const char *code,
                         const char *why) {
  if (percent == c->throttle_percent)
    return;
  ferry_decide(c, now_us, FERRY_CONVERGENCE_SET_THROTTLE, percent, code,
               "%s: the guest runs %d %% less of the time (up to %d %% allowed)", why, percent,
               c->intent.max_slowdown_percent);
}

/* The smallest limit, beyond what is allowed, that would end it in time. */
static double needed_limit(const FerryConvergence *c, const FerryPath *path, double v, double now) {
  double most = MAX(v, c->t.writer.working_set) / path->switch_rate, limit = room(c);
  double end = c->intent.max_duration_ms > 0 ? (double)c->intent.max_duration_ms / 1000 : INFINITY;
  for (; limit < most; limit *= 1.05) {
    FerryOption o = price(c, path, v, limit, 0);
    if (isfinite(o.seconds) && now + o.seconds <= end)
      break;
  }
  return limit;
}

static void note_infeasible(FerryConvergence *c, gint64 now_us, const FerryPath *path, double v) {
  const FerryTracker *t = &c->t;
  double now = elapsed(c, now_us), limit = needed_limit(c, path, v, now);
  double end = (double)c->intent.max_duration_ms / 1000;
  gint64 need_ms = (gint64)ceil((limit + path->eps) * 1000);
  /* passes that all leave the whole set say no more than that the guest is much faster */
  gboolean beyond = t->writer.write_rate > BEYOND * path->rate;
  g_autofree char *guest = g_strdup_printf(
      "the guest writes %s%.0f MiB/s over %.0f MiB and %.1f MiB are to be sent at %.1f MiB/s",
      beyond ? "more than " : "", ferry_mib(MIN(t->writer.write_rate, BEYOND * path->rate)),
      ferry_mib(t->writer.working_set), ferry_mib(v), ferry_mib(path->rate));
  const char *post_copy = c->intent.allow_post_copy ? "" : ", or post-copy";
  if (end > 0 && now + v / path->rate > end) {
    ferry_decide(c, now_us, FERRY_CONVERGENCE_NOTE, need_ms, "Infeasible",
                 "%s: that alone takes %.1f s and ends after the %.1f s allowed; allow more time "
                 "or more bandwidth",
                 guest, v / path->rate, end);
    return;
  }
  ferry_decide(c, now_us, FERRY_CONVERGENCE_NOTE, need_ms, "Infeasible",
               "%s: a pause of about %" G_GINT64_FORMAT " ms would be needed, %" G_GINT64_FORMAT
               " ms are allowed%s; allow the longer pause, or %.0f MiB/s of bandwidth, or a "
               "slow-down of %.0f %%%s",
               guest, need_ms, c->intent.max_downtime_ms, end > 0 ? " within the duration" : "",
               ferry_mib(ferry_model_min_rate(&t->writer, room(c))) * MARGIN,
               ceil(MAX(5, 100 * ferry_model_min_throttle(&t->writer, path, room(c)))), post_copy);
}

/* Nothing keeps the intent: say so, with what would; then do what may still help. */
static void infeasible(FerryConvergence *c, gint64 now_us, const FerryPath *path, double v) {
  if (c->t.n_rounds < 2)
    return;
  if (!c->is.verdict_us)
    c->is.verdict_us = now_us;
  if (!c->is.first_verdict_us)
    c->is.first_verdict_us = now_us;
  if (!c->is.noted) {
    c->is.noted = TRUE;
    note_infeasible(c, now_us, path, v);
  }
  if (c->intent.allow_post_copy && !c->no_post_copy) {
    FerryOption o = ferry_model_postcopy(path, v, touched(c, v), c->intent.post_copy_preempt);
    ferry_decide(c, now_us, FERRY_CONVERGENCE_START_POSTCOPY, 0, "NotConverging",
                 "no pre-copy keeps the intent and post-copy is allowed: %.1f MiB follow in about "
                 "%.1f s, during which the guest may stand still for up to %.0f ms at a time",
                 ferry_mib(v), o.seconds, o.pause * 1000);
    return;
  }
  set_limit(c, now_us, path, room(c), "Infeasible", "the most that is allowed");
  int bound = (int)(throttle_bound(c) * 100);
  if (bound > c->throttle_percent)
    set_throttle(c, now_us, bound, "Infeasible", "the most that is allowed");
}

static gboolean may_raise(const FerryConvergence *c) {
  return c->is.raised_at == 0 || !c->is.planned || c->t.passes >= c->is.raised_at + ROUNDS_BETWEEN;
}

/* The throttle only rises, in steps, and is released once at most: a guest that needed it again
 * keeps it. */
static void plan_throttle(FerryConvergence *c, gint64 now_us, const FerryOption *o,
                          gboolean overdue) {
  FerryIntentState *s = &c->is;
  int percent = (int)lround(o->throttle * 100), bound = (int)(throttle_bound(c) * 100);
  gboolean trusted = c->t.writer.residual <= TRUSTED && s->broken == 0;
  if (overdue && percent > 0 && percent <= c->throttle_percent)
    percent = c->throttle_percent + THROTTLE_RAISE;
  percent = MIN(percent, bound);
  if (percent > c->throttle_percent) {
    set_throttle(c, now_us, percent, "NotConverging", "the least that lets it converge");
    s->throttled_at = c->t.passes;
  } else if (percent == 0 && c->throttle_percent > 0 && trusted && !s->released &&
             c->t.passes >= s->throttled_at + ROUNDS_BETWEEN) {
    s->released = TRUE;
    set_throttle(c, now_us, 0, "Converging", "it converges without");
  }
}

static void plan(FerryConvergence *c, gint64 now_us, const FerryPath *path, double v) {
  FerryIntentState *s = &c->is;
  double now = elapsed(c, now_us);
  Options options = {.n = 0};
  s->planned_us = now_us;
  s->plan_rate = path->rate;
  gather(c, path, v, now, &options);
  const FerryOption *o = choose(c, &options, now);
  if (!o) {
    infeasible(c, now_us, path, v);
    s->planned = TRUE;
    return;
  }
  if (s->broken < HOPELESS)
    s->verdict_us = 0;
  if (s->forecast <= 0)
    s->forecast = now + o->seconds;
  if (o->kind == FERRY_OPTION_POSTCOPY) {
    ferry_decide(c, now_us, FERRY_CONVERGENCE_START_POSTCOPY, 0, "Cheapest",
                 "%.1f MiB follow in about %.1f s, during which the guest stands still for at most "
                 "%.0f ms at a time, %" G_GINT64_FORMAT " ms are allowed: post-copy",
                 ferry_mib(v), o->seconds, o->pause * 1000, c->intent.max_downtime_ms);
    return;
  }
  gboolean overdue = s->planned && now > s->promised;
  if (overdue && ++s->broken >= HOPELESS && s->plan_limit >= 0.99 * room(c)) {
    infeasible(c, now_us, path, v); /* the most that is allowed did not do, whatever was reckoned */
    return;
  }
  plan_throttle(c, now_us, o, overdue);
  double limit = o->limit;
  const char *why = "the cheapest end within the intent";
  if (overdue && limit <= s->plan_limit * 1.01 && s->plan_limit < room(c)) {
    limit = s->plan_limit * MARGIN;
    why = "it should have converged by now";
  }
  if (now > s->reference * (1 + SLACK) && s->broken > 0) { /* the time for cheaper ends is over */
    limit = MAX(limit, v * MARGIN / path->switch_rate);
    why = "it took longer than the gain was worth";
  }
  limit = MIN(limit, room(c));
  double promised = now + MAX(OVERDUE_LEAST_S, OVERDUE * o->seconds);
  if (limit <= s->plan_limit || may_raise(c)) {
    gboolean other = fabs(limit - s->plan_limit) > SIGNIFICANT * s->plan_limit;
    set_limit(c, now_us, path, limit,
              s->planned && limit > s->plan_limit ? "NotConverging" : "Plan", why);
    s->promised = !s->planned || overdue || other ? promised : MIN(s->promised, promised);
    s->planned = TRUE;
  }
}

void ferry_intent_boundary(FerryConvergence *c, gint64 now_us) {
  FerryPath path = ferry_intent_path(c);
  double v = observed(c, now_us, c->t.boundary_start), now = elapsed(c, now_us);
  if (!ferry_decidable(c) || c->suspended || path.rate <= 0)
    return;
  if (v / path.switch_rate <= room(c))
    c->is.reference = MIN(c->is.reference, now + v / path.switch_rate + path.eps);
  if (c->t.fitted)
    plan(c, now_us, &path, v);
  else
    look(c, now_us, &path, v);
}

static void check_deadline(FerryConvergence *c, gint64 now_us, const FerryPath *path) {
  double end = (double)c->intent.max_duration_ms / 1000, now = elapsed(c, now_us);
  double pending = ferry_tracker_pending(&c->t, now_us);
  if (c->intent.max_duration_ms <= 0)
    return;
  if (c->intent.allow_post_copy && !c->no_post_copy && c->t.passes > 0 &&
      now + pending / path->switch_rate * MARGIN + path->eps >= end) {
    FerryOption o =
        ferry_model_postcopy(path, pending, touched(c, pending), c->intent.post_copy_preempt);
    if (o.pause * POSTCOPY_DOUBT * 1000 > (double)c->intent.max_downtime_ms && !c->is.noted) {
      c->is.noted = TRUE;
      note_infeasible(c, now_us, path, pending);
    }
    ferry_decide(c, now_us, FERRY_CONVERGENCE_START_POSTCOPY, 0, "Deadline",
                 "%.1f MiB remain and %.1f s are left of %.1f s: the last moment for post-copy",
                 ferry_mib(pending), end - now, end);
    return;
  }
  if (now > end)
    ferry_decide_abort(c, now_us, "DeadlineExceeded",
                       "not done within the %.1f s asked for: %.1f MiB remain, another %.1f s at "
                       "%.1f MiB/s if the guest wrote nothing; allow more time or more bandwidth; "
                       "the guest stays on the source",
                       end, ferry_mib(pending), pending / path->rate, ferry_mib(path->rate));
}

void ferry_intent_tick(FerryConvergence *c, gint64 now_us) {
  FerryPath path = ferry_intent_path(c);
  FerryIntentState *s = &c->is;
  if (!ferry_decidable(c) || c->suspended || path.rate <= 0)
    return;
  check_deadline(c, now_us, &path);
  if (!ferry_decidable(c))
    return;
  gint64 patience_us = c->intent.infeasible_patience_ms * 1000;
  /* a guest that wavers at the border of what is feasible gets some more time, not all of it */
  gboolean wavering = s->first_verdict_us && now_us - s->first_verdict_us > WAVERING * patience_us;
  if (patience_us > 0 && ((s->verdict_us && now_us - s->verdict_us > patience_us) || wavering)) {
    ferry_decide_abort(c, now_us, "Infeasible",
                       "for %" G_GINT64_FORMAT
                       " s nothing within the intent ended it (%.1f MiB remain at best); the "
                       "guest stays on the source",
                       (now_us - s->first_verdict_us) / G_USEC_PER_SEC, ferry_mib(c->t.best_v));
    return;
  }
  if (s->planned && now_us - s->planned_us >= REPLAN_US &&
      fabs(path.rate - s->plan_rate) > RATE_CHANGE * s->plan_rate) {
    s->reference = INFINITY; /* the chances that were seen had another rate */
    plan(c, now_us, &path, ferry_tracker_pending(&c->t, now_us));
  }
}
