// SPDX-License-Identifier: Apache-2.0
// Which client certificates are good.
#pragma once
#include "api/pki/pki.h"

G_BEGIN_DECLS

/** Fails with UNAUTHORIZED and why; returns FALSE. */
gboolean ferry_pki_refuse(GError **error, const char *why);

/** Whether a client's certificates (`chain`, DER) are good now: signed by a CA that is trusted, for
 * clients. `*ca` gets the hash of that CA. UNAUTHORIZED. Free *ca with g_free. Any thread. */
gboolean ferry_pki_verify_client(FerryPki *pki, const gnutls_datum_t *chain, unsigned n, char **ca,
                                 GError **error);

G_END_DECLS
