// SPDX-License-Identifier: Apache-2.0
// A migration's worker as its own thread sees it: what is wanted, known, going on, shown. One
// thread has all of it; who writes what of a part stands in the part's header, and files that need
// a part are handed that one and not the whole.
//
// Order of locks: the worker has none of its own; what other threads have for it is in the inbox,
// which has one.
#pragma once
#include "agent/carry/autostart.h"
#include "agent/carry/kept.h"
#include "agent/migration/arrange/disks.h"
#include "agent/migration/state/running.h"

G_BEGIN_DECLS

/** Written when libvirt's call has returned (finish.c). */
typedef struct {
  gboolean moved;     /* it succeeded */
  gboolean peer_lost; /* it lost the target's hypervisor, which may act on it yet */
} FerryEnding;

typedef struct {
  FerryMigrationPorts ports;
  FerryAsked asked;         /* what is wanted */
  FerryMeasured measured;   /* what was known before */
  FerryRunning running;     /* what goes on */
  FerryShown shown;         /* what people see */
  FerryDisks disks;         /* what was made on the target */
  FerryAutostart autostart; /* what libvirt does not carry along */
  FerryKept kept;           /* what it had before */
  FerryInbox *inbox;        /* what others have for it */
  char *means;              /* why the intent's means were chosen; owned; NULL: none were */
  FerryEnding ending;       /* how the call ended */
  gint64 yes_us;            /* when ferryd was asked for the yes that counts, monotonic */
} FerryMigrationParts;

G_END_DECLS
