// SPDX-License-Identifier: Apache-2.0
// The intent-driven controller: the cheapest end that keeps what was asked for.
//
// Theory of operation: QEMU switches over once what remains fits into (rate x limit), so the limit
// is a target as much as a cap. It starts so low that only a nearly idle guest passes; where a
// dirty rate was measured beforehand, the first pass is planned with it (options.c). After the
// first pass one number is known (what the guest dirtied in it), which says what a switch-over now
// would cost, but not how fast the guest is; so the limit goes just so high that looking on costs
// at most the slack of the time spent. From the second round on every way to end is priced
// (options.c) and the cheapest is taken that is late by the slack at most. That
// is done again at each pass, when the rate has changed by a fifth, and when a plan is overdue.
// Once the time for cheaper ends is used up, the limit rises to what a pass leaves. Where nothing
// keeps the intent, that is said with what would be needed (verdict.c); the limit then stays at the
// allowed maximum, because a guest may calm down.
//
// Guarantees (tests/convergence/test-properties.c): the limit never exceeds (max - eps) L/B; a plan
// raises it at most once in two passes; nothing aborts after post-copy; a limit that is safe stays
// set whatever happens to the controller; a rate that falls by 20 % makes a new plan at once.
#include "convergence/decide.h"
#include "convergence/options.h"
#include "convergence/state.h"
#include "convergence/verdict.h"
#include "model/migration/reasons.h"
#include <math.h>

#define LOOK_SHARE 0.8
#define CAPPED 0.1       /* the link carries so much more */
#define RATE_CHANGE 0.15 /* makes a new plan */
#define SIGNIFICANT 0.05 /* smaller changes of the limit are not worth a call */
#define MOST_LOWERED 5   /* times; after that only for safety */
#define ROUNDS_BETWEEN 2
#define OVERDUE 1.5          /* times the promised time */
#define OVERDUE_LEAST_S 0.25 /* QEMU takes up a new limit every 100 ms */
#define OVERTIME 1.5         /* times what a pass leaves: an event may be late by a chunk */
#define LIMIT_TAKEN_UP_US 150000
#define SHRINKING 0.9     /* of the pass before */
#define WAVERING 4        /* times the patience */
#define THROTTLE_RAISE 10 /* percent */
#define LEAST_THROTTLE                                                                             \
  1                 /* percent, of QEMU: auto-converge starts there, and it is as good as none */
#define LONGER 1.25 /* pause, each time that the best there is is taken */
#define SATURATED 0.95
#define NEAR_ENOUGH 1.3       /* a throttle that is needed, over the one that is allowed */
#define HOPELESS 8            /* broken promises */
#define TAKES_HOLD_US 3500000 /* QEMU's two looks, a second each or more, and a few passes */
#define REPLAN_US 200000

/* What QEMU must be told for a pause of `seconds`: it multiplies the limit with the wire's rate, or
 * with what it was told of the link. */
static double intent_scale(const FerryConvergence *c, const FerryPath *path) {
  if (c->intent.switchover_bandwidth > 0)
    return path->switch_rate / (double)c->intent.switchover_bandwidth;
  double wire = c->t.wire_rate > 0 ? c->t.wire_rate : path->rate;
  if (path->switch_rate > path->rate) /* a window may send more than the mean, up to the cap */
    wire = MAX(wire, (double)c->intent.bandwidth_cap);
  if (wire <= 0 || path->switch_rate < 1.1 * wire)
    return 1;
  return path->switch_rate / wire;
}

static gint64 limit_ms(const FerryConvergence *c, const FerryPath *path, double seconds) {
  return MAX(1, (gint64)(seconds * intent_scale(c, path) * 1000));
}

/* A decision that changes nothing is not made. Each time that the limit was lowered already, the
 * gain must be twice as large, so that a guest that wavers can't make it flutter; a limit that has
 * become too high for the path is always lowered. */
static gboolean intent_matters(const FerryConvergence *c, const FerryPath *path, gint64 ms) {
  double share = SIGNIFICANT;
  if (ms < c->limit_ms)
    share = c->limit_ms > limit_ms(c, path, ferry_intent_room(c))
                ? 0
                : SIGNIFICANT * (double)(1u << MIN(c->is.lowered, MOST_LOWERED));
  gint64 change = ABS(ms - c->limit_ms);
  return change > 0 && (double)change >= share * (double)c->limit_ms;
}

