// SPDX-License-Identifier: Apache-2.0
// What is known to go wrong between two versions of libvirt or QEMU.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** What of the VM's move from `source` to `target` (Nodes) goes wrong by what is known of their
 * versions, and what an older libvirt at the target drops: a new list of {name, message}, each with
 * its effect and a way round. `config` is resolved. A version that isn't known has no defects.
 * Pure. */
json_t *ferry_version_defects(const json_t *vmi, const json_t *config, const json_t *source,
                              const json_t *target);

G_END_DECLS
