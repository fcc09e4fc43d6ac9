// SPDX-License-Identifier: Apache-2.0
// Which of a VM's disks a migration copies.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** Whether a disk (an entry of spec.domain.devices.disks) has the same data on both hosts, so that
 * a copy would be written onto itself: in a file on storage that hosts share, or on a server. FALSE
 * where that is not known, or where `config` (resolved) has another place for it on the target, by
 * destinationXML. Pure. */
gboolean ferry_disk_is_shared(const json_t *config, const json_t *disk);

/** Whether a migration with `config` (resolved) copies `disk`: one that migrateDisks names, or,
 * where it names none, one that is neither read-only nor shareable nor shared. Pure. */
gboolean ferry_disk_is_copied(const json_t *config, const json_t *disk);

/** Names in migrateDisks which of `disks` are copied, where libvirt, which knows nothing of shared
 * storage here, would copy more; where nothing is left, nothing is copied. `origins` (may be NULL)
 * gets "automatic" for what it changes. Pure. */
void ferry_copied_disks_complete(json_t *config, json_t *origins, const json_t *disks);

/** Bytes of those among `disks` (entries as above; NULL: none) that a migration with `config`
 * copies. Pure. */
gint64 ferry_copied_disks_bytes(const json_t *config, const json_t *disks);

G_END_DECLS
