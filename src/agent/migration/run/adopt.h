// SPDX-License-Identifier: Apache-2.0
// What an agent that adopts a running migration takes from the status that the one before it left.
// Pure.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** The throttle in percent that it had set; 0: none. */
int ferry_adopt_throttle(const json_t *object);
/** Whether that agent told that it stalls. */
gboolean ferry_adopt_stalling(const json_t *object);
/** For how long it has run: `job_ms` where the hypervisor says (> 0), else since it was Running, by
 * this host's clock (`now_ms`). */
gint64 ferry_adopt_elapsed_ms(const json_t *object, gint64 job_ms, gint64 now_ms);
/** What remained at best, and how long nothing better was seen while it was watched: the time with
 * no agent there counts neither way. FALSE: nothing is known. */
gboolean ferry_adopt_best(const json_t *object, gint64 *remaining, gint64 *stalled_ms);

G_END_DECLS
