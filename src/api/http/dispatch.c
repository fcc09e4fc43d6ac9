// SPDX-License-Identifier: Apache-2.0
// Theory of operation: the seats of a level (flow.h) are threads, so what runs on one level can't
// take another's. The levels of heavy work run at a higher nice value: the kernel gives the
// processor to what is small and waited for, also where all seats of all levels are taken.
#include "api/http/dispatch.h"
#include "base/metrics_text.h"

#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

const char ferry_refusal_rate[] = "rate", ferry_refusal_in_flight[] = "in-flight",
           ferry_refusal_unread[] = "unread-answers", ferry_refusal_queue[] = "queue-full",
           ferry_refusal_wait[] = "waited-too-long";

static const char *const refusal_reasons[] = {ferry_refusal_rate, ferry_refusal_in_flight,
                                              ferry_refusal_unread, ferry_refusal_queue,
                                              ferry_refusal_wait};

typedef struct {
  FerryDispatch *dispatch;
  FerryLevel level;
} Seat;

struct FerryDispatch {
  const FerryLevelRule *rules;
  FerryDispatchHooks hooks;
  GMutex lock; /* all below */
  GCond work[FERRY_LEVELS];
  FerryFlows *flows;
  GPtrArray *threads;
  gboolean stop;
  guint64 refusals[FERRY_LEVELS][G_N_ELEMENTS(refusal_reasons)];
};

static gpointer serve_level(gpointer data) {
  g_autofree Seat *seat = data;
  FerryDispatch *d = seat->dispatch;
  FerryLevel level = seat->level;
  /* Of this thread alone: Linux keeps nice values by thread. */
  if (d->rules[level].nice)
    setpriority(PRIO_PROCESS, (id_t)gettid(), d->rules[level].nice);
  g_mutex_lock(&d->lock);
  for (;;) {
    gpointer request = ferry_flows_take(d->flows, level);
    if (!request && d->stop)
      break;
    if (!request) {
      g_cond_wait(&d->work[level], &d->lock);
      continue;
    }
    g_mutex_unlock(&d->lock);
    d->hooks.work(request);
    g_mutex_lock(&d->lock);
    ferry_flows_done(d->flows, level);
  }
  g_mutex_unlock(&d->lock);
  return NULL;
}

FerryDispatch *ferry_dispatch_new(const FerryLevelRule *rules, const FerryDispatchHooks *hooks) {
  FerryDispatch *d = g_new0(FerryDispatch, 1);
  d->rules = rules;
  d->hooks = *hooks;
  g_mutex_init(&d->lock);
  d->flows = ferry_flows_new(rules);
  d->threads = g_ptr_array_new();
  for (FerryLevel level = 0; level < FERRY_LEVELS; level++) {
    g_cond_init(&d->work[level]);
    for (guint i = 0; i < rules[level].seats; i++) {
      Seat *seat = g_new0(Seat, 1);
      seat->dispatch = d;
      seat->level = level;
      g_autofree char *name = g_strdup_printf("api-%s", rules[level].name);
      g_ptr_array_add(d->threads, g_thread_new(name, serve_level, seat));
    }
  }
  return d;
}

void ferry_dispatch_free(FerryDispatch *d) {
  if (!d)
    return;
  g_mutex_lock(&d->lock);
  d->stop = TRUE;
  for (FerryLevel level = 0; level < FERRY_LEVELS; level++)
    g_cond_broadcast(&d->work[level]);
  g_mutex_unlock(&d->lock);
  for (guint i = 0; i < d->threads->len; i++)
    g_thread_join(g_ptr_array_index(d->threads, i));
  g_ptr_array_unref(d->threads);
  ferry_flows_free(d->flows);
  for (FerryLevel level = 0; level < FERRY_LEVELS; level++)
    g_cond_clear(&d->work[level]);
  g_mutex_clear(&d->lock);
  g_free(d);
}

gboolean ferry_dispatch_put(FerryDispatch *d, FerryLevel level, const char *flow, double cost,
                            gpointer request, guint *retry_s) {
  g_mutex_lock(&d->lock);
  gboolean ok =
      ferry_flows_put(d->flows, level, flow, cost, request, g_get_monotonic_time(), retry_s);
  if (ok)
    g_cond_signal(&d->work[level]);
  g_mutex_unlock(&d->lock);
  return ok;
}

void ferry_dispatch_tick(FerryDispatch *d, gint64 now_us) {
  for (FerryLevel level = 0; level < FERRY_LEVELS; level++) {
    gpointer request;
    do {
      g_mutex_lock(&d->lock);
      request = ferry_flows_take_late(d->flows, level, now_us);
      g_mutex_unlock(&d->lock);
      if (request)
        d->hooks.late(request);
    } while (request);
  }
}

void ferry_dispatch_count_refusal(FerryDispatch *d, FerryLevel level, const char *reason) {
  g_mutex_lock(&d->lock);
  for (gsize i = 0; i < G_N_ELEMENTS(refusal_reasons); i++)
    if (refusal_reasons[i] == reason)
      d->refusals[level][i]++;
  g_mutex_unlock(&d->lock);
}

void ferry_dispatch_put_metrics(FerryDispatch *d, GString *out) {
  static const char waiting[] = "ferry_api_requests_waiting";
  static const char running[] = "ferry_api_requests_running";
  static const char refused[] = "ferry_api_requests_refused_total";
  guint n[FERRY_LEVELS][2];
  guint64 refusals[FERRY_LEVELS][G_N_ELEMENTS(refusal_reasons)];
  g_mutex_lock(&d->lock);
  for (FerryLevel l = 0; l < FERRY_LEVELS; l++) {
    n[l][0] = ferry_flows_waiting(d->flows, l);
    n[l][1] = ferry_flows_running(d->flows, l);
  }
  memcpy(refusals, d->refusals, sizeof refusals);
  g_mutex_unlock(&d->lock);
  ferry_metrics_family(out, waiting, "gauge", "Requests that wait for a seat of their level.");
  for (FerryLevel l = 0; l < FERRY_LEVELS; l++)
    ferry_metrics_sample(out, waiting, n[l][0], "level", d->rules[l].name, NULL);
  ferry_metrics_family(out, running, "gauge", "Requests that are answered on a seat.");
  for (FerryLevel l = 0; l < FERRY_LEVELS; l++)
    ferry_metrics_sample(out, running, n[l][1], "level", d->rules[l].name, NULL);
  ferry_metrics_family(out, refused, "counter", "Requests refused with 429.");
  for (FerryLevel l = 0; l < FERRY_LEVELS; l++)
    for (gsize i = 0; i < G_N_ELEMENTS(refusal_reasons); i++)
      ferry_metrics_sample(out, refused, (double)refusals[l][i], "level", d->rules[l].name,
                           "reason", refusal_reasons[i], NULL);
}
