// SPDX-License-Identifier: Apache-2.0
// Which of the hosts that can take a VM does.
#pragma once
#include "policy/place/score.h"
#include "policy/placement.h"

G_BEGIN_DECLS

/** Chooses among the nodes that nothing speaks against (placement.h) the one with the fewest
 * drawbacks, then the best score, then the most free memory, then by name; spec.targetNode and
 * spec.addedNodeSelector heeded. Returns it borrowed, or NULL; `refusals` gets a new list of
 * {nodeName, reasons:[{reason, message}]}, `transient` whether waiting can help. Pure. */
const json_t *ferry_placement_choose(const FerryPlacementInput *in, json_t **refusals,
                                     gboolean *transient);

/** What is better to avoid about `node`, where there is another one: taints that only ask for that,
 * a way past the migration network, preferences that it doesn't keep. A new list of texts. Pure. */
json_t *ferry_placement_drawbacks(const FerryPlacementInput *in, const json_t *node);

/** Scores of `n` nodes beside each other, by the configuration's `placement`, into `out`. Pure. */
void ferry_placement_scores(const FerryPlacementInput *in, const json_t *const *nodes, gsize n,
                            FerryHostScore *out);

/** Migrations of `in` that are on their way to `node`, without the one that is placed. Pure. */
gint64 ferry_placement_inbound(const FerryPlacementInput *in, const char *node);

G_END_DECLS
