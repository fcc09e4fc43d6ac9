// SPDX-License-Identifier: Apache-2.0
// For which names and addresses a host gets a certificate of libvirt's CA.
#pragma once
#include "base/error.h"
#include "base/json.h"

G_BEGIN_DECLS

/** Judges what the agent of `node` (the stored Node, among `nodes`) asks for. `good` gets the
 * Node's own name, its spec.peer's host, and of `names`: DNS names that are below that name, or
 * its spec.peer's host, and addresses that the stored Node has; none of them another Node's by
 * name, peer, address or a certificate that is good still. `out` gets the rest. BAD_REQUEST: what
 * no host can be reached by; FORBIDDEN: the Node's own name can be in no certificate. */
gboolean ferry_trust_names_judge(GPtrArray *nodes, const json_t *node, const json_t *names,
                                 gint64 now_ms, json_t *good, json_t *out, GError **error);

G_END_DECLS
