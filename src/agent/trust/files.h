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
/** What is written, PEM, all borrowed: for libvirt and for QEMU, which has a CA of its own. */
typedef struct {
  const char *cert, *key, *ca;
  const char *qemu_cert, *qemu_key, *qemu_ca;
} FerryTrustSet;

/** The host's key for libvirt or QEMU, PEM: the one that ferry_trust_files_write has kept in the
 * state directory, or with `fresh` and where there is none a new one. Secret: wipe it before
 * g_free. */
char *ferry_trust_files_key(const FerryTrustPlace *place, gboolean qemu, gboolean fresh,
                            GError **error);
/** Removes both from the state directory, so that there are new ones the next time; what libvirt
 * and QEMU have stays. */
void ferry_trust_files_forget(const char *state_dir);
/** The CA that libvirtd knows, PEM; NULL: there is none. Free with g_free. */
char *ferry_trust_files_ca(const FerryTrustPlace *place);
/** Puts the set where libvirt's server and client and QEMU look for it, and keeps its keys in the
 * state directory. QEMU's keys belong to the user that QEMU runs as, all else to root. The CA comes
 * first, so that what a crash leaves is known as ferryd's. A directory that others may write to is
 * refused; no link is followed. */
gboolean ferry_trust_files_write(const FerryTrustPlace *place, const FerryTrustSet *set,
                                 GError **error);

G_END_DECLS
