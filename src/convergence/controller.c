// SPDX-License-Identifier: Apache-2.0
// One controller over all rules.
//
// Theory of operation: the tracker turns samples and events into rates and passes; then the
// strategy (strategy.h: the intent, a schedule) looks at them and decides. What holds for all
// stands here: the queue of decisions, their record with the numbers behind each, and the hard
// limits. Timeouts look at the best remaining so far, not at the last sample, so that an
// oscillating guest does not hide a stall; a long pass that began with less than any before it is
// progress, too, as what a pass leaves is a best that only its own end can beat (a schedule may say
// otherwise, where its original does).
// Once post-copy was asked for nothing aborts: the guest's memory lies on two hosts then.
#include "convergence/controller.h"
#include "base/limits.h"
#include "model/migration/reasons.h"
#include "convergence/decide.h"
#include "convergence/options.h"
#include "convergence/state.h"
#include <math.h>

json_t *ferry_convergence_history(const FerryConvergence *c) {
  return json_deep_copy(c->history);
}

FerryConvergence *ferry_convergence_new(const FerryConvergenceIntent *intent, gint64 now_us) {
  FerryConvergence *c = g_new0(FerryConvergence, 1);
  c->intent = *intent;
  c->intent.max_downtime_ms = MAX(1, intent->max_downtime_ms);
  c->intent.max_slowdown_percent = CLAMP(intent->max_slowdown_percent, 0, 99);
  if (c->intent.switchover_cost_ms <= 0)
    c->intent.switchover_cost_ms = FERRY_SWITCHOVER_COST_MS;
  if (intent->observe_only) {
    FerryConvergenceIntent alone = *intent;
    alone.observe_only = FALSE;
    alone.schedule = NULL;
    alone.strategy = NULL;
    c->observed = ferry_convergence_new(&alone, now_us);
  }
  /* nobody acts: the hypervisor's own limit holds, whatever this controller had set before */
  static const FerrySchedule nobody = {.init_downtime_ms = FERRY_QEMU_DOWNTIME_MS};
  c->schedule = ferry_schedule_copy(
      intent->observe_only && !intent->schedule && !intent->strategy ? &nobody : intent->schedule);
  c->intent.schedule = c->schedule;
  c->start_us = now_us;
  ferry_tracker_init(&c->t, now_us);
  c->t.compresses_all = intent->compresses_all;
  ferry_tracker_prior(&c->t, intent->prior_seconds, intent->prior_dirtied);
  g_queue_init(&c->pending);
  c->history = json_array();
  c->strategy = intent->strategy ? intent->strategy
                : c->schedule    ? &ferry_strategy_schedule
                                 : &ferry_strategy_intent;
  c->state = c->strategy->state_size ? g_malloc0(c->strategy->state_size) : NULL;
  c->strategy->start(c, now_us);
  if (c->intent.completion_timeout_ms > 0)
    c->deadline_us = now_us + c->intent.completion_timeout_ms * 1000;
  return c;
}

void ferry_convergence_began(FerryConvergence *c, gint64 start_us) {
  if (c->observed)
    ferry_convergence_began(c->observed, start_us);
  if (c->deadline_us)
    c->deadline_us -= c->start_us - start_us;
  c->start_us = start_us;
}

void ferry_convergence_recall(FerryConvergence *c, gint64 best_remaining, gint64 best_us) {
  if (best_remaining <= 0 || best_remaining >= c->t.best_remaining)
    return;
  c->t.best_remaining = best_remaining;
  c->t.best_us = c->t.progress_us = MAX(best_us, c->start_us);
}

void ferry_convergence_recall_guest(FerryConvergence *c, gboolean suspended, int throttle_percent,
                                    gint64 now_us) {
  c->throttle_percent = throttle_percent;
  c->t.throttle = (double)throttle_percent / 100;
  c->is.told_throttle = throttle_percent;
  c->suspended = suspended;
  if (suspended && c->deadline_us &&
      now_us > c->deadline_us) /* suspended then, for as long again */
    c->deadline_us += c->deadline_us - c->start_us;
}

void ferry_convergence_free(FerryConvergence *c) {
  if (!c)
    return;
  g_queue_clear_full(&c->pending, ferry_decision_free);
  ferry_convergence_free(c->observed);
  ferry_schedule_free(c->schedule);
  json_decref(c->history);
  g_free(c->state);
  g_free(c);
}

gint64 ferry_convergence_downtime_ms(const FerryConvergence *c) {
  return c->limit_ms;
}

