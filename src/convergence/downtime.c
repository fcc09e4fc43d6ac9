// SPDX-License-Identifier: Apache-2.0
// A first controller of the downtime limit.
//
// Theory of operation: QEMU switches over once what remains fits into (rate x limit), so the limit
// is a target as much as a cap: it starts low and nothing switches early and expensively. At each
// pass boundary the bytes left over (V) and the rate (B) say which pause would end it now: V/B +
// eps. While V shrinks by more than a tenth a pass, waiting is cheaper. When it stops shrinking,
// the limit is raised to what the best pass so far would have needed, at most once in two passes
// and never above the allowed maximum. What does not fit under the maximum is said once, with the
// numbers, and then post-copy is used where allowed. Timeouts look at the best remaining so far,
// not at the last sample, so an oscillating guest does not hide a stall.
#include "convergence/downtime.h"

#define DEFAULT_COST_MS 30
#define RATE_WINDOW_US 200000
#define RATE_WEIGHT 0.4
#define SHRINKING 0.9
#define MARGIN 1.1
#define ROUNDS_BETWEEN 2
#define MAX_PENDING 16

struct _FerryConvergence {
  FerryConvergenceIntent intent;
  gint64 start_us, deadline_us; /* deadline 0: none */
  FerryConvergenceSample last;
  gboolean sampled;
  gint64 window_us, window_processed;
  double rate; /* bytes/s, moving average; 0: not known yet */
  gint64 best_remaining, best_us;
  gint64 moved_us; /* when `processed` last grew */
  gint64 limit_ms;
  /* pass boundaries */
  gint64 previous_v, best_v;
  int rounds, flat_rounds, last_raise;
  gboolean noted, post_copy, suspended, aborted;
  GQueue pending; /* FerryConvergenceDecision* */
};

static void decision_free(gpointer p) {
  FerryConvergenceDecision *d = p;
  g_free(d->reason);
  g_free(d);
}

static void decide(FerryConvergence *c, FerryConvergenceAction action, gint64 value,
                   const char *code, const char *format, ...) G_GNUC_PRINTF(5, 6);
static void decide(FerryConvergence *c, FerryConvergenceAction action, gint64 value,
                   const char *code, const char *format, ...) {
  if (c->pending.length >= MAX_PENDING)
    return;
  FerryConvergenceDecision *d = g_new0(FerryConvergenceDecision, 1);
  d->action = action;
  d->value = value;
  d->code = code;
  va_list ap;
  va_start(ap, format);
  d->reason = g_strdup_vprintf(format, ap);
  va_end(ap);
  g_queue_push_tail(&c->pending, d);
}

FerryConvergence *ferry_convergence_new(const FerryConvergenceIntent *intent, gint64 now_us) {
  FerryConvergence *c = g_new0(FerryConvergence, 1);
  c->intent = *intent;
  c->intent.max_downtime_ms = MAX(1, intent->max_downtime_ms);
  if (c->intent.switchover_cost_ms <= 0)
    c->intent.switchover_cost_ms = DEFAULT_COST_MS;
  c->start_us = c->moved_us = c->best_us = c->window_us = now_us;
  if (intent->completion_timeout_ms > 0)
    c->deadline_us = now_us + intent->completion_timeout_ms * 1000;
  c->best_remaining = c->best_v = c->previous_v = G_MAXINT64;
  g_queue_init(&c->pending);
  c->limit_ms = MIN(c->intent.max_downtime_ms, MAX(10, c->intent.switchover_cost_ms));
  decide(c, FERRY_CONVERGENCE_SET_DOWNTIME, c->limit_ms, "Start",
         "start low: the pause is about %" G_GINT64_FORMAT " ms where the guest lets it",
         c->limit_ms);
  return c;
}

void ferry_convergence_free(FerryConvergence *c) {
  if (!c)
    return;
  g_queue_clear_full(&c->pending, decision_free);
  g_free(c);
}

gint64 ferry_convergence_downtime_ms(const FerryConvergence *c) {
  return c->limit_ms;
}

const char *ferry_convergence_action_name(FerryConvergenceAction action) {
  static const char *const names[] = {"SetDowntime", "StartPostCopy", "Suspend", "Abort", "Note"};
  return names[action];
}

void ferry_convergence_sample(FerryConvergence *c, const FerryConvergenceSample *sample,
                              gint64 now_us) {
  if (!c->sampled || sample->processed > c->last.processed)
    c->moved_us = now_us;
  if (!c->sampled) {
    c->window_us = now_us;
    c->window_processed = sample->processed;
  } else if (now_us - c->window_us >= RATE_WINDOW_US) {
    double rate =
        (double)(sample->processed - c->window_processed) * 1e6 / (double)(now_us - c->window_us);
    if (rate > 0)
      c->rate = c->rate > 0 ? c->rate + RATE_WEIGHT * (rate - c->rate) : rate;
    c->window_us = now_us;
    c->window_processed = sample->processed;
  }
  if (sample->remaining < c->best_remaining) {
    c->best_remaining = sample->remaining;
    c->best_us = now_us;
  }
  c->last = *sample;
  c->sampled = TRUE;
}

static double mib(double bytes) {
  return bytes / (1024 * 1024);
}

