// SPDX-License-Identifier: Apache-2.0
// Which host a VM is on, where several say that they have it.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** What the word of the host that has the VM is worth now. */
typedef enum {
  FERRY_HOST_SPEAKS, /* its agent is heard of, and reaches its libvirt */
  FERRY_HOST_SILENT, /* nobody knows what there is on it now */
  FERRY_HOST_GONE,   /* its Node was deleted */
} FerryHostWord;

/** How the claim of another host is judged. */
typedef enum {
  FERRY_CLAIM_NONE,     /* it has a definition, or receives: the VM stays, and nothing is wrong */
  FERRY_CLAIM_PASSES,   /* the VM is that host's now */
  FERRY_CLAIM_CONFLICT, /* the VM stays, and people are told */
} FerryClaim;

/** Judges the record `claim` of one host against `owner`, the record of the host that has the VM
 * (elements of status.domains). `moves`: ferryd itself moves the VM from the owner to there, or has
 * done so since the owner last said something else. Pure. */
FerryClaim ferry_vmi_claim_judge(const json_t *owner, FerryHostWord word, const json_t *claim,
                                 gboolean moves);

/** What is known beside the records. */
typedef struct {
  const json_t *migration;  /* the one of this VM that is not final; NULL: none */
  FerryHostWord owner_word; /* of status.nodeName's host */
} FerryVmiContext;

/** The record of the host that has the VM, borrowed; NULL: none. `conflicts` (may be NULL) gets the
 * names, borrowed, of hosts whose claim is a conflict. Pure. */
json_t *ferry_vmi_owner(const json_t *vmi, const FerryVmiContext *context, GPtrArray *conflicts);

/** Whether a record says that the guest runs there. Pure. */
gboolean ferry_vmi_record_runs(const json_t *record);
/** Whether a record says that a migration is coming in there. Pure. */
gboolean ferry_vmi_record_receives(const json_t *record);

G_END_DECLS
