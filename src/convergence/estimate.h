// SPDX-License-Identifier: Apache-2.0
// What a controller knows at a moment.
#pragma once
#include "base/json.h"
#include "convergence/types.h"

G_BEGIN_DECLS

/** What is known of the guest and the path at this moment, as `ferry explain` shows it: elapsedMs,
 * iteration, remainingBytes, rateBytesPerSecond, dirtyRateBytesPerSecond, limitMs,
 * throttlePercent, and once there are two rounds workingSetBytes, writeRateBytesPerSecond,
 * pattern, residual, minDowntimeMs, and once there is a plan forecastMs (from the start to the end,
 * as the first plan expected). A new reference. */
json_t *ferry_convergence_estimate(const FerryConvergence *c, gint64 now_us);

G_END_DECLS
