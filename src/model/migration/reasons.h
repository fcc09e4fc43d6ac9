// SPDX-License-Identifier: Apache-2.0
// Why: every word that stands in a field `reason` (or `code`, of a decision) of what Ferry writes,
// with what it means and what a person can do about it. docs/troubleshooting.md is written from it.
// Messages carry the numbers and names of the case; this is what holds for every case. Pure; any
// thread.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** Where a word stands. */
typedef enum {
  FERRY_REASON_ENDED,     /* status.reason of a migration that has ended */
  FERRY_REASON_WAITS,     /* of one that has no host yet: status.reason, status.queue.reason */
  FERRY_REASON_REFUSED,   /* why a node can't take the VM: status.refusals, and what check says */
  FERRY_REASON_IMMOBILE,  /* why no node can: a VM's LiveMigratable, StorageLiveMigratable */
  FERRY_REASON_CONDITION, /* of any other condition */
  FERRY_REASON_DECISION,  /* status.decisions[].code */
  FERRY_REASON_EVENT,     /* of an Event, where that is no reason of another kind */
  FERRY_REASON_RPC,       /* what an agent answers on its local socket */
  FERRY_REASON_KINDS
} FerryReasonKind;

typedef struct {
  FerryReasonKind kind;
  const char *name;
  const char *text;   /* what it means, one sentence */
  const char *advice; /* what to do, one or two sentences; "": nothing */
} FerryReason;

/** The row of `name` among those of `kind`, or NULL. */
const FerryReason *ferry_reason_find(FerryReasonKind kind, const char *name);
/** All rows, those of a kind together. */
const FerryReason *ferry_reasons(gsize *n);
/** docs/troubleshooting.md. Free with g_free. */
char *ferry_reasons_markdown(void);

G_END_DECLS
