// SPDX-License-Identifier: Apache-2.0
// What the tests of drivers share: what a driver has told, counted, and to wait for it.
#pragma once
#include "host/port/host.h"

typedef struct {
  GMutex lock;
  GCond cond;
  guint connected, disconnected, changed, iterations, completed, returned;
  int last_iteration;
  FerryJobStats stats; /* of the last migration that completed */
  GError *error;       /* of the last that returned */
} Seen;

/** For ferry_host_start, with a Seen. */
static inline void seen_event(const FerryHostEvent *event, gpointer data) {
  Seen *seen = data;
  g_mutex_lock(&seen->lock);
  seen->connected += event->type == FERRY_HOST_EVENT_CONNECTED;
  seen->disconnected += event->type == FERRY_HOST_EVENT_DISCONNECTED;
  seen->changed += event->type == FERRY_HOST_EVENT_STATE;
  if (event->type == FERRY_HOST_EVENT_ITERATION) {
    g_assert_nonnull(event->uuid);
    seen->iterations++;
    seen->last_iteration = event->iteration;
  }
  if (event->type == FERRY_HOST_EVENT_COMPLETED && event->stats->migration_out) {
    seen->stats = *event->stats;
    seen->completed++;
  }
  g_cond_broadcast(&seen->cond);
  g_mutex_unlock(&seen->lock);
}

/** For ferry_host_job_start, with a Seen. */
static inline void seen_done(const GError *error, gpointer data) {
  Seen *seen = data;
  g_mutex_lock(&seen->lock);
  g_clear_error(&seen->error);
  seen->error = error ? g_error_copy(error) : NULL;
  seen->returned++;
  g_cond_broadcast(&seen->cond);
  g_mutex_unlock(&seen->lock);
}

/** Until one of its counts is `least`. */
static inline void seen_wait(Seen *seen, const guint *what, guint least) {
  gint64 until = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
  g_mutex_lock(&seen->lock);
  while (*what < least)
    g_assert_true(g_cond_wait_until(&seen->cond, &seen->lock, until));
  g_mutex_unlock(&seen->lock);
}

static inline void seen_forget(Seen *seen) {
  g_mutex_lock(&seen->lock);
  seen->changed = seen->iterations = seen->completed = seen->returned = 0;
  seen->last_iteration = 0;
  g_clear_error(&seen->error);
  g_mutex_unlock(&seen->lock);
}
