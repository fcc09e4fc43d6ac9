// SPDX-License-Identifier: Apache-2.0
// Inside the inventory only: one report while it is merged.
#pragma once
#include "control/plan.h"
#include "control/vmi_view.h"

G_BEGIN_DECLS

/** What a report says of one VM. Borrowed. */
typedef struct {
  const char *uuid;
  const json_t *record; /* NULL: the node has it no more */
  gboolean look;        /* record NULL: the node says nothing; what follows is to be judged anew */
} FerryReported;

typedef struct {
  FerryStore *store;
  const char *node;
  gint64 now_ms;
  gint64 sequence; /* 0: its agent numbers none */
  GPtrArray *all_migrations;
  GHashTable *migrations; /* "namespace/VMI" -> the migration that is not final, borrowed */
  GHashTable *words;      /* host -> FerryHostWord */
  GHashTable *names;      /* domain name -> set of uids; NULL until it is needed */
  GHashTable *planned; /* "namespace/name" of VMs and "name" of namespaces that the batch makes */
  GPtrArray *look;     /* uids of VMs to be judged anew, owned */
} FerryReport;

/** The VMI for a domain that has none yet; plans its namespace where that is new. */
json_t *ferry_inventory_new_vmi(FerryReport *r, FerryPlan *plan, const json_t *record);
/** The uid of another VM whose domain has this name, borrowed, or NULL; notes that `uid` has it. */
const char *ferry_inventory_other_of_name(FerryReport *r, const char *name, const char *uid);
/** `vmi` goes: others of its name are to be judged anew. */
void ferry_inventory_name_left(FerryReport *r, const json_t *vmi);
/** Whether the node may have as many domains as it would have after the report; INVALID. */
gboolean ferry_inventory_check_room(FerryReport *r, const json_t *body, GError **error);
/** Keeps the list of `node`'s domains that are left out, in place: status.invalidDomains, the
 * condition InvalidDomains, and an event where one is new or differs. `node` is a copy of what is
 * stored, `body` a checked report. */
void ferry_inventory_note_left_out(FerryPlan *plan, json_t *node, const json_t *body,
                                   gint64 now_ms);
/** Whether a domain is left out whose UUID can't be read: it may be any that is known. */
gboolean ferry_inventory_has_nameless(const json_t *body);

G_END_DECLS
