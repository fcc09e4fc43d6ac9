// SPDX-License-Identifier: Apache-2.0
// The control plane's log of migrations: one line a transition, whoever made it.
#pragma once
#include "base/log.h"
#include "store/store.h"

G_BEGIN_DECLS

/** Logs what a change of a migration means to a person: created, a new phase, a cancel asked for,
 * deleted. Says nothing of progress. Changes of other kinds are ignored. */
void ferry_transition_log(FerryStore *store, const FerrySeen *change);
/** What log lines about a migration carry; the host is its source, or where its VM is as long as
 * it has none. Unref with ferry_log_context_unref. */
FerryLogContext *ferry_control_log_context(FerryStore *store, const json_t *migration);

G_END_DECLS
