// SPDX-License-Identifier: Apache-2.0
// The files of libvirt's TLS on this host: whose they are, and how they are written.
#pragma once
#include "base/error.h"

G_BEGIN_DECLS

/** Where things are; both borrowed. */
typedef struct {
  const char *root;      /* what is put before /etc and /var; "" on a host */
  const char *state_dir; /* the agent's */
} FerryTrustPlace;

typedef enum {
  FERRY_TRUST_NONE,   /* there are no certificates */
  FERRY_TRUST_OURS,   /* ferryd's CA signed what is there */
  FERRY_TRUST_FOREIGN /* somebody else has set TLS up: it is left alone */
} FerryTrustFound;

/** Whose the files are that libvirt and QEMU look for. */
FerryTrustFound ferry_trust_files_found(const FerryTrustPlace *place);
/** The certificate that libvirtd shows, PEM; NULL: there is none. Free with g_free. */
char *ferry_trust_files_certificate(const FerryTrustPlace *place);
/** The host's key for it, PEM, made at the first call and kept in the state directory: as it stays,
 * a new certificate fits the old key at every moment. Secret: wipe it before g_free. */
char *ferry_trust_files_key(const FerryTrustPlace *place, GError **error);
/** Puts key, certificate and CA where libvirt's server and client and QEMU look for them; QEMU's
 * belong to the user that QEMU runs as. The CA comes first, so that what a crash leaves is known
 * as ferryd's. */
gboolean ferry_trust_files_write(const FerryTrustPlace *place, const char *cert, const char *key,
                                 const char *ca, GError **error);

G_END_DECLS
