// SPDX-License-Identifier: Apache-2.0
// Requests by verb and resource. A verb, resource or status that is not known to us never becomes
// a label, so strangers cannot make the table grow.
#include "api/metrics/metrics.h"
#include "base/compare.h"

#include <string.h>

static const double bucket_bounds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                       0.1,    0.25,  0.5,    1,     2.5,  5,     10};
/* 14 verbs, 12 resources and 3 classes of answers are all that can come. */
#define MAX_SERIES 1024

struct FerryMetricsRequests {
  GHashTable *seconds; /* "verb\nresource" -> FerryHistogram */
  GHashTable *codes;   /* "verb\nresource\ncode" -> guint64 */
};

FerryMetricsRequests *ferry_metrics_requests_new(void) {
  FerryMetricsRequests *r = g_new0(FerryMetricsRequests, 1);
  r->seconds =
      g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)ferry_histogram_free);
  r->codes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  return r;
}

void ferry_metrics_requests_free(FerryMetricsRequests *r) {
  if (!r)
    return;
  g_hash_table_unref(r->seconds);
  g_hash_table_unref(r->codes);
  g_free(r);
}

void ferry_metrics_requests_take(FerryMetricsRequests *r, const char *verb, const char *resource,
                                 unsigned status, double seconds) {
  char key[256];
  g_snprintf(key, sizeof key, "%s\n%s", verb, resource);
  FerryHistogram *h = g_hash_table_lookup(r->seconds, key);
  if (!h && g_hash_table_size(r->seconds) < MAX_SERIES)
    g_hash_table_insert(r->seconds, g_strdup(key),
                        h = ferry_histogram_new(bucket_bounds, G_N_ELEMENTS(bucket_bounds)));
  if (h)
    ferry_histogram_observe(h, seconds);
  g_snprintf(key, sizeof key, "%s\n%s\n%u", verb, resource, status);
  guint64 *n = g_hash_table_lookup(r->codes, key);
  if (!n && g_hash_table_size(r->codes) < MAX_SERIES)
    g_hash_table_insert(r->codes, g_strdup(key), n = g_new0(guint64, 1));
  if (n)
    (*n)++;
}

void ferry_metrics_requests_put(const FerryMetricsRequests *r, GString *out) {
  static const char total[] = "ferry_api_requests_total";
  static const char duration[] = "ferry_api_request_duration_seconds";
  ferry_metrics_family(out, total, "counter", "Requests answered, by HTTP status.");
  g_autoptr(GList) codes = g_list_sort(g_hash_table_get_keys(r->codes), ferry_compare_text);
  for (GList *k = codes; k; k = k->next) {
    g_auto(GStrv) part = g_strsplit(k->data, "\n", 3);
    const guint64 *n = g_hash_table_lookup(r->codes, k->data);
    ferry_metrics_sample(out, total, (double)*n, "verb", part[0], "resource", part[1], "code",
                         part[2], NULL);
  }
  ferry_metrics_family(out, duration, "histogram",
                       "Time from a request's header to its answer; of a watch, to its beginning.");
  g_autoptr(GList) keys = g_list_sort(g_hash_table_get_keys(r->seconds), ferry_compare_text);
  for (GList *k = keys; k; k = k->next) {
    g_auto(GStrv) part = g_strsplit(k->data, "\n", 2);
    ferry_metrics_histogram(out, duration, g_hash_table_lookup(r->seconds, k->data), "verb",
                            part[0], "resource", part[1], NULL);
  }
}
