// SPDX-License-Identifier: Apache-2.0
// Theory of operation: the algorithm is chosen from a list of asymmetric ones before anything is
// verified, and a key serves the algorithms of its type and curve alone: no token can have a public
// key taken for a secret, or ask for no signature. Of a key in the document only what makes the key
// itself is given to the library, no certificate and no address that it could follow.
#include "api/oidc/jwks.h"
#include "base/error.h"

#include <rhonabwy.h>
#include <string.h>

#define MIN_RSA_BITS 2048
#define MAX_RSA_BITS 8192
#define MAX_EXPONENT_BYTES 8

typedef struct {
  const char *name;
  jwa_alg alg;
  const char *kty;
  const char *crv;     /* NULL: none */
  gsize signature_len; /* 0: the key's */
} Algorithm;

static const Algorithm jwk_algorithms[] = {
    {"RS256", R_JWA_ALG_RS256, "RSA", NULL, 0},
    {"RS384", R_JWA_ALG_RS384, "RSA", NULL, 0},
    {"RS512", R_JWA_ALG_RS512, "RSA", NULL, 0},
    {"PS256", R_JWA_ALG_PS256, "RSA", NULL, 0},
    {"PS384", R_JWA_ALG_PS384, "RSA", NULL, 0},
    {"PS512", R_JWA_ALG_PS512, "RSA", NULL, 0},
    {"ES256", R_JWA_ALG_ES256, "EC", "P-256", 64},
    {"ES384", R_JWA_ALG_ES384, "EC", "P-384", 96},
    {"ES512", R_JWA_ALG_ES512, "EC", "P-521", 132},
    {"EdDSA", R_JWA_ALG_EDDSA, "OKP", "Ed25519", 64},
};

typedef struct {
  char *kid, *alg; /* NULL: not said */
  char *kty, *crv;
  gsize bytes; /* of an RSA modulus */
  jwk_t *jwk;
} Key;

struct FerryJwks {
  gint refs;
  GPtrArray *keys;
};

static void key_free(gpointer data) {
  Key *key = data;
  r_jwk_free(key->jwk);
  g_free(key->kid);
  g_free(key->alg);
  g_free(key->kty);
  g_free(key->crv);
  g_free(key);
}

static gboolean start_library(void) {
  static gsize started;
  if (g_once_init_enter(&started))
    g_once_init_leave(&started, r_global_init() == RHN_OK ? 1 : 2);
  return started == 1;
}

/* For signatures, as far as the key says. */
static gboolean is_for_signatures(const json_t *source) {
  const json_t *use = json_object_get(source, "use");
  const json_t *operations = json_object_get(source, "key_ops");
  return (!use || g_strcmp0(json_string_value(use), "sig") == 0) &&
         (!operations || ferry_json_has_word(operations, "verify"));
}

static jwk_t *jwks_import(const json_t *source, unsigned *bits) {
  static const char *const members[] = {"kty", "n", "e", "crv", "x", "y"};
  g_autoptr(json_t) bare = json_object();
  for (gsize i = 0; i < G_N_ELEMENTS(members); i++)
    json_object_set(bare, members[i], json_object_get(source, members[i]));
  jwk_t *jwk = NULL;
  if (r_jwk_init(&jwk) != RHN_OK)
    return NULL;
  if (r_jwk_import_from_json_t(jwk, bare) == RHN_OK &&
      r_jwk_key_type(jwk, bits, R_FLAG_IGNORE_REMOTE) & R_KEY_TYPE_PUBLIC)
    return jwk;
  r_jwk_free(jwk);
  return NULL;
}

/* With an exponent of 1 anybody signs, an even one is no RSA exponent, and a long one makes each
 * check dear.
 */
static gboolean has_good_exponent(const json_t *source) {
  const char *text = ferry_json_str(source, "e");
  gsize len = 0, zeros = 0;
  g_autofree guchar *e = text ? ferry_jwt_decode(text, strlen(text), &len) : NULL;
  while (zeros < len && e[zeros] == 0)
    zeros++;
  gsize digits = len - zeros;
  return digits >= 1 && digits <= MAX_EXPONENT_BYTES && e[len - 1] % 2 == 1 &&
         (digits > 1 || e[zeros] >= 3);
}

static Key *key_new(const json_t *source) {
  const char *kty = ferry_json_str(source, "kty"), *crv = ferry_json_str(source, "crv");
  gboolean known = FALSE;
  for (gsize i = 0; kty && i < G_N_ELEMENTS(jwk_algorithms); i++)
    known = known || (g_str_equal(jwk_algorithms[i].kty, kty) &&
                      (!jwk_algorithms[i].crv || g_strcmp0(jwk_algorithms[i].crv, crv) == 0));
  if (!known || !is_for_signatures(source) || json_object_get(source, "d"))
    return NULL;
  unsigned bits = 0;
  jwk_t *jwk = jwks_import(source, &bits);
  if (!jwk)
    return NULL;
  if (g_str_equal(kty, "RSA") &&
      (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS || !has_good_exponent(source))) {
    r_jwk_free(jwk);
    return NULL;
  }
  Key *key = g_new0(Key, 1);
  key->jwk = jwk;
  key->kid = g_strdup(ferry_json_str(source, "kid"));
  key->alg = g_strdup(ferry_json_str(source, "alg"));
  key->kty = g_strdup(kty);
  key->crv = g_strdup(crv);
  key->bytes = (bits + 7) / 8;
  return key;
}

