// SPDX-License-Identifier: Apache-2.0
// What ferryd is asked for libvirt's TLS.
#pragma once
#include "client/client.h"

G_BEGIN_DECLS

/** By what names and addresses other hosts may reach this one: its host name and the addresses of
 * its interfaces but for those of libvirt's own networks, 64 at most. A new array. */
json_t *ferry_trust_names(const char *hostname, const json_t *interfaces);
/** The common names of ferryd's CAs (src/api/pki/pki_libvirt.c). */
#define FERRY_TRUST_CA "ferry-libvirt-ca"
#define FERRY_TRUST_QEMU_CA "ferry-libvirt-qemu-ca"

/** Certificates for libvirt's key and QEMU's (PEM) and those names: {certificate, ca,
 * qemuCertificate, qemuCa, leftOut}, each looked at as ferry_trust_check says; a new reference.
 * FORBIDDEN: nobody has asked for trust on this host, or with these keys. UNAVAILABLE: ferryd does
 * not know the host's addresses yet. Blocks. */
json_t *ferry_trust_certificate(FerryClient *client, const char *node, const char *key_pem,
                                const char *qemu_key_pem, const json_t *names, GError **error);
/** Whether the CA has that common name, and has signed the certificate, which is for the key; all
 * PEM. INTERNAL says what is not so. Pure. */
gboolean ferry_trust_check(const char *cert_pem, const char *key_pem, const char *ca_pem,
                           const char *ca_name, GError **error);
/** Whether the certificate (PEM) is good at that time; else INTERNAL, with both times. Pure. */
gboolean ferry_trust_is_current(const char *pem, gint64 now_s, GError **error);
/** Of a file's certificates (PEM, may be NULL) the first one of that common name; NULL: there is
 * none. `others` (may be NULL) gets those of other names. Free with g_free. Pure. */
char *ferry_trust_own_ca(const char *pems, const char *ca_name, GString *others);
/** Tells ferryd why TLS could not be set up, on one line; NULL: that it is. FORBIDDEN: nobody has
 * asked for it. Blocks. */
gboolean ferry_trust_tell(FerryClient *client, const char *node, const char *problem,
                          GError **error);

G_END_DECLS
