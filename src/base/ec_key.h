// SPDX-License-Identifier: Apache-2.0
// Keys on the curve P-256, as every program of Ferry makes them, and requests for certificates.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** A new private key as PKCS#8 in PEM; secret: wipe it before g_free. INTERNAL. Any thread. */
char *ferry_ec_key_new(GError **error);
/** The same key (PEM of P-256, however it is encoded) as PKCS#8 with every number at its full
 * width, which is what all readers take; NULL where it is no such key. Free with g_free. */
char *ferry_ec_key_normalise(const char *key_pem);
/** A certificate request (PKCS#10 in PEM) for O=`organisation` (NULL: none), CN=`name`, signed by
 * that key. Free with g_free. */
char *ferry_ec_key_request(const char *key_pem, const char *organisation, const char *name,
                           GError **error);

G_END_DECLS
