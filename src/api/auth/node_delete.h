// SPDX-License-Identifier: Apache-2.0
// What goes with a Node.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** Whether a Node may go: nothing runs there and its agent is silent, or `req` forces it. */
gboolean ferry_admit_node_delete(FerryRequest *req, const json_t *node, GError **error);
/** Writes that go with the deletion of `object`, of any kind: what it was given is void. `keep`
 * gets arrays that own what the writes point at. */
void ferry_delete_also(FerryRequest *req, const json_t *object, GArray *writes, GPtrArray *keep);
/** After a Node has gone: its join tokens and its records in VMs go, too. What became of all of it
 * is appended to req->write.told. */
void ferry_node_deleted(FerryRequest *req, const char *node);

G_END_DECLS
