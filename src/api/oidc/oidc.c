// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a token counts where its signature is by a key of the provider, its issuer
// and audience are the configured ones, and it is in time. Name and groups are claims with a
// prefix, by Kubernetes' rules. What begins with "system:" is this server's own: nobody is let in
// by such a name, and such groups are dropped, so no provider can make an administrator or an
// agent.
#include "api/oidc/oidc.h"
#include "api/http/user.h"
#include "api/oidc/oidc_keys.h"

#include <string.h>

#define LEEWAY_S 60
#define MAX_TIME_S G_GINT64_CONSTANT(253402300799) /* the end of the year 9999 */

struct FerryOidc {
  FerryOidcConfig config;
  FerryOidcKeys *keys;
};

static FerryUser *oidc_refuse(GError **error, const char *why) {
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED, "Unauthorized: the token %s", why);
  return NULL;
}

static const char *claim_str(const json_t *claims, const char *name) {
  return json_string_value(json_object_get(claims, name));
}

/* FALSE where the claim is there and no time. 0: it is not there. */
static gboolean claim_time(const json_t *claims, const char *name, gint64 *seconds) {
  const json_t *value = json_object_get(claims, name);
  *seconds = 0;
  if (!value)
    return TRUE;
  double number = json_number_value(value);
  if (!json_is_number(value) || !(number >= 1) || number > (double)MAX_TIME_S)
    return FALSE;
  *seconds = json_is_integer(value) ? json_integer_value(value) : (gint64)number;
  return TRUE;
}

static gboolean check_times(const json_t *claims, gint64 now_s, gint64 *expires_s, GError **error) {
  gint64 begins = 0, issued = 0;
  const char *why = NULL;
  if (!claim_time(claims, "exp", expires_s) || !claim_time(claims, "nbf", &begins) ||
      !claim_time(claims, "iat", &issued))
    why = "has a time (exp, nbf, iat) that is no number of seconds since 1970";
  else if (!*expires_s)
    why = "never expires: it needs \"exp\"";
  else if (*expires_s <= now_s)
    why = "has expired";
  else if (begins > now_s + LEEWAY_S || issued > now_s + LEEWAY_S)
    why = "is of the future (nbf or iat); compare the clocks of provider and server";
  return why ? oidc_refuse(error, why) != NULL : TRUE;
}

static gboolean check_parties(const FerryOidcConfig *config, const json_t *claims, GError **error) {
  if (g_strcmp0(claim_str(claims, "iss"), config->issuer) != 0)
    return oidc_refuse(error, "is of another issuer than the configured one") != NULL;
  const json_t *audience = json_object_get(claims, "aud");
  if (g_strcmp0(json_string_value(audience), config->audience) != 0 &&
      !ferry_json_has_word(audience, config->audience))
    return oidc_refuse(error, "is for another audience than the configured one") != NULL;
  return TRUE;
}

/* Short, and nothing that would make two lines of one in a log. */
static gboolean is_name(const char *name) {
  if (!name || !*name || strlen(name) > FERRY_OIDC_MAX_NAME)
    return FALSE;
  for (const char *p = name; *p; p = g_utf8_next_char(p))
    if (!g_unichar_isprint(g_utf8_get_char(p)))
      return FALSE;
  return TRUE;
}

static char *username_of(const FerryOidcConfig *config, const json_t *claims, GError **error) {
  const char *claim = config->username_claim ? config->username_claim : "sub";
  const char *value = claim_str(claims, claim);
  const json_t *verified = json_object_get(claims, "email_verified");
  gboolean is_email = g_str_equal(claim, "email");
  if (is_email && verified && !json_is_true(verified)) {
    oidc_refuse(error, "names an email address that the provider has not verified");
    return NULL;
  }
  const char *prefix = config->username_prefix;
  g_autofree char *usual = g_strconcat(config->issuer, "#", NULL);
  if (!prefix)
    prefix = is_email ? "" : usual;
  g_autofree char *name =
      value && *value ? g_strconcat(g_str_equal(prefix, "-") ? "" : prefix, value, NULL) : NULL;
  if (!is_name(name)) {
    g_autofree char *why = g_strdup_printf(
        "needs the claim \"%s\": a text of at most %d bytes with its prefix, all of it printable",
        claim, FERRY_OIDC_MAX_NAME);
    oidc_refuse(error, why);
    return NULL;
  }
  if (g_str_has_prefix(name, "system:")) {
    oidc_refuse(error, "names a user that begins with \"system:\", which is reserved");
    return NULL;
  }
  return g_steal_pointer(&name);
}

static gboolean add_group(const FerryOidcConfig *config, GPtrArray *groups, const json_t *value) {
  const char *text = json_string_value(value);
  const char *prefix = config->groups_prefix ? config->groups_prefix : "";
  g_autofree char *group = text && *text ? g_strconcat(prefix, text, NULL) : NULL;
  if (!is_name(group))
    return FALSE;
  if (!g_str_has_prefix(group, "system:"))
    g_ptr_array_add(groups, g_steal_pointer(&group));
  return TRUE;
}

