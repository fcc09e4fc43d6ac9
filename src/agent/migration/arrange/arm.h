// SPDX-License-Identifier: Apache-2.0
// What must be arranged before libvirt is called, as it can't be changed on the way: by which means
// the intent moves the guest, and how it is slowed down when nothing else keeps the intent.
#pragma once
#include "agent/migration/state/measure.h"

G_BEGIN_DECLS

/** Before the call, and before anything is told of it: the means that the intent chooses among
 * those that the configuration says are possible, in what is asked of libvirt; `intent`: as it is
 * before that. NULL: there is no choice; else why, in words. Free with g_free. */
char *ferry_arm_means(FerryAsked *asked, const FerryMeasured *measured,
                      const FerryConvergenceIntent *intent);
/** The means that were chosen, a new list of words; NULL: none were. */
json_t *ferry_arm_chosen(const FerryAsked *asked);
/** The same of a migration that is adopted: what the agent before chose. */
void ferry_arm_recall(FerryAsked *asked);

/** Before the call: where the guest may be slowed, arranges how, in what is asked of libvirt.
 * `intent`: as it is before that. */
void ferry_throttle_arm(FerryAsked *asked, const FerryMeasured *measured,
                        const FerryConvergenceIntent *intent, gboolean was_paused);
/** The same of a migration that is adopted: what the agent before had arranged. */
void ferry_throttle_recall(FerryAsked *asked);

G_END_DECLS
