// SPDX-License-Identifier: Apache-2.0
// The source's side of measuring the path for a forecast.
#pragma once
#include "agent/migration/state/running.h"

G_BEGIN_DECLS

/** Measures the path to the target into run->measured; fails to only in that it says why there.
 * FALSE: the target's agent has not said within `patience_ms` where it listens. */
gboolean ferry_measure_path(FerryRunning *run, gint64 patience_ms);

G_END_DECLS
