// SPDX-License-Identifier: Apache-2.0
// Single keys and certificates. Any thread; errors are FERRY_ERRORs.
#pragma once
#include <glib.h>
#include <gnutls/x509.h>

#define FERRY_PKI_MAX_PEM (64 * 1024) /* of a file that ferryd wrote */

G_BEGIN_DECLS

/** Turns GnuTLS' result `rc` of doing `what` into an error; TRUE where there is none. */
gboolean ferry_pki_check(int rc, const char *what, GError **error);
/** Loads `path` or makes a key and writes it there (mode 0600); `*pem` gets the text. A key in a
 * form that not every reader takes is written anew: the same key. */
gnutls_x509_privkey_t ferry_pki_load_key(const char *path, char **pem, GError **error);
/** NULL where it is not there or cannot be read; `*pem` gets the text. */
gnutls_x509_crt_t ferry_pki_load_cert(const char *path, char **pem);
/** A certificate with serial number, times (from an hour before `now_s`) and version set, to be
 * filled in and signed. */
gnutls_x509_crt_t ferry_pki_new_cert(gint64 now_s, gint64 days);
/** O=`organisation` (NULL: none), CN=`name`. */
void ferry_pki_set_subject(gnutls_x509_crt_t crt, const char *organisation, const char *name);
/** The address that `name` is, in network order: 4 or 16 bytes; 0: it is not an address. */
gsize ferry_pki_address_bytes(const char *name, unsigned char out[16]);
/** Adds an address or DNS name to those that `crt` is for. */
void ferry_pki_add_name(gnutls_x509_crt_t crt, const char *name);
/** Signs `crt` by that CA. FALSE with an error of the library's. */
gboolean ferry_pki_sign_by(gnutls_x509_crt_t crt, gnutls_x509_crt_t ca,
                           gnutls_x509_privkey_t ca_key, GError **error);
/** A CA's certificate for `key`, signed by itself. */
gnutls_x509_crt_t ferry_pki_make_ca(const char *name, gnutls_x509_privkey_t key, gint64 now_s,
                                    GError **error);
/** PEM; free with g_free. */
char *ferry_pki_export_cert(gnutls_x509_crt_t crt);
/** SHA-256 of the DER in lower-case hexadecimal; free with g_free. */
char *ferry_pki_hash(gnutls_x509_crt_t crt);
/** Whether `crt` is of `key`. */
gboolean ferry_pki_same_key(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key);
/** The serial number in lower-case hexadecimal; "" where there is none. Free with g_free. */
char *ferry_pki_serial(gnutls_x509_crt_t crt);

G_END_DECLS
