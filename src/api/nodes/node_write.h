// SPDX-License-Identifier: Apache-2.0
// Changes of a Node by the API itself.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** Puts a change into `node` in place. May be called several times, each time with what is stored
 * then. */
typedef void (*FerryNodeChange)(json_t *node, gint64 now_ms, gpointer data);

/** Changes the Node `name` by `change` until nobody else was faster; where it is missing it is made
 * (its agent's epoch is one that no agent has seen), or with `make` FALSE that is NOT_FOUND. What
 * is the same afterwards is not written. CONFLICT. Any thread. */
gboolean ferry_node_write(FerryApi *api, const char *name, gboolean make, FerryNodeChange change,
                          gpointer data, GError **error);

G_END_DECLS
