// SPDX-License-Identifier: Apache-2.0
// State of a FerryPki: for the files of this folder only.
#pragma once
#include <glib.h>
#include <gnutls/abstract.h>

G_BEGIN_DECLS

/** What a handshake is answered with; stays until the FerryPki goes, for one may just use it. */
typedef struct {
  gnutls_pcert_st *chain;
  unsigned n;
  gnutls_privkey_t key;
} FerryPkiServing;

typedef struct FerryPki FerryPki; /* api/pki/pki.h */
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

G_END_DECLS
