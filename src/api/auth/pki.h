// SPDX-License-Identifier: Apache-2.0
// Keys and certificates of one control plane: its own CA, the server's certificate, the admin's.
#pragma once
#include <glib.h>
#include <gnutls/x509.h>

G_BEGIN_DECLS

typedef struct FerryPki FerryPki;

/** Loads, or makes where missing, ca, server and admin keys and certificates in `dir` (PEM, keys
 * with mode 0600). The server certificate is made anew when it lacks one of localhost, 127.0.0.1,
 * ::1, the host's name or `sans` (NULL-ended, may be NULL), when it expires within 30 days of
 * `now_ms`, or when it is not of this CA; the admin's likewise. Errors name the file. */
FerryPki *ferry_pki_open(const char *dir, const char *const *sans, gint64 now_ms, GError **error);
void ferry_pki_free(FerryPki *pki);
/** PEM texts, owned by `pki`. */
const char *ferry_pki_ca(const FerryPki *pki);
const char *ferry_pki_server_cert(const FerryPki *pki);
const char *ferry_pki_server_key(const FerryPki *pki);
/** SHA-256 of the CA's DER in lower-case hexadecimal; owned by `pki`. */
const char *ferry_pki_ca_hash(const FerryPki *pki);
/** SHA-256 of the text of ferry_pki_ca; owned by `pki`. */
const char *ferry_pki_bundle_hash(const FerryPki *pki);
/** A certificate that was made; clear with ferry_pki_issued_clear. */
typedef struct {
  char *pem, *serial; /* the serial number in lower-case hexadecimal */
  gint64 ends_ms;
} FerryPkiIssued;
void ferry_pki_issued_clear(FerryPkiIssued *issued);
/** Signs a PEM request for client authentication: subject O=`organisation` (NULL: none), CN=`name`
 * whatever the request says, good for `life_s` seconds but not beyond the CA. The request must be
 * signed by its own key (EC, Ed25519 or RSA of 2048 bits or more). BAD_REQUEST says what is wrong
 * with the request. */
gboolean ferry_pki_sign_client(const FerryPki *pki, const char *csr_pem, const char *organisation,
                               const char *name, gint64 now_ms, gint64 life_s,
                               FerryPkiIssued *issued, GError **error);
/** The serial number in lower-case hexadecimal; "" where there is none. Free with g_free. */
char *ferry_pki_serial(gnutls_x509_crt_t crt);
/** A kubeconfig (YAML) of the admin with embedded data; free with g_free. */
char *ferry_pki_kubeconfig(const FerryPki *pki, const char *url);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryPki, ferry_pki_free)

G_END_DECLS
