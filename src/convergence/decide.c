// SPDX-License-Identifier: Apache-2.0
#include "convergence/decide.h"
#include "convergence/estimate.h"

#define MAX_PENDING 16
#define HISTORY_MAX 200

void ferry_decision_free(gpointer p) {
  FerryConvergenceDecision *d = p;
  g_free(d->reason);
  g_free(d);
}

gboolean ferry_decidable(const FerryConvergence *c) {
  return !c->post_copy_asked && !c->post_copy && !c->aborted;
}

static void decide_record(FerryConvergence *c, gint64 now_us, const FerryConvergenceDecision *d) {
  json_t *o = ferry_convergence_estimate(c, now_us);
  ferry_json_set_str(o, "action", ferry_action_name(d->action));
  ferry_json_set_int(o, "value", d->value);
  ferry_json_set_str(o, "code", d->code);
  ferry_json_set_str(o, "reason", d->reason);
  if (json_array_size(c->history) >= HISTORY_MAX)
    json_array_remove(c->history, 0);
  json_array_append_new(c->history, o);
}

static void decide_valist(FerryConvergence *c, gint64 now_us, FerryAction action, gint64 value,
                          FerryReason code, const char *format, va_list ap) G_GNUC_PRINTF(6, 0);
static void decide_valist(FerryConvergence *c, gint64 now_us, FerryAction action, gint64 value,
                          FerryReason code, const char *format, va_list ap) {
  if (c->pending.length >= MAX_PENDING || (c->pinned && action == FERRY_ACTION_SET_DOWNTIME))
    return;
  FerryConvergenceDecision *d = g_new0(FerryConvergenceDecision, 1);
  d->action = action;
  d->value = value;
  d->code = ferry_reason_name(code);
  d->reason = g_strdup_vprintf(format, ap);
  decide_record(c, now_us, d);
  g_queue_push_tail(&c->pending, d);
  switch (action) {
  case FERRY_ACTION_SET_DOWNTIME:
    c->limit_ms = value;
    break;
  case FERRY_ACTION_SET_THROTTLE:
    c->throttle_percent = (int)value;
    c->t.throttle = (double)value / 100;
    break;
  case FERRY_ACTION_START_POSTCOPY:
    c->post_copy_asked = TRUE;
    break;
  case FERRY_ACTION_SUSPEND:
    c->suspended = TRUE;
    break;
  case FERRY_ACTION_ABORT:
    c->aborted = TRUE;
    break;
  default:
    break;
  }
}

void ferry_decide(FerryConvergence *c, gint64 now_us, FerryAction action, gint64 value,
                  FerryReason code, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  decide_valist(c, now_us, action, value, code, format, ap);
  va_end(ap);
}

void ferry_decide_abort(FerryConvergence *c, gint64 now_us, FerryReason code, const char *format,
                        ...) {
  if (!ferry_decidable(c))
    return;
  va_list ap;
  va_start(ap, format);
  decide_valist(c, now_us, FERRY_ACTION_ABORT, 0, code, format, ap);
  va_end(ap);
}
