// SPDX-License-Identifier: Apache-2.0
// A provider's keys and tokens, made here.
#pragma once
#include "api/oidc/oidc.h"
#include "base/file.h"

#include <rhonabwy.h>
#include <string.h>

#define NOW_S G_GINT64_CONSTANT(1767225600)
#define ISSUER "https://idp.example/realms/ferry"

typedef struct {
  jwk_t *secret;
  json_t *shown; /* as the JWKS has it */
} TestKey;

/* `type`: R_KEY_TYPE_RSA, _EC or _EDDSA. */
static inline TestKey test_key_new(int type, unsigned bits, const char *kid) {
  TestKey key = {0};
  jwk_t *shown = NULL;
  g_assert_cmpint(r_jwk_init(&key.secret), ==, RHN_OK);
  g_assert_cmpint(r_jwk_init(&shown), ==, RHN_OK);
  g_assert_cmpint(r_jwk_generate_key_pair(key.secret, shown, type, bits, NULL), ==, RHN_OK);
  r_jwk_delete_property_str(key.secret, "kid");
  key.shown = r_jwk_export_to_json_t(shown);
  json_object_del(key.shown, "kid");
  if (kid)
    json_object_set_new(key.shown, "kid", json_string(kid));
  r_jwk_free(shown);
  return key;
}

static inline void test_key_clear(TestKey *key) {
  r_jwk_free(key->secret);
  json_decref(key->shown);
}

/* `header`: JSON beside alg, e.g. "{\"kid\":\"a\"}". */
static inline char *sign(const TestKey *key, jwa_alg alg, const char *header, const char *claims) {
  jws_t *jws = NULL;
  g_assert_cmpint(r_jws_init(&jws), ==, RHN_OK);
  g_autoptr(json_t) fields = ferry_json_parse(header, strlen(header), NULL);
  g_assert_cmpint(r_jws_set_full_header_json_t(jws, fields), ==, RHN_OK);
  g_assert_cmpint(r_jws_set_payload(jws, (const unsigned char *)claims, strlen(claims)), ==,
                  RHN_OK);
  g_assert_cmpint(r_jws_set_alg(jws, alg), ==, RHN_OK);
  char *made = r_jws_serialize(jws, key->secret, 0);
  g_assert_nonnull(made);
  char *token = g_strdup(made);
  r_free(made);
  r_jws_free(jws);
  return token;
}

static inline char *base64url(const void *data, gsize len) {
  char *text = g_base64_encode(data, len);
  g_strdelimit(g_strdelimit(text, "+", '-'), "/", '_');
  char *end = strchr(text, '=');
  if (end)
    *end = '\0';
  return text;
}

/* The first two parts of a token, unsigned. */
static inline char *two_parts(const char *header, const char *claims) {
  g_autofree char *a = base64url(header, strlen(header));
  g_autofree char *b = base64url(claims, strlen(claims));
  return g_strdup_printf("%s.%s", a, b);
}

/* Good claims with `changes` (JSON; null takes away) merged into them. */
static inline char *claims_with(const char *changes) {
  g_autoptr(json_t) claims =
      json_pack("{s:s, s:s, s:s, s:I, s:I, s:[s]}", "iss", ISSUER, "aud", "ferry", "sub", "u-1",
                "exp", (json_int_t)(NOW_S + 300), "iat", (json_int_t)NOW_S, "groups", "staff");
  g_autoptr(json_t) wish = json_loads(changes, 0, NULL);
  g_assert_nonnull(wish);
  json_object_update(claims, wish);
  const char *name;
  json_t *value;
  void *next;
  json_object_foreach_safe(claims, next, name, value) {
    if (json_is_null(value))
      json_object_del(claims, name);
  }
  return ferry_json_dump(claims);
}

static inline char *jwks_text(const TestKey *keys, gsize n) {
  g_autoptr(json_t) root = json_pack("{s:[]}", "keys");
  for (gsize i = 0; i < n; i++)
    json_array_append(json_object_get(root, "keys"), keys[i].shown);
  return ferry_json_dump(root);
}

static inline void write_jwks(const char *path, const TestKey *keys, gsize n) {
  g_autofree char *text = jwks_text(keys, n);
  g_assert_true(ferry_file_write(path, text, strlen(text), 0600, NULL));
}
