// SPDX-License-Identifier: Apache-2.0
// What is known of the VM and the two hosts that the source's agent reckons with.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** Adds to a resolved configuration, where known: linkRateBytesPerSecond (what the slower end
 * of the path to the target's `address` can be trusted with: half its speed; NULL: not known),
 * availableSwitchoverBandwidth (the same, where a bandwidth limit would hide it from QEMU and both
 * hosts can be told), postCopyPreempt (both hosts can let
 * requested pages overtake the stream) and copiedDiskBytes (disks that are copied, which timeouts
 * per GiB count). `origins` (may be NULL) gets "automatic" for each. Pure. */
void ferry_config_add_facts(json_t *config, json_t *origins, const json_t *vmi,
                            const json_t *source, const json_t *target, const char *address);

G_END_DECLS