static void set_limit(FerryConvergence *c, gint64 now_us, const FerryPath *path, double seconds,
                      FerryReason code, const char *why) {
  seconds = CLAMP(seconds, ferry_intent_low(c), ferry_intent_room(c));
  gint64 ms = limit_ms(c, path, seconds);
  c->is.plan_limit = seconds;
  if (!intent_matters(c, path, ms))
    return;
  if (ms > c->limit_ms)
    c->is.raised_at = c->t.passes;
  else
    c->is.lowered++;
  c->is.limit_us = now_us;
  c->t.leaves = c->is.plan_limit * MAX(path->switch_rate, path->rate) * 1.1;
  ferry_decide(c, now_us, FERRY_ACTION_SET_DOWNTIME, ms, code,
               "%s: %.1f MiB to send at %.1f MiB/s; limit %" G_GINT64_FORMAT " -> %" G_GINT64_FORMAT
               " ms for a pause of about %.0f ms, %" G_GINT64_FORMAT " ms are allowed",
               why, ferry_mib(MAX(0, c->t.boundary_start)), ferry_mib(path->rate), c->limit_ms, ms,
               (seconds + path->eps) * 1000, c->intent.max_downtime_ms);
}

static void intent_start(FerryConvergence *c, gint64 now_us) {
  c->limit_ms = MAX(1, (gint64)(ferry_intent_low(c) * 1000));
  c->is.plan_limit = (double)c->limit_ms / 1000;
  c->is.reference = c->is.earliest = INFINITY;
  ferry_decide(c, now_us, FERRY_ACTION_SET_DOWNTIME, c->limit_ms, FERRY_REASON_START,
               "start low: the pause is about %" G_GINT64_FORMAT " ms where the guest lets it",
               c->limit_ms + c->intent.switchover_cost_ms);
}

/* What there was to send when the last pass began. A look that did not end in a switch-over found
 * more than the threshold, whatever a late sample says. */
static double intent_observed(const FerryConvergence *c, gint64 now_us, double seen) {
  if (c->t.passes < 2 || now_us - c->is.limit_us < LIMIT_TAKEN_UP_US)
    return seen;
  return MAX(seen, ferry_intent_threshold(c));
}

/* The first end that is in sight is the forecast. */
static void intent_expect(FerryConvergence *c, gint64 now_us, const FerryOption *o) {
  if (c->is.forecast <= 0)
    c->is.forecast = ferry_intent_elapsed(c, now_us) + o->seconds;
}

static void start_post_copy(FerryConvergence *c, gint64 now_us, const FerryOption *o, double v) {
  intent_expect(c, now_us, o);
  ferry_decide(c, now_us, FERRY_ACTION_START_POSTCOPY, 0, FERRY_REASON_CHEAPEST,
               "%.1f MiB follow in about %.1f s, during which the guest stands still for at most "
               "%.0f ms at a time, %" G_GINT64_FORMAT " ms are allowed: post-copy",
               ferry_mib(v), o->seconds, o->pause * 1000, c->intent.max_downtime_ms);
}

/* The end is at hand, with what there is: in a pause, or by post-copy (TRUE) where that costs the
 * guest less. */
static gboolean end_now(FerryConvergence *c, gint64 now_us, const FerryPath *path, double v) {
  FerryOption pause = ferry_model_suspend(path, v);
  FerryOption post_copy = ferry_options_postcopy(c, path, v);
  if (c->intent.allow_post_copy && !c->no_post_copy &&
      ferry_options_postcopy_keeps(c, &post_copy) &&
      ferry_option_cost(c, &post_copy) < ferry_option_cost(c, &pause)) {
    start_post_copy(c, now_us, &post_copy, v);
    return TRUE;
  }
  intent_expect(c, now_us, &pause);
  return FALSE;
}

/* No model yet. After the first pass: how high may the limit stay low? Later: the passes are too
 * short or too alike to learn from, so what was seen decides. */
