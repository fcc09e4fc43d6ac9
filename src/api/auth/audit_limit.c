// SPDX-License-Identifier: Apache-2.0
#include "api/auth/audit_limit.h"

#define SHARED "(others)"

typedef struct {
  gint64 full_us; /* when the bucket is full again: the only state of a bucket */
  gint64 last_us;
  guint64 left_out;
} Bucket;

struct FerryAuditLimit {
  guint burst, max_keys, owed;
  gint64 refill_us, next_sweep_us;
  GHashTable *buckets; /* key -> Bucket */
};

FerryAuditLimit *ferry_audit_limit_new(guint burst, gint64 refill_us, guint max_keys) {
  FerryAuditLimit *l = g_new0(FerryAuditLimit, 1);
  l->burst = burst;
  l->max_keys = max_keys;
  l->refill_us = refill_us;
  l->buckets = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  return l;
}

void ferry_audit_limit_free(FerryAuditLimit *l) {
  if (!l)
    return;
  g_hash_table_unref(l->buckets);
  g_free(l);
}

/* Forgets buckets that are full and owe nothing; not for each stranger again. */
static void audit_limit_sweep(FerryAuditLimit *l, gint64 now_us) {
  if (now_us < l->next_sweep_us)
    return;
  l->next_sweep_us = now_us + l->refill_us;
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init(&iter, l->buckets);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    const Bucket *b = value;
    if (b->full_us <= now_us && b->left_out == 0)
      g_hash_table_iter_remove(&iter);
  }
}

static Bucket *bucket_of(FerryAuditLimit *l, const char *key, gint64 now_us) {
  if (!g_hash_table_contains(l->buckets, key) && g_hash_table_size(l->buckets) >= l->max_keys) {
    audit_limit_sweep(l, now_us);
    if (g_hash_table_size(l->buckets) >= l->max_keys)
      key = SHARED;
  }
  Bucket *b = g_hash_table_lookup(l->buckets, key);
  if (!b)
    g_hash_table_insert(l->buckets, g_strdup(key), b = g_new0(Bucket, 1));
  return b;
}

gboolean ferry_audit_limit_take(FerryAuditLimit *l, const char *key, gint64 now_us,
                                guint64 *left_out) {
  Bucket *b = bucket_of(l, key, now_us);
  gint64 full = MAX(b->full_us, now_us) + l->refill_us;
  b->last_us = now_us;
  if (full - now_us > l->refill_us * (gint64)l->burst) {
    l->owed += b->left_out++ == 0;
    return FALSE;
  }
  b->full_us = full;
  *left_out = b->left_out;
  l->owed -= b->left_out > 0;
  b->left_out = 0;
  return TRUE;
}

guint ferry_audit_limit_owed(const FerryAuditLimit *l) {
  return l->owed;
}

guint64 ferry_audit_limit_flush(FerryAuditLimit *l, gint64 now_us, gint64 quiet_us, char **key) {
  GHashTableIter iter;
  gpointer name, value;
  g_hash_table_iter_init(&iter, l->buckets);
  while (g_hash_table_iter_next(&iter, &name, &value)) {
    Bucket *b = value;
    if (b->left_out == 0 || now_us - b->last_us < quiet_us)
      continue;
    guint64 n = b->left_out;
    b->left_out = 0;
    l->owed--;
    *key = g_strdup(name);
    return n;
  }
  return 0;
}
