// SPDX-License-Identifier: Apache-2.0
// Which tokens of a provider are accepted, and whose they are: each part of a token is broken in
// turn, and whole tokens are made with keys of every kind.
#include "jwt.h"

#include <glib/gstdio.h>

enum { RSA, RSA2, P256, P384, P521, ED, N_KEYS };
static TestKey keys[N_KEYS];
static char *dir, *path;
static FerryOidc *oidc;

static FerryUser *user_at(FerryOidc *by, const char *token, gint64 now_s, GError **error) {
  return ferry_oidc_user(by, token, now_s * 1000, error);
}

/* `why`: NULL for a token that is accepted, else a part of the reason. */
static void check(FerryOidc *by, const char *what, const char *token, const char *why) {
  g_autoptr(GError) error = NULL;
  g_autoptr(FerryUser) user = user_at(by, token, NOW_S, &error);
  if (!!user != !why || (why && !strstr(error->message, why)))
    g_test_message("%s: %s", what, error ? error->message : "accepted");
  g_assert_true(!!user == !why);
  if (why) {
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED);
    g_assert_nonnull(strstr(error->message, why));
  }
}

static void good_signatures(void) {
  static const struct {
    int key;
    jwa_alg alg;
    const char *header;
  } good[] = {{RSA, R_JWA_ALG_RS256, "{\"kid\":\"rsa\"}"},
              {RSA, R_JWA_ALG_RS384, "{\"kid\":\"rsa\",\"typ\":\"JWT\"}"},
              {RSA2, R_JWA_ALG_RS512, "{\"kid\":\"rsa2\",\"typ\":\"at+jwt\"}"},
              {RSA, R_JWA_ALG_PS256, "{\"kid\":\"rsa\"}"},
              {RSA, R_JWA_ALG_PS384, "{\"kid\":\"rsa\"}"},
              {RSA, R_JWA_ALG_PS512, "{\"kid\":\"rsa\"}"},
              {P256, R_JWA_ALG_ES256, "{\"kid\":\"p256\"}"},
              {P384, R_JWA_ALG_ES384, "{\"kid\":\"p384\"}"},
              {P521, R_JWA_ALG_ES512, "{\"kid\":\"p521\"}"},
              {ED, R_JWA_ALG_EDDSA, "{\"kid\":\"ed\"}"},
              {ED, R_JWA_ALG_EDDSA, "{}"},    /* the only one that would do */
              {P256, R_JWA_ALG_ES256, "{}"}}; /* of its curve */
  g_autofree char *claims = claims_with("{}");
  for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
    g_autofree char *token = sign(&keys[good[i].key], good[i].alg, good[i].header, claims);
    g_assert_true(ferry_jwt_looks_like(token));
    check(oidc, r_jwa_alg_to_str(good[i].alg), token, NULL);
  }
}

static void bad_headers(void) {
  static const struct {
    int key;
    jwa_alg alg;
    const char *header, *why;
  } bad[] = {
      {RSA, R_JWA_ALG_RS256, "{\"kid\":\"rsa2\"}", "signature"},
      {RSA, R_JWA_ALG_RS256, "{\"kid\":\"p256\"}", "no such key"},
      {RSA, R_JWA_ALG_RS256, "{\"kid\":\"RSA\"}", "no such key"},
      {RSA, R_JWA_ALG_RS256, "{\"kid\":\"\"}", "no such key"},
      {RSA, R_JWA_ALG_RS256, "{\"kid\":7}", "as strings"},
      {RSA, R_JWA_ALG_RS256, "{}", "names no key"},
      {P256, R_JWA_ALG_ES256, "{\"kid\":\"p384\"}", "no such key"},
      {ED, R_JWA_ALG_EDDSA, "{\"kid\":\"ed\",\"crit\":[\"exp\"]}", "crit"},
      {ED, R_JWA_ALG_EDDSA, "{\"kid\":\"ed\",\"b64\":false}", "b64"},
      {ED, R_JWA_ALG_EDDSA, "{\"kid\":\"ed\",\"typ\":\"logout+jwt\"}", "type"},
      {ED, R_JWA_ALG_EDDSA, "{\"kid\":\"ed\",\"typ\":null}", "type"},
  };
  g_autofree char *claims = claims_with("{}");
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autofree char *token = sign(&keys[bad[i].key], bad[i].alg, bad[i].header, claims);
    check(oidc, bad[i].header, token, bad[i].why);
  }
}

