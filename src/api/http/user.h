// SPDX-License-Identifier: Apache-2.0
// Who asks. Immutable and reference counted.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

typedef struct FerryUser FerryUser;
struct FerryUser {
  gint refs;
  char *name;
  char *uid; /* of the User object or the provider's subject; NULL: none */
  char **groups;
  char *node;         /* "h1" for system:node:h1 of group system:nodes, else NULL */
  gboolean admin;     /* group system:masters */
  gboolean anonymous; /* no credentials */
  gint64 expires_s;   /* of the credential, 0: never */
  gint64 begins_s;    /* of a certificate's validity, else 0 */
  gint64 generation;  /* of the User object whose groups these are, 0: none */
  char *ca;           /* hash of the CA that signed a certificate, else NULL */
  char *key;          /* what a token of tokens.json is found by; NULL: another credential */
  char *credential;   /* which one, never a secret: "certificate 4a17...", "token 3f2a..."; NULL:
                         none */
  char *session;      /* of a browser, by which it came, as "session 3f2a..."; NULL: none */
  FerryUser *impersonator; /* who really asks, NULL: the user itself */
};

/** A user with one reference and no credential; what the groups say is worked out of them.
 * `groups`: NULL-ended, copied. */
FerryUser *ferry_user_new(const char *name, const char *const *groups);
FerryUser *ferry_user_ref(FerryUser *user);
void ferry_user_unref(FerryUser *user); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryUser, ferry_user_unref)

G_END_DECLS
