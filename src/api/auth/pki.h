// SPDX-License-Identifier: Apache-2.0
// Keys and certificates of one control plane: its own CA, the server's certificate, the admin's.
#pragma once
#include <glib.h>

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
/** Signs an agent's PEM request: subject O=system:nodes, CN=system:node:`node` whatever the request
 * says, client authentication only. The request must be signed by its own key (EC, Ed25519 or RSA
 * of 2048 bits or more). Returns PEM, free with g_free; BAD_REQUEST says what is wrong with the
 * request. */
char *ferry_pki_sign_node(const FerryPki *pki, const char *csr_pem, const char *node, gint64 now_ms,
                          GError **error);
/** A kubeconfig (YAML) of the admin with embedded data; free with g_free. */
char *ferry_pki_kubeconfig(const FerryPki *pki, const char *url);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryPki, ferry_pki_free)

G_END_DECLS