/* A stranger signs with a key of his own, and sends it along. */
static void strangers_key(void) {
  TestKey own = test_key_new(R_KEY_TYPE_EC, 256, NULL);
  g_autofree char *shown = ferry_json_dump(own.shown);
  g_autofree char *claims = claims_with("{}");
  static const char *const headers[] = {
      "{\"kid\":\"p256\",\"jwk\":%s}", "{\"jwk\":%s}", "{\"kid\":\"x\",\"jwk\":%s}",
      "{\"kid\":\"p256\",\"jku\":\"http://127.0.0.1:1/keys\",\"x\":%s}"};
  for (gsize i = 0; i < G_N_ELEMENTS(headers); i++) {
    g_auto(GStrv) parts = g_strsplit(headers[i], "%s", 2);
    g_autofree char *header = g_strconcat(parts[0], shown, parts[1], NULL);
    g_autofree char *token = sign(&own, R_JWA_ALG_ES256, header, claims);
    check(oidc, header, token, "Unauthorized");
  }
  test_key_clear(&own);
}

static char *with_hmac(const char *parts, const void *secret, gsize len) {
  guint8 mac[32];
  gsize n = sizeof mac;
  GHmac *hmac = g_hmac_new(G_CHECKSUM_SHA256, secret, len);
  g_hmac_update(hmac, (const guchar *)parts, -1);
  g_hmac_get_digest(hmac, mac, &n);
  g_hmac_unref(hmac);
  g_autofree char *signature = base64url(mac, n);
  return g_strconcat(parts, ".", signature, NULL);
}

static void public_key_as_secret(void) {
  jwk_t *shown = NULL;
  r_jwk_init(&shown);
  r_jwk_import_from_json_t(shown, keys[RSA].shown);
  unsigned char pem[4096], der[4096];
  size_t pem_len = sizeof pem, der_len = sizeof der;
  g_assert_cmpint(r_jwk_export_to_pem_der(shown, R_FORMAT_PEM, pem, &pem_len, 0), ==, RHN_OK);
  g_assert_cmpint(r_jwk_export_to_pem_der(shown, R_FORMAT_DER, der, &der_len, 0), ==, RHN_OK);
  r_jwk_free(shown);
  g_autofree char *json = ferry_json_dump(keys[RSA].shown);
  g_autofree char *claims = claims_with("{}");
  g_autofree char *parts = two_parts("{\"alg\":\"HS256\",\"kid\":\"rsa\"}", claims);
  g_autofree char *by_pem = with_hmac(parts, pem, pem_len);
  g_autofree char *by_der = with_hmac(parts, der, der_len);
  g_autofree char *by_json = with_hmac(parts, json, strlen(json));
  const char *tokens[] = {by_pem, by_der, by_json};
  for (gsize i = 0; i < G_N_ELEMENTS(tokens); i++)
    check(oidc, "HS256", tokens[i], "algorithm");
}

static void unsigned_tokens(void) {
  static const char *const headers[] = {"{\"alg\":\"none\"}",
                                        "{\"alg\":\"nOnE\",\"kid\":\"ed\"}",
                                        "{\"alg\":\"\",\"kid\":\"ed\"}",
                                        "{\"kid\":\"ed\"}",
                                        "{\"alg\":null,\"kid\":\"ed\"}",
                                        "{\"alg\":[\"EdDSA\"],\"kid\":\"ed\"}",
                                        "{\"alg\":\"eddsa\",\"kid\":\"ed\"}",
                                        "{\"alg\":\"EdDSA\",\"kid\":\"ed\"}",
                                        "{\"alg\":\"none\",\"alg\":\"EdDSA\",\"kid\":\"ed\"}"};
  static const char *const ends[] = {"", ".", ".AA", ".AAAA.AAAA"};
  g_autofree char *claims = claims_with("{}");
  for (gsize i = 0; i < G_N_ELEMENTS(headers); i++) {
    g_autofree char *parts = two_parts(headers[i], claims);
    for (gsize j = 0; j < G_N_ELEMENTS(ends); j++) {
      g_autofree char *token = g_strconcat(parts, ends[j], NULL);
      check(oidc, headers[i], token, "Unauthorized");
    }
  }
}

