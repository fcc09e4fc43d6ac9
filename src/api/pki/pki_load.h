// SPDX-License-Identifier: Apache-2.0
// Reads, makes and renews what a state directory holds.
#pragma once
#include "api/pki/pki_private.h"

G_BEGIN_DECLS

/** Replaces `*text`, keeping what was handed out. Caller holds the lock. */
void ferry_pki_replace(FerryPki *pki, char **text, char *with);
/** Loads or makes everything of the directory. Caller holds the lock. */
gboolean ferry_pki_load(FerryPki *pki, gint64 now_s, GError **error);
/** Makes the server's and the admin's certificates anew where they end within 30 days; `*changed`
 * says whether they are others. Any thread. */
gboolean ferry_pki_renew(FerryPki *pki, gint64 now_ms, gboolean *changed, GError **error);

G_END_DECLS
