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

/** The host's key for libvirt or QEMU that ferry_trust_files_write has kept in the state
 * directory, PEM. Secret: wipe it before g_free. */
char *ferry_trust_files_key(const FerryTrustPlace *place, gboolean qemu, GError **error);
/** Whether it has kept both. */
gboolean ferry_trust_files_have_keys(const FerryTrustPlace *place);
/** Keys that are not in use yet: those of an earlier run that did not come to its end, or new ones,
 * which are kept together before this returns. Secret: wipe them before g_free. */
gboolean ferry_trust_files_new_keys(const FerryTrustPlace *place, char **key, char **qemu,
                                    GError **error);
/** Whether there are such keys. */
gboolean ferry_trust_files_have_new(const FerryTrustPlace *place);
/** Forgets them. */
void ferry_trust_files_drop_new(const char *state_dir);
/** Removes all keys from the state directory, so that there are new ones the next time; what
 * libvirt and QEMU have stays. */
void ferry_trust_files_forget(const char *state_dir);
/** Leaves the mark of files that were begun, and that libvirtd may not have taken. */
gboolean ferry_trust_files_set_pending(const char *state_dir, GError **error);
/** Whether it is there. */
gboolean ferry_trust_files_are_pending(const char *state_dir);
/** Removes it. */
void ferry_trust_files_clear_pending(const char *state_dir);
/** Whether every certificate is good for long and belongs to the key and CA beside it, and to the
 * key that is kept. */
gboolean ferry_trust_files_are_good(const FerryTrustPlace *place, gint64 now_s);
/** Whether libvirtd knows that CA (PEM), or none of ferryd's. */
gboolean ferry_trust_files_know_ca(const FerryTrustPlace *place, const char *ca);
/** ferryd's CA among those that libvirtd knows, PEM; NULL: there is none. Free with g_free. */
char *ferry_trust_files_ca(const FerryTrustPlace *place);
/** Removes what ferry_trust_files_write has put there, where it is ferryd's. The keys stay in the
 * state directory, as ferryd takes no others from this host. */
gboolean ferry_trust_files_remove(const FerryTrustPlace *place, GError **error);
/** Puts the set where libvirt's server and client and QEMU look for it, and then keeps its keys in
 * the state directory, as those in use. QEMU's keys belong to the user that QEMU runs as, all else
 * to root. The CA comes first, so that what a crash leaves is known as ferryd's, and the
 * certificate that libvirtd shows last; other CAs beside ferryd's stay. A directory that others may
 * write to is refused; no link is followed. */
gboolean ferry_trust_files_write(const FerryTrustPlace *place, const FerryTrustSet *set,
                                 GError **error);

G_END_DECLS
