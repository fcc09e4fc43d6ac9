// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a token is read by this file alone, strictly: one alphabet, no padding, JSON
// without doubled keys. So what is judged is what was signed, and nothing that a lax reader would
// find in the same bytes. What in a header would change how the rest is read is refused.
#include "api/oidc/jwt.h"
#include "base/error.h"

#include <string.h>

static gboolean jwt_refuse(GError **error, const char *why) {
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED, "Unauthorized: the token %s", why);
  return FALSE;
}

gboolean ferry_jwt_looks_like(const char *token) {
  if (!g_str_has_prefix(token, "eyJ"))
    return FALSE;
  const char *first = strchr(token, '.');
  return first && strchr(first + 1, '.');
}

guchar *ferry_jwt_decode(const char *text, gsize len, gsize *out_len) {
  if (len == 0 || len % 4 == 1)
    return NULL;
  g_autofree char *plain = g_malloc(len + 4);
  for (gsize i = 0; i < len; i++) {
    char c = text[i];
    if (!g_ascii_isalnum(c) && c != '-' && c != '_')
      return NULL;
    plain[i] = c == '-' ? '+' : c == '_' ? '/' : c;
  }
  gsize end = len;
  while (end % 4 != 0)
    plain[end++] = '=';
  plain[end] = '\0';
  return g_base64_decode(plain, out_len);
}

static json_t *decode_object(const char *text, gsize len) {
  gsize n = 0;
  g_autofree guchar *bytes = ferry_jwt_decode(text, len, &n);
  g_autoptr(json_t) value = bytes ? ferry_json_parse((const char *)bytes, n, NULL) : NULL;
  return json_is_object(value) ? g_steal_pointer(&value) : NULL;
}

static gboolean check_header(FerryJwt *jwt, GError **error) {
  static const char *const changes[] = {"crit", "zip", "b64", "enc"};
  for (gsize i = 0; i < G_N_ELEMENTS(changes); i++)
    if (json_object_get(jwt->header, changes[i])) {
      g_autofree char *why =
          g_strdup_printf("has \"%s\" in its header, which is not supported", changes[i]);
      return jwt_refuse(error, why);
    }
  const json_t *kid = json_object_get(jwt->header, "kid");
  const json_t *typ = json_object_get(jwt->header, "typ");
  jwt->alg = json_string_value(json_object_get(jwt->header, "alg"));
  jwt->kid = json_string_value(kid);
  if (!jwt->alg || (kid && !jwt->kid))
    return jwt_refuse(error, "needs \"alg\", and \"kid\" if any, as strings in its header");
  const char *type = typ ? json_string_value(typ) : "JWT";
  if (!type || (g_ascii_strcasecmp(type, "JWT") != 0 && g_ascii_strcasecmp(type, "at+jwt") != 0 &&
                g_ascii_strcasecmp(type, "application/at+jwt") != 0))
    return jwt_refuse(error, "is of another type (\"typ\") than JWT or at+jwt");
  return TRUE;
}

gboolean ferry_jwt_parse(const char *token, FerryJwt *jwt, GError **error) {
  *jwt = (FerryJwt){.text = token, .len = strlen(token)};
  if (jwt->len > FERRY_JWT_MAX)
    return jwt_refuse(error, "is longer than 16 KiB");
  const char *first = strchr(token, '.');
  const char *second = first ? strchr(first + 1, '.') : NULL;
  g_autofree guchar *signature =
      second ? ferry_jwt_decode(second + 1, strlen(second + 1), &jwt->signature_len) : NULL;
  if (!signature)
    return jwt_refuse(error, "is not three parts in base64url, the last of them a signature");
  jwt->header = decode_object(token, (gsize)(first - token));
  jwt->claims = decode_object(first + 1, (gsize)(second - first - 1));
  gboolean ok =
      jwt->header && jwt->claims
          ? check_header(jwt, error)
          : jwt_refuse(error, "has a header or claims that are no JSON object in base64url, "
                              "or hold a key twice");
  if (!ok)
    ferry_jwt_clear(jwt);
  return ok;
}

void ferry_jwt_clear(FerryJwt *jwt) {
  g_clear_pointer(&jwt->header, json_decref);
  g_clear_pointer(&jwt->claims, json_decref);
}
