// SPDX-License-Identifier: Apache-2.0
// The table of workers, one a migration, whatever a worker is: this room knows it by what can be
// asked of it.
//
// Order of locks: a worker's own is taken inside the table's. The operations below are called with
// the table's lock held, but for `free`.
#pragma once
#include "base/json.h"
#include "host/port/host.h"

G_BEGIN_DECLS

typedef struct {
  gboolean (*is_done)(gpointer worker);
  /** The UUID of its domain, borrowed; NULL: not known yet. */
  const char *(*domain)(gpointer worker);
  /** Whether `object` is a later attempt of the same migration. */
  gboolean (*is_before)(gpointer worker, const json_t *object);
  /** The object changed. */
  void (*update)(gpointer worker, const json_t *object);
  void (*event)(gpointer worker, const FerryHostEvent *event);
  /** Whether it has called the hypervisor, or is about to; before that it changes nothing. NULL:
   * all have. */
  gboolean (*has_called)(gpointer worker);
  /** Joins its thread. */
  void (*free)(gpointer worker);
} FerryWorkerOps;

/** How often the migration `object` was tried before. Pure. */
gint64 ferry_worker_attempt(const json_t *object);

typedef struct _FerryWorkers FerryWorkers;

/** An empty table of workers that `ops` (borrowed) can handle. */
FerryWorkers *ferry_workers_new(const FerryWorkerOps *ops);
/** Joins all that there are; events may still come. */
void ferry_workers_stop(FerryWorkers *workers);
/** When nothing calls it any more; joins all that are left. */
void ferry_workers_free(FerryWorkers *workers);
/** Takes `worker`, whose migration has that UID and none in the table. */
void ferry_workers_add(FerryWorkers *workers, const char *uid, gpointer worker);
/** Joins those that have ended. */
void ferry_workers_sweep(FerryWorkers *workers);

typedef enum {
  FERRY_WORKER_NONE,    /* there is none */
  FERRY_WORKER_EARLIER, /* there is one of an earlier attempt, which has to end first */
  FERRY_WORKER_THERE,   /* this one's */
} FerryWorkerFound;
/** Whether the migration with that UID has a worker, and whether it is of this attempt. Any thread.
 */
FerryWorkerFound ferry_workers_find(FerryWorkers *workers, const char *uid, const json_t *object);
/** Hands `object` to the migration's worker; FALSE: there is none. */
gboolean ferry_workers_update(FerryWorkers *workers, const char *uid, const json_t *object);
/** Hands a domain's event to its worker, one of the host's connection to all; FALSE: there is none.
 * Quick, as the driver's thread needs. */
gboolean ferry_workers_event(FerryWorkers *workers, const FerryHostEvent *event);
/** How many have not ended. */
guint ferry_workers_running(FerryWorkers *workers);
/** Whether one that has not ended is of the domain `uuid`. */
gboolean ferry_workers_has_domain(FerryWorkers *workers, const char *uuid);
/** The same of one that has called the hypervisor. */
gboolean ferry_workers_has_called(FerryWorkers *workers, const char *uuid);
/** Whether the migration's worker has ended, or is there no more. */
gboolean ferry_workers_is_done(FerryWorkers *workers, const char *uid);

G_END_DECLS