static void intent_look(FerryConvergence *c, gint64 now_us, const FerryPath *path, double v) {
  double need = v / path->switch_rate, top = ferry_intent_room(c), limit;
  if (c->t.passes < 2) {
    double now = ferry_intent_elapsed(c, now_us), end = (double)c->intent.max_duration_ms / 1000;
    double budget = ferry_intent_slack(c) * (now + need);
    if (end > 0) /* the pass that comes may leave as much again */
      budget = CLAMP(end - now - FERRY_MARGIN * need - FERRY_TAKE_UP_S, 0, budget);
    /* under a cap what is sent before the pause takes longer than in it, so less can wait */
    double longer = path->switch_rate / path->rate - 1;
    limit = MIN(need, top) - budget / MAX(1, longer);
    /* a look so short teaches nothing, and under a cap each costs a good part of a pass */
    if (limit > LOOK_SHARE * need || (longer > CAPPED && need <= top))
      limit = need * 1.05;
    if (v / path->rate <= budget || limit <= c->is.plan_limit)
      return;
    if (need <= top && limit >= need && end_now(c, now_us, path, v))
      return;
    set_limit(c, now_us, path, limit, FERRY_REASON_FIRST_PASS, "after the first pass");
  } else if (c->t.passes >= c->is.raised_at + ROUNDS_BETWEEN) {
    limit = need <= top ? need * FERRY_MARGIN : top / 2; /* too high to learn from: lower it */
    if (need <= top && limit <= c->is.plan_limit)
      return;
    set_limit(c, now_us, path, limit,
              limit > c->is.plan_limit ? FERRY_REASON_NOT_CONVERGING : FERRY_REASON_PLAN,
              "no pass was shorter than another");
  }
  if (c->t.passes >= 2 && need > top && v > SHRINKING * c->t.previous_v)
    ferry_verdict_infeasible(c, now_us, path, v, TRUE);
}

static void set_throttle(FerryConvergence *c, gint64 now_us, int percent, FerryReason code,
                         const char *why) {
  if (percent == c->throttle_percent)
    return;
  if (c->throttle_percent == 0)
    c->is.unslowed_rate =
        c->t.fitted && c->t.writer.residual <= FERRY_TRUSTED ? c->t.writer.write_rate : 0;
  c->is.throttled_at = c->t.passes;
  if (percent > 0)
    ferry_decide(c, now_us, FERRY_ACTION_SET_THROTTLE, percent, code,
                 "%s: the guest runs %d %% less of the time (up to %d %% allowed)", why, percent,
                 c->intent.max_slowdown_percent);
  else
    ferry_decide(c, now_us, FERRY_ACTION_SET_THROTTLE, 0, code,
                 "%s: the guest is not slowed down any more", why);
}

/* What may still help: the longest pause and the strongest throttle that are allowed; that one only
 * where it is about enough. Where all of the set is written in each pass, how fast it is written is
 * unknown, and whether it is enough as well: TRUE where it is tried for that. */
static gboolean do_what_is_allowed(FerryConvergence *c, gint64 now_us, const FerryPath *path,
                                   double v) {
  double room = ferry_intent_room(c);
  int bound = (int)(ferry_intent_throttle_bound(c) * 100);
  double least = ferry_model_min_throttle(&c->t.writer, path, room);
  gboolean unknown = v > SATURATED * c->t.writer.working_set;
  set_limit(c, now_us, path, room, FERRY_REASON_INFEASIBLE, "the most that is allowed");
  if (bound <= c->throttle_percent || (!unknown && 100 * least >= NEAR_ENOUGH * bound))
    return FALSE;
  set_throttle(c, now_us, bound, FERRY_REASON_INFEASIBLE, "the most that is allowed");
  return unknown;
}

