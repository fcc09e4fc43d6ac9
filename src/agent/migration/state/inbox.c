// SPDX-License-Identifier: Apache-2.0
// Theory of operation: one lock and one condition around what other threads leave for the worker.
// Flags only rise, changes queue up, the latest pass and numbers replace the last; the worker takes
// what is there at its turn, and is woken where it sleeps. Nobody waits inside the lock.
#include "agent/migration/state/inbox.h"
#include "model/migration/migration.h"

#define SLICE_US (G_USEC_PER_SEC / 10)

struct _FerryInbox {
  GMutex lock; /* guards all below; taken last */
  GCond cond;
  char *domain;  /* written once */
  json_t *probe; /* status.migrationState.bandwidthProbe; NULL: not said yet */
  gboolean cancel, returned, news, done;
  gboolean called; /* no flag that only rises */
  GError *call_error;
  GQueue changes;      /* json_t*, entries of status.changes that are to be carried out */
  gint64 changes_seen; /* the highest number of them */
  int iteration;
  gint64 switchover_us;
  gint64 resumed_us; /* the first time */
  gboolean post_copy, defined;
  guint missed;        /* how often events may have been missed */
  json_t *doubt;       /* status of the object, as far as it is about copies in doubt */
  const char *stopped; /* static */
  const char *blame;   /* written once, with its text */
  char *blame_text;
  char *control_text; /* why the target's hypervisor is silent; NULL: it is not */
  gboolean control_news;
  gboolean have_completed;
  FerryJobStats completed;
};

FerryInbox *ferry_inbox_new(void) {
  FerryInbox *b = g_new0(FerryInbox, 1);
  g_mutex_init(&b->lock);
  g_cond_init(&b->cond);
  g_queue_init(&b->changes);
  return b;
}

void ferry_inbox_free(FerryInbox *b) {
  g_clear_error(&b->call_error);
  g_queue_clear_full(&b->changes, (GDestroyNotify)json_decref);
  json_decref(b->probe);
  json_decref(b->doubt);
  g_free(b->domain);
  g_free(b->blame_text);
  g_free(b->control_text);
  g_mutex_clear(&b->lock);
  g_cond_clear(&b->cond);
  g_free(b);
}

/* Takes new entries of status.changes; the lock is held. */
static void see_changes(FerryInbox *b, const json_t *object) {
  gsize i;
  json_t *change;
  gint64 seen = b->changes_seen;
  json_array_foreach(ferry_json_get(object, "status.changes"), i, change) {
    gint64 number = ferry_migration_change_number(change);
    if (number <= b->changes_seen)
      continue;
    seen = MAX(seen, number);
    if (ferry_change_state_of(change) != FERRY_CHANGE_REQUESTED)
      continue;
    g_queue_push_tail(&b->changes, json_deep_copy(change));
    b->news = TRUE;
  }
  b->changes_seen = seen;
}

static void see_probe(FerryInbox *b, const json_t *object) {
  json_t *probe = ferry_json_get(object, "status.migrationState.bandwidthProbe");
  if (!json_is_object(probe) || json_equal(probe, b->probe))
    return;
  json_decref(b->probe);
  b->probe = json_deep_copy(probe);
}

static void see_doubt(FerryInbox *b, const json_t *object) {
  static const char *const parts[] = {"status.migrationState.doubt",
                                      "status.migrationState.keepNode",
                                      "status.migrationState.outcome",
                                      "status.migrationState.sourceNode",
                                      "status.migrationState.targetNode",
                                      "status.migrationState.migrationConfiguration.onAmbiguity"};
  json_t *doubt = json_object();
  for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
    if (ferry_json_get(object, parts[i]))
      ferry_json_set(doubt, parts[i], json_deep_copy(ferry_json_get(object, parts[i])));
  json_decref(b->doubt);
  b->doubt = doubt;
}

void ferry_inbox_update(FerryInbox *b, const json_t *object) {
  gboolean cancel = ferry_json_bool(object, "status.migrationState.abortRequested", FALSE) ||
                    ferry_json_str(object, "metadata.deletionTimestamp") != NULL;
  g_mutex_lock(&b->lock);
  b->cancel = b->cancel || cancel;
  see_probe(b, object);
  see_doubt(b, object);
  see_changes(b, object);
  g_cond_broadcast(&b->cond);
  g_mutex_unlock(&b->lock);
}

