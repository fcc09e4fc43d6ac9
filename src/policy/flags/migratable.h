// SPDX-License-Identifier: Apache-2.0
// Whether a VM can be moved at all, with every reason against it.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** The reasons against live migration of a VM by its spec and by what its host says of it: a new
 * list of {reason, message} with KubeVirt's reason names; empty: it can move. Pure. */
json_t *ferry_migratable_reasons(const json_t *vmi);

/** What of a VM that moves live may not come along, and nobody can change that: a new list of texts
 * for people. Pure. */
json_t *ferry_migratable_losses(const json_t *vmi);
/** What is wrong with a VM whose QEMU on `node` (may be NULL) does not answer, and what to do. Free
 * with g_free. Pure. */
char *ferry_silent_text(const char *node);

/** Whether a disk (an entry of spec.domain.devices.disks) holds data that only its host has: one
 * that the guest writes, in a file that no other host sees. FALSE where that is not known. Pure. */
gboolean ferry_disk_is_local(const json_t *disk);

G_END_DECLS
