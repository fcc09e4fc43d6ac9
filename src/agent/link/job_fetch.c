// SPDX-License-Identifier: Apache-2.0
// The Nodes that a job names, from ferryd. Where ferryd is away this waits: without it no phase can
// be written either, so nothing would begin.
#include "agent/link/job_fetch.h"
#include "base/log.h"
#include "model/migration/peer_uri.h"

typedef struct {
  FerryAgentContext *context;
  FerryAgentSession *session;
  gboolean (*stopped)(gpointer data);
  gpointer data;
} Asker;

/* NULL without an error: there is no such Node. NULL with one: stopped. */
static json_t *get_node(const Asker *a, const char *name, GError **error) {
  g_autofree char *path = ferry_client_path("", "v1", NULL, "nodes", name, NULL);
  gint64 backoff = 0;
  for (;;) {
    g_autoptr(GError) cause = NULL;
    FerryClient *client = ferry_session_take_client(a->session);
    json_t *node = ferry_client_request(client, "GET", path, NULL, NULL, NULL, NULL, &cause);
    ferry_session_give_client(a->session, client);
    if (node || g_error_matches(cause, FERRY_ERROR, FERRY_ERROR_NOT_FOUND))
      return node;
    if (backoff == 0)
      ferry_warning(cause->message, "FERRY_NODE", name);
    if (a->stopped(a->data) || !ferry_context_sleep(a->context, ferry_backoff_next(&backoff))) {
      g_propagate_error(error, g_steal_pointer(&cause));
      return NULL;
    }
  }
}

/* what is no name of a Node gets no request */
static gboolean is_node_name(const char *name) {
  return name && *name && !strpbrk(name, "/?#%");
}

char *ferry_job_peer_uri(FerryAgentContext *context, FerryAgentSession *session, const char *node) {
  if (!is_node_name(node))
    return NULL;
  g_autofree char *path = ferry_client_path("", "v1", NULL, "nodes", node, NULL);
  FerryClient *client = ferry_session_take_client(session);
  g_autoptr(json_t) found = ferry_client_request_full(
      client, "GET", path, NULL, NULL, NULL, ferry_context_cancellable(context), NULL, NULL);
  ferry_session_give_client(session, client);
  const json_t *peer = found ? ferry_peer_of_node(found) : NULL;
  return peer ? ferry_peer_uri(peer, NULL) : NULL;
}

FerryJobVerdict ferry_job_verdict(FerryAgentContext *context, FerryAgentSession *session,
                                  const json_t *migration, const FerryJobHere *here,
                                  gboolean (*stopped)(gpointer data), gpointer data,
                                  GError **error) {
  Asker a = {context, session, stopped, data};
  const char *own_node = ferry_context_node(context);
  g_autoptr(GError) cause = NULL;
  const char *other = ferry_json_str(migration, here ? "status.migrationState.targetNode"
                                                     : "status.migrationState.sourceNode");
  g_autoptr(json_t) node = is_node_name(other) ? get_node(&a, other, &cause) : NULL;
  g_autoptr(json_t) own = here || cause ? NULL : get_node(&a, own_node, &cause);
  if (cause) {
    g_propagate_error(error, g_steal_pointer(&cause));
    return FERRY_JOB_STOPPED;
  }
  gboolean fits = here ? ferry_job_check_source(migration, here, node, &cause)
                       : ferry_job_check_target(migration, own_node, node, own, &cause);
  if (fits)
    return FERRY_JOB_FITS;
  ferry_warning(cause->message, "FERRY_MIGRATION", ferry_json_str(migration, "metadata.name"),
                "FERRY_NODE", own_node);
  g_propagate_error(error, g_steal_pointer(&cause));
  return FERRY_JOB_REFUSED;
}
