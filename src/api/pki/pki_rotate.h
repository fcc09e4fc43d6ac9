// SPDX-License-Identifier: Apache-2.0
// The change of the CA.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

typedef struct FerryPki FerryPki; /* pki.h */

/** Begins to sign clients with a new CA; the old one stays trusted and the server's. CONFLICT
 * where a change is under way. Any thread. */
gboolean ferry_pki_rotate_begin(FerryPki *pki, gint64 now_ms, GError **error);
/** Trusts the old CA no longer. CONFLICT where no change is under way. Any thread. */
gboolean ferry_pki_rotate_finish(FerryPki *pki, gint64 now_ms, GError **error);
/** Completes what a crash left of a change of the CA in `dir`. */
gboolean ferry_pki_finish_switch(const char *dir, GError **error);

G_END_DECLS