void ferry_convergence_sample(FerryConvergence *c, const FerryConvergenceSample *sample,
                              gint64 now_us) {
  if (c->observed)
    ferry_convergence_sample(c->observed, sample, now_us);
  gboolean boundary = ferry_tracker_sample(&c->t, sample, now_us);
  if (!ferry_decidable(c))
    return;
  if (boundary && c->strategy->boundary)
    c->strategy->boundary(c, now_us);
  c->strategy->tick(c, now_us);
}

void ferry_convergence_iteration(FerryConvergence *c, int iteration, gint64 now_us) {
  if (c->observed)
    ferry_convergence_iteration(c->observed, iteration, now_us);
  if (!ferry_tracker_iteration(&c->t, iteration, now_us) || !ferry_decidable(c))
    return;
  if (c->strategy->boundary)
    c->strategy->boundary(c, now_us);
}

void ferry_convergence_post_copy(FerryConvergence *c) {
  c->post_copy = TRUE;
}

void ferry_convergence_refused(FerryConvergence *c, FerryAction action) {
  switch (action) {
  case FERRY_ACTION_START_POSTCOPY:
    c->post_copy_asked = c->post_copy;
    c->no_post_copy = c->refused_post_copy = TRUE;
    break;
  case FERRY_ACTION_SET_THROTTLE:
    c->throttle_percent = 0;
    c->t.throttle = 0;
    c->no_throttle = TRUE;
    break;
  case FERRY_ACTION_SUSPEND:
    c->suspended = FALSE;
    c->no_suspend = TRUE;
    break;
  default:
    break;
  }
}

gint64 ferry_convergence_before_bandwidth(FerryConvergence *c, gint64 bandwidth, gint64 now_us) {
  gint64 plain = MAX(1, (gint64)(c->is.plan_limit * 1000));
  gboolean raised = c->intent.bandwidth_cap > 0 && bandwidth > c->intent.bandwidth_cap;
  if (!raised || !c->strategy->makes_up_for_cap || c->pinned || c->limit_ms <= plain ||
      c->intent.switchover_bandwidth > 0)
    return 0;
  c->limit_ms = plain;
  c->is.limit_us = now_us;
  return plain;
}

void ferry_convergence_override(FerryConvergence *c, gint64 downtime_ms, gint64 bandwidth,
                                gint64 now_us) {
  if (bandwidth > 0)
    c->intent.bandwidth_cap = bandwidth;
  if (downtime_ms > 0) {
    c->intent.max_downtime_ms = c->limit_ms = downtime_ms;
    c->is.plan_limit = (double)MAX(1, downtime_ms - c->intent.switchover_cost_ms) / 1000;
    c->is.limit_us = now_us;
    c->pinned = TRUE;
    /* decided before the person spoke, and not carried out yet */
    for (GList *l = c->pending.head, *next; l; l = next) {
      FerryConvergenceDecision *d = l->data;
      next = l->next;
      if (d->action == FERRY_ACTION_SET_DOWNTIME) {
        g_queue_delete_link(&c->pending, l);
        ferry_decision_free(d);
      }
    }
  }
  c->is.verdict_us = c->is.first_verdict_us = 0;
  c->is.noted = FALSE;
  c->is.broken = 0;
}

void ferry_convergence_keep_precopy(FerryConvergence *c, gboolean keep) {
  c->keep_precopy = keep;
  c->no_post_copy = keep || c->refused_post_copy;
}

void ferry_convergence_stall(const FerryConvergence *c, gint64 now_us, FerryConvergenceStall *out) {
  const FerryTracker *t = &c->t;
  gboolean begun = t->sampled && t->best_remaining < G_MAXINT64;
  *out = (FerryConvergenceStall){.best_remaining = begun ? t->best_remaining : 0,
                                 .stalled_ms = begun ? (now_us - t->progress_us) / 1000 : 0,
                                 .rate = isfinite(t->rate) ? (gint64)t->rate : 0,
                                 .dirty_rate = t->last.dirty_rate};
}

static gint64 eta_ms(double seconds) {
  return seconds > 0 ? (gint64)(1000 * MIN(seconds, FERRY_LONGEST_S)) : 0;
}

