// SPDX-License-Identifier: Apache-2.0
// What GET /metrics shows. Figures about objects are derived from the store at each scrape; what
// only happens (transitions, decisions, requests) is counted as it does. metrics.c answers the
// request; the families are written by metrics_migrations.c, metrics_hosts.c, metrics_history.c
// (what has happened) and metrics_requests.c.
#pragma once
#include "store/store.h"
#include "api/http/request.h"
#include "base/metrics_text.h"

G_BEGIN_DECLS

/** GET /metrics */
gboolean ferry_serve_metrics(FerryRequest *req, GError **error);

/** Starts to count; ends with ferry_metrics_stop. */
FerryMetrics *ferry_metrics_start(FerryStore *store, const FerryClock *clock);
void ferry_metrics_stop(FerryMetrics *metrics); /* NULL is allowed */
/** Takes all changes of migrations into account that are in the store now. Any thread. */
void ferry_metrics_catch_up(FerryMetrics *metrics);
/** Counts a request that is about to be answered. Any thread. */
void ferry_metrics_request(FerryMetrics *metrics, const FerryRequest *req);

/* Derived from what is stored; each appends whole families. */
/** Appends the families that are derived from the stored migrations. */
void ferry_metrics_put_migrations(FerryStore *store, gint64 now_ms,
                                  GString *out); /* metrics_migrations.c */
/** Appends the families that are derived from the stored Nodes. */
void ferry_metrics_put_hosts(FerryStore *store, GString *out); /* metrics_hosts.c */

/* The counting parts; whoever owns one guards it. metrics_history.c, metrics_requests.c */
typedef struct FerryMetricsHistory FerryMetricsHistory;
/** Nothing counted as yet. Whoever owns one guards it. */
FerryMetricsHistory *ferry_metrics_history_new(void);
void ferry_metrics_history_free(FerryMetricsHistory *history);
/** Counts one change of a migration; the times are of this machine. */
void ferry_metrics_history_take(FerryMetricsHistory *history, const FerrySeen *change,
                                gint64 mono_us, gint64 wall_ms);
/** Appends what was counted, in whole families. */
void ferry_metrics_history_put(const FerryMetricsHistory *history, GString *out);

typedef struct FerryMetricsRequests FerryMetricsRequests;
/** Requests served, by verb, resource and status; none as yet. Not locked: metrics.c does that. */
FerryMetricsRequests *ferry_metrics_requests_new(void);
void ferry_metrics_requests_free(FerryMetricsRequests *requests);
/** Counts one request that took so many seconds. */
void ferry_metrics_requests_take(FerryMetricsRequests *requests, const char *verb,
                                 const char *resource, unsigned status, double seconds);
/** Appends what was counted, in whole families. */
void ferry_metrics_requests_put(const FerryMetricsRequests *requests, GString *out);

G_END_DECLS