FerryJwks *ferry_jwks_parse(const char *text, gsize len, GError **error) {
  g_autoptr(json_t) root = len <= FERRY_JWKS_MAX ? ferry_json_parse(text, len, error) : NULL;
  if (!root) {
    if (error && !*error)
      g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST, "more than 1 MiB");
    return NULL;
  }
  g_autoptr(FerryJwks) jwks = g_new0(FerryJwks, 1);
  jwks->refs = 1;
  jwks->keys = g_ptr_array_new_with_free_func(key_free);
  gsize i;
  const json_t *source;
  json_array_foreach(json_object_get(root, "keys"), i, source) {
    Key *key = start_library() && i < FERRY_JWKS_MAX_KEYS ? key_new(source) : NULL;
    if (key)
      g_ptr_array_add(jwks->keys, key);
  }
  if (jwks->keys->len > 0)
    return g_steal_pointer(&jwks);
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
              "no key in \"keys\" can be used: expected public keys for signatures, RSA of %d bits "
              "or more, EC on P-256, P-384 or P-521, or Ed25519",
              MIN_RSA_BITS);
  return NULL;
}

FerryJwks *ferry_jwks_ref(FerryJwks *jwks) {
  g_atomic_int_inc(&jwks->refs);
  return jwks;
}

void ferry_jwks_unref(FerryJwks *jwks) {
  if (!jwks || !g_atomic_int_dec_and_test(&jwks->refs))
    return;
  g_ptr_array_unref(jwks->keys);
  g_free(jwks);
}

static const Algorithm *find_algorithm(const char *name) {
  for (gsize i = 0; i < G_N_ELEMENTS(jwk_algorithms); i++)
    if (g_str_equal(jwk_algorithms[i].name, name))
      return &jwk_algorithms[i];
  return NULL;
}

static gboolean jwks_fits(const Key *key, const Algorithm *algorithm) {
  return g_str_equal(key->kty, algorithm->kty) &&
         (!algorithm->crv || g_strcmp0(key->crv, algorithm->crv) == 0) &&
         (!key->alg || g_str_equal(key->alg, algorithm->name));
}

/* The one key; NULL where there are none or several. */
static const Key *find_key(const FerryJwks *jwks, const FerryJwt *jwt, const Algorithm *algorithm) {
  const Key *found = NULL;
  for (guint i = 0; i < jwks->keys->len; i++) {
    const Key *key = g_ptr_array_index(jwks->keys, i);
    if (!jwks_fits(key, algorithm) || (jwt->kid && g_strcmp0(jwt->kid, key->kid) != 0))
      continue;
    if (found)
      return NULL;
    found = key;
  }
  return found;
}

static gboolean is_signed_by(const FerryJwt *jwt, const Key *key, const Algorithm *algorithm) {
  jws_t *jws = NULL;
  if (r_jws_init(&jws) != RHN_OK)
    return FALSE;
  gboolean good = r_jws_advanced_compact_parsen(jws, jwt->text, jwt->len, R_PARSE_NONE,
                                                R_FLAG_IGNORE_REMOTE) == RHN_OK &&
                  r_jws_get_alg(jws) == algorithm->alg &&
                  r_jws_verify_signature(jws, key->jwk, R_FLAG_IGNORE_REMOTE) == RHN_OK;
  r_jws_free(jws);
  return good;
}

FerryJwksVerdict ferry_jwks_verify(const FerryJwks *jwks, const FerryJwt *jwt, GError **error) {
  const Algorithm *algorithm = find_algorithm(jwt->alg);
  if (!algorithm) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED,
                "Unauthorized: the token is signed by an algorithm that is not accepted; expected "
                "RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 or EdDSA");
    return FERRY_JWKS_BAD;
  }
  const Key *key = find_key(jwks, jwt, algorithm);
  if (!key) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED,
                jwt->kid ? "Unauthorized: the provider has no such key for the token's algorithm"
                         : "Unauthorized: the token names no key (\"kid\"), and not exactly one of "
                           "the provider's would do");
    return FERRY_JWKS_NO_KEY;
  }
  gsize expected = algorithm->signature_len ? algorithm->signature_len : key->bytes;
  if (jwt->signature_len == expected && is_signed_by(jwt, key, algorithm))
    return FERRY_JWKS_GOOD;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED,
              "Unauthorized: the token's signature is not the provider's");
  return FERRY_JWKS_BAD;
}