void ferry_inbox_event(FerryInbox *b, const FerryHostEvent *event) {
  g_mutex_lock(&b->lock);
  b->missed +=
      event->type == FERRY_HOST_EVENT_CONNECTED || event->type == FERRY_HOST_EVENT_DISCONNECTED;
  b->defined = b->defined || event->defined;
  b->stopped = event->stopped ? event->stopped : b->stopped;
  if (event->type == FERRY_HOST_EVENT_ITERATION) {
    b->iteration = event->iteration;
  } else if (event->type == FERRY_HOST_EVENT_COMPLETED && event->stats &&
             event->stats->migration_out) {
    b->completed = *event->stats;
    b->have_completed = TRUE;
  } else if (event->pause == FERRY_HOST_PAUSE_SWITCHOVER) {
    b->switchover_us = g_get_monotonic_time();
    b->post_copy = FALSE; /* where it was asked for, that came too late */
  } else if (event->pause == FERRY_HOST_PAUSE_POST_COPY) {
    b->post_copy = TRUE;
  } else if (event->pause == FERRY_HOST_PAUSE_ENDED && b->switchover_us) {
    b->resumed_us = b->resumed_us ? b->resumed_us : g_get_monotonic_time();
  }
  b->news = TRUE;
  g_cond_broadcast(&b->cond);
  g_mutex_unlock(&b->lock);
}

void ferry_inbox_return(const GError *error, gpointer inbox) {
  FerryInbox *b = inbox;
  g_mutex_lock(&b->lock);
  b->returned = TRUE;
  b->call_error = error ? g_error_copy(error) : NULL;
  g_cond_broadcast(&b->cond);
  g_mutex_unlock(&b->lock);
}

void ferry_inbox_stage(FerryInbox *b, gint64 *switchover_us, gboolean *post_copy) {
  g_mutex_lock(&b->lock);
  *switchover_us = b->switchover_us;
  *post_copy = b->post_copy;
  g_mutex_unlock(&b->lock);
}

gint64 ferry_inbox_resumed_us(FerryInbox *b) {
  g_mutex_lock(&b->lock);
  gint64 resumed_us = b->resumed_us;
  g_mutex_unlock(&b->lock);
  return resumed_us;
}

guint ferry_inbox_missed(FerryInbox *b) {
  g_mutex_lock(&b->lock);
  guint missed = b->missed;
  g_mutex_unlock(&b->lock);
  return missed;
}

json_t *ferry_inbox_doubt(FerryInbox *b) {
  g_mutex_lock(&b->lock);
  json_t *doubt = json_deep_copy(b->doubt);
  g_mutex_unlock(&b->lock);
  return doubt;
}

const char *ferry_inbox_stopped(FerryInbox *b) {
  g_mutex_lock(&b->lock);
  const char *stopped = b->stopped;
  g_mutex_unlock(&b->lock);
  return stopped;
}

gboolean ferry_inbox_take_defined(FerryInbox *b) {
  g_mutex_lock(&b->lock);
  gboolean defined = b->defined;
  b->defined = FALSE;
  g_mutex_unlock(&b->lock);
  return defined;
}

void ferry_inbox_set_post_copy(FerryInbox *b) {
  g_mutex_lock(&b->lock);
  b->post_copy = TRUE;
  g_mutex_unlock(&b->lock);
}

void ferry_inbox_blame(FerryInbox *b, const char *reason, const char *text) {
  g_mutex_lock(&b->lock);
  if (!b->blame) {
    b->blame = reason;
    b->blame_text = g_strdup(text);
  }
  g_mutex_unlock(&b->lock);
}

void ferry_inbox_control(FerryInbox *b, const char *text) {
  g_mutex_lock(&b->lock);
  g_free(b->control_text);
  b->control_text = g_strdup(text);
  b->control_news = TRUE;
  g_mutex_unlock(&b->lock);
}

gboolean ferry_inbox_take_control(FerryInbox *b, char **text) {
  g_mutex_lock(&b->lock);
  gboolean news = b->control_news;
  *text = news ? g_strdup(b->control_text) : NULL;
  b->control_news = FALSE;
  g_mutex_unlock(&b->lock);
  return news;
}

const char *ferry_inbox_blamed(FerryInbox *b, const char **text) {
  g_mutex_lock(&b->lock);
  const char *reason = b->blame;
  *text = b->blame_text;
  g_mutex_unlock(&b->lock);
  return reason;
}

