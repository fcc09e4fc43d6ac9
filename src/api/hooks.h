// SPDX-License-Identifier: Apache-2.0
// What the API asks of whom it serves; ferryd gives it to the API at its start (server.h).
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

typedef struct FerryApi FerryApi;

/** What the API asks of the rest of the control plane. Called from the API's worker threads,
 * several at a time; may block on the store. */
typedef struct {
  /** Merges an agent's report (see POST .../nodes/NAME/report) into the store. `node` is the
   * authenticated node's name, equal to the one in the URL; `body` is borrowed, it is a JSON object
   * whose `epoch` was already checked against the node's current session. FALSE with a FERRY_ERROR
   * becomes the answer. NULL: reports are answered 503. */
  gboolean (*report)(gpointer data, const char *node, const json_t *body, GError **error);
  /** Appends Prometheus text to `out` for GET /metrics, beside the API's own. May be NULL. */
  void (*metrics)(gpointer data, GString *out);
  /** "https://HOST:PORT" of the other servers that were discovered, NULL-ended, for GET /peers.
   * Free with g_strfreev. NULL: none ever. */
  char **(*peers)(gpointer data);
  gpointer data;
} FerryApiHooks;

G_END_DECLS
