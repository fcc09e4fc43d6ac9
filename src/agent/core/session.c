// SPDX-License-Identifier: Apache-2.0
#include "agent/core/session.h"

#define MAX_IDLE_CLIENTS 4

struct _FerryAgentSession {
  FerryAgentContext *context;
  GMutex lock; /* guards what follows; the context's may be taken inside it */
  GCond cond;
  gint64 epoch;              /* 0: no session yet */
  FerryClientConfig *config; /* NULL: no ferryd */
  GPtrArray *old_configs;    /* FerryClientConfig*, of certificates that were renewed */
  GQueue clients;            /* FerryClient*, idle */
};

static void wake_session(gpointer data) {
  FerryAgentSession *s = data;
  g_mutex_lock(&s->lock);
  g_cond_broadcast(&s->cond);
  g_mutex_unlock(&s->lock);
}

FerryAgentSession *ferry_session_new(FerryAgentContext *context, const FerryClientConfig *config) {
  FerryAgentSession *s = g_new0(FerryAgentSession, 1);
  s->context = context;
  s->config = config ? ferry_client_config_copy(config) : NULL;
  s->epoch = config ? 0 : 1;
  s->old_configs = g_ptr_array_new_with_free_func((GDestroyNotify)ferry_client_config_free);
  g_queue_init(&s->clients);
  g_mutex_init(&s->lock);
  g_cond_init(&s->cond);
  ferry_context_add_waker(context, wake_session, s);
  return s;
}

void ferry_session_free(FerryAgentSession *s) {
  g_queue_clear_full(&s->clients, (GDestroyNotify)ferry_client_free);
  g_clear_pointer(&s->config, ferry_client_config_free);
  g_ptr_array_unref(s->old_configs);
  g_mutex_clear(&s->lock);
  g_cond_clear(&s->cond);
  g_free(s);
}

const FerryClientConfig *ferry_session_config(FerryAgentSession *s) {
  g_mutex_lock(&s->lock);
  const FerryClientConfig *config = s->config;
  g_mutex_unlock(&s->lock);
  return config;
}

void ferry_session_set_config(FerryAgentSession *s, FerryClientConfig *config) {
  g_mutex_lock(&s->lock);
  /* Others may just be reading it: it goes with the session. */
  g_ptr_array_add(s->old_configs, s->config);
  s->config = config;
  g_queue_clear_full(&s->clients, (GDestroyNotify)ferry_client_free);
  g_mutex_unlock(&s->lock);
}

void ferry_session_begin(FerryAgentSession *s, gint64 epoch) {
  g_mutex_lock(&s->lock);
  s->epoch = epoch;
  g_cond_broadcast(&s->cond);
  g_mutex_unlock(&s->lock);
}

gint64 ferry_session_epoch(FerryAgentSession *s) {
  gboolean stop;
  g_mutex_lock(&s->lock);
  while (!(stop = ferry_context_is_stopped(s->context)) && !s->epoch)
    g_cond_wait(&s->cond, &s->lock);
  gint64 epoch = stop ? 0 : s->epoch;
  g_mutex_unlock(&s->lock);
  return epoch;
}

gint64 ferry_session_epoch_now(FerryAgentSession *s) {
  g_mutex_lock(&s->lock);
  gint64 epoch = s->epoch;
  g_mutex_unlock(&s->lock);
  return epoch;
}

/* Whether `client` shows the present certificate to the present server. Caller holds the lock. */
static gboolean is_current(const FerryAgentSession *s, const FerryClient *client) {
  const FerryClientConfig *has = ferry_client_config(client);
  return g_strcmp0(has->cert_pem, s->config->cert_pem) == 0 &&
         g_strcmp0(has->server, s->config->server) == 0;
}

FerryClient *ferry_session_take_client(FerryAgentSession *s) {
  g_mutex_lock(&s->lock);
  FerryClient *client = g_queue_pop_tail(&s->clients);
  const FerryClientConfig *config = s->config;
  g_mutex_unlock(&s->lock);
  if (!client) {
    g_autoptr(GError) error = NULL;
    client = ferry_client_new(config, &error);
    if (!client)
      g_error("%s", error->message); /* the same configuration was accepted at the start */
  }
  return client;
}

void ferry_session_give_client(FerryAgentSession *s, FerryClient *client) {
  g_mutex_lock(&s->lock);
  gboolean keep = s->clients.length < MAX_IDLE_CLIENTS && is_current(s, client);
  if (keep)
    g_queue_push_tail(&s->clients, client);
  g_mutex_unlock(&s->lock);
  if (!keep)
    ferry_client_free(client);
}

void ferry_session_refresh_client(FerryAgentSession *s, FerryClient **client) {
  g_mutex_lock(&s->lock);
  gboolean current = is_current(s, *client);
  g_mutex_unlock(&s->lock);
  if (current)
    return;
  ferry_client_free(*client);
  *client = ferry_session_take_client(s);
}
