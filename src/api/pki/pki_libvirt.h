// SPDX-License-Identifier: Apache-2.0
// The CA by which hosts' libvirtds and QEMUs trust each other: of its own, for nothing else.
#pragma once
#include "api/pki/pki.h"

G_BEGIN_DECLS

/** Signs a PEM request (as ferry_pki_sign_client takes) for both ends of libvirt's TLS: CN=`name`,
 * valid for the DNS names and addresses `names` (NULL-ended), for `life_s` seconds. The CA
 * (libvirt-ca.key and libvirt-ca.crt of the state directory) is made at the first call; `*ca_pem`
 * gets it, free with g_free. BAD_REQUEST says what is wrong with the request. Any thread. */
gboolean ferry_pki_sign_libvirt(FerryPki *pki, const char *csr_pem, const char *name,
                                const char *const *names, gint64 now_ms, gint64 life_s,
                                FerryPkiIssued *issued, char **ca_pem, GError **error);

G_END_DECLS
