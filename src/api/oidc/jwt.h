// SPDX-License-Identifier: Apache-2.0
// JSON Web Tokens in their compact form (RFC 7519, RFC 7515), taken apart; nothing is verified
// here.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** The longest token that is looked at, in bytes. */
#define FERRY_JWT_MAX 16384

typedef struct {
  const char *text; /* borrowed */
  gsize len;
  json_t *header, *claims; /* objects */
  const char *alg;         /* of header */
  const char *kid;         /* of header; NULL: none */
  gsize signature_len;     /* bytes */
} FerryJwt;

/** Whether a bearer token has the form of one: it begins as JSON does in base64 and has two dots.
 */
gboolean ferry_jwt_looks_like(const char *token);
/** Takes `token` apart; it must outlive `jwt`. UNAUTHORIZED saying what is wrong: it is no token of
 * the form, its header asks for extensions, or either part is no JSON object or holds a key twice.
 * On success, free with ferry_jwt_clear. Pure. */
gboolean ferry_jwt_parse(const char *token, FerryJwt *jwt, GError **error);
void ferry_jwt_clear(FerryJwt *jwt);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryJwt, ferry_jwt_clear)

/** The bytes of base64url without padding; NULL where it isn't that. Free with g_free. Pure. */
guchar *ferry_jwt_decode(const char *text, gsize len, gsize *out_len);

G_END_DECLS
