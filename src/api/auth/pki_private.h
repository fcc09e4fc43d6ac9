// SPDX-License-Identifier: Apache-2.0
// Inside pki*.c only.
#pragma once
#include <glib.h>
#include <gnutls/abstract.h>

G_BEGIN_DECLS

#define FERRY_PKI_MAX_PEM (64 * 1024) /* of a file that ferryd wrote */

/** What a handshake is answered with; stays until the FerryPki goes, for one may just use it. */
typedef struct {
  gnutls_pcert_st *chain;
  unsigned n;
  gnutls_privkey_t key;
} FerryPkiServing;

typedef struct FerryPki FerryPki; /* api/auth/pki.h */
struct FerryPki {
  char *dir;
  GPtrArray *names;             /* of the server's certificate */
  GMutex lock;                  /* guards all below */
  gnutls_x509_crt_t ca, old_ca; /* the one that signs; the one that is trusted still, or NULL */
  gnutls_x509_privkey_t ca_key, old_key;
  char *ca_pem, *ca_hash, *old_hash, *bundle, *bundle_hash;
  char *server_pem, *server_key_pem;
  char *admin_pem, *admin_key_pem;
  FerryPkiServing *serving;
  GPtrArray *retired; /* char* that were handed out and replaced */
  GPtrArray *retired_serving;
};

/** Completes what a crash left of a change of the CA (pki_rotate.c). */
gboolean ferry_pki_finish_switch(const char *dir, GError **error);
void ferry_pki_serving_free(gpointer serving);
/** Replaces `*text`, keeping what was handed out. Caller holds the lock. */
void ferry_pki_replace(FerryPki *pki, char **text, char *with);
/** Loads or makes everything of `dir`. Caller holds the lock. */
gboolean ferry_pki_load(FerryPki *pki, gint64 now_s, GError **error);
/** Makes what handshakes are answered with of the present files. Caller holds the lock. */
gboolean ferry_pki_prepare_serving(FerryPki *pki, GError **error);
gnutls_x509_crt_t ferry_pki_load_cert(const char *path, char **pem);
gnutls_x509_privkey_t ferry_pki_load_key(const char *path, char **pem, GError **error);
/** A CA's certificate for `key`, signed by itself. */
gnutls_x509_crt_t ferry_pki_make_ca(const char *name, gnutls_x509_privkey_t key, gint64 now_s,
                                    GError **error);
char *ferry_pki_export_cert(gnutls_x509_crt_t crt);
char *ferry_pki_hash(gnutls_x509_crt_t crt);

G_END_DECLS