void ferry_convergence_eta(const FerryConvergence *c, gint64 now_us, FerryEta *out) {
  const FerryIntentState *s = &c->is;
  double now = ferry_intent_elapsed(c, now_us),
         rate = c->t.rate > 0 ? c->t.rate : (double)c->t.last.rate;
  *out = (FerryEta){.kind = FERRY_ETA_UNKNOWN};
  if (s->noted && !s->provisional && !c->suspended) {
    *out = (FerryEta){.kind = FERRY_ETA_NEVER, .needed_ms = s->needed_ms};
    return;
  }
  if (!c->t.counted || rate <= 0)
    return;
  double rest = ferry_tracker_pending(&c->t, now_us) / rate;
  double cost = c->suspended || c->post_copy ? 0 : (double)c->intent.switchover_cost_ms / 1000;
  out->kind = c->suspended || c->post_copy ? FERRY_ETA_PLANNED : FERRY_ETA_NOT_BEFORE;
  out->ms = eta_ms(rest + cost);
  if (out->kind == FERRY_ETA_NOT_BEFORE && s->plan_end > now && !s->waits) {
    out->kind = FERRY_ETA_PLANNED;
    out->ms = eta_ms(s->plan_end - now);
  }
}

static void check_completion(FerryConvergence *c, gint64 now_us) {
  gint64 seconds = (now_us - c->start_us) / G_USEC_PER_SEC;
  gboolean post_copy = c->intent.allow_post_copy && !c->no_post_copy;
  if (!c->intent.allow_workload_disruption || c->suspended || (c->no_suspend && !post_copy)) {
    ferry_decide_abort(c, now_us, FERRY_REASON_COMPLETION_TIMEOUT,
                       "not done after %" G_GINT64_FORMAT
                       " s, the completion timeout; %.1f MiB remain at %.1f MiB/s",
                       seconds, ferry_mib((double)c->t.last.remaining), ferry_mib(c->t.rate));
    return;
  }
  c->deadline_us = now_us + (now_us - c->start_us);
  if (post_copy)
    ferry_decide(c, now_us, FERRY_ACTION_START_POSTCOPY, 0, FERRY_REASON_COMPLETION_TIMEOUT,
                 "not done after %" G_GINT64_FORMAT " s, the completion timeout: post-copy",
                 seconds);
  else
    ferry_decide(c, now_us, FERRY_ACTION_SUSPEND, 0, FERRY_REASON_COMPLETION_TIMEOUT,
                 "not done after %" G_GINT64_FORMAT
                 " s, the completion timeout, and workload disruption is allowed: the guest is "
                 "paused until it has moved",
                 seconds);
}

static void check_timeouts(FerryConvergence *c, gint64 now_us) {
  const FerryTracker *t = &c->t;
  if (!ferry_decidable(c) || !t->sampled)
    return;
  const FerryStrategy *s = c->strategy;
  gint64 progressed_us = s->progressed_us ? s->progressed_us(c) : t->progress_us;
  if (c->intent.link_timeout_ms > 0 && now_us - t->moved_us > c->intent.link_timeout_ms * 1000)
    ferry_decide_abort(c, now_us, FERRY_REASON_LINK_STALLED,
                       "not one byte was sent for %" G_GINT64_FORMAT
                       " s: the link to the target or the target itself is down",
                       (now_us - t->moved_us) / G_USEC_PER_SEC);
  else if (c->deadline_us && now_us > c->deadline_us && !(s->has_own_end && s->has_own_end(c)))
    check_completion(c, now_us);
  else if (c->intent.progress_timeout_ms > 0 && !c->suspended &&
           now_us - progressed_us > c->intent.progress_timeout_ms * 1000)
    ferry_decide_abort(c, now_us, FERRY_REASON_PROGRESS_TIMEOUT,
                       "no progress for %" G_GINT64_FORMAT
                       " s: at best %.1f MiB remained, at %.1f MiB/s against %.1f MiB/s of changes",
                       (now_us - progressed_us) / G_USEC_PER_SEC,
                       ferry_mib((double)t->best_remaining), ferry_mib(t->rate),
                       ferry_mib((double)t->last.dirty_rate));
}

/* What the intent would have decided becomes a note of it. */
static void controller_overhear(FerryConvergence *c, gint64 now_us) {
  FerryConvergenceDecision d;
  while (ferry_decidable(c) && ferry_convergence_next(c->observed, now_us, &d)) {
    g_autofree char *reason = d.reason;
    ferry_decide(c, now_us, FERRY_ACTION_NOTE, d.value, FERRY_REASON_OBSERVED,
                 "%s %" G_GINT64_FORMAT " (%s) is what the intent would decide: %s",
                 ferry_action_name(d.action), d.value, d.code, reason);
  }
}

gboolean ferry_convergence_next(FerryConvergence *c, gint64 now_us, FerryConvergenceDecision *out) {
  if (c->observed && c->pending.length == 0)
    controller_overhear(c, now_us);
  if (c->pending.length == 0)
    check_timeouts(c, now_us);
  FerryConvergenceDecision *d = g_queue_pop_head(&c->pending);
  if (!d)
    return FALSE;
  *out = *d;
  g_free(d);
  return TRUE;
}
