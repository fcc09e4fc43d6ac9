// SPDX-License-Identifier: Apache-2.0
// The CA by which hosts' libvirtds and QEMUs trust each other: of its own, for nothing else.
#pragma once
#include "api/pki/pki.h"

G_BEGIN_DECLS

/** Which CA: the one by which libvirtds trust each other (libvirt-ca.key and .crt of the state
 * directory), or the one for QEMU's own connections (libvirt-qemu-ca), which no libvirtd knows. */
typedef enum { FERRY_PKI_LIBVIRT, FERRY_PKI_QEMU } FerryPkiLibvirtUse;

/** Everything is borrowed. */
typedef struct {
  FerryPkiLibvirtUse use;
  const char *csr_pem;      /* as ferry_pki_sign_client takes it */
  const char *name;         /* CN */
  const char *const *names; /* DNS names and addresses, NULL-ended */
  gint64 now_ms, ends_ms;   /* not beyond the CA's own end */
  const char *serial;       /* of a certificate that is given once more; NULL: a new one */
} FerryPkiLibvirtWish;

/** Signs for both ends of TLS. The CA is made at the first call; `*ca_pem` gets it, free with
 * g_free. BAD_REQUEST says what is wrong with the request. Any thread. */
gboolean ferry_pki_sign_libvirt(FerryPki *pki, const FerryPkiLibvirtWish *wish,
                                FerryPkiIssued *issued, char **ca_pem, GError **error);

G_END_DECLS