const char *ferry_inbox_domain(FerryInbox *b) {
  g_mutex_lock(&b->lock);
  const char *domain = b->domain;
  g_mutex_unlock(&b->lock);
  return domain;
}

void ferry_inbox_set_domain(FerryInbox *b, const char *uuid) {
  g_mutex_lock(&b->lock);
  if (!b->domain)
    b->domain = g_strdup(uuid);
  g_mutex_unlock(&b->lock);
}

gboolean ferry_inbox_is_done(FerryInbox *b) {
  g_mutex_lock(&b->lock);
  gboolean done = b->done;
  g_mutex_unlock(&b->lock);
  return done;
}

gboolean ferry_inbox_has_called(FerryInbox *b) {
  g_mutex_lock(&b->lock);
  gboolean called = b->called;
  g_mutex_unlock(&b->lock);
  return called;
}

void ferry_inbox_set_done(FerryInbox *b) {
  g_mutex_lock(&b->lock);
  b->done = TRUE;
  g_mutex_unlock(&b->lock);
}

void ferry_inbox_set_called(FerryInbox *b, gboolean called) {
  g_mutex_lock(&b->lock);
  b->called = called;
  g_mutex_unlock(&b->lock);
}

gboolean ferry_inbox_is_cancelled(FerryInbox *b) {
  g_mutex_lock(&b->lock);
  gboolean cancel = b->cancel;
  g_mutex_unlock(&b->lock);
  return cancel;
}

gboolean ferry_inbox_wait(FerryInbox *b, gint64 ms, gboolean cancel_seen) {
  gint64 until = g_get_monotonic_time() + ms * 1000;
  g_mutex_lock(&b->lock);
  while (!b->returned && !b->news && !(b->cancel && !cancel_seen) &&
         g_cond_wait_until(&b->cond, &b->lock, until))
    ;
  b->news = FALSE;
  gboolean returned = b->returned;
  g_mutex_unlock(&b->lock);
  return returned;
}

json_t *ferry_inbox_take_change(FerryInbox *b) {
  g_mutex_lock(&b->lock);
  json_t *change = g_queue_pop_head(&b->changes);
  g_mutex_unlock(&b->lock);
  return change;
}

int ferry_inbox_iteration(FerryInbox *b) {
  g_mutex_lock(&b->lock);
  int iteration = b->iteration;
  g_mutex_unlock(&b->lock);
  return iteration;
}

json_t *ferry_inbox_wait_probe(FerryInbox *b, gint64 patience_ms, gboolean (*ended)(gpointer data),
                               gpointer data) {
  gint64 until = g_get_monotonic_time() + patience_ms * 1000;
  gboolean stop = FALSE;
  g_mutex_lock(&b->lock);
  while (!stop && !b->probe && !b->cancel && g_get_monotonic_time() < until) {
    g_cond_wait_until(&b->cond, &b->lock, MIN(until, g_get_monotonic_time() + SLICE_US));
    g_mutex_unlock(&b->lock);
    stop = ended(data);
    g_mutex_lock(&b->lock);
  }
  json_t *probe = json_incref(b->probe);
  g_mutex_unlock(&b->lock);
  return probe;
}

gboolean ferry_inbox_has_returned(FerryInbox *b) {
  g_mutex_lock(&b->lock);
  gboolean returned = b->returned;
  g_mutex_unlock(&b->lock);
  return returned;
}

gboolean ferry_inbox_take_call(FerryInbox *b, GError **error) {
  g_mutex_lock(&b->lock);
  *error = g_steal_pointer(&b->call_error);
  gboolean returned = b->returned;
  g_mutex_unlock(&b->lock);
  return returned;
}

void ferry_inbox_forget_call(FerryInbox *b) {
  g_mutex_lock(&b->lock);
  b->returned = FALSE;
  g_mutex_unlock(&b->lock);
}

gboolean ferry_inbox_completed(FerryInbox *b, gint64 ms, FerryJobStats *stats) {
  gint64 until = g_get_monotonic_time() + ms * 1000;
  g_mutex_lock(&b->lock);
  while (!b->have_completed && ms > 0 && g_cond_wait_until(&b->cond, &b->lock, until))
    ;
  gboolean have = b->have_completed;
  if (have)
    *stats = b->completed;
  g_mutex_unlock(&b->lock);
  return have;
}
