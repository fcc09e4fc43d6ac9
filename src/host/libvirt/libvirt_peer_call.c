// SPDX-License-Identifier: Apache-2.0
// A question to another host's libvirt that brings something with it.
//
// Theory of operation: libvirt has no time limit for opening a connection, so a libvirtd that hangs
// would keep the asking thread for as long as it likes. So each question has a thread of its own;
// whoever asks waits for it and then leaves it to itself. One question of a kind at a time for each
// domain at each peer, so that no more than one thread hangs for it.
#include "host/libvirt/libvirt_private.h"

typedef struct {
  gatomicrefcount refs; /* the thread's and the asker's */
  FerryLibvirtPeerCall call;
  char *uri, *key;
  GMutex lock; /* guards all below */
  GCond cond;
  gboolean done, ok;
  GError *error;
} Question;

/* What has not been answered yet, by its key. Of the process: a question outlives its host. */
static GMutex open_lock;
static GHashTable *open_questions; /* guarded by open_lock */

/* FALSE: it was asked before, and not answered yet. */
static gboolean open_question(const char *key) {
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
  g_atomic_rc_box_release_full(q->call.data, q->call.cleared);
  g_mutex_clear(&q->lock);
  g_cond_clear(&q->cond);
  g_clear_error(&q->error);
  g_free(q->uri);
  g_free(q->key);
  g_free(q);
}

static gpointer ask_thread(gpointer data) {
  Question *q = data;
  GError *error = NULL;
  virConnectPtr conn = virConnectOpen(q->uri);
  gboolean ok = conn != NULL;
  if (!conn)
    ferry_libvirt_error(&error, "cannot ask the other host's libvirt");
  else
    ok = q->call.ask(conn, q->call.data, &error);
  if (conn)
    virConnectClose(conn);
  virResetLastError();
  close_question(q->key);
  g_mutex_lock(&q->lock);
  q->ok = ok;
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

gboolean ferry_libvirt_peer_call(const FerryLibvirtPeerCall *call, GError **error) {
  if (!open_question(call->key))
    return is_silent(error, call->uri);
  Question *q = g_new0(Question, 1);
  g_atomic_ref_count_init(&q->refs);
  g_atomic_ref_count_inc(&q->refs);
  g_mutex_init(&q->lock);
  g_cond_init(&q->cond);
  q->call = *call;
  q->call.data = g_atomic_rc_box_acquire(call->data);
  q->uri = g_strdup(call->uri);
  q->key = g_strdup(call->key);
  g_thread_unref(g_thread_new("peer", ask_thread, q));
  gint64 until = g_get_monotonic_time() + call->patience_us;
  g_mutex_lock(&q->lock);
  while (!q->done && g_cond_wait_until(&q->cond, &q->lock, until))
    ;
  gboolean done = q->done, ok = q->ok;
  if (done && q->error)
    g_propagate_error(error, g_steal_pointer(&q->error));
  g_mutex_unlock(&q->lock);
  question_unref(q);
  return done ? ok : is_silent(error, call->uri);
}
