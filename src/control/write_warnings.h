// SPDX-License-Identifier: Apache-2.0
// What somebody wrote that is taken and has no effect, or another one than it seems.
#pragma once
#include "base/json.h"
#include "model/kinds/kind.h"

G_BEGIN_DECLS

/** What an object is held against; borrowed. */
typedef struct {
  json_t *const *networks;
  gsize n_networks;
  json_t *const *nodes;
  gsize n_nodes;
} FerryWriteWorld;

typedef enum {
  FERRY_WRITE_NEEDS_NOTHING, /* nobody is warned of objects of the kind */
  FERRY_WRITE_NEEDS_NETWORKS,
  FERRY_WRITE_NEEDS_NODES,
} FerryWriteNeeds;
/** What of the world is looked at for objects of a kind. Pure. */
FerryWriteNeeds ferry_write_needs(const FerryKind *kind);

/** Adds a text (free with g_free) to `out` for each: a Network that is named and isn't there, hosts
 * that are not in a Network that is not required, a KubeVirt object that nobody reads, an
 * annotation of Ferry's or an element of a VM's policy metadata that nobody reads, and a bandwidth
 * that is not a whole number of MiB/s, which is libvirt's unit. Objects of other kinds have none.
 * Pure. */
void ferry_write_warnings(const FerryKind *kind, const json_t *object, const FerryWriteWorld *world,
                          GPtrArray *out);

/** Whether a VM's own words (its domain's metadata, its annotations) say anything that `before`
 * (NULL: nothing) did not: what was warned of then need not be said again. Pure. */
gboolean ferry_write_vm_says_more(const json_t *before, const json_t *vmi);

G_END_DECLS
