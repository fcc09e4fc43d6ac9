// SPDX-License-Identifier: Apache-2.0
// Why: every word that stands in a field `reason` (or `code`, of a decision) of what Ferry writes,
// with what it means and what a person can do about it. docs/troubleshooting.md is written from it.
// Messages carry the numbers and names of the case; this is what holds for every case. Pure; any
// thread.
#pragma once
#include "base/json.h"
#include "model/migration/reasons_table.h"

G_BEGIN_DECLS

/** Where a word stands. */
typedef enum {
  FERRY_REASONS_ENDED,     /* status.reason of a migration that has ended */
  FERRY_REASONS_WAITS,     /* of one that has no host yet: status.reason, status.queue.reason */
  FERRY_REASONS_REFUSED,   /* why a node can't take the VM: status.refusals, and what check says */
  FERRY_REASONS_IMMOBILE,  /* why no node can: a VM's LiveMigratable, StorageLiveMigratable */
  FERRY_REASONS_CONDITION, /* of any other condition */
  FERRY_REASONS_DECISION,  /* status.decisions[].code */
  FERRY_REASONS_EVENT,     /* of an Event, where that is no reason of another kind */
  FERRY_REASONS_RPC,       /* what an agent answers on its local socket */
  FERRY_REASONS_KINDS
} FerryReasonKind;

#define FERRY_REASON_ENUMERATOR(kind, id, name, text, advice) FERRY_REASON_##id,
/** Every reason; those of a kind together, in the order of the document. */
typedef enum {
  FERRY_REASON_NONE, /* no reason, or a word of another version's */
  FERRY_REASONS(FERRY_REASON_ENUMERATOR) FERRY_REASON_LAST
} FerryReason;
#undef FERRY_REASON_ENUMERATOR

typedef struct {
  FerryReasonKind kind;
  const char *name;
  const char *text;   /* what it means, one sentence */
  const char *advice; /* what to do, one or two sentences; "": nothing */
} FerryReasonRow;

/** The word of a reason; NULL for NONE. Static. */
const char *ferry_reason_name(FerryReason reason);
/** The reason with that word among those of `kind`; NONE for NULL and for any other word. */
FerryReason ferry_reason_parse(FerryReasonKind kind, const char *name);
/** Its row; NULL for NONE. */
const FerryReasonRow *ferry_reason_row(FerryReason reason);
/** Whether that is the word in status.reason of `object`. */
gboolean ferry_reason_is(const json_t *object, FerryReason reason);
/** docs/troubleshooting.md. Free with g_free. */
char *ferry_reasons_markdown(void);

G_END_DECLS
