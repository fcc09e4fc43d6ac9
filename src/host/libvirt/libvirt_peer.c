// SPDX-License-Identifier: Apache-2.0
// What another host's libvirt says of a domain.
//
// Theory of operation: libvirt has no time limit for opening a connection, so a libvirtd that hangs
// would keep the asking thread for as long as it likes. So each question has a thread of its own;
// whoever asks waits PATIENCE_US for it and then leaves it to itself. One question at a time for
// each domain at each peer, so that no more than one thread hangs for it.
#include "host/libvirt/libvirt_private.h"

#define PATIENCE_US (10 * G_USEC_PER_SEC)

typedef struct {
  gatomicrefcount refs; /* the thread's and the asker's */
  char *uri, *uuid, *key;
  GMutex lock; /* guards all below */
  GCond cond;
  gboolean done, ok;
  FerryDomainState state;
  GError *error;
} Question;

/* What has not been answered yet, as "URI UUID". Of the process: a question outlives its host. */
static GMutex open_lock;
static GHashTable *open_questions; /* guarded by open_lock */

/* FALSE: it was asked before, and not answered yet. */
static gboolean open_question(char *key) {
  g_mutex_lock(&open_lock);
  if (!open_questions)
    open_questions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  gboolean first = !g_hash_table_contains(open_questions, key);
  if (first)
    g_hash_table_add(open_questions, g_strdup(key));
  g_mutex_unlock(&open_lock);
  return first;
}

static void close_question(const char *key) {
  g_mutex_lock(&open_lock);
  g_hash_table_remove(open_questions, key);
  g_mutex_unlock(&open_lock);
}

static void question_unref(Question *q) {
  if (!g_atomic_ref_count_dec(&q->refs))
    return;
  g_mutex_clear(&q->lock);
  g_cond_clear(&q->cond);
  g_clear_error(&q->error);
  g_free(q->uri);
  g_free(q->uuid);
  g_free(q->key);
  g_free(q);
}

static gboolean libvirt_peer_ask(const char *uri, const char *uuid, FerryDomainState *out,
                                 GError **error) {
  virConnectPtr conn = virConnectOpen(uri);
  if (!conn)
    return ferry_libvirt_error(error, "cannot ask the other host's libvirt");
  gboolean ok = FALSE;
  virDomainPtr domain = virDomainLookupByUUIDString(conn, uuid);
  if (domain) {
    ok = ferry_libvirt_state(domain, out, error);
    virDomainFree(domain);
  } else {
    virErrorPtr e = virGetLastError();
    ok = e && e->code == VIR_ERR_NO_DOMAIN;
    if (!ok)
      ok = ferry_libvirt_error(error, "cannot look up the domain at the other host");
  }
  virConnectClose(conn);
  virResetLastError();
  return ok;
}

static gpointer ask_thread(gpointer data) {
  Question *q = data;
  FerryDomainState state = {.state = "gone", .reason = "unknown", .id = -1};
  GError *error = NULL;
  gboolean ok = libvirt_peer_ask(q->uri, q->uuid, &state, &error);
  close_question(q->key);
  g_mutex_lock(&q->lock);
  q->ok = ok;
  q->state = state;
  q->error = error;
  q->done = TRUE;
  g_cond_broadcast(&q->cond);
  g_mutex_unlock(&q->lock);
  question_unref(q);
  return NULL;
}

static gboolean is_silent(GError **error, const char *uri) {
  g_set_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_PEER_UNREACHABLE,
              "the other host's libvirt (%s) does not answer", uri);
  return FALSE;
}

gboolean ferry_libvirt_peer_state(FerryHost *base, const char *uri, const char *uuid,
                                  FerryDomainState *out, GError **error) {
  g_autofree char *key = g_strdup_printf("%s %s", uri, uuid);
  *out = (FerryDomainState){.state = "gone", .reason = "unknown", .id = -1};
  if (!open_question(key))
    return is_silent(error, uri);
  Question *q = g_new0(Question, 1);
  g_atomic_ref_count_init(&q->refs);
  g_atomic_ref_count_inc(&q->refs);
  g_mutex_init(&q->lock);
  g_cond_init(&q->cond);
  q->key = g_steal_pointer(&key);
  q->uri = g_strdup(uri);
  q->uuid = g_strdup(uuid);
  g_thread_unref(g_thread_new("peer", ask_thread, q));
  gint64 until = g_get_monotonic_time() + PATIENCE_US;
  g_mutex_lock(&q->lock);
  while (!q->done && g_cond_wait_until(&q->cond, &q->lock, until))
    ;
  gboolean done = q->done, ok = q->ok;
  if (done) {
    *out = q->state;
    if (q->error)
      g_propagate_error(error, g_steal_pointer(&q->error));
  }
  g_mutex_unlock(&q->lock);
  question_unref(q);
  return done ? ok : is_silent(error, uri);
}
