// SPDX-License-Identifier: Apache-2.0
// ferryd as a process of the world: the store on a disk that outlives it, the control thread, and
// what its API does with an agent's requests and with people's. HTTP, credentials and who may do
// what are left out: it begins where a request has been let in.
#pragma once
#include "control/loop.h"
#include "sim/world/disk.h"
#include "store/store.h"

G_BEGIN_DECLS

typedef struct {
  FerryWorldDisk *disk;
  FerryWorldProcess *process; /* of this life; NULL: it is not running */
  FerryStore *store;
  FerryControl *control;
  guint inside;       /* requests and watches that use the store */
  GPtrArray *old;     /* FerryWorldProcess*, of former lives */
  GHashTable *served; /* node -> FerryWorldProcess* of its newest session */
  gboolean changed;   /* the store, since who checks last looked */
  FerryWatch *watch;  /* for that */
  gboolean fences;    /* a stale epoch is refused */
  GMutex sessions;    /* a session against an agent's write */
  GMutex admission;   /* one migration is admitted at a time */
  const char *broken; /* an invariant of the API's own that was violated; static */
} FerryWorldFerryd;

FerryWorldFerryd *ferry_ferryd_new(void);
void ferry_ferryd_free(FerryWorldFerryd *ferryd);
/** In a fiber. Starts it on what the disk has. */
void ferry_ferryd_start(FerryWorldFerryd *ferryd);
/** In a fiber. Kills it: what was not acknowledged may be gone, what was is on the disk. Returns
 * when nothing of it is left. */
void ferry_ferryd_kill(FerryWorldFerryd *ferryd);
gboolean ferry_ferryd_serves(const FerryWorldFerryd *ferryd);

G_END_DECLS
