// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a thread of its own follows the migrations' changes as they come, so that
// transitions are timed when they happen and not when somebody looks. A scrape first lets it catch
// up, then adds what is derived from the store and what this process knows of itself.
#include "api/metrics/metrics.h"
#include "api/auth/certificates.h"
#include "api/http/respond.h"
#include "api/resource/streams.h"
#include "base/compare.h"
#include "store/store.h"
#include "api/auth/audit.h"
#include "api/http/front.h"
#include "base/memory.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef FERRY_VERSION
#error "FERRY_VERSION comes from meson.build"
#endif

struct FerryMetrics {
  FerryStore *store;
  const FerryClock *clock;
  GThread *thread;
  gint64 started_ms;

  GMutex wake_lock; /* `woken`, `stop`; taken by the store's writer */
  GCond wake;
  gboolean woken, stop;

  GMutex lock; /* all below */
  FerryWatch *watch;
  FerryMetricsHistory *history;
  FerryMetricsRequests *requests;
};

static void on_change(gpointer data) {
  FerryMetrics *m = data;
  g_mutex_lock(&m->wake_lock);
  m->woken = TRUE;
  g_cond_signal(&m->wake);
  g_mutex_unlock(&m->wake_lock);
}

static void metrics_subscribe(FerryMetrics *m) {
  if (m->watch)
    ferry_watch_free(m->watch);
  m->watch = ferry_store_watch_now(m->store, &ferry_kind_vmim, NULL, on_change, m);
}

void ferry_metrics_catch_up(FerryMetrics *m) {
  g_mutex_lock(&m->lock);
  for (;;) {
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryChange) change = ferry_watch_next(m->watch, &error);
    if (error) /* fell behind the log: what is lost is not counted */
      metrics_subscribe(m);
    if (!change)
      break;
    g_auto(FerrySeen) seen = ferry_change_see(change);
    ferry_metrics_history_take(m->history, &seen, ferry_clock_monotonic_us(m->clock),
                               ferry_clock_wall_ms(m->clock));
  }
  g_mutex_unlock(&m->lock);
}

static gpointer metrics_follow(gpointer data) {
  FerryMetrics *m = data;
  for (;;) {
    g_mutex_lock(&m->wake_lock);
    while (!m->woken && !m->stop)
      g_cond_wait(&m->wake, &m->wake_lock);
    gboolean stop = m->stop;
    m->woken = FALSE;
    g_mutex_unlock(&m->wake_lock);
    if (stop)
      return NULL;
    ferry_metrics_catch_up(m);
  }
}

FerryMetrics *ferry_metrics_start(FerryStore *store, const FerryClock *clock) {
  FerryMetrics *m = g_new0(FerryMetrics, 1);
  m->store = store;
  m->clock = clock;
  m->started_ms = ferry_clock_wall_ms(clock);
  g_mutex_init(&m->lock);
  g_mutex_init(&m->wake_lock);
  g_cond_init(&m->wake);
  m->history = ferry_metrics_history_new();
  m->requests = ferry_metrics_requests_new();
  metrics_subscribe(m);
  m->thread = g_thread_new("ferry-metrics", metrics_follow, m);
  return m;
}

void ferry_metrics_stop(FerryMetrics *m) {
  if (!m)
    return;
  g_mutex_lock(&m->wake_lock);
  m->stop = TRUE;
  g_cond_signal(&m->wake);
  g_mutex_unlock(&m->wake_lock);
  g_thread_join(m->thread);
  ferry_watch_free(m->watch);
  ferry_metrics_history_free(m->history);
  ferry_metrics_requests_free(m->requests);
  g_mutex_clear(&m->lock);
  g_mutex_clear(&m->wake_lock);
  g_cond_clear(&m->wake);
  g_free(m);
}

