// SPDX-License-Identifier: Apache-2.0
// Whether a copy of a VM really waits for a word in a migration's record. Its agent says so in
// status.migrationState.doubt; that keeps the record only while its own host reports the domain as
// active there, so that a word that nobody takes back does not keep it for ever.
#pragma once
#include "model/migration/doubt.h"
#include "store/store.h"

G_BEGIN_DECLS

/** For so long after a migration's end an agent's word counts by itself: the reports of its domains
 * may come later. */
#define FERRY_OPEN_DOUBT_GRACE_MS (10 * 60 * 1000)

/** Whether a copy waits on either host: its agent says that it is suspended, its Node exists, and
 * the VM has an active domain there or the grace time is not over yet. `until_ms` (may be NULL)
 * gets when the grace time ends; 0: it has. Reads `store` alone. */
gboolean ferry_open_doubt(FerryStore *store, const json_t *migration, gint64 now_ms,
                          gint64 *until_ms);

G_END_DECLS
