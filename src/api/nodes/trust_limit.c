// SPDX-License-Identifier: Apache-2.0
// A try is a request to be read and, where it is refused, a line in the journal.
#include "api/nodes/trust_limit.h"

#define TRIES_AT_ONCE 20
#define REFILL_US (6 * G_USEC_PER_SEC)
#define FULL_US (TRIES_AT_ONCE * REFILL_US)

struct FerryTrustLimit {
  const FerryClock *clock;
  GMutex lock;      /* the rest */
  GHashTable *full; /* node, or "told:" and the node -> gint64*: when it may have all tries again */
  gint64 swept_us;
};

FerryTrustLimit *ferry_trust_limit_new(const FerryClock *clock) {
  FerryTrustLimit *limit = g_new0(FerryTrustLimit, 1);
  limit->clock = clock;
  g_mutex_init(&limit->lock);
  limit->full = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  return limit;
}

void ferry_trust_limit_free(FerryTrustLimit *limit) {
  if (!limit)
    return;
  g_hash_table_unref(limit->full);
  g_mutex_clear(&limit->lock);
  g_free(limit);
}

static gboolean limit_is_over(gpointer key, gpointer value, gpointer data) {
  return *(const gint64 *)value <= *(const gint64 *)data;
}

/* The lock is held. Takes `key`. */
static gboolean limit_take(FerryTrustLimit *limit, char *key, gint64 now_us) {
  if (now_us - limit->swept_us >= FULL_US) {
    limit->swept_us = now_us;
    g_hash_table_foreach_remove(limit->full, limit_is_over, &now_us);
  }
  const gint64 *there = g_hash_table_lookup(limit->full, key);
  gint64 full_us = MAX(there ? *there : 0, now_us) + REFILL_US;
  if (full_us - now_us > FULL_US) {
    g_free(key);
    return FALSE;
  }
  g_hash_table_insert(limit->full, key, g_memdup2(&full_us, sizeof full_us));
  return TRUE;
}

gboolean ferry_trust_limit_take(FerryTrustLimit *limit, const char *node, gboolean tells,
                                GError **error) {
  g_mutex_lock(&limit->lock);
  gboolean ok = limit_take(limit, g_strconcat(tells ? "told:" : "", node, NULL),
                           ferry_clock_monotonic_us(limit->clock));
  g_mutex_unlock(&limit->lock);
  if (!ok)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_TOO_MANY_REQUESTS,
                "node \"%s\" asks too often; try again in a minute", node);
  return ok;
}
