// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a session stands for the credential with which it was begun and can do no
// more than that: its record holds who that was, and each request asks again whether that
// credential still holds. The cookie's secret is 256 random bits, of which the record has the hash.
//
// A browser sends the cookie by itself, whoever's page asks it to. So the cookie alone lets read,
// where the browser doesn't say that another site asks; a write must repeat, in a header that
// another site's page cannot set, a token derived from the secret, which only our own page can
// have read. A cookie that is no good (any more) is as none: the page must come up to log in again.
#include "api/auth/sessions.h"
#include "api/auth/validity.h"
#include "model/field/object_meta.h"
#include "api/auth/credentials.h"
#include "base/random.h"

#include <string.h>

#define COOKIE "__Host-ferry-session"
#define SESSION_LIFE_S ((gint64)12 * 3600)
#define MOST 16

/* ---- the record ---- */

static json_t *describe_user(const FerryUser *user) {
  json_t *groups = json_array();
  for (gsize i = 0; user->groups[i]; i++)
    json_array_append_new(groups, json_string(user->groups[i]));
  return json_pack("{s:s*, s:o, s:I, s:I, s:I, s:s*, s:s*, s:s*}", "uid", user->uid, "groups",
                   groups, "expires", (json_int_t)user->expires_s, "begins",
                   (json_int_t)user->begins_s, "generation", (json_int_t)user->generation, "ca",
                   user->ca, "key", user->key, "credential", user->credential);
}

static FerryUser *user_of_session(const json_t *record) {
  const json_t *of = json_object_get(record, "of");
  g_autoptr(GPtrArray) groups = g_ptr_array_new();
  gsize i;
  json_t *group;
  json_array_foreach(json_object_get(of, "groups"), i, group)
      g_ptr_array_add(groups, (gpointer)json_string_value(group));
  g_ptr_array_add(groups, NULL);
  FerryUser *user =
      ferry_user_new(ferry_json_str(record, "user"), (const char *const *)groups->pdata);
  user->uid = g_strdup(ferry_json_str(of, "uid"));
  user->expires_s = ferry_json_int(of, "expires", 0);
  user->begins_s = ferry_json_int(of, "begins", 0);
  user->generation = ferry_json_int(of, "generation", 0);
  user->ca = g_strdup(ferry_json_str(of, "ca"));
  user->key = g_strdup(ferry_json_str(of, "key"));
  user->credential = g_strdup(ferry_json_str(of, "credential"));
  return user;
}

/* Of a user's records of that type those that are over go, and the oldest where there are many. */
static void sessions_make_room(FerryApi *api, const char *user, const char *type) {
  g_autoptr(GPtrArray) all = ferry_credential_list(api, user);
  for (guint i = all->len; i-- > 0;) {
    const json_t *record = g_ptr_array_index(all, i);
    gboolean other = g_strcmp0(ferry_json_str(record, "type"), type) != 0;
    if (!other && ferry_credential_is_over(api, record))
      ferry_credential_forget(api, record);
    if (other || ferry_credential_is_over(api, record))
      g_ptr_array_remove_index(all, i);
  }
  while (all->len >= MOST) {
    guint oldest = 0;
    for (guint i = 1; i < all->len; i++)
      if (ferry_json_int(g_ptr_array_index(all, i), "created", 0) <
          ferry_json_int(g_ptr_array_index(all, oldest), "created", 0))
        oldest = i;
    ferry_credential_forget(api, g_ptr_array_index(all, oldest));
    g_ptr_array_remove_index(all, oldest);
  }
}

static gboolean may_have_one(const FerryUser *user, GError **error) {
  const char *why = NULL;
  if (user->anonymous)
    why = "who isn't known has no session: send a bearer token or a client certificate";
  else if (user->node)
    why = "the page is for people; an agent has no session";
  else if (user->impersonator)
    why = "a session is begun in one's own name, without --as";
  else if (user->session)
    why = "a session begins no other one: log in with the token or certificate itself";
  if (!why)
    return TRUE;
  g_set_error(error, FERRY_ERROR,
              user->anonymous ? FERRY_ERROR_UNAUTHORIZED : FERRY_ERROR_FORBIDDEN, "%s", why);
  return FALSE;
}

static gboolean record_add(FerryApi *api, const FerryUser *user, const char *type, gint64 life_s,
                           char **secret, GError **error) {
  if (!may_have_one(user, error))
    return FALSE;
  sessions_make_room(api, user->name, type);
  g_autofree char *id = ferry_random_hex(FERRY_SECRET_ID_DIGITS / 2);
  g_autofree char *key = ferry_random_hex(FERRY_SECRET_BYTES);
  g_autofree char *hash = ferry_sha256_hex(key, strlen(key));
  gint64 ends = ferry_clock_wall_ms(api->clock) + life_s * 1000;
  if (user->expires_s)
    ends = MIN(ends, user->expires_s * 1000);
  g_autoptr(json_t) record = ferry_credential_new(api, type, id, user->name, ends, user->name);
  ferry_json_set_str(record, "hash", hash);
  json_object_set_new(record, "of", describe_user(user));
  if (!ferry_credential_add(api, record, error))
    return FALSE;
  *secret = g_strdup_printf("%s.%s", id, key);
  return TRUE;
}