/* What somebody makes of a good token without a key. */
static void changed_tokens(void) {
  g_autofree char *claims = claims_with("{}");
  g_autofree char *more = claims_with("{\"groups\":[\"staff\",\"root\"]}");
  static const struct {
    int key;
    jwa_alg alg;
    const char *header;
  } of[] = {{RSA, R_JWA_ALG_RS256, "{\"kid\":\"rsa\"}"},
            {P256, R_JWA_ALG_ES256, "{\"kid\":\"p256\"}"},
            {ED, R_JWA_ALG_EDDSA, "{\"kid\":\"ed\"}"}};
  for (gsize i = 0; i < G_N_ELEMENTS(of); i++) {
    g_autofree char *good = sign(&keys[of[i].key], of[i].alg, of[i].header, claims);
    check(oidc, "unchanged", good, NULL);
    g_auto(GStrv) part = g_strsplit(good, ".", 3);
    gsize len = strlen(part[2]);
    g_autofree char *cut = g_strndup(good, strlen(good) - 4);
    g_autofree char *longer = g_strconcat(good, "AAAA", NULL);
    g_autofree char *padded = g_strconcat(good, "=", NULL);
    g_autofree char *blank = g_strconcat(good, " ", NULL);
    g_autofree char *other = base64url(more, strlen(more));
    g_autofree char *swapped = g_strjoin(".", part[0], other, part[2], NULL);
    g_autofree char *zero = g_strnfill(len, 'A');
    g_autofree char *nil = g_strjoin(".", part[0], part[1], zero, NULL);
    g_autofree char *flipped = g_strdup(good);
    gsize at = strlen(good) - len / 2;
    flipped[at] = flipped[at] == 'A' ? 'B' : 'A';
    const char *bad[] = {cut, longer, padded, blank, swapped, nil, flipped};
    for (gsize j = 0; j < G_N_ELEMENTS(bad); j++)
      check(oidc, bad[j], bad[j], "Unauthorized");
  }
  /* RS256's signature under PS256's name */
  g_autofree char *rs = sign(&keys[RSA], R_JWA_ALG_RS256, "{\"kid\":\"rsa\"}", claims);
  g_autofree char *parts = two_parts("{\"alg\":\"PS256\",\"kid\":\"rsa\"}", claims);
  g_autofree char *renamed = g_strconcat(parts, strrchr(rs, '.'), NULL);
  check(oidc, "renamed", renamed, "signature");
}

static void forms(void) {
  g_autofree char *filler = g_strnfill(FERRY_JWT_MAX, 'x');
  g_autofree char *large = g_strdup_printf("{\"x\":\"%s\"}", filler);
  g_autofree char *large_claims = claims_with(large);
  g_autofree char *huge = sign(&keys[ED], R_JWA_ALG_EDDSA, "{\"kid\":\"ed\"}", large_claims);
  check(oidc, "huge", huge, "16 KiB");
  g_autofree char *open = g_strnfill(4000, '[');
  g_autofree char *deep = g_strconcat("{\"x\":", open, NULL);
  g_autofree char *claims = claims_with("{}");
  g_autofree char *twice = g_strconcat("{\"sub\":\"root\",", claims + 1, NULL);
  g_autofree char *tail = g_strconcat(claims, "{}", NULL);
  const char *bad[] = {deep, twice, tail, "[]", "null", "\"u\"", "{", "{\"sub\":\"a\\u0000b\"}"};
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autofree char *token = sign(&keys[ED], R_JWA_ALG_EDDSA, "{\"kid\":\"ed\"}", bad[i]);
    check(oidc, bad[i], token, "no JSON object");
  }
  static const char *const none[] = {"eyJ", "eyJ.", "eyJ..", "eyJ.a.b", "..", ""};
  for (gsize i = 0; i < G_N_ELEMENTS(none); i++)
    check(oidc, none[i], none[i], "Unauthorized");
}

