// SPDX-License-Identifier: Apache-2.0
// Admission: which waiting migration may start, by KubeVirt's limits and priorities.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

typedef struct FerryLimits FerryLimits;

/** Counts the active migrations (Scheduling to Running) among `migrations` (vmim objects, borrowed
 * until ferry_limits_free) against the limits of `config` (the resolved configuration of the one
 * that is asked about; 0: no limit), lowered by what the policy of an active one allows its own
 * nodes, and orders the Pending ones: system-critical, user-triggered, system-maintenance, unset;
 * then by creation, name and uid. Pure. */
FerryLimits *ferry_limits_new(json_t *const *migrations, gsize n, const json_t *config);
void ferry_limits_free(FerryLimits *limits);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryLimits, ferry_limits_free)

/** 1-based place of a Pending migration (by uid) in the queue; 0 where it does not wait. */
guint ferry_limits_position(const FerryLimits *limits, const char *uid);
/** Whether this Pending migration from `source` may start now, those before it considered that
 * could start too: no other that waits to leave `source` is overtaken; else `reason` gets why, for
 * people (free with g_free). */
gboolean ferry_limits_admit(const FerryLimits *limits, const char *uid, const char *source,
                            char **reason);
/** Whether `target` may take one more. */
gboolean ferry_limits_inbound_ok(const FerryLimits *limits, const char *target, char **reason);

G_END_DECLS