/* Nothing keeps the intent: say so, with what would; then do what may still help. */
static void intent_infeasible(FerryConvergence *c, gint64 now_us, const FerryPath *path, double v) {
  if (c->t.n_rounds < 2)
    return;
  if (!c->is.verdict_us)
    c->is.verdict_us = now_us;
  if (!c->is.first_verdict_us)
    c->is.first_verdict_us = now_us;
  gboolean better = v < SHRINKING * c->t.previous_v; /* the next pass leaves less, perhaps enough */
  FerryOption o = ferry_options_postcopy(c, path, v);
  gboolean leaves = c->intent.allow_post_copy && !c->no_post_copy &&
                    (!better || ferry_options_postcopy_keeps(c, &o));
  gboolean unknown = !leaves && do_what_is_allowed(c, now_us, path, v);
  if (unknown)
    ferry_verdict_doubtful(c, now_us, path, v, NULL);
  else if (better && c->t.n_rounds > 2 && !c->is.broken)
    ferry_verdict_doubtful(c, now_us, path, v, &c->t.writer);
  else
    ferry_verdict_infeasible(c, now_us, path, v, FALSE);
  if (leaves)
    ferry_decide(c, now_us, FERRY_ACTION_START_POSTCOPY, 0, FERRY_REASON_NOT_CONVERGING,
                 "no pre-copy keeps the intent and post-copy is allowed: %.1f MiB follow in about "
                 "%.1f s, during which the guest may stand still for up to %.0f ms at a time",
                 ferry_mib(v), o.seconds, o.pause * 1000);
}

static gboolean may_raise(const FerryConvergence *c) {
  return c->is.raised_at == 0 || !c->is.planned || c->t.passes >= c->is.raised_at + ROUNDS_BETWEEN;
}

/* The throttle only rises, in steps, and is released once at most: a guest that needed it again
 * keeps it. */
static void plan_throttle(FerryConvergence *c, gint64 now_us, const FerryOption *o,
                          gboolean overdue) {
  FerryIntentState *s = &c->is;
  int percent = (int)lround(o->throttle * 100), bound = (int)(ferry_intent_throttle_bound(c) * 100);
  gboolean trusted = c->t.writer.residual <= FERRY_TRUSTED && s->broken == 0;
  if (overdue && percent > 0 && percent <= c->throttle_percent)
    percent = c->throttle_percent + THROTTLE_RAISE;
  percent = MIN(percent, bound);
  if (percent > c->throttle_percent) {
    s->throttle_due_us = now_us + TAKES_HOLD_US;
    set_throttle(c, now_us, percent, FERRY_REASON_NOT_CONVERGING,
                 "no permitted limit is enough without it");
  } else if (percent == 0 && c->throttle_percent > 0 && trusted && !s->released &&
             c->t.passes >= s->throttled_at + ROUNDS_BETWEEN) {
    s->released = TRUE;
    set_throttle(c, now_us, 0, FERRY_REASON_CONVERGING, "it converges without");
  }
}

/* An end that costs more than what is set now may be put off: for a better moment, or until the
 * pattern is known. */
static gboolean intent_waits(FerryConvergence *c, const FerryPath *path, const FerryOption *o,
                             double v, double now) {
  FerryIntentState *s = &c->is;
  gboolean dear = o->kind == FERRY_OPTION_POSTCOPY || o->throttle > 0 ||
                  o->limit > s->plan_limit * (1 + SIGNIFICANT);
  s->waits = dear && (ferry_options_worth_waiting(c, path, o, v, now) ||
                      ferry_options_hopeful(c, path, v, now, o));
  if (s->waits && !s->planned) {
    s->planned = TRUE;
    s->promised = INFINITY; /* nothing was, yet */
  }
  return s->waits;
}

/* Once two rounds under the throttle are known, what it costs is measured, not its percentage. */
static void measure_throttle(FerryConvergence *c) {
  FerryIntentState *s = &c->is;
  if (c->throttle_percent > 0 && s->unslowed_rate > 0 && c->t.writer.residual <= FERRY_TRUSTED &&
      c->t.passes >= s->throttled_at + ROUNDS_BETWEEN)
    s->unfelt = 1 - ferry_model_felt(s->unslowed_rate, c->t.writer.write_rate,
                                     (double)c->throttle_percent / 100);
}

/* The limit of the plan `o`: higher where that one is overdue, or the time for cheaper ends over.
 */
