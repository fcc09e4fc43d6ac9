// SPDX-License-Identifier: Apache-2.0
// Whether a target has the shared file systems that a VM's disks are on.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** The reasons against a move from the Node `source` to the Node `target` for the VM's disks that
 * stay where they are, on a file system that hosts share: a new list of {reason, message}, one for
 * each disk whose file would not be there, or could only be read. Not judged: hosts that do not say
 * what they have mounted, disks that this migration copies or that libvirt leaves out, files that
 * the source itself reaches by a symbolic link only, a migration that moves no running guest, and
 * unsafeMigrationOverride. `config` (resolved) and the Nodes may be NULL. Pure. */
json_t *ferry_shared_storage_reasons(const json_t *vmi, const json_t *config, const json_t *source,
                                     const json_t *target);

G_END_DECLS
