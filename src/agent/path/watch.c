// SPDX-License-Identifier: Apache-2.0
// Theory of operation: every LOOK_MS the thread asks the operating system for the connections
// (which never blocks), lets guard.c judge, and on its word closes all of them, since
// one alone may leave QEMU waiting for the others. Their owner is told first: libvirt's call
// returns at once then, and its worker finds why.
#include "agent/path/watch.h"
#include "agent/path/guard.h"
#include "base/log.h"

#define LOOK_MS 500

struct _FerryPathWatch {
  FerryHostJob *job;
  FerryPathWatchOwner owner;
  char *target, *address;
  GThread *thread;
  FerryPathGuard guard; /* the thread's */
  gboolean told_silent; /* the same */
  GMutex lock;          /* guards what follows; no other is taken inside it */
  GCond cond;
  gint64 allowed_ms;
  gboolean stop;
};

/* FALSE: it is to end. */
static gboolean pause_watch(FerryPathWatch *w) {
  gint64 until = g_get_monotonic_time() + LOOK_MS * 1000;
  g_mutex_lock(&w->lock);
  while (!w->stop && g_cond_wait_until(&w->cond, &w->lock, until))
    ;
  gboolean stop = w->stop;
  g_mutex_unlock(&w->lock);
  return !stop;
}

static void close_all(FerryPathWatch *w, const GArray *connections) {
  for (guint i = 0; i < connections->len; i++) {
    g_autoptr(GError) error = NULL;
    const FerryHostConnection *c = &g_array_index(connections, FerryHostConnection, i);
    if (!c->control && !ferry_host_job_disconnect(w->job, c->id, &error))
      ferry_warning(error->message);
  }
}

static FerryPathVerdict look_at_path(FerryPathWatch *w, const GArray *connections) {
  FerryPathSeen seen = {.connections = connections};
  FerryHostConnection of;
  w->owner.stage(w->owner.data, &seen.switchover_us, &seen.post_copy);
  g_mutex_lock(&w->lock);
  seen.allowed_ms = w->allowed_ms;
  g_mutex_unlock(&w->lock);
  gint64 now = g_get_monotonic_time();
  FerryPathVerdict verdict = ferry_path_guard_judge(&w->guard, &seen, now, &of);
  if (verdict == FERRY_PATH_GOOD)
    return verdict;
  gint64 frozen_ms = seen.switchover_us ? (now - seen.switchover_us) / 1000 : 0;
  g_autofree char *text =
      ferry_path_verdict_message(verdict, &of, w->target, w->address, frozen_ms);
  ferry_warning(text);
  w->owner.found(w->owner.data, ferry_path_verdict_reason(verdict), text);
  return verdict;
}

static void look_at_control(FerryPathWatch *w, const GArray *connections) {
  FerryHostConnection of;
  gint64 silent_ms =
      ferry_path_control_silent_ms(&w->guard, connections, g_get_monotonic_time(), &of);
  if ((silent_ms > 0) == w->told_silent)
    return;
  w->told_silent = silent_ms > 0;
  g_autofree char *text =
      silent_ms ? g_strdup_printf("the libvirtd of %s (port %u) has acknowledged nothing for %.1f "
                                  "s: the link to it, or the host, is down; libvirt gives up after "
                                  "about 30 s; look at the management network between both hosts",
                                  w->target, of.port, (double)silent_ms / 1000)
                : NULL;
  if (text)
    ferry_warning(text);
  w->owner.silent(w->owner.data, text);
}

static gpointer path_watch_thread(gpointer data) {
  FerryPathWatch *w = data;
  g_autoptr(GError) error = NULL;
  while (pause_watch(w)) {
    GArray *connections = ferry_host_job_connections(w->job, &error);
    if (!connections) {
      ferry_debug(error->message);
      return NULL;
    }
    if (look_at_path(w, connections) != FERRY_PATH_GOOD)
      close_all(w, connections);
    look_at_control(w, connections);
    g_array_unref(connections);
  }
  return NULL;
}

FerryPathWatch *ferry_path_watch_new(FerryHostJob *job, const FerryPathWatchOwner *owner,
                                     const char *target, const char *address) {
  FerryPathWatch *w = g_new0(FerryPathWatch, 1);
  w->job = job;
  w->owner = *owner;
  w->target = g_strdup(target ? target : "the target");
  w->address = g_strdup(address ? address : "");
  g_mutex_init(&w->lock);
  g_cond_init(&w->cond);
  ferry_path_guard_init(&w->guard);
  w->thread = g_thread_new("path-watch", path_watch_thread, w);
  return w;
}

void ferry_path_watch_free(FerryPathWatch *w) {
  if (!w)
    return;
  g_mutex_lock(&w->lock);
  w->stop = TRUE;
  g_cond_broadcast(&w->cond);
  g_mutex_unlock(&w->lock);
  g_thread_join(w->thread);
  ferry_path_guard_clear(&w->guard);
  g_mutex_clear(&w->lock);
  g_cond_clear(&w->cond);
  g_free(w->target);
  g_free(w->address);
  g_free(w);
}

void ferry_path_watch_allow(FerryPathWatch *w, gint64 pause_ms) {
  if (!w)
    return;
  g_mutex_lock(&w->lock);
  w->allowed_ms = pause_ms;
  g_mutex_unlock(&w->lock);
}