static void plan_limit(FerryConvergence *c, gint64 now_us, const FerryPath *path,
                       const FerryOption *o, double v, gboolean overdue) {
  FerryIntentState *s = &c->is;
  double now = ferry_intent_elapsed(c, now_us);
  double limit = o->limit;
  const char *why = "the cheapest end within the intent";
  if (overdue && limit <= s->plan_limit * 1.01 && s->plan_limit < ferry_intent_room(c)) {
    limit = s->plan_limit * FERRY_MARGIN;
    why = "it should have converged by now";
  }
  if (now + v / path->switch_rate + FERRY_TAKE_UP_S / 2 > ferry_intent_bound(c)) {
    limit = MAX(limit, v * OVERTIME / path->switch_rate); /* the time for cheaper ends is over */
    why = "it took longer than the gain was worth";
  }
  limit = MIN(limit, ferry_intent_room(c));
  double promised = now + MAX(OVERDUE_LEAST_S, OVERDUE * o->seconds);
  if (limit <= s->plan_limit || may_raise(c)) {
    gboolean other = fabs(limit - s->plan_limit) > SIGNIFICANT * s->plan_limit;
    set_limit(c, now_us, path, limit,
              s->planned && limit > s->plan_limit ? FERRY_REASON_NOT_CONVERGING : FERRY_REASON_PLAN,
              why);
    s->promised = !s->planned || overdue || other ? promised : MIN(s->promised, promised);
    s->planned = TRUE;
  }
}

static void intent_plan(FerryConvergence *c, gint64 now_us, const FerryPath *path, double v) {
  FerryIntentState *s = &c->is;
  double now = ferry_intent_elapsed(c, now_us);
  FerryOptions options = {.n = 0};
  s->planned_us = now_us;
  s->plan_rate = path->rate;
  measure_throttle(c);
  ferry_options_gather(c, path, v, now, &options);
  const FerryOption *o = ferry_options_choose(c, &options, now);
  s->earliest = MIN(s->earliest, now + ferry_options_earliest(c, &options, now));
  s->plan_end = 0;
  if (!o) { /* while a throttle takes hold, rounds with and without it are mixed */
    guint passes = c->t.passes;
    if (ferry_options_hopeful(c, path, v, now, NULL))
      ferry_verdict_doubtful(c, now_us, path, v, NULL);
    else if (now_us >= s->throttle_due_us &&
             (!s->throttled_at || passes <= 2 || passes > s->throttled_at + ROUNDS_BETWEEN))
      intent_infeasible(c, now_us, path, v);
    s->planned = TRUE;
    return;
  }
  FerryWriter skewed;
  if (ferry_options_doubtful(c, path, v, now, &skewed))
    ferry_verdict_doubtful(c, now_us, path, v, &skewed);
  else if (s->broken < HOPELESS)
    ferry_verdict_feasible(c, now_us, o);
  if (s->broken < HOPELESS)
    s->verdict_us = 0;
  intent_expect(c, now_us, o);
  s->plan_end = now + o->seconds;
  if (intent_waits(c, path, o, v, now))
    return;
  if (o->kind == FERRY_OPTION_POSTCOPY) {
    start_post_copy(c, now_us, o, v);
    return;
  }
  gboolean overdue = s->planned && now > s->promised;
  if (overdue && ++s->broken >= HOPELESS && s->plan_limit >= 0.99 * ferry_intent_room(c)) {
    intent_infeasible(c, now_us, path,
                      v); /* the most that is allowed did not do, whatever was reckoned */
    return;
  }
  plan_throttle(c, now_us, o, overdue);
  plan_limit(c, now_us, path, o, v, overdue);
}

static void intent_boundary(FerryConvergence *c, gint64 now_us) {
  FerryPath path = ferry_intent_path(c);
  double v = intent_observed(c, now_us, c->t.boundary_start), now = ferry_intent_elapsed(c, now_us);
  if (!ferry_decidable(c) || c->suspended || path.rate <= 0)
    return;
  double top = ferry_intent_room(c);
  if (v / path.switch_rate <= top) {
    /* a limit at the maximum from the start would have lifted a cap that much earlier */
    double lifted = c->t.passes < 2 ? top * (1 - path.rate / path.switch_rate) : 0;
    c->is.reference = MIN(c->is.reference, now + v / path.switch_rate + path.eps - lifted);
  }
  if (c->t.fitted)
    intent_plan(c, now_us, &path, v);
  else
    intent_look(c, now_us, &path, v);
}