static void raise_limit(FerryConvergence *c, gint64 need_ms) {
  gint64 wanted =
      MAX((gint64)((double)need_ms * MARGIN), (gint64)((double)c->limit_ms * MARGIN) + 1);
  gint64 limit = MIN(wanted, c->intent.max_downtime_ms);
  if (limit <= c->limit_ms)
    return;
  decide(c, FERRY_CONVERGENCE_SET_DOWNTIME, limit, "NotConverging",
         "the passes no longer shrink: %.1f MiB remain at best, %" G_GINT64_FORMAT
         " ms at %.1f MiB/s; limit %" G_GINT64_FORMAT " -> %" G_GINT64_FORMAT
         " ms of at most %" G_GINT64_FORMAT,
         mib((double)c->best_v), need_ms, mib(c->rate), c->limit_ms, limit,
         c->intent.max_downtime_ms);
  c->limit_ms = limit;
  c->last_raise = c->rounds;
}

void ferry_convergence_iteration(FerryConvergence *c, int iteration, gint64 now_us) {
  if (iteration < 2 || c->post_copy || c->suspended || c->aborted || !c->sampled)
    return;
  gint64 v = c->last.remaining;
  double rate = c->rate > 0 ? c->rate : (double)c->last.rate;
  if (rate <= 0)
    return;
  c->rate = rate;
  c->rounds++;
  gboolean shrinking = (double)v < SHRINKING * (double)c->previous_v;
  c->previous_v = v;
  c->best_v = MIN(c->best_v, v);
  c->flat_rounds = shrinking ? 0 : c->flat_rounds + 1;
  gint64 need_ms = (gint64)((double)c->best_v * 1000 / rate) + c->intent.switchover_cost_ms;
  if (need_ms <= c->limit_ms || shrinking)
    return;
  if (c->last_raise == 0 || c->rounds - c->last_raise >= ROUNDS_BETWEEN)
    raise_limit(c, need_ms);
  if (need_ms <= c->intent.max_downtime_ms || c->flat_rounds < 2)
    return;
  if (!c->noted) {
    c->noted = TRUE;
    decide(c, FERRY_CONVERGENCE_NOTE, need_ms, "Infeasible",
           "the guest changes memory faster (%.1f MiB/s) than it fits into a pause of "
           "%" G_GINT64_FORMAT " ms at %.1f MiB/s: about %" G_GINT64_FORMAT
           " ms would be needed; allow a longer pause, more bandwidth, or post-copy",
           mib((double)c->last.dirty_rate), c->intent.max_downtime_ms, mib(rate), need_ms);
  }
  if (c->intent.allow_post_copy) {
    c->post_copy = TRUE;
    decide(c, FERRY_CONVERGENCE_START_POSTCOPY, 0, "NotConverging",
           "%d passes did not shrink and %" G_GINT64_FORMAT
           " ms of pause would be needed, %" G_GINT64_FORMAT " ms are allowed: post-copy",
           c->flat_rounds, need_ms, c->intent.max_downtime_ms);
  }
}

void ferry_convergence_post_copy(FerryConvergence *c) {
  c->post_copy = TRUE;
}

static void abort_now(FerryConvergence *c, const char *code, char *reason) {
  c->aborted = TRUE;
  decide(c, FERRY_CONVERGENCE_ABORT, 0, code, "%s", reason);
  g_free(reason);
}

static void check_completion(FerryConvergence *c, gint64 now_us) {
  gint64 seconds = (now_us - c->start_us) / G_USEC_PER_SEC;
  if (!c->intent.allow_workload_disruption || c->suspended) {
    abort_now(c, "CompletionTimeout",
              g_strdup_printf("not done after %" G_GINT64_FORMAT
                              " s, the completion timeout; %.1f MiB remain",
                              seconds, mib((double)c->last.remaining)));
    return;
  }
  c->deadline_us = now_us + (now_us - c->start_us);
  if (c->intent.allow_post_copy) {
    c->post_copy = TRUE;
    decide(c, FERRY_CONVERGENCE_START_POSTCOPY, 0, "CompletionTimeout",
           "not done after %" G_GINT64_FORMAT " s, the completion timeout: post-copy", seconds);
  } else {
    c->suspended = TRUE;
    decide(c, FERRY_CONVERGENCE_SUSPEND, 0, "CompletionTimeout",
           "not done after %" G_GINT64_FORMAT
           " s, the completion timeout, and workload disruption is allowed: the guest is paused "
           "until it has moved",
           seconds);
  }
}

static void check_timeouts(FerryConvergence *c, gint64 now_us) {
  if (c->post_copy || c->aborted || !c->sampled)
    return;
  if (c->intent.link_timeout_ms > 0 && now_us - c->moved_us > c->intent.link_timeout_ms * 1000)
    abort_now(c, "LinkStalled",
              g_strdup_printf("not one byte was sent for %" G_GINT64_FORMAT
                              " s: the link to the target or the target itself is down",
                              (now_us - c->moved_us) / G_USEC_PER_SEC));
  else if (c->deadline_us && now_us > c->deadline_us)
    check_completion(c, now_us);
  else if (c->intent.progress_timeout_ms > 0 && !c->suspended &&
           now_us - c->best_us > c->intent.progress_timeout_ms * 1000)
    abort_now(c, "ProgressTimeout",
              g_strdup_printf("no progress for %" G_GINT64_FORMAT
                              " s: at best %.1f MiB remained, at %.1f MiB/s against %.1f MiB/s "
                              "of changes",
                              (now_us - c->best_us) / G_USEC_PER_SEC,
                              mib((double)c->best_remaining), mib(c->rate),
                              mib((double)c->last.dirty_rate)));
}

gboolean ferry_convergence_next(FerryConvergence *c, gint64 now_us, FerryConvergenceDecision *out) {
  if (c->pending.length == 0)
    check_timeouts(c, now_us);
  FerryConvergenceDecision *d = g_queue_pop_head(&c->pending);
  if (!d)
    return FALSE;
  *out = *d;
  g_free(d);
  return TRUE;
}
