// SPDX-License-Identifier: Apache-2.0
// Which hosts and which other VMs a VM is to be with, or apart from, by their labels.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** Most rules of one kind. A plain number, for tables too. */
#define FERRY_AFFINITY_RULES_MAX 16

typedef struct FerryAffinity FerryAffinity;

/** Whether the resolved configuration has a rule about other VMs, so that those must be known.
 * Pure.
 */
gboolean ferry_affinity_is_of_vms(const json_t *config);

/** The rules of `config` (resolved; NULL: none) for `vmi`. `others` are VMs, among which those of
 * its namespace count, but for itself: where they run, and where the live ones of `migrations`
 * bring them as well. All borrowed until ferry_affinity_free; a term that can't be read is no rule
 * (ferry_affinity_check refuses it where it is written). Pure. */
FerryAffinity *ferry_affinity_new(const json_t *config, const json_t *vmi, json_t *const *others,
                                  gsize n_others, json_t *const *migrations, gsize n_migrations);
/** Tells it of the nodes, borrowed as the rest is, so that it knows which of them are emptied;
 * until then none is. */
void ferry_affinity_take_nodes(FerryAffinity *affinity, json_t *const *nodes, gsize n);
void ferry_affinity_free(FerryAffinity *affinity);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryAffinity, ferry_affinity_free)

/** Is given what speaks against a node: `of_vms` is TRUE where other VMs are the reason, `apart`
 * where they are there and should not be. */
typedef void (*FerryAffinityFound)(gboolean of_vms, gboolean apart, const char *text,
                                   gpointer data);

/** Calls `found` for each hard rule (`hard`), or each preference, that `node` doesn't keep. That
 * other VMs be there too is not asked where they are nowhere, or only on nodes that are emptied
 * themselves: somebody must be the first to leave. Pure. */
void ferry_affinity_against(const FerryAffinity *affinity, const json_t *node, gboolean hard,
                            FerryAffinityFound found, gpointer data);

/** Adds a cause for each term of a policy's or a VM's spec that can't be read, by its path. Pure.
 */
void ferry_affinity_check(const json_t *spec, const char *path, GError *causes);

G_END_DECLS
