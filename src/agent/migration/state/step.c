// SPDX-License-Identifier: Apache-2.0
#include "agent/migration/state/step.h"
#include "model/migration/reasons.h"
#include "model/migration/phase.h"

#define FINISH_MS 120 /* what libvirt does after the switch-over, until its call returns */

void ferry_step_init(FerrySteps *s) {
  *s = (FerrySteps){0};
  g_queue_init(&s->writes);
}

void ferry_step_clear(FerrySteps *s) {
  g_clear_pointer(&s->ways, json_decref);
  g_clear_pointer(&s->convergence, ferry_convergence_free);
  g_clear_pointer(&s->abort_reason, g_free);
  g_queue_clear_full(&s->writes, (GDestroyNotify)ferry_step_write_free);
}

void ferry_step_set_may_post_copy(FerrySteps *s, gboolean may_post_copy) {
  s->may_post_copy = may_post_copy;
}

void ferry_step_set_scheduled(FerrySteps *s, gboolean scheduled) {
  s->scheduled = scheduled;
}

void ferry_step_set_forecast(FerrySteps *s, gint64 total_ms) {
  s->forecast_ms = total_ms;
}

void ferry_step_set_was_paused(FerrySteps *s, gboolean was_paused) {
  s->was_paused = was_paused;
}

void ferry_step_set_ways(FerrySteps *s, json_t *ways) {
  g_clear_pointer(&s->ways, json_decref);
  s->ways = ways;
}

void ferry_step_set_start(FerrySteps *s, gint64 start_us) {
  s->start_us = start_us;
}

void ferry_step_set_started(FerrySteps *s) {
  s->started = TRUE;
}

void ferry_step_set_suspended(FerrySteps *s, gboolean suspended) {
  s->suspended = suspended;
}

void ferry_step_set_limit(FerrySteps *s) {
  s->limit_set = TRUE;
}

void ferry_step_set_cancel_told(FerrySteps *s) {
  s->giving_up.told = TRUE;
}

void ferry_step_write_free(FerryStepWrite *w) {
  json_decref(w->estimate);
  g_free(w->code);
  g_free(w->reason);
  g_free(w);
}

FerryStepWrite *ferry_step_take_write(FerrySteps *s) {
  return g_queue_pop_head(&s->writes);
}

static void write_state(FerrySteps *s, const char *key, const char *value) {
  FerryStepWrite *w = g_new0(FerryStepWrite, 1);
  w->key = key;
  w->value = value;
  g_queue_push_tail(&s->writes, w);
}

void ferry_step_record(FerrySteps *s, FerryAction action, gint64 value, const char *code,
                       const char *reason, gint64 now_us) {
  FerryStepWrite *w = g_new0(FerryStepWrite, 1);
  /* one that only goes on with a doubt measures nothing */
  w->estimate = s->convergence ? ferry_convergence_estimate(s->convergence, now_us) : json_object();
  w->elapsed_ms = (now_us - s->start_us) / 1000;
  w->action = action;
  w->code = g_strdup(code);
  w->reason = g_strdup(reason);
  w->number = value;
  g_queue_push_tail(&s->writes, w);
}

void ferry_step_begin(FerrySteps *s, const FerryConvergenceIntent *intent, gint64 now_us) {
  g_clear_pointer(&s->convergence, ferry_convergence_free);
  s->convergence = ferry_convergence_new(intent, now_us);
  s->running = TRUE;
}

void ferry_step_enter_post_copy(FerrySteps *s) {
  if (s->post_copy)
    return;
  s->post_copy = TRUE;
  ferry_convergence_post_copy(s->convergence);
  write_state(s, "mode", ferry_mode_name(FERRY_MODE_POST_COPY));
}

/* Memory that has been sent, however small it was made. */
static gint64 step_handled(const FerryJobStats *n) {
  gint64 page = n->page_size > 0 ? n->page_size : 4096;
  gint64 pages = MAX(0, n->normal_pages) + MAX(0, n->xbzrle_pages);
  return pages < G_MAXINT64 / page ? pages * page : 0;
}

static void step_feed(FerrySteps *s, const FerryStepInput *input, gint64 now_us) {
  const FerryJobStats *n = input->look.stats;
  FerryConvergenceSample sample = {
      .processed = MAX(0, n->data_processed),
      .remaining = MAX(0, n->data_remaining),
      .total = MAX(0, n->data_total),
      .handled = step_handled(n),
      .follows = input->follows,
      .rate = MAX(0, n->memory_bps) + MAX(0, n->disk_bps),
      .dirty_rate = n->dirty_pages_per_s > 0
                        ? n->dirty_pages_per_s * (n->page_size > 0 ? n->page_size : 4096)
                        : 0,
      .tells_throttle = TRUE, /* libvirt leaves it out while there is none */
      .throttle_percent = (int)CLAMP(n->throttle_percent, 0, 99),
  };
  s->top_throttle = MAX(s->top_throttle, sample.throttle_percent);
  ferry_convergence_sample(s->convergence, &sample, now_us);
  int iteration = MAX(input->iteration, (int)CLAMP(n->iteration, 0, G_MAXINT));
  if (iteration > s->iteration_fed) {
    s->iteration_fed = iteration;
    ferry_convergence_iteration(s->convergence, iteration, now_us);
  }
}

