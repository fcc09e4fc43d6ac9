// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a bucket fills at `rate` up to `burst`. One that is full, with nothing in
// flight, is as one that was never there, so it is forgotten when the table grows; a table that
// doubles before it is swept again costs each newcomer a constant.
#include "api/http/allowance.h"

#include <math.h>

#define SWEEP_FROM 1024

typedef struct {
  double tokens;
  FerryAllowance rule;
  gint64 at_us; /* when `tokens` was right */
  guint in_flight;
  gsize unread; /* of requests in flight */
} AllowanceBucket;

struct FerryAllowances {
  GHashTable *buckets; /* char* -> Bucket */
  guint sweep_at;
  gsize unread, unread_most; /* of all */
};

FerryAllowances *ferry_allowances_new(gsize unread) {
  FerryAllowances *all = g_new0(FerryAllowances, 1);
  all->unread_most = unread;
  all->buckets = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  all->sweep_at = SWEEP_FROM;
  return all;
}

void ferry_allowances_free(FerryAllowances *all) {
  g_hash_table_unref(all->buckets);
  g_free(all);
}

static double tokens_at(const AllowanceBucket *b, gint64 now_us) {
  double gained = (double)(now_us - b->at_us) / G_USEC_PER_SEC * b->rule.rate;
  return MIN(b->rule.burst, b->tokens + MAX(0, gained));
}

static gboolean is_full(gpointer key, gpointer value, gpointer now_us) {
  const AllowanceBucket *b = value;
  return b->in_flight == 0 && tokens_at(b, *(const gint64 *)now_us) >= b->rule.burst;
}

static AllowanceBucket *allowance_bucket_of(FerryAllowances *all, const char *who,
                                            const FerryAllowance *rule, gint64 now_us) {
  AllowanceBucket *b = g_hash_table_lookup(all->buckets, who);
  if (b)
    return b;
  if (g_hash_table_size(all->buckets) >= all->sweep_at) {
    g_hash_table_foreach_remove(all->buckets, is_full, &now_us);
    all->sweep_at = MAX(SWEEP_FROM, 2 * g_hash_table_size(all->buckets));
  }
  b = g_new0(AllowanceBucket, 1);
  b->tokens = rule->burst;
  b->at_us = now_us;
  g_hash_table_insert(all->buckets, g_strdup(who), b);
  return b;
}

FerryAllowed ferry_allowances_begin(FerryAllowances *all, const char *who,
                                    const FerryAllowance *rule, double cost, gint64 now_us,
                                    guint *retry_s) {
  AllowanceBucket *b = allowance_bucket_of(all, who, rule, now_us);
  b->rule = *rule;
  b->tokens = tokens_at(b, now_us);
  b->at_us = now_us;
  cost = MIN(cost, rule->burst);
  *retry_s = 1;
  if (b->in_flight >= rule->in_flight)
    return FERRY_ALLOWED_NO_FLIGHT;
  if (b->tokens < cost) {
    *retry_s = (guint)CLAMP(ceil((cost - b->tokens) / rule->rate), 1, 3600);
    return FERRY_ALLOWED_NO_RATE;
  }
  b->tokens -= cost;
  b->in_flight++;
  return FERRY_ALLOWED;
}

void ferry_allowances_end(FerryAllowances *all, const char *who, gsize unread) {
  AllowanceBucket *b = g_hash_table_lookup(all->buckets, who);
  if (!b || b->in_flight == 0)
    return;
  b->in_flight--;
  b->unread -= unread;
  all->unread -= unread;
}

gboolean ferry_allowances_may_answer(const FerryAllowances *all, const char *who, gsize most) {
  const AllowanceBucket *b = g_hash_table_lookup(all->buckets, who);
  gsize own = b ? b->unread : 0;
  return own == 0 || (own < most && all->unread < all->unread_most);
}

void ferry_allowances_hold(FerryAllowances *all, const char *who, gsize bytes) {
  AllowanceBucket *b = g_hash_table_lookup(all->buckets, who);
  if (!b)
    return;
  b->unread += bytes;
  all->unread += bytes;
}

gsize ferry_allowances_unread(const FerryAllowances *all) {
  return all->unread;
}

guint ferry_allowances_size(const FerryAllowances *all) {
  return g_hash_table_size(all->buckets);
}