/* Planned once, when the end of the first pass comes within reach of the limits that are allowed:
 * later it is too late for them, earlier less is known of the rate and of zero pages. */
static void plan_first_pass(FerryConvergence *c, gint64 now_us, const FerryPath *path) {
  const FerryTracker *t = &c->t;
  double reach = ferry_intent_room(c) * path->switch_rate + FERRY_TAKE_UP_S * path->rate;
  if (t->passes > 0 || t->waiting || t->last.follows > 0 || c->is.first_planned ||
      (double)t->last.remaining > reach)
    return;
  c->is.first_planned = TRUE;
  double limit = ferry_options_first_pass(c, path, (double)(now_us - t->boundary_us) / 1e6,
                                          ferry_intent_elapsed(c, now_us));
  if (limit > c->is.plan_limit)
    set_limit(c, now_us, path, limit, FERRY_REASON_FIRST_PASS, "by the dirty rate measured before");
}

/* It stays out of reach: TRUE where the policy says what else than giving up ends it then. */
static gboolean intent_yields(FerryConvergence *c, gint64 now_us) {
  FerryIntentState *s = &c->is;
  if (c->intent.on_infeasible == FERRY_INFEASIBLE_GIVE_UP)
    return FALSE;
  if (c->intent.on_infeasible == FERRY_INFEASIBLE_ASK) {
    if (!s->asked)
      ferry_decide(c, now_us, FERRY_ACTION_NOTE, s->needed_ms, FERRY_REASON_INFEASIBLE,
                   "the intent stays out of reach, and an operator has to decide: it goes on "
                   "until it is changed or cancelled, or a timeout ends it");
    s->asked = TRUE;
    return TRUE;
  }
  gint64 allowed = c->intent.max_downtime_ms;
  gint64 longer = MAX(s->needed_ms, (gint64)(LONGER * (double)allowed));
  c->intent.max_downtime_ms = MIN(longer, FERRY_DOWNTIME_MAX_MS);
  c->intent.max_duration_ms = 0;
  s->verdict_us = s->first_verdict_us = 0;
  s->broken = 0;
  s->noted = s->provisional = FALSE;
  s->reference = s->earliest = INFINITY;
  ferry_decide(
      c, now_us, FERRY_ACTION_NOTE, c->intent.max_downtime_ms, FERRY_REASON_INFEASIBLE,
      "the intent stays out of reach, and the best available option is taken: from now on a "
      "pause of up to %" G_GINT64_FORMAT " ms instead of %" G_GINT64_FORMAT
      " ms, whenever it comes",
      c->intent.max_downtime_ms, allowed);
  return TRUE;
}

static void check_deadline(FerryConvergence *c, gint64 now_us, const FerryPath *path) {
  double end = (double)c->intent.max_duration_ms / 1000, now = ferry_intent_elapsed(c, now_us);
  double pending = ferry_tracker_pending(&c->t, now_us);
  if (c->intent.max_duration_ms <= 0)
    return;
  if (!c->t.fitted &&
      c->t.passes > 0) /* what the guest writes meanwhile is seen by the pass's end */
    pending = MAX(pending, c->t.boundary_start);
  if (c->intent.allow_post_copy && !c->no_post_copy && c->t.passes > 0 &&
      now + FERRY_TAKE_UP_S + pending / path->switch_rate * FERRY_MARGIN + path->eps >= end) {
    FerryOption o = ferry_options_postcopy(c, path, pending);
    if (!ferry_options_postcopy_keeps(c, &o))
      ferry_verdict_infeasible(c, now_us, path, pending, FALSE);
    ferry_decide(c, now_us, FERRY_ACTION_START_POSTCOPY, 0, FERRY_REASON_DEADLINE,
                 "%.1f MiB remain and %.1f s are left of %.1f s: the last moment for post-copy",
                 ferry_mib(pending), end - now, end);
    return;
  }
  if (c->t.passes > 0 && now + pending / path->switch_rate + path->eps > end)
    ferry_verdict_infeasible(c, now_us, path, pending, TRUE);
  if (now > end && !intent_yields(c, now_us))
    ferry_decide_abort(c, now_us, FERRY_REASON_DEADLINE_EXCEEDED,
                       "not done within the %.1f s asked for: %.1f MiB remain, another %.1f s at "
                       "%.1f MiB/s if the guest wrote nothing; allow more time or more bandwidth; "
                       "the guest stays on the source",
                       end, ferry_mib(pending), pending / path->rate, ferry_mib(path->rate));
}

