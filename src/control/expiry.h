// SPDX-License-Identifier: Apache-2.0
// What grows with use is bounded: old events and finished migrations go.
#pragma once
#include "control/plan.h"

G_BEGIN_DECLS

#define FERRY_EVENT_TTL_MS (60 * 60 * 1000) /* Kubernetes' default */
#define FERRY_EVENTS_MAX 20000
#define FERRY_FINISHED_PER_VMI 5 /* KubeVirt keeps the newest 5 */

/** Plans the removal of events older than the TTL or above the maximum, of finished migrations
 * above the newest FERRY_FINISHED_PER_VMI of a VM, and of VMIs that are on no host and not
 * migrating. At most 200 removals a call; plans a wake at once where more are due. */
void ferry_expiry_step(FerryStore *store, gint64 now_ms, FerryPlan *plan);

G_END_DECLS
