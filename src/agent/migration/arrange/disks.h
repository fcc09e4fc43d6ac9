// SPDX-License-Identifier: Apache-2.0
// The target's images for disks that are copied: planned, written down, made; and removed after a
// failure.
#pragma once
#include "agent/migration/state/asked.h"
#include "agent/migration/state/ports.h"
#include "agent/migration/state/shown.h"

G_BEGIN_DECLS

/** What it is about; all borrowed but `made`. */
typedef struct {
  const FerryMigrationPorts *ports;
  FerryAsked *asked;
  FerryShown *shown;
  json_t *made; /* owned: what was prepared on the target; NULL: nothing */
} FerryDisks;

/** Goes on from what an earlier agent made. */
void ferry_disks_init(FerryDisks *disks, const FerryMigrationPorts *ports, FerryAsked *asked,
                      FerryShown *shown);
void ferry_disks_clear(FerryDisks *disks);
/** Looks up what the target must hold for the disks to be copied, writes that into the status and
 * only then makes it. FALSE: nothing is left there. */
gboolean ferry_disks_prepare(FerryDisks *disks, FerryHostJob *job, GError **error);
/** After a failure with the VM still here: removes what was made. What is left behind is said at
 * the end of `*message` (may be NULL). `job` NULL: nothing can be done. */
void ferry_disks_undo(FerryDisks *disks, FerryHostJob *job, char **message);

/** Whether some that were made have not been removed again. */
gboolean ferry_disks_are_left(const FerryDisks *disks);

/** The configuration with the choice of disks made anew for `disks` (of a record of the domain),
 * where it is the control plane's and no person's; NULL: it stays as it is. `disks` NULL: as it was
 * asked for. New reference. Pure. */
json_t *ferry_disks_choose(const json_t *config, const json_t *origins, const json_t *disks);

G_END_DECLS