/* The record of a secret that is good now, or NULL. */
static json_t *record_find(FerryApi *api, const char *type, const char *secret) {
  if (strlen(secret) != FERRY_SECRET_ID_DIGITS + 1 + 2 * FERRY_SECRET_BYTES ||
      secret[FERRY_SECRET_ID_DIGITS] != '.' ||
      strspn(secret, "0123456789abcdef") != FERRY_SECRET_ID_DIGITS)
    return NULL;
  g_autofree char *name = g_strdup_printf("%s %.*s", type, FERRY_SECRET_ID_DIGITS, secret);
  g_autoptr(json_t) record = ferry_credential_find(api, name);
  const char *key = secret + FERRY_SECRET_ID_DIGITS + 1;
  g_autofree char *hash = ferry_sha256_hex(key, strlen(key));
  const char *stored = ferry_json_str(record, "hash");
  return stored && ferry_secret_equal(hash, stored) && !ferry_credential_is_over(api, record)
             ? g_steal_pointer(&record)
             : NULL;
}

/* ---- beginning and ending ---- */

gboolean ferry_web_session_begin(FerryApi *api, const FerryUser *user, char **secret,
                                 GError **error) {
  return record_add(api, user, "session", SESSION_LIFE_S, secret, error);
}

gboolean ferry_web_session_link(FerryApi *api, const FerryUser *user, char **secret,
                                GError **error) {
  return record_add(api, user, "link", FERRY_LINK_LIFE_S, secret, error);
}

FerryUser *ferry_web_session_redeem(FerryApi *api, const char *secret, GError **error) {
  g_autoptr(json_t) record = record_find(api, "link", secret);
  g_autoptr(FerryUser) user = record ? user_of_session(record) : NULL;
  FerryWrite write = {.op = FERRY_WRITE_DELETE,
                      .kind = &ferry_kind_credential,
                      .ns = "",
                      .name = record ? ferry_json_str(record, "metadata.name") : NULL,
                      .revision = record ? ferry_object_revision(record) : 0};
  /* The store decides who of two that come at once is the first. */
  if (!record || !ferry_store_commit(api->store, &write, 1, NULL, NULL)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED,
                "Unauthorized: the link was used already or is older than %d s; ferry web makes "
                "another one",
                FERRY_LINK_LIFE_S);
    return NULL;
  }
  return ferry_auth_is_valid(api, user, error) ? g_steal_pointer(&user) : NULL;
}

gboolean ferry_web_session_end(FerryApi *api, const FerryUser *user, GError **error) {
  g_autoptr(json_t) record = user->session ? ferry_credential_find(api, user->session) : NULL;
  if (!record)
    return TRUE;
  FerryWrite write = {.op = FERRY_WRITE_DELETE,
                      .kind = &ferry_kind_credential,
                      .ns = "",
                      .name = ferry_json_str(record, "metadata.name")};
  g_autoptr(GError) problem = NULL;
  if (ferry_store_commit(api->store, &write, 1, NULL, &problem) ||
      g_error_matches(problem, FERRY_ERROR, FERRY_ERROR_NOT_FOUND))
    return TRUE;
  g_propagate_error(error, g_steal_pointer(&problem));
  return FALSE;
}

/* ---- the cookie ---- */

char *ferry_web_session_cookie(const char *secret) {
  return g_strdup_printf(COOKIE "=%s; Path=/; Secure; HttpOnly; SameSite=Strict%s",
                         secret ? secret : "", secret ? "" : "; Max-Age=0");
}

char *ferry_web_session_csrf(const char *secret) {
  g_autofree char *text = g_strconcat("ferry csrf ", secret, NULL);
  return ferry_sha256_hex(text, strlen(text));
}

static const char *header_value(FerryRequest *req, const char *name) {
  return MHD_lookup_connection_value(req->connection, MHD_HEADER_KIND, name);
}

char *ferry_web_session_shown(FerryRequest *req) {
  g_auto(GStrv) parts =
      g_strsplit(header_value(req, "Cookie") ? header_value(req, "Cookie") : "", ";", -1);
  const char *found = NULL;
  for (gsize i = 0; parts[i]; i++) {
    const char *part = g_strstrip(parts[i]);
    if (!g_str_has_prefix(part, COOKIE "="))
      continue;
    if (found) /* somebody put another one beside ours */
      return NULL;
    found = part + strlen(COOKIE "=");
  }
  return g_strdup(found);
}

/* What a browser says of whose page asks; older ones don't. */
static gboolean asked_by_another_site(FerryRequest *req) {
  const char *site = header_value(req, "Sec-Fetch-Site");
  return site && !g_str_equal(site, "same-origin") && !g_str_equal(site, "none");
}

FerryUser *ferry_auth_cookie(FerryRequest *req, GError **error) {
  g_autofree char *secret = ferry_web_session_shown(req);
  if (!secret || asked_by_another_site(req))
    return NULL;
  g_autoptr(json_t) record = record_find(req->api, "session", secret);
  if (!record)
    return NULL;
  g_autoptr(FerryUser) user = user_of_session(record);
  user->session = g_strdup_printf("session %s", ferry_json_str(record, "id"));
  if (!ferry_auth_is_valid(req->api, user, NULL))
    return NULL;
  const char *shown = header_value(req, "Ferry-CSRF");
  g_autofree char *wanted = ferry_web_session_csrf(secret);
  if (g_str_equal(req->asked.method, "GET") || (shown && ferry_secret_equal(wanted, shown)))
    return g_steal_pointer(&user);
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_FORBIDDEN,
              "a write with the page's cookie needs the header Ferry-CSRF, with what GET "
              "/web/session says in csrf");
  return NULL;
}
