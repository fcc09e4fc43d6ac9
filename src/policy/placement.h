// SPDX-License-Identifier: Apache-2.0
// Choosing a target: every node gets all the reasons that speak against it.
#pragma once
#include "policy/limits.h"
#include "policy/place/affinity.h"
#include "policy/promises.h"

G_BEGIN_DECLS

/** What placement looks at; everything borrowed. */
typedef struct {
  const json_t *vmi;
  const json_t *migration;
  json_t *const *nodes;
  gsize n_nodes;
  json_t *const *networks;
  gsize n_networks;
  json_t *const *vmis; /* all VMs, for names taken at a target */
  gsize n_vmis;
  const json_t *config;          /* resolved */
  const FerryLimits *limits;     /* NULL: inbound limits are not looked at */
  const FerryPromises *promises; /* NULL: nothing is on its way to any node */
  const FerryAffinity *affinity; /* NULL: no rule about hosts and other VMs */
  json_t *const *migrations;     /* that have not ended, for what is on its way to each host */
  gsize n_migrations;
} FerryPlacementInput;

/** The reasons against one node as target: a new list of {reason, message}; empty: it fits.
 * `transient` (may be NULL) tells whether every reason may go away by itself (limits, a node that
 * is not ready). Pure. */
json_t *ferry_placement_reasons(const FerryPlacementInput *in, const json_t *node,
                                gboolean *transient);

/** Whether `reasons`, as ferry_placement_reasons gives them, are some, and all say only that too
 * much goes there now (LinkFull, InboundLimit). Pure. */
gboolean ferry_placement_is_room_only(const json_t *reasons);

/** The host that the VM leaves (when a post-copy is resumed, the one it left), borrowed from `in`;
 * NULL: it is not among them. Pure. */
const json_t *ferry_placement_source(const FerryPlacementInput *in);

/** Why the VM cannot be the machine it is on that node, by what the node says it has (one that has
 * not said may have all): a new list of {reason, message}. What the guest sees of its machine can't
 * change while it moves, so waiting helps with none of it. `config` may be NULL. Pure. */
json_t *ferry_placement_machine_reasons(const json_t *vmi, const json_t *config,
                                        const json_t *node);

/** Memory of the node that neither its domains use nor is promised to VMs on their way there; -1:
 * it has not said what it has. Pure. */
gint64 ferry_placement_free_memory(const FerryPlacementInput *in, const json_t *node);

/** Bytes of memory that the node has; -1: not known. Pure. */
gint64 ferry_placement_memory_capacity(const json_t *node);
/** Processors of the node; 0: not known. Pure. */
gint64 ferry_placement_processors(const json_t *node);

/** Status of a node's Ready condition is "True". */
gboolean ferry_node_is_ready(const json_t *node);

G_END_DECLS
