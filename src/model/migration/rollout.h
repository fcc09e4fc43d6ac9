// SPDX-License-Identifier: Apache-2.0
// What everybody asks of a Rollout. Pure; any thread.
#pragma once
#include "model/migration/phase.h"

G_BEGIN_DECLS

/** Finalizer of every Rollout: what it has changed of its hosts is taken back first. */
#define FERRY_ROLLOUT_FINALIZER "ferry.migration/rollout"
/** Annotation of an Evacuation that a Rollout made: the Rollout's name. */
#define FERRY_ROLLOUT_ANNOTATION "ferry.migration/rollout"
/** Key of the taint (PreferNoSchedule) of hosts whose turn is yet to come: what moves meanwhile
 * goes to the others where it can, so that it moves once. */
#define FERRY_ROLLOUT_TAINT "ferry.migration/rollout"

/** The entry of `node` in status.hosts, borrowed; NULL: it has none. */
json_t *ferry_rollout_host(const json_t *rollout, const char *node);
/** The one of `rollouts`, but for that named `own`, that has that host in status.hosts and has not
 * ended; borrowed, NULL: none. */
const json_t *ferry_rollout_of_host(json_t *const *rollouts, gsize n, const char *own,
                                    const char *node);
/** Whether it has ended. */
gboolean ferry_rollout_is_final(const json_t *rollout);
/** Whether a host in that phase is under way: not as it was, and not open again. */
gboolean ferry_rollout_is_under_way(FerryPhase host);
/** Says in place that the host of that entry is done; `done_at` is RFC 3339. */
void ferry_rollout_say_done(json_t *host, const char *done_at, const char *by);

G_END_DECLS