FerryLook ferry_step_see(FerrySteps *s, const FerryStepInput *input, gint64 now_us) {
  const FerryDomainState *state = input->look.state;
  FerryLook found = ferry_judge_look(&input->look);
  s->cancel = input->cancel;
  s->running = found == FERRY_LOOK_RUNNING;
  s->limit_due = s->running && !s->limit_set;
  s->seen = TRUE;
  if (!s->running)
    return found;
  if (s->may_post_copy && !s->post_copy && state && ferry_judge_is_post_copy(state))
    ferry_step_enter_post_copy(s);
  step_feed(s, input, now_us);
  return found;
}

/* What a decision asks of the hypervisor; FALSE: nothing. */
static gboolean call_of(FerrySteps *s, const FerryConvergenceDecision *d, FerryStepCall *call) {
  *call = (FerryStepCall){.value = d->value, .decided = TRUE, .action = d->action};
  switch (d->action) {
  case FERRY_ACTION_SET_DOWNTIME:
    call->kind = FERRY_STEP_CALL_SET_DOWNTIME;
    return TRUE;
  case FERRY_ACTION_START_POSTCOPY:
    call->kind = FERRY_STEP_CALL_START_POSTCOPY;
    return TRUE;
  case FERRY_ACTION_SUSPEND:
    call->kind = FERRY_STEP_CALL_SUSPEND;
    return !s->was_paused;
  case FERRY_ACTION_SET_THROTTLE:
    call->kind = FERRY_STEP_CALL_SET_THROTTLE;
    return TRUE;
  case FERRY_ACTION_ABORT:
    s->abort_code = d->code;
    g_free(s->abort_reason);
    s->abort_reason = g_strdup(d->reason);
    return FALSE;
  default:
    return FALSE;
  }
}

static gboolean next_decided(FerrySteps *s, gint64 now_us, FerryStepCall *call) {
  FerryConvergenceDecision d;
  while (ferry_convergence_next(s->convergence, now_us, &d)) {
    g_autofree char *reason = d.reason;
    gboolean valued =
        d.action == FERRY_ACTION_SET_DOWNTIME || d.action == FERRY_ACTION_SET_THROTTLE;
    ferry_step_record(s, d.action, valued ? d.value : -1, d.code, d.reason, now_us);
    if (call_of(s, &d, call))
      return TRUE;
  }
  return FALSE;
}

gboolean ferry_step_next(FerrySteps *s, gint64 now_us, FerryStepCall *call) {
  if (s->limit_due) {
    s->limit_due = FALSE;
    *call =
        (FerryStepCall){FERRY_STEP_CALL_SET_DOWNTIME, ferry_convergence_downtime_ms(s->convergence),
                        FALSE, FERRY_ACTION_SET_DOWNTIME};
    return TRUE;
  }
  if (s->running && next_decided(s, now_us, call))
    return TRUE;
  if (!s->seen) /* before the call there is nothing to abort */
    return FALSE;
  FerryGivingUpPlan plan =
      ferry_judge_giving_up(&s->giving_up, s->cancel, s->abort_code != NULL, s->post_copy, now_us);
  if (plan.status)
    write_state(s, "abortStatus", plan.status);
  *call = (FerryStepCall){.kind = FERRY_STEP_CALL_ABORT};
  return plan.abort;
}

void ferry_step_done(FerrySteps *s, const FerryStepCall *call, const char *refused, gint64 now_us) {
  if (call->kind == FERRY_STEP_CALL_SET_DOWNTIME)
    s->limit_set = !refused;
  if (!refused && call->kind == FERRY_STEP_CALL_START_POSTCOPY)
    ferry_step_enter_post_copy(s);
  if (!refused && call->kind == FERRY_STEP_CALL_SUSPEND) {
    s->suspended = TRUE;
    write_state(s, "mode", ferry_mode_name(FERRY_MODE_PAUSED));
  }
  if (!refused || !call->decided)
    return;
  ferry_convergence_refused(s->convergence, call->action);
  if (!s->started) /* not every hypervisor takes the first limit before the call: set again soon */
    return;
  g_autofree char *text =
      g_strdup_printf("%s was refused: %s", ferry_action_name(call->action), refused);
  ferry_step_record(s, FERRY_ACTION_REFUSE, -1, ferry_reason_name(FERRY_REASON_REFUSED), text,
                    now_us);
}

json_t *ferry_step_forecast(FerrySteps *s, gint64 now_us) {
  if (!s->running || s->forecast_ms > 0 || s->scheduled)
    return NULL;
  g_autoptr(json_t) estimate = ferry_convergence_estimate(s->convergence, now_us);
  gint64 expected = ferry_json_int(estimate, "forecastMs", 0);
  if (expected <= 0)
    return NULL;
  s->forecast_ms = expected + FINISH_MS;
  return json_pack("{s:I, s:I}", "totalMs", (json_int_t)s->forecast_ms, "madeAtMs",
                   (json_int_t)((now_us - s->start_us) / 1000));
}
