// SPDX-License-Identifier: Apache-2.0
// What outlives a process: the rows of ferryd's database, and the files that an agent keeps.
#pragma once
#include "agent/core/records.h"
#include "sim/world/fiber.h"
#include "store/backend.h"

G_BEGIN_DECLS

typedef struct {
  GHashTable *rows; /* "group/plural/ns/name" -> FerryDiskRow* */
  gint64 mark;
  gboolean full;
  gboolean forgets; /* acknowledges what it has not kept: a safeguard that is off */
} FerryWorldDisk;

FerryWorldDisk *ferry_disk_new(void);
void ferry_disk_free(FerryWorldDisk *disk);
/** A store's backend on it, for one life of `process`: nothing is kept once that is dead. */
FerryBackend *ferry_disk_backend(FerryWorldDisk *disk, FerryWorldProcess *process);
/** Forgets all files that agents kept. */
void ferry_disk_drop_records(void);

G_END_DECLS