static void check_claims(FerryOidc *by, const char *changes, const char *why) {
  g_autofree char *claims = claims_with(changes);
  g_autofree char *token = sign(&keys[ED], R_JWA_ALG_EDDSA, "{\"kid\":\"ed\"}", claims);
  check(by, changes, token, why);
}

static void claims(void) {
  static const struct {
    const char *changes, *why;
  } cases[] = {
      {"{\"aud\":[\"x\",\"ferry\"]}", NULL},
      {"{\"aud\":[\"x\",\"ferr\"]}", "audience"},
      {"{\"aud\":null}", "audience"},
      {"{\"aud\":[]}", "audience"},
      {"{\"aud\":{\"ferry\":1}}", "audience"},
      {"{\"aud\":\"Ferry\"}", "audience"},
      {"{\"iss\":\"" ISSUER "/\"}", "issuer"},
      {"{\"iss\":null}", "issuer"},
      {"{\"iss\":[\"" ISSUER "\"]}", "issuer"},
      {"{\"exp\":null}", "never expires"},
      {"{\"exp\":1767225600}", "has expired"},
      {"{\"exp\":1767225601}", NULL},
      {"{\"exp\":1767225601.5}", NULL},
      {"{\"exp\":\"1767225900\"}", "no number"},
      {"{\"exp\":-1}", "no number"},
      {"{\"exp\":0}", "no number"},
      {"{\"exp\":1e300}", "no number"},
      {"{\"exp\":9223372036854775807}", "no number"},
      {"{\"nbf\":1767225660}", NULL},
      {"{\"nbf\":1767225661}", "future"},
      {"{\"iat\":1767225661}", "future"},
      {"{\"iat\":null}", NULL},
      {"{\"nbf\":true}", "no number"},
      {"{\"sub\":null}", "subject"},
      {"{\"sub\":\"\"}", "subject"},
      {"{\"sub\":7}", "subject"},
      {"{\"sub\":\"a\\nb\"}", "subject"},
      {"{\"sub\":\"a\\u202eb\"}", "subject"},
      {"{\"groups\":null}", NULL},
      {"{\"groups\":\"one\"}", NULL},
      {"{\"groups\":{}}", "groups"},
      {"{\"groups\":[1]}", "groups"},
      {"{\"groups\":[[\"a\"]]}", "groups"},
      {"{\"groups\":[\"\"]}", "groups"},
      {"{\"groups\":[\"a\\tb\"]}", "groups"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
    check_claims(oidc, cases[i].changes, cases[i].why);
  g_autofree char *long_name = g_strnfill(FERRY_OIDC_MAX_NAME, 'n');
  g_autofree char *sub =
      g_strdup_printf("{\"sub\":\"%s\"}", long_name); /* the prefix is too much */
  check_claims(oidc, sub, "\"sub\"");
  for (guint n = FERRY_OIDC_MAX_GROUPS; n <= FERRY_OIDC_MAX_GROUPS + 1; n++) {
    g_autoptr(GString) text = g_string_new("{\"groups\":[\"g\"");
    for (guint i = 1; i < n; i++)
      g_string_append_printf(text, ",\"g%u\"", i);
    g_string_append(text, "]}");
    check_claims(oidc, text->str, n > FERRY_OIDC_MAX_GROUPS ? "groups" : NULL);
  }
}

/* Name and groups, joined by blanks, of the good claims with `changes`; NULL: refused. */
static char *who(const FerryOidcConfig *with, const char *changes) {
  FerryOidcConfig config = *with;
  config.issuer = (char *)ISSUER;
  config.audience = (char *)"ferry";
  g_autofree char *text = claims_with(changes);
  g_autoptr(json_t) value = ferry_json_parse(text, strlen(text), NULL);
  g_autoptr(FerryUser) user = ferry_oidc_user_of_claims(&config, value, NOW_S * 1000, NULL);
  if (!user)
    return NULL;
  g_assert_cmpint(user->expires_s, ==, NOW_S + 300);
  g_assert_cmpstr(user->credential, ==, "oidc " ISSUER " u-1");
  g_assert_false(user->admin);
  g_assert_null(user->node);
  g_autofree char *groups = g_strjoinv(" ", user->groups);
  return g_strdup_printf("%s %s", user->name, groups);
}

static void names(void) {
#define MAIL "\"email\":\"eve@example.org\""
  static const struct {
    FerryOidcConfig config;
    const char *changes, *expected;
  } cases[] = {
      {{0}, "{}", ISSUER "#u-1 staff system:authenticated"},
      {{.username_prefix = "-"}, "{}", "u-1 staff system:authenticated"},
      {{.username_prefix = "idp:", .groups_prefix = "idp:"},
       "{}",
       "idp:u-1 idp:staff system:authenticated"},
      {{.username_claim = "email"}, "{" MAIL "}", "eve@example.org staff system:authenticated"},
      {{.username_claim = "email"}, "{}", NULL},
      {{.username_claim = "email"}, "{" MAIL ",\"email_verified\":false}", NULL},
      {{.username_claim = "email"}, "{" MAIL ",\"email_verified\":\"true\"}", NULL},
      {{.username_claim = "email", .username_prefix = "m:"},
       "{" MAIL ",\"email_verified\":true}",
       "m:eve@example.org staff system:authenticated"},
      {{.username_claim = "upn", .username_prefix = "-"}, "{\"upn\":\"system:node:h1\"}", NULL},
      {{.username_claim = "upn", .username_prefix = "sys"}, "{\"upn\":\"tem:admin\"}", NULL},
      {{.username_claim = "upn"}, "{\"upn\":[\"a\"]}", NULL},
      {{.groups_claim = "roles"},
       "{\"roles\":[\"a\",\"b\"]}",
       ISSUER "#u-1 a b system:authenticated"},
      {{0}, "{\"groups\":[\"system:masters\",\"a\"]}", ISSUER "#u-1 a system:authenticated"},
      {{0}, "{\"groups\":\"system:nodes\"}", ISSUER "#u-1 system:authenticated"},
      {{.groups_prefix = "system"},
       "{\"groups\":[\":masters\"]}",
       ISSUER "#u-1 system:authenticated"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *found = who(&cases[i].config, cases[i].changes);
    g_assert_cmpstr(found, ==, cases[i].expected);
  }
}

static void configuration(void) {
  static const struct {
    FerryOidcConfig config;
    const char *why;
  } bad[] = {
      {{.issuer = ISSUER}, "--oidc-audience"},
      {{.issuer = "http://idp.example", .audience = "a"}, "--oidc-issuer"},
      {{.issuer = "idp.example", .audience = "a"}, "--oidc-issuer"},
      {{.issuer = ISSUER "?x=1", .audience = "a"}, "--oidc-issuer"},
      {{.issuer = "https://u:p@idp.example", .audience = "a"}, "--oidc-issuer"},
      {{.issuer = ISSUER, .audience = "a", .jwks = "http://127.0.0.1.example/k"}, "--oidc-jwks"},
      {{.issuer = ISSUER, .audience = "a", .jwks = "file:///etc/passwd"}, "--oidc-jwks"},
      {{.issuer = ISSUER, .audience = "a", .jwks = "/nowhere/keys"}, "/nowhere/keys"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(GError) error = NULL;
    g_assert_null(ferry_oidc_new(&bad[i].config, &error));
    g_assert_nonnull(error);
    g_assert_nonnull(strstr(error->message, bad[i].why));
  }
}

/* Keys that are no use for signatures are passed over. */
static void weak_keys(void) {
  TestKey small = test_key_new(R_KEY_TYPE_RSA, 1024, "small");
  TestKey one = test_key_new(R_KEY_TYPE_EC, 256, "one");
  g_autofree char *good = jwks_text(&one, 1);
  g_autofree char *weak = jwks_text(&small, 1);
  json_object_set_new(one.shown, "use", json_string("enc"));
  g_autofree char *other_use = jwks_text(&one, 1);
  const char *bad[] = {weak,
                       other_use,
                       "{\"keys\":[]}",
                       "{}",
                       "[]",
                       "",
                       "{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]}",
                       "{\"keys\":[7,null,{\"kty\":\"RSA\"},{\"kty\":\"EC\",\"crv\":\"P-256\"}]}"};
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(GError) error = NULL;
    g_assert_null(ferry_jwks_parse(bad[i], strlen(bad[i]), &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST);
  }
  g_autoptr(FerryJwks) jwks = ferry_jwks_parse(good, strlen(good), NULL);
  g_assert_nonnull(jwks);
  test_key_clear(&small);
  test_key_clear(&one);
}

/* An RSA key's exponent: with 1 a padded hash is its own signature, and a long one makes each check
 * of a stranger's token as dear as signing. */
static void exponents(void) {
  static const struct {
    const char *e;
    gboolean good;
  } cases[] = {{"AQAB", TRUE},
               {"Aw", TRUE},
               {"AAAB", FALSE},
               {"AQ", FALSE},
               {"Ag", FALSE},
               {"AQAA", FALSE},
               {"AAEAAQ", TRUE},
               {"", FALSE},
               {"AA", FALSE},
               {"A", FALSE},
               {"AQABAQABAQABAQAB", FALSE}};
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(json_t) shown = json_deep_copy(keys[RSA].shown);
    json_object_set_new(shown, "e", json_string(cases[i].e));
    TestKey key = {NULL, shown};
    g_autofree char *text = jwks_text(&key, 1);
    g_autoptr(FerryJwks) jwks = ferry_jwks_parse(text, strlen(text), NULL);
    g_test_message("e %s", cases[i].e);
    g_assert_true((jwks != NULL) == cases[i].good);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  r_global_init();
  keys[RSA] = test_key_new(R_KEY_TYPE_RSA, 2048, "rsa");
  keys[RSA2] = test_key_new(R_KEY_TYPE_RSA, 2048, "rsa2");
  keys[P256] = test_key_new(R_KEY_TYPE_EC, 256, "p256");
  keys[P384] = test_key_new(R_KEY_TYPE_EC, 384, "p384");
  keys[P521] = test_key_new(R_KEY_TYPE_EC, 521, "p521");
  keys[ED] = test_key_new(R_KEY_TYPE_EDDSA, 256, "ed");
  dir = g_dir_make_tmp("ferry-oidc-XXXXXX", NULL);
  path = g_build_filename(dir, "jwks.json", NULL);
  write_jwks(path, keys, N_KEYS);
  FerryOidcConfig config = {.issuer = ISSUER, .audience = "ferry", .jwks = path};
  g_autoptr(GError) error = NULL;
  oidc = ferry_oidc_new(&config, &error);
  g_assert_no_error(error);
  g_test_add_func("/api/oidc/signatures", good_signatures);
  g_test_add_func("/api/oidc/headers", bad_headers);
  g_test_add_func("/api/oidc/strangers-key", strangers_key);
  g_test_add_func("/api/oidc/public-key-as-secret", public_key_as_secret);
  g_test_add_func("/api/oidc/unsigned", unsigned_tokens);
  g_test_add_func("/api/oidc/changed", changed_tokens);
  g_test_add_func("/api/oidc/forms", forms);
  g_test_add_func("/api/oidc/claims", claims);
  g_test_add_func("/api/oidc/names", names);
  g_test_add_func("/api/oidc/configuration", configuration);
  g_test_add_func("/api/oidc/weak-keys", weak_keys);
  g_test_add_func("/api/oidc/exponents", exponents);
  int status = g_test_run();
  ferry_oidc_free(oidc);
  for (gsize i = 0; i < N_KEYS; i++)
    test_key_clear(&keys[i]);
  g_remove(path);
  g_rmdir(dir);
  g_free(path);
  g_free(dir);
  return status;
}
