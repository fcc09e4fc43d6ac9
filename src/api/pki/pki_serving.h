// SPDX-License-Identifier: Apache-2.0
// What handshakes are answered with. See pki.h for the public part.
#pragma once
#include "api/pki/pki_private.h"

G_BEGIN_DECLS

void ferry_pki_serving_free(gpointer serving);
/** Makes what handshakes are answered with of the present files. Caller holds the lock. */
gboolean ferry_pki_prepare_serving(FerryPki *pki, GError **error);
/** The certificate of a handshake; what it gives stays until `pki` goes. Any thread. */
void ferry_pki_serve(FerryPki *pki, gnutls_pcert_st **chain, unsigned *n, gnutls_privkey_t *key);

G_END_DECLS
