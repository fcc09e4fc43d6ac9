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

/** Adds what the source's agent chooses the intent's means by, where an intent acts on a guest that
 * runs: possibleMeans, spareProcessors (left out where a host does not say how many it uses) and
 * lesson (what `vmi` was taught by `now_ms`). What somebody said of compression and connections is
 * decided, and not among them; nor is what a host's version lacks or has not told. Pure. */
void ferry_config_add_means(json_t *config, json_t *origins, const json_t *vmi,
                            const json_t *source, const json_t *target, gint64 now_ms);

/** Keeps in `vmi` what `migration` taught, if it has moved the VM. Pure. */
void ferry_facts_keep_lesson(json_t *vmi, const json_t *migration, gint64 now_ms);

G_END_DECLS