/* Auto-converge raises the throttle by itself. Where it can be set it is taken back to what was
 * decided; where it cannot, the slow-down is a limit like the duration. */
static void check_slowdown(FerryConvergence *c, gint64 now_us) {
  int told = c->t.last.throttle_percent, most = c->intent.max_slowdown_percent;
  if (!c->t.last.tells_throttle || most <= 0)
    return;
  if (c->intent.can_throttle && !c->no_throttle) {
    gboolean rose = told > MAX(c->is.told_throttle, MAX(LEAST_THROTTLE, c->throttle_percent));
    c->is.told_throttle = told;
    if (rose)
      ferry_decide(c, now_us, FERRY_ACTION_SET_THROTTLE, c->throttle_percent, FERRY_REASON_HOLD,
                   "auto-converge raised the slow-down to %d %% by itself: back to %d %%", told,
                   c->throttle_percent);
    return;
  }
  if (told <= most)
    return;
  if (c->intent.allow_post_copy && !c->no_post_copy && c->t.passes > 0)
    ferry_decide(c, now_us, FERRY_ACTION_START_POSTCOPY, 0, FERRY_REASON_SLOWDOWN_EXCEEDED,
                 "auto-converge slows the guest down by %d %%, %d %% are allowed: post-copy", told,
                 most);
  else
    ferry_decide_abort(c, now_us, FERRY_REASON_SLOWDOWN_EXCEEDED,
                       "auto-converge slows the guest down by %d %%, %d %% are allowed, and %.1f "
                       "MiB remain; allow more slow-down, a longer pause or post-copy, or "
                       "allowMonitorCommands, with which the slow-down can be held; the guest "
                       "stays on the source",
                       told, most, ferry_mib((double)c->t.last.remaining));
}

static void intent_tick(FerryConvergence *c, gint64 now_us) {
  FerryPath path = ferry_intent_path(c);
  FerryIntentState *s = &c->is;
  if (!ferry_decidable(c) || c->suspended || path.rate <= 0)
    return;
  check_deadline(c, now_us, &path);
  check_slowdown(c, now_us);
  if (!ferry_decidable(c))
    return;
  plan_first_pass(c, now_us, &path);
  gint64 patience_us = c->intent.infeasible_patience_ms * 1000;
  /* a guest that wavers at the border of what is feasible gets some more time, not all of it */
  gboolean wavering = s->first_verdict_us && now_us - s->first_verdict_us > WAVERING * patience_us;
  if (patience_us > 0 && ((s->verdict_us && now_us - s->verdict_us > patience_us) || wavering) &&
      !intent_yields(c, now_us)) {
    ferry_decide_abort(c, now_us, FERRY_REASON_INFEASIBLE,
                       "for %" G_GINT64_FORMAT
                       " s nothing within the intent ended it (%.1f MiB remain at best); the "
                       "guest stays on the source",
                       (now_us - s->first_verdict_us) / G_USEC_PER_SEC, ferry_mib(c->t.best_v));
    return;
  }
  if (s->planned && now_us - s->planned_us >= REPLAN_US &&
      fabs(path.rate - s->plan_rate) > RATE_CHANGE * s->plan_rate) {
    s->reference = s->earliest = INFINITY; /* the chances that were seen had another rate */
    gint64 before = c->limit_ms;
    intent_plan(c, now_us, &path, ferry_tracker_pending(&c->t, now_us));
    if (c->limit_ms > before) /* the next pass may have begun already, unheard of */
      s->raised_at = c->t.passes + 1;
  }
}

const FerryStrategy ferry_strategy_intent = {
    .name = "intent",
    .makes_up_for_cap = TRUE,
    .start = intent_start,
    .boundary = intent_boundary,
    .tick = intent_tick,
};
