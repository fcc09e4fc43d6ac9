// SPDX-License-Identifier: Apache-2.0
// Every way to end a migration from here, priced, and the choice among them.
//
// Theory of operation: each limit up to the maximum, throttles where no limit will do, post-copy.
// Those that break the intent are dropped. The rest is measured against the earliest end among
// them: of all that are late by the intent's slack at most (a quarter; less where time is
// preferred) the cheapest is taken. Cost is the work that the guest loses, and lambda times the
// time. The model (model.h) gives the prices; where its fit is bad or its promises were broken,
// what was seen decides. Before the first pass is over only a dirty rate that was measured
// beforehand can tell anything: then the end of the pass at a low limit, with another one set after
// it, is compared with limits that let QEMU look at the dirty bitmap before the pass has ended.
#include "convergence/options.h"
#include "convergence/forecast.h"
#include <math.h>

#define POSTCOPY_DOUBT 1.25 /* how much longer the stalls of post-copy may get than reckoned */
#define WORTH 0.85          /* a new limit must cost the guest that much less */
#define START_SHARE 4       /* the first limit is eps / 4: an idle guest pauses 1.25 eps at most */
#define FOREVER_S 600.0
#define IN_ONE_PIECE 0.25 /* what a pause costs beyond the work that is lost in it */
#define NEARLY 0.95       /* of a stated duration: what is in sight then must still happen */
#define WAIT_SHARE 0.25   /* of what an end costs: for waiting in vain for a better one */
#define MUCH_LESS 0.5
/* QEMU throttles at its second look at the dirty log, each a second after the last at the least */
#define THROTTLE_LAG_S 1.2

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

double ferry_intent_room(const FerryConvergence *c) {
  return (double)MAX(1, c->intent.max_downtime_ms - c->intent.switchover_cost_ms) / 1000;
}

double ferry_intent_low(const FerryConvergence *c) {
  double low = (double)MAX(FERRY_START_LEAST_MS, c->intent.switchover_cost_ms / START_SHARE) / 1000;
  return MIN(low, ferry_intent_room(c));
}

double ferry_intent_elapsed(const FerryConvergence *c, gint64 now_us) {
  return (double)(now_us - c->start_us) / 1e6;
}

double ferry_intent_threshold(const FerryConvergence *c) {
  double told = (double)c->intent.switchover_bandwidth;
  return (double)c->limit_ms / 1000 * (told > 0 ? told : c->t.wire_rate);
}

static gboolean options_allowed(const FerryConvergence *c, const FerryOption *o, double now) {
  double max = (double)c->intent.max_downtime_ms / 1000;
  double pause = o->kind == FERRY_OPTION_POSTCOPY ? o->pause * POSTCOPY_DOUBT : o->pause;
  if (!isfinite(o->seconds) || pause > max)
    return FALSE;
  return c->intent.max_duration_ms <= 0 ||
         now + o->seconds <= (double)c->intent.max_duration_ms / 1000;
}

static double options_horizon(const FerryConvergence *c) {
  return c->intent.max_duration_ms > 0 ? (double)c->intent.max_duration_ms / 1000 : FOREVER_S;
}

