// SPDX-License-Identifier: Apache-2.0
// What is said when a migration has ended. Pure: an object in, text out. Free with g_free.
#pragma once
#include "model/migration/migration.h"

G_BEGIN_DECLS

/** TRUE where the migration has moved its VM. */
gboolean ferry_migration_succeeded(const json_t *object);

/** After Succeeded: from, to, total time, pause, data, rate, network and address. Several lines. */
char *ferry_summary_success(const json_t *object, gboolean utf8, gboolean color);
/** After Failed: what happened, all reasons, where the VM is as far as is known, what to do.
 * Begins with "error: ". */
char *ferry_summary_failure(const json_t *object);
/** A line for a transition into the object's phase, without a newline; with `route` also the way
 * where it is known: "Scheduled: h1 -> h2 over fast (10.0.0.2)". */
char *ferry_summary_transition(const json_t *object, gboolean route, gboolean utf8);
/** TRUE where the reason of a failure is that someone cancelled it. */
gboolean ferry_migration_cancelled(const json_t *object);
/** A line for one of status.decisions, without a newline. */
char *ferry_summary_decision(const json_t *decision);

G_END_DECLS
