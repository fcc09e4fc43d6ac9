// SPDX-License-Identifier: Apache-2.0
// Whether a migration that somebody asks for makes sense at all: checked before it is stored.
#pragma once
#include "model/kinds/kind.h"

G_BEGIN_DECLS

/** The state to judge by; everything is borrowed. */
typedef struct {
  json_t *const *vmis; /* of all namespaces */
  gsize n_vmis;
  json_t *const *nodes;
  gsize n_nodes;
  json_t *const *migrations; /* of all namespaces */
  gsize n_migrations;
  /* what the configuration is resolved from; may be absent */
  const json_t *kubevirt;
  json_t *const *policies;
  gsize n_policies;
  const json_t *ns_labels; /* metadata.labels of the migration's Namespace */
  json_t *const *networks;
  gsize n_networks;
  gboolean placement;    /* judge the hosts too, as of now: a dry run has no later */
  gboolean sees_all;     /* who asks may list VMs everywhere, and so be told of those elsewhere */
  json_t *const *others; /* VMs that rules about other VMs may mean (policy/place/affinity.h) */
  gsize n_others;
} FerryAdmissionState;

/** The VMI of namespace `ns` that `word` means: its object's name, its UUID, or its domain's name
 * where that fits one only; NULL otherwise, and where an object kept a name that is another's
 * domain's by now. Borrowed. Pure. */
const json_t *ferry_admission_find_vmi(const FerryAdmissionState *state, const char *ns,
                                       const char *word);
/** The name among the VMIs of `ns` that is nearest to `word`, where it is near enough to be meant;
 * else NULL. Borrowed. Pure. */
const char *ferry_admission_nearest_vmi(const FerryAdmissionState *state, const char *ns,
                                        const char *word);
/** Whether a host can take the VM of `migration` now (limits are not looked at): the chosen Node,
 * borrowed, or NULL. `refusals` gets a new list of {nodeName, reasons:[{reason, message}]} of the
 * hosts that cannot, `candidates` (may be NULL) one of those that can (target/candidates.h). Pure.
 */
const json_t *ferry_admission_place(const FerryAdmissionState *state, const json_t *vmi,
                                    const json_t *migration, json_t **refusals,
                                    json_t **candidates);
/** Judges `migration` (valid by its kind's tables, with metadata.namespace). INVALID with ALL
 * causes at once, or CONFLICT naming the migration of the same VM that is not final yet. With
 * `placement` also INVALID where no host can take the VM now, a cause for each host and reason.
 * Pure. */
gboolean ferry_admission_check(const FerryAdmissionState *state, const json_t *migration,
                               GError **error);

/** The configuration as it would be in force now, and where each field comes from (`origins` may be
 * NULL). New references. Pure. */
json_t *ferry_admission_config(const FerryAdmissionState *state, const json_t *migration,
                               const json_t *vmi, json_t **origins);

G_END_DECLS
