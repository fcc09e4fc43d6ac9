// SPDX-License-Identifier: Apache-2.0
// Keys and certificates of one control plane: its own CA, the server's certificate, the admin's.
#pragma once
#include <glib.h>
#include <gnutls/abstract.h>
#include <gnutls/x509.h>

G_BEGIN_DECLS

typedef struct FerryPki FerryPki;

/** Loads, or makes where missing, ca, server and admin keys and certificates in `dir` (PEM, keys
 * with mode 0600). The server certificate is made anew when it lacks one of localhost, 127.0.0.1,
 * ::1, the host's name or `sans` (NULL-ended, may be NULL), when it expires within 30 days of
 * `now_ms` or more than 398 days later, or when it is not of this CA; the admin's, which is for a
 * year, likewise. Errors name the file. */
FerryPki *ferry_pki_open(const char *dir, const char *const *sans, gint64 now_ms, GError **error);
void ferry_pki_free(FerryPki *pki);
/* All below may be called by any thread; texts stay until `pki` goes. */
/** The CAs that are trusted, PEM: the one that signs first. */
const char *ferry_pki_ca(FerryPki *pki);
/** SHA-256 of that text. */
const char *ferry_pki_bundle_hash(FerryPki *pki);
/** The certificate that the server shows, PEM. */
const char *ferry_pki_server_cert(FerryPki *pki);
/** SHA-256 in lower-case hexadecimal of the DER of the CA that signs. */
const char *ferry_pki_ca_hash(FerryPki *pki);
/** The same of the CA that the server's certificate is of: what a join token names. */
const char *ferry_pki_pin_hash(FerryPki *pki);
/** The same of the CA before it, while that is trusted still; NULL: it is not. */
const char *ferry_pki_old_ca_hash(FerryPki *pki);

/** When the CA's, the server's and the admin's certificates end: calls `each` with "ca", "old-ca",
 * "server", "admin", the subject, the serial number and the time in ms. */
typedef void (*FerryPkiEachFunc)(const char *kind, const char *subject, const char *serial,
                                 gint64 ends_ms, gpointer data);
/** Calls `each` for every certificate of the control plane's own. */
void ferry_pki_each(FerryPki *pki, FerryPkiEachFunc each, gpointer data);

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
gboolean ferry_pki_sign_client(FerryPki *pki, const char *csr_pem, const char *organisation,
                               const char *name, gint64 now_ms, gint64 life_s,
                               FerryPkiIssued *issued, GError **error);
/** A kubeconfig (YAML) of the admin with embedded data; free with g_free. */
char *ferry_pki_kubeconfig(FerryPki *pki, const char *url);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryPki, ferry_pki_free)

G_END_DECLS