FerryOption ferry_options_price(const FerryConvergence *c, const FerryPath *path, double v,
                                double limit, double throttle) {
  const FerryTracker *t = &c->t;
  gboolean trusted = t->writer.residual <= FERRY_TRUSTED && c->is.broken < FERRY_BROKEN_PROMISES;
  FerryOption o = ferry_model_precopy(&t->writer, path, v, limit, throttle, options_horizon(c));
  double reached = limit * path->switch_rate;
  if (throttle > 0 && isfinite(o.lost))
    o.lost -= c->is.unfelt * MAX(0, o.lost - o.pause);
  if (trusted || v <= reached || throttle > 0)
    return o;
  double best = c->is.broken > 0 ? MAX(t->best_v, ferry_intent_threshold(c)) : t->best_v;
  if (best * FERRY_MARGIN <= reached) { /* a pass as good as the best will come */
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
  if (c->is.broken >= FERRY_BROKEN_PROMISES)
    o.seconds = o.pause = o.lost = INFINITY; /* it was promised, and it did not happen */
  return o;
}

static void options_add(FerryOptions *options, FerryOption o) {
  if (options->n < G_N_ELEMENTS(options->all))
    options->all[options->n++] = o;
}

/* What of `pending` bytes the guest will ask for soon; without a model that may be all. */
static double options_touched(const FerryConvergence *c, double pending) {
  return c->t.fitted ? c->t.writer.working_set : pending;
}

FerryOption ferry_options_postcopy(const FerryConvergence *c, const FerryPath *path, double v) {
  return ferry_model_postcopy(path, v, options_touched(c, v), c->intent.post_copy_preempt);
}

gboolean ferry_options_postcopy_keeps(const FerryConvergence *c, const FerryOption *o) {
  return o->pause * POSTCOPY_DOUBT * 1000 <= (double)c->intent.max_downtime_ms;
}

double ferry_intent_throttle_bound(const FerryConvergence *c) {
  double max = (double)c->intent.max_downtime_ms / 1000;
  if (!c->intent.can_throttle || c->no_throttle)
    return 0;
  return MIN((double)c->intent.max_slowdown_percent / 100, max / (max + 0.01));
}

static double options_candidate(const FerryConvergence *c, int i) {
  double top = ferry_intent_room(c), low = ferry_intent_low(c);
  return low * pow(top / low, (double)i / (FERRY_CANDIDATES - 1));
}

void ferry_options_gather(const FerryConvergence *c, const FerryPath *path, double v, double now,
                          FerryOptions *options) {
  double top = ferry_intent_room(c), bound = ferry_intent_throttle_bound(c);
  gboolean feasible = FALSE;
  /* the first: what is set */
  options_add(options, ferry_options_price(c, path, v, MIN(top, c->is.plan_limit), 0));
  for (int i = 0; i < FERRY_CANDIDATES; i++) {
    FerryOption o = ferry_options_price(c, path, v, options_candidate(c, i), 0);
    feasible |= options_allowed(c, &o, now);
    options_add(options, o);
  }
  if (v / path->switch_rate <= top)
    options_add(options, ferry_options_price(c, path, v, v / path->switch_rate * 1.001, 0));
  if (c->intent.allow_post_copy && !c->no_post_copy)
    options_add(options, ferry_options_postcopy(c, path, v));
  if (!feasible)
    for (double p = FERRY_THROTTLE_STEP; p <= bound + 1e-9; p += FERRY_THROTTLE_STEP) {
      FerryOption o = ferry_options_price(c, path, v, top, p);
      if (c->t.told_throttle && 100 * p > c->t.last.throttle_percent + 1)
        o.seconds += THROTTLE_LAG_S;
      options_add(options, o);
    }
}

double ferry_intent_slack(const FerryConvergence *c) {
  return ferry_prefer_slack(c->intent.prefer);
}

double ferry_option_cost(const FerryConvergence *c, const FerryOption *o) {
  return ferry_prefer_cost(c->intent.prefer, o->lost + IN_ONE_PIECE * o->pause, o->seconds);
}

double ferry_options_earliest(const FerryConvergence *c, const FerryOptions *options, double now) {
  double best = INFINITY, best_throttled = INFINITY;
  for (guint i = 0; i < options->n; i++) {
    const FerryOption *o = &options->all[i];
    if (!options_allowed(c, o, now))
      continue;
    if (o->throttle > 0)
      best_throttled = MIN(best_throttled, o->seconds);
    else
      best = MIN(best, o->seconds);
  }
  return isfinite(best) ? best : best_throttled;
}

const FerryOption *ferry_options_choose(const FerryConvergence *c, const FerryOptions *options,
                                        double now) {
  double first = ferry_options_earliest(c, options, now);
  if (!isfinite(first))
    return NULL;
  double until = (1 + ferry_intent_slack(c)) * MIN(c->is.reference, now + first) - now;
  until = MAX(until, first * 1.001);
  const FerryOption *best = NULL, *kept = &options->all[0];
  for (guint i = 0; i < options->n; i++) {
    const FerryOption *o = &options->all[i];
    if (options_allowed(c, o, now) && o->seconds <= until &&
        (!best || ferry_option_cost(c, o) < ferry_option_cost(c, best)))
      best = o;
  }
  /* what is set already stays unless another end is clearly cheaper */
  if (c->is.planned && best->throttle <= 0 && options_allowed(c, kept, now) &&
      kept->seconds <= until && ferry_option_cost(c, best) > WORTH * ferry_option_cost(c, kept))
    best = kept;
  return best;
}

double ferry_intent_bound(const FerryConvergence *c) {
  double bound = (1 + ferry_intent_slack(c)) * c->is.reference;
  if (c->intent.max_duration_ms > 0)
    bound = MIN(bound, NEARLY * (double)c->intent.max_duration_ms / 1000);
  return bound;
}

gboolean ferry_options_worth_waiting(const FerryConvergence *c, const FerryPath *path,
                                     const FerryOption *o, double v, double now) {
  double bound = MIN(ferry_intent_bound(c), (1 + ferry_intent_slack(c)) * c->is.earliest);
  if (!isfinite(bound) || now + v / path->rate + o->seconds + FERRY_TAKE_UP_S > bound)
    return FALSE;
  double price = ferry_prefer_cost(c->intent.prefer, 0, bound - now - o->seconds);
  return price <= WAIT_SHARE * (o->lost - path->eps);
}

/* As the guest's writes were of `pattern`; NULL: nothing is within the intent then. The option is
 * one of `options`. */
static const FerryOption *options_as_if(const FerryConvergence *c, const FerryPath *path, double v,
                                        double now, const FerryWriter *writer,
                                        FerryOptions *options) {
  FerryConvergence as_if = *c;
  as_if.t.writer = *writer;
  ferry_options_gather(&as_if, path, v, now, options);
  return ferry_options_choose(&as_if, options, now);
}

/* Whether no more is known than two passes: the pattern is a guess. */
static gboolean options_two_passes(const FerryConvergence *c) {
  guint known = c->intent.prior_seconds > 0 ? 3 : 2; /* rounds after two passes, at most */
  return c->t.passes >= 2 && c->t.n_rounds <= known && c->t.writer.pattern == FERRY_WRITER_UNIFORM;
}

/* The guest that wrote the same page after page. Where all of the set was written, what it writes
 * at the least is taken. */
static FerryWriter options_cyclic(const FerryConvergence *c) {
  const FerryTracker *t = &c->t;
  FerryWriter cyclic = {.pattern = FERRY_WRITER_CYCLIC, .rounds = t->n_rounds};
  for (guint i = 0; i < t->n_rounds; i++) {
    const FerryRound *round = &t->rounds[i];
    cyclic.working_set = MAX(cyclic.working_set, round->dirtied + round->rest);
    cyclic.write_rate = MAX(cyclic.write_rate, round->dirtied / round->seconds);
  }
  return cyclic;
}

gboolean ferry_options_hopeful(const FerryConvergence *c, const FerryPath *path, double v,
                               double now, const FerryOption *o) {
  FerryOptions options = {.n = 0};
  if (!options_two_passes(c))
    return FALSE;
  FerryWriter cyclic = options_cyclic(c);
  const FerryOption *kinder = options_as_if(c, path, v, now, &cyclic, &options);
  return kinder && (!o || kinder->lost < MUCH_LESS * o->lost);
}

gboolean ferry_options_doubtful(const FerryConvergence *c, const FerryPath *path, double v,
                                double now, FerryWriter *skewed) {
  const FerryTracker *t = &c->t;
  double memory = t->last.total > 0 ? (double)t->last.total : INFINITY;
  FerryOptions options = {.n = 0};
  return options_two_passes(c) &&
         ferry_writer_fit_as(skewed, FERRY_WRITER_SKEWED, t->rounds, t->n_rounds, memory) &&
         !options_as_if(c, path, v, now, skewed, &options);
}

double ferry_options_first_pass(const FerryConvergence *c, const FerryPath *path, double pass,
                                double now) {
  const FerryWriter *writer = &c->t.writer;
  FerryOptions options = {.n = 0};
  if (!c->t.fitted || writer->pattern == FERRY_WRITER_IDLE)
    return 0;
  double remaining = (double)c->t.last.remaining;
  double whole = MAX(1, remaining + (double)(c->t.last.processed - c->t.disks_processed));
  /* wait for the end of the pass; what is decided then is taken up a little later */
  double end = remaining / path->rate, v = ferry_writer_unique(writer, pass + end);
  double wait = MIN(FERRY_TAKE_UP_S, v / path->rate);
  double later = v - wait * path->rate + ferry_writer_unique(writer, wait);
  for (int i = 0; i < FERRY_CANDIDATES; i++) {
    double limit = options_candidate(c, i);
    FerryOption o = ferry_model_precopy(writer, path, later, limit, 0, options_horizon(c));
    o.seconds += end + wait;
    o.limit = 0;
    options_add(&options, o);
    /* look as soon as what is left fits into the limit */
    double rest = MIN(remaining, limit * path->switch_rate);
    double until = (remaining - rest) / path->rate;
    double fresh = ferry_writer_unique(writer, pass + until) * (1 - rest / whole);
    o = ferry_model_precopy(writer, path, rest + fresh, limit, 0, options_horizon(c));
    o.seconds += until;
    options_add(&options, o);
  }
  const FerryOption *o = ferry_options_choose(c, &options, now);
  return o ? o->limit : 0;
}

double ferry_options_needed_limit(const FerryConvergence *c, const FerryPath *path, double v,
                                  double now, const FerryWriter *writer) {
  FerryConvergence as_if = *c;
  as_if.t.writer = *writer;
  double most = MAX(v, writer->working_set) / path->switch_rate;
  double limit = ferry_intent_room(c);
  double end = c->intent.max_duration_ms > 0 ? (double)c->intent.max_duration_ms / 1000 : INFINITY;
  for (; limit < most; limit *= 1.05) {
    FerryOption o = ferry_options_price(&as_if, path, v, limit, 0);
    if (isfinite(o.seconds) && now + o.seconds <= end)
      break;
  }
  return limit;
}
