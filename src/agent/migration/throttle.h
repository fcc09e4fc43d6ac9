// SPDX-License-Identifier: Apache-2.0
// How a guest is slowed down when nothing else keeps the intent.
#pragma once
#include "agent/migration/measure.h"

G_BEGIN_DECLS

/** Before the call: where the guest may be slowed, arranges how, in what is asked of libvirt.
 * `intent`: as it is before that. */
void ferry_throttle_arm(FerryAsked *asked, const FerryMeasured *measured,
                        const FerryConvergenceIntent *intent, gboolean was_paused);
/** The same of a migration that is adopted: what the agent before had arranged. */
void ferry_throttle_recall(FerryAsked *asked);

G_END_DECLS