void ferry_metrics_request(FerryMetrics *m, const FerryRequest *req) {
  static const char *const methods[] = {"GET", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", NULL};
  if (!m || !req->asked.begun_us)
    return;
  const char *resource = req->found.kind ? req->found.kind->plural : "none";
  g_autofree char *verb = g_ascii_strdown(
      g_strv_contains(methods, req->asked.method ? req->asked.method : "") ? req->asked.method
                                                                           : "other",
      -1);
  double seconds = (double)(g_get_monotonic_time() - req->asked.begun_us) / G_USEC_PER_SEC;
  g_mutex_lock(&m->lock);
  ferry_metrics_requests_take(m->requests,
                              req->found.kind && req->found.verb ? req->found.verb : verb, resource,
                              req->answer.status, seconds);
  g_mutex_unlock(&m->lock);
}

/* ---- the process ---- */

static double open_files(void) {
  double n = 0;
  DIR *dir = opendir("/proc/self/fd");
  while (dir && readdir(dir))
    n++;
  if (dir)
    closedir(dir);
  return MAX(0, n - 3); /* ".", ".." and the directory itself */
}

static void put_process(const FerryMetrics *m, GString *out) {
  struct rusage use = {0};
  getrusage(RUSAGE_SELF, &use);
  double cpu = (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
               (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / G_USEC_PER_SEC;
  ferry_metrics_family(out, "ferry_build_info", "gauge", "Version of ferryd; always 1.");
  ferry_metrics_sample(out, "ferry_build_info", 1, "version", FERRY_VERSION, NULL);
  ferry_metrics_figure(out, "process_cpu_seconds_total", "counter",
                       "User and system time of this process.", cpu);
  ferry_metrics_figure(out, "process_resident_memory_bytes", "gauge",
                       "Memory of this process that is in RAM.", (double)ferry_memory_resident());
  ferry_metrics_figure(out, "process_open_fds", "gauge", "Files and sockets that are open.",
                       open_files());
  ferry_metrics_figure(out, "process_start_time_seconds", "gauge", "When this process began.",
                       (double)m->started_ms / 1000);
}

static void put_store(FerryStore *store, GString *out) {
  FerryStoreStats s = {0};
  ferry_store_stats(store, &s);
  double bounds[FERRY_STORE_LATENCY_BOUNDS];
  FerryHistogram h = {.bounds = bounds,
                      .n_bounds = FERRY_STORE_LATENCY_BOUNDS,
                      .counts = s.commit_us_counts,
                      .sum = (double)s.commit_us_sum / G_USEC_PER_SEC};
  for (gsize i = 0; i < G_N_ELEMENTS(bounds); i++)
    bounds[i] = (double)ferry_store_latency_bounds_us[i] / G_USEC_PER_SEC;
  ferry_metrics_figure(out, "ferry_store_writes_total", "counter", "Objects written.",
                       (double)s.writes);
  ferry_metrics_figure(out, "ferry_store_transactions_total", "counter",
                       "Transactions of the database.", (double)s.transactions);
  ferry_metrics_figure(out, "ferry_store_failed_transactions_total", "counter",
                       "Transactions that the disk did not take.", (double)s.failed_transactions);
  ferry_metrics_figure(out, "ferry_store_healthy", "gauge",
                       "1 where the store can write, 0 where its disk is full or fails.",
                       ferry_store_is_healthy(store, NULL));
  ferry_metrics_figure(out, "ferry_store_bytes", "gauge", "Text of all objects.", (double)s.bytes);
  ferry_metrics_figure(out, "ferry_store_log_changes", "gauge",
                       "Changes kept for watches to go on from.", (double)s.log_changes);
  ferry_metrics_figure(out, "ferry_store_log_bytes", "gauge",
                       "Memory that they take, about; the oldest go where it is too much.",
                       (double)s.log_bytes);
  ferry_metrics_family(out, "ferry_store_commit_duration_seconds", "histogram",
                       "Time from handing a batch to the store until it was durable or refused.");
  ferry_metrics_histogram(out, "ferry_store_commit_duration_seconds", &h, NULL);
}

/* As many as there are users with streams, of whom each has one at least. */
static void put_user_streams(const FerryStreamFigures *f, GString *out) {
  static const char count[] = "ferry_api_user_streams";
  static const char bytes[] = "ferry_api_user_stream_buffered_bytes";
  g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(f->users), ferry_compare_text);
  ferry_metrics_family(out, count, "gauge", "Watches and event streams that a user has open.");
  for (const GList *l = names; l; l = l->next) {
    const FerryUserStreams *s = g_hash_table_lookup(f->users, l->data);
    ferry_metrics_sample(out, count, s->count, "user", l->data, NULL);
  }
  ferry_metrics_family(out, bytes, "gauge", "Memory of what they have for their readers.");
  for (const GList *l = names; l; l = l->next) {
    const FerryUserStreams *s = g_hash_table_lookup(f->users, l->data);
    ferry_metrics_sample(out, bytes, (double)s->buffered, "user", l->data, NULL);
  }
}

static void put_streams(FerryApi *api, GString *out) {
  FerryStreamFigures f;
  ferry_streams_figures(api->streams, &f);
  ferry_metrics_figure(out, "ferry_api_watches", "gauge", "Watches that are open.", f.watches);
  ferry_metrics_figure(out, "ferry_api_event_streams", "gauge", "Event streams that are open.",
                       f.event_streams);
  ferry_metrics_figure(out, "ferry_api_stream_buffered_bytes", "gauge",
                       "Memory of what watches and event streams have for readers.",
                       (double)f.buffered);
  ferry_metrics_figure(out, "ferry_api_streams_refused_total", "counter",
                       "Watches and event streams that were refused as too many.",
                       (double)f.refused);
  ferry_metrics_figure(out, "ferry_api_streams_revoked_total", "counter",
                       "Credentials that ended while watches or event streams were open by them.",
                       (double)f.revoked);
  put_user_streams(&f, out);
  ferry_streams_figures_clear(&f);
}

gboolean ferry_serve_metrics(FerryRequest *req, GError **error) {
  FerryApi *api = req->api;
  FerryMetrics *m = api->metrics;
  g_autoptr(GString) out = g_string_sized_new(64 * 1024);
  ferry_metrics_put_migrations(api->store, ferry_clock_wall_ms(api->clock), out);
  ferry_metrics_catch_up(m);
  g_mutex_lock(&m->lock);
  ferry_metrics_history_put(m->history, out);
  ferry_metrics_requests_put(m->requests, out);
  g_mutex_unlock(&m->lock);
  ferry_metrics_put_hosts(api->store, out);
  put_streams(api, out);
  ferry_front_put_metrics(api->front, out);
  put_store(api->store, out);
  put_process(m, out);
  ferry_audit_metrics(api->audit, out);
  ferry_certificates_metrics(api, out);
  if (api->hooks.metrics)
    api->hooks.metrics(api->hooks.data, out);
  ferry_respond_text(req, 200, "text/plain; version=0.0.4; charset=utf-8", out->str);
  return TRUE;
}
