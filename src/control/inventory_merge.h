// SPDX-License-Identifier: Apache-2.0
// One report while it is merged into what is stored.
#pragma once
#include "control/plan.h"
#include "control/vmi_view.h"

G_BEGIN_DECLS

/** What a report says of one VM. Borrowed. */
typedef struct {
  const char *uuid;
  const json_t *record; /* NULL: the node no longer has it */
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

G_END_DECLS
