// SPDX-License-Identifier: Apache-2.0
#include "agent/path/book.h"

struct _FerryPathBook {
  GMutex lock; /* guards all below; taken last */
  guint sending;
  gint64 shared_us;  /* when last more than one did, monotonic */
  GHashTable *rates; /* address -> gint64*, bytes/s */
  gboolean taken[FERRY_PATH_TURNS];
};

FerryPathBook *ferry_path_book_new(void) {
  FerryPathBook *b = g_new0(FerryPathBook, 1);
  g_mutex_init(&b->lock);
  b->rates = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  return b;
}

void ferry_path_book_free(FerryPathBook *b) {
  g_hash_table_unref(b->rates);
  g_mutex_clear(&b->lock);
  g_free(b);
}

gint64 ferry_path_book_enter(FerryPathBook *b) {
  gint64 now = g_get_monotonic_time();
  g_mutex_lock(&b->lock);
  if (++b->sending > 1)
    b->shared_us = now;
  g_mutex_unlock(&b->lock);
  return now;
}

gboolean ferry_path_book_leave(FerryPathBook *b, gint64 since_us) {
  g_mutex_lock(&b->lock);
  if (b->sending-- > 1)
    b->shared_us = g_get_monotonic_time();
  gboolean alone = b->shared_us < since_us;
  g_mutex_unlock(&b->lock);
  return alone;
}

void ferry_path_book_set_rate(FerryPathBook *b, const char *address, gint64 rate) {
  g_mutex_lock(&b->lock);
  g_hash_table_replace(b->rates, g_strdup(address), g_memdup2(&rate, sizeof rate));
  g_mutex_unlock(&b->lock);
}

gint64 ferry_path_book_rate(FerryPathBook *b, const char *address) {
  g_mutex_lock(&b->lock);
  const gint64 *found = address ? g_hash_table_lookup(b->rates, address) : NULL;
  gint64 rate = found ? *found : 0;
  g_mutex_unlock(&b->lock);
  return rate;
}

gboolean ferry_path_book_turn(FerryPathBook *b, FerryPathTurn turn, gboolean take) {
  g_mutex_lock(&b->lock);
  gboolean ok = !take || !b->taken[turn];
  if (ok)
    b->taken[turn] = take;
  g_mutex_unlock(&b->lock);
  return ok;
}