/* NULL-ended, with system:authenticated. */
static GPtrArray *groups_of(const FerryOidcConfig *config, const json_t *claims, GError **error) {
  const char *claim = config->groups_claim ? config->groups_claim : "groups";
  const json_t *value = json_object_get(claims, claim);
  g_autoptr(GPtrArray) groups = g_ptr_array_new_with_free_func(g_free);
  gboolean ok = !value || json_is_array(value) || add_group(config, groups, value);
  gsize i;
  const json_t *one;
  json_array_foreach(value, i, one) {
    ok = ok && i < FERRY_OIDC_MAX_GROUPS && add_group(config, groups, one);
  }
  if (!ok) {
    g_autofree char *why =
        g_strdup_printf("has a claim \"%s\" that is no list of at most %d texts of 1 to %d bytes",
                        claim, FERRY_OIDC_MAX_GROUPS, FERRY_OIDC_MAX_NAME);
    oidc_refuse(error, why);
    return NULL;
  }
  g_ptr_array_add(groups, g_strdup("system:authenticated"));
  g_ptr_array_add(groups, NULL);
  return g_steal_pointer(&groups);
}

FerryUser *ferry_oidc_user_of_claims(const FerryOidcConfig *config, const json_t *claims,
                                     gint64 now_ms, GError **error) {
  gint64 expires_s = 0;
  if (!check_parties(config, claims, error) ||
      !check_times(claims, now_ms / 1000, &expires_s, error))
    return NULL;
  const char *subject = claim_str(claims, "sub");
  if (!is_name(subject))
    return oidc_refuse(error,
                       "needs a subject (\"sub\") of at most 256 bytes, all of them printable");
  g_autofree char *name = username_of(config, claims, error);
  if (!name)
    return NULL;
  g_autoptr(GPtrArray) groups = groups_of(config, claims, error);
  if (!groups)
    return NULL;
  FerryUser *user = ferry_user_new(name, (const char *const *)groups->pdata);
  user->uid = g_strdup(subject);
  user->expires_s = expires_s;
  user->credential = g_strdup_printf("oidc %s %s", config->issuer, subject);
  return user;
}

FerryUser *ferry_oidc_user(FerryOidc *oidc, const char *token, gint64 now_ms, GError **error) {
  g_auto(FerryJwt) jwt = {0};
  if (!ferry_jwt_parse(token, &jwt, error))
    return NULL;
  g_autoptr(FerryJwks) keys = ferry_oidc_keys_get(oidc->keys);
  g_autoptr(GError) problem = NULL;
  FerryJwksVerdict verdict = keys ? ferry_jwks_verify(keys, &jwt, &problem) : FERRY_JWKS_NO_KEY;
  if (verdict == FERRY_JWKS_GOOD)
    return ferry_oidc_user_of_claims(&oidc->config, jwt.claims, now_ms, error);
  if (verdict == FERRY_JWKS_NO_KEY && (jwt.kid || !keys) && ferry_oidc_keys_want(oidc->keys))
    return oidc_refuse(error,
                       "is signed by a key that is not known yet; the provider's keys are being "
                       "fetched: try again");
  if (!problem)
    return oidc_refuse(error, "cannot be checked: the provider's keys could not be fetched so far");
  g_propagate_error(error, g_steal_pointer(&problem));
  return NULL;
}

static gboolean check_config(const FerryOidcConfig *config, GError **error) {
  if (!config->audience || !*config->audience) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "--oidc-issuer needs --oidc-audience: the client id that tokens must be for");
    return FALSE;
  }
  if (!ferry_oidc_keys_url_is_safe(config->issuer) || strpbrk(config->issuer, "?#")) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "--oidc-issuer %s: expected a URL https://HOST[:PORT][/PATH]", config->issuer);
    return FALSE;
  }
  return TRUE;
}

FerryOidc *ferry_oidc_new(const FerryOidcConfig *config, GError **error) {
  if (!check_config(config, error))
    return NULL;
  FerryOidc *oidc = g_new0(FerryOidc, 1);
  oidc->config = (FerryOidcConfig){
      .issuer = g_strdup(config->issuer),
      .audience = g_strdup(config->audience),
      .username_claim = g_strdup(config->username_claim),
      .groups_claim = g_strdup(config->groups_claim),
      .username_prefix = g_strdup(config->username_prefix),
      .groups_prefix = g_strdup(config->groups_prefix),
      .jwks = g_strdup(config->jwks),
      .ca = g_strdup(config->ca),
      .refresh_ms = config->refresh_ms,
      .refetch_ms = config->refetch_ms,
  };
  oidc->keys = ferry_oidc_keys_start(&oidc->config, error);
  if (oidc->keys)
    return oidc;
  ferry_oidc_free(oidc);
  return NULL;
}

void ferry_oidc_free(FerryOidc *oidc) {
  if (!oidc)
    return;
  ferry_oidc_keys_stop(oidc->keys);
  ferry_oidc_config_clear(&oidc->config);
  g_free(oidc);
}

void ferry_oidc_config_clear(FerryOidcConfig *config) {
  g_free(config->issuer);
  g_free(config->audience);
  g_free(config->username_claim);
  g_free(config->groups_claim);
  g_free(config->username_prefix);
  g_free(config->groups_prefix);
  g_free(config->jwks);
  g_free(config->ca);
  *config = (FerryOidcConfig){0};
}
