// SPDX-License-Identifier: Apache-2.0
// A bearer token that looks like a JWT: the first line is the token, what follows a JWKS. Nobody
// has the keys, so none is ever good; what its claims say is judged as if it were.
#include "api/oidc/oidc.h"
#include "fuzz.h"

#include <string.h>

#define NOW_MS G_GINT64_CONSTANT(1767225600000)

static void judge_claims(const json_t *claims) {
  static const FerryOidcConfig config = {.issuer = (char *)"https://idp.example",
                                         .audience = (char *)"ferry",
                                         .username_prefix = (char *)"-"};
  g_autoptr(FerryUser) user = ferry_oidc_user_of_claims(&config, claims, NOW_MS, NULL);
  if (user && (user->admin || user->node || g_str_has_prefix(user->name, "system:") ||
               user->expires_s <= NOW_MS / 1000))
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  g_autofree char *text = g_strndup((const char *)data, size);
  char *rest = strchr(text, '\n');
  if (rest)
    *rest++ = '\0';
  g_auto(FerryJwt) jwt = {0};
  if (!ferry_jwt_parse(text, &jwt, NULL))
    return 0;
  judge_claims(jwt.claims);
  g_autoptr(FerryJwks) keys = rest ? ferry_jwks_parse(rest, strlen(rest), NULL) : NULL;
  if (keys)
    ferry_jwks_verify(keys, &jwt, NULL);
  return 0;
}
