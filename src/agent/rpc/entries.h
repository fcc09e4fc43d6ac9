// SPDX-License-Identifier: Apache-2.0
// What the local socket has moved, or moves: one entry a VM, its last migration's.
//
// Order of locks: the entries' own comes first; the table of workers', a worker's inbox and the
// socket's are taken inside it.
#pragma once
#include "agent/core/workers.h"
#include "agent/migration/state/ports.h"
#include "agent/rpc/server.h"

G_BEGIN_DECLS

/** All borrowed. */
typedef struct {
  FerryMigrationPorts migration;
  FerryWorkers *workers;
  FerryRpc *rpc;
  gint64 progress_timeout_s; /* of migrations that are asked for without their own; 0: none */
} FerryLocalPorts;

typedef struct _FerryLocal FerryLocal;

/** Guarded by local->lock. */
typedef struct {
  FerryLocal *local;
  char *vm, *uid;
  json_t *object;  /* as it was asked for; NULL: file */
  json_t *status;  /* as it would stand in the object */
  json_t *changes; /* the last answer to a change */
  json_t *wish;    /* the fields of the last change that was asked for; NULL: none was */
  gint64 next_change, told_us;
  gboolean ended, file;
  char *path; /* file: where to */
  GThread *saver;
  gboolean saving; /* the saver waits for libvirt */
} FerryLocalEntry;

struct _FerryLocal {
  FerryLocalPorts ports;
  GMutex lock; /* guards what follows, and the entries */
  GCond cond;
  GHashTable *entries; /* VM's UUID -> FerryLocalEntry* */
  guint counter;
  gboolean closed; /* nobody is told any more */
};

/** No migrations. `ports` is copied; what it points to is borrowed. */
FerryLocal *ferry_local_new(const FerryLocalPorts *ports);
/** After the context was stopped and the workers joined. A domain that libvirt still saves is left
 * to it, and the next agent goes on with it. NULL is fine. */
void ferry_local_free(FerryLocal *local);
/** Goes on with what an earlier agent left in state_dir/local. Once, before the first verb. */
void ferry_local_take_up(FerryLocal *local);

/* With the lock held. */
/** Makes an entry in place of the VM's last one. */
FerryLocalEntry *ferry_local_entry_new(FerryLocal *local, const char *vm);
/** Starts its worker; takes a copy of `object`. */
void ferry_local_entry_move(FerryLocalEntry *entry, const json_t *object);
/** Hibernates its domain into the file `path`. */
void ferry_local_entry_save(FerryLocalEntry *entry, const char *path);
/** How many VMs leave this host, whoever asked for it. */
guint ferry_local_running(FerryLocal *local);

G_END_DECLS
