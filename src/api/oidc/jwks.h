// SPDX-License-Identifier: Apache-2.0
// A provider's public keys (a JWKS, RFC 7517), and signatures verified with them.
#pragma once
#include "api/oidc/jwt.h"

G_BEGIN_DECLS

/** The largest JWKS that is read, in bytes, and how many of its keys are used. */
#define FERRY_JWKS_MAX (1024 * 1024)
#define FERRY_JWKS_MAX_KEYS 64

/** Immutable; any thread. */
typedef struct FerryJwks FerryJwks;

typedef enum {
  FERRY_JWKS_GOOD,
  FERRY_JWKS_BAD,    /* the algorithm is not allowed, or the signature is not the key's */
  FERRY_JWKS_NO_KEY, /* none that the token names, or without a name several that would do */
} FerryJwksVerdict;

/** The keys of a JWKS document that are public, for signatures and strong enough; others are passed
 * over. BAD_REQUEST where none remains. */
FerryJwks *ferry_jwks_parse(const char *text, gsize len, GError **error);
FerryJwks *ferry_jwks_ref(FerryJwks *jwks);
void ferry_jwks_unref(FerryJwks *jwks);
/** Verifies the signature; with UNAUTHORIZED unless it is good. */
FerryJwksVerdict ferry_jwks_verify(const FerryJwks *jwks, const FerryJwt *jwt, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryJwks, ferry_jwks_unref)

G_END_DECLS
