// SPDX-License-Identifier: Apache-2.0
// How a migration ended must reach ferryd even if ferryd is away now and this agent is restarted
// meanwhile: what could not be delivered at once lies in state_dir/results, one file a migration.
//
// Order of locks: its own guards the set of UIDs alone; nothing is taken inside it.
#pragma once
#include "agent/core/session.h"

G_BEGIN_DECLS

typedef struct _FerryResults FerryResults;

/** Nothing kept as yet. Both are borrowed. */
FerryResults *ferry_results_new(FerryAgentContext *context, FerryAgentSession *session);
/** Joins the threads that deliver; after the context was stopped. */
void ferry_results_free(FerryResults *results);
/** Delivers what an earlier agent left, in threads of their own. Once, before anything is stored.
 */
void ferry_results_resume(FerryResults *results);
/** Whether the result of the migration with that UID still waits since before this agent began. */
gboolean ferry_results_has(FerryResults *results, const char *uid);
/** Keeps `status` as the result of `migration` (for its name and what log lines carry) until
 * ferryd has it. Both are borrowed. */
void ferry_results_store(FerryResults *results, const json_t *migration, const json_t *status);
/** ferryd has the result of the migration with that UID: it is kept no longer. */
void ferry_results_remove(FerryResults *results, const char *uid);

G_END_DECLS
