// SPDX-License-Identifier: Apache-2.0
// Certificates of libvirt's CA that outlive their Node: libvirtd asks nobody whether they still
// count, so they are known until they end.
#pragma once
#include "api/http/api.h"

G_BEGIN_DECLS

/** One for each node that was deleted, with status.libvirtTrust.given as a Node has it; never
 * served. */
extern const FerryKind ferry_kind_trust_kept;

/** Adds the write that keeps what `node`, which is deleted, was given and is good still; what that
 * points at is put into `keep`. How many such certificates there are. */
guint ferry_trust_kept_writes(FerryApi *api, const json_t *node, GArray *writes, GPtrArray *keep);
/** Adds to `given` what a Node of that name had before it was deleted and is good still. */
void ferry_trust_kept_restore(FerryApi *api, const char *node, gint64 now_ms, json_t *given);
/** Adds the kept ones, shaped like Nodes, to `nodes`. */
void ferry_trust_kept_list(FerryApi *api, GPtrArray *nodes);

G_END_DECLS
