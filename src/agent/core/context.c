// SPDX-License-Identifier: Apache-2.0
#include "agent/core/context.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/log.h"

#define REFUSED_MIN_MS 5000
#define REFUSED_MAX_MS 60000

typedef struct {
  void (*wake)(gpointer data);
  gpointer data;
} Waker;

struct _FerryAgentContext {
  char *node, *state_dir;
  void (*notify)(const char *what, gpointer data);
  gpointer notify_data;
  GCancellable *cancel;
  GArray *wakers; /* Waker; complete before threads start */
  GMutex lock;    /* guards what follows; taken last, under whatever else is held */
  GCond cond;
  gboolean stop, stale;
};

FerryAgentContext *ferry_context_new(const char *node, const char *state_dir,
                                     void (*notify)(const char *what, gpointer data),
                                     gpointer data) {
  FerryAgentContext *c = g_new0(FerryAgentContext, 1);
  c->node = g_strdup(node);
  c->state_dir = g_strdup(state_dir);
  c->notify = notify;
  c->notify_data = data;
  c->cancel = g_cancellable_new();
  c->wakers = g_array_new(FALSE, FALSE, sizeof(Waker));
  g_mutex_init(&c->lock);
  g_cond_init(&c->cond);
  return c;
}

void ferry_context_free(FerryAgentContext *c) {
  g_object_unref(c->cancel);
  g_array_unref(c->wakers);
  g_mutex_clear(&c->lock);
  g_cond_clear(&c->cond);
  g_free(c->node);
  g_free(c->state_dir);
  g_free(c);
}

const char *ferry_context_node(const FerryAgentContext *c) {
  return c->node;
}

const char *ferry_context_state_dir(const FerryAgentContext *c) {
  return c->state_dir;
}

GCancellable *ferry_context_cancellable(FerryAgentContext *c) {
  return c->cancel;
}

void ferry_context_notify(FerryAgentContext *c, const char *what) {
  if (c->notify)
    c->notify(what, c->notify_data);
}

void ferry_context_add_waker(FerryAgentContext *c, void (*wake)(gpointer data), gpointer data) {
  Waker waker = {wake, data};
  g_array_append_val(c->wakers, waker);
}

/* Who waits has looked at the flags under a lock of its own; its waker takes that lock, so that
 * between the look and the wait nothing is missed. */
static void wake_all(FerryAgentContext *c) {
  for (guint i = 0; i < c->wakers->len; i++) {
    const Waker *waker = &g_array_index(c->wakers, Waker, i);
    waker->wake(waker->data);
  }
}

void ferry_context_stop(FerryAgentContext *c) {
  g_mutex_lock(&c->lock);
  c->stop = TRUE;
  g_cond_broadcast(&c->cond);
  g_mutex_unlock(&c->lock);
  wake_all(c);
  g_cancellable_cancel(c->cancel);
}

void ferry_context_set_stale(FerryAgentContext *c) {
  g_mutex_lock(&c->lock);
  gboolean first = !c->stale && !c->stop;
  c->stale = TRUE;
  g_mutex_unlock(&c->lock);
  wake_all(c);
  if (!first)
    return;
  ferry_log(G_LOG_LEVEL_CRITICAL,
            "another agent has begun a session for this node; this one ends. Run one agent a node",
            "FERRY_NODE", c->node, NULL);
  ferry_context_notify(c, "fatal");
}

gboolean ferry_context_is_stopped(FerryAgentContext *c) {
  g_mutex_lock(&c->lock);
  gboolean stop = c->stop;
  g_mutex_unlock(&c->lock);
  return stop;
}

gboolean ferry_context_is_stale(FerryAgentContext *c) {
  g_mutex_lock(&c->lock);
  gboolean stale = c->stale;
  g_mutex_unlock(&c->lock);
  return stale;
}

gboolean ferry_context_has_ended(FerryAgentContext *c) {
  g_mutex_lock(&c->lock);
  gboolean ended = c->stop || c->stale;
  g_mutex_unlock(&c->lock);
  return ended;
}

gboolean ferry_context_sleep(FerryAgentContext *c, gint64 ms) {
  gint64 until = g_get_monotonic_time() + ms * 1000;
  g_mutex_lock(&c->lock);
  while (!c->stop && g_cond_wait_until(&c->cond, &c->lock, until))
    ;
  gboolean go_on = !c->stop;
  g_mutex_unlock(&c->lock);
  return go_on;
}

static gint64 with_jitter(gint64 backoff) {
  return backoff / 2 + g_random_int_range(0, (gint32)(backoff / 2) + 1);
}

gint64 ferry_backoff_next(gint64 *backoff) {
  *backoff = *backoff ? MIN(*backoff * 2, FERRY_BACKOFF_MAX_MS) : FERRY_BACKOFF_MIN_MS;
  return with_jitter(*backoff);
}

gint64 ferry_backoff_after(gint64 *backoff, const GError *error) {
  if (!g_error_matches(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED))
    return ferry_backoff_next(backoff);
  *backoff = CLAMP(*backoff * 2, REFUSED_MIN_MS, REFUSED_MAX_MS);
  return with_jitter(*backoff);
}
