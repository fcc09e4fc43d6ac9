// SPDX-License-Identifier: Apache-2.0
// Certificate requests (PKCS#10): which are good, and what is taken of them. Any thread.
#pragma once
#include <glib.h>
#include <gnutls/x509.h>

G_BEGIN_DECLS

/** A request in PEM that its own key has signed (EC of 256 bits or more, Ed25519, RSA of 2048 to
 * 8192 bits); free with gnutls_x509_crq_deinit. NULL: BAD_REQUEST says what is wrong with it. */
gnutls_x509_crq_t ferry_pki_request_read(const char *csr_pem, GError **error);
/** Gives `crt` the key of the request; its wishes for names and extensions are not taken. */
gboolean ferry_pki_request_take_key(gnutls_x509_crt_t crt, gnutls_x509_crq_t crq, GError **error);
/** SHA-256 in hexadecimal of the public key of a request in PEM, which must be as good as for
 * ferry_pki_request_read: BAD_REQUEST. Free with g_free. */
char *ferry_pki_request_key_hash(const char *csr_pem, GError **error);

G_END_DECLS
