// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a User's credentials. A token is "ferrytoken.ID.SECRET": its record is found
// by ID and holds the SHA-256 of the secret, which is 256 random bits and shown once. A certificate
// carries only the User's name: which groups that is, the User object says whenever it connects.
// A credential's record and its line in the User's status are one commit, so that no credential
// is made for a User who is being deleted.
#include "api/auth/users.h"
#include "model/validate/validate.h"
#include "api/auth/rbac_grant.h"
#include "api/auth/validity.h"
#include "api/http/negotiate.h"
#include "api/http/respond.h"
#include "api/lookup/find.h"
#include "model/field/object_meta.h"
#include "api/auth/credentials.h"
#include "base/log.h"
#include "base/random.h"
#include "base/rfc3339.h"
#include "base/limits.h"

#include <string.h>

#define PREFIX "ferrytoken."
#define SHORTEST_S 60
#define LONGEST_S (FERRY_CREDENTIAL_MAX_DAYS * FERRY_DAY_S)
#define DEFAULT_S (90 * FERRY_DAY_S)
#define MAX_CREDENTIALS 100

/* ---- who comes ---- */

static FerryUser *user_of(const json_t *object, const char *credential) {
  g_autoptr(GPtrArray) groups = g_ptr_array_new();
  gsize i;
  json_t *group;
  json_array_foreach(ferry_json_get(object, "spec.groups"), i, group)
      g_ptr_array_add(groups, (gpointer)json_string_value(group));
  g_ptr_array_add(groups, (gpointer) "system:authenticated");
  g_ptr_array_add(groups, NULL);
  FerryUser *user =
      ferry_user_new(ferry_json_str(object, "metadata.name"), (const char *const *)groups->pdata);
  user->uid = g_strdup(ferry_json_str(object, "metadata.uid"));
  user->generation = ferry_json_int(object, "metadata.generation", 1);
  user->credential = g_strdup(credential);
  return user;
}

FerryUser *ferry_user_of_record(FerryApi *api, const json_t *record, GError **error) {
  const char *name = ferry_json_str(record, "user"), *why = NULL;
  g_autofree char *credential =
      g_strdup_printf("%s %s", ferry_json_str(record, "type"), ferry_json_str(record, "id"));
  g_autoptr(json_t) object = ferry_store_get(api->store, &ferry_kind_user, "", name);
  if (ferry_credential_is_revoked(record, ferry_clock_wall_ms(api->clock), &why)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED, "Unauthorized: %s", why);
    return NULL;
  }
  if (g_strcmp0(ferry_json_str(object, "metadata.uid"), ferry_json_str(record, "uid")) != 0) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED,
                "Unauthorized: the user \"%s\" was deleted", name);
    return NULL;
  }
  if (ferry_json_str(object, "metadata.deletionTimestamp")) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED,
                "Unauthorized: the user \"%s\" is being deleted", name);
    return NULL;
  }
  FerryUser *user = user_of(object, credential);
  user->expires_s = ferry_json_int(record, "expires", 0) / 1000;
  return user;
}

FerryUser *ferry_user_of_token(FerryApi *api, const char *token, GError **error) {
  if (!g_str_has_prefix(token, PREFIX) ||
      strlen(token) != strlen(PREFIX) + FERRY_SECRET_ID_DIGITS + 1 + 2 * FERRY_SECRET_BYTES)
    return NULL;
  g_autofree char *id = g_strndup(token + strlen(PREFIX), FERRY_SECRET_ID_DIGITS);
  g_autofree char *credential = g_strconcat("token ", id, NULL);
  g_autoptr(json_t) record = ferry_credential_find(api, credential);
  const char *secret = token + strlen(PREFIX) + FERRY_SECRET_ID_DIGITS + 1;
  g_autofree char *hash = ferry_sha256_hex(secret, strlen(secret));
  const char *stored = ferry_json_str(record, "hash");
  if (!stored || !ferry_secret_equal(hash, stored)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED,
                "Unauthorized: the bearer token is not known");
    return NULL;
  }
  g_autoptr(FerryUser) user = ferry_user_of_record(api, record, error);
  return user && ferry_auth_is_valid(api, user, error) ? g_steal_pointer(&user) : NULL;
}

/* ---- what may be made ---- */

/* Nobody hands out what he has not. */
static gboolean may_grant(FerryRequest *req, const char *name, const json_t *groups,
                          GError **error) {
  if (req->user->admin)
    return TRUE;
  g_autoptr(GPtrArray) list = g_ptr_array_new();
  gsize i;
  json_t *group;
  json_array_foreach((json_t *)groups, i, group)
      g_ptr_array_add(list, (gpointer)json_string_value(group));
  g_ptr_array_add(list, (gpointer) "system:authenticated");
  g_ptr_array_add(list, NULL);
  return ferry_rbac_user_covered(req->api, req->user, name, (const char *const *)list->pdata,
                                 error);
}

gboolean ferry_admit_user(FerryRequest *req, const json_t *old, json_t *object, GError **error) {
  const char *name = ferry_json_str(object, "metadata.name");
  const json_t *groups = ferry_json_get(object, "spec.groups");
  g_autoptr(GError) invalid = g_error_new_literal(FERRY_ERROR, FERRY_ERROR_INVALID, "invalid");
  gsize i;
  json_t *group;
  if (g_strcmp0(name, "admin") == 0)
    ferry_error_add_cause(invalid, "FieldValueInvalid", "metadata.name",
                          "Invalid value: \"admin\": that is the name in admin.kubeconfig; take "
                          "another one");
  json_array_foreach((json_t *)groups, i, group) {
    const char *text = json_string_value(group);
    g_autofree char *field = g_strdup_printf("spec.groups[%zu]", i);
    if (text && g_str_has_prefix(text, "system:") && !req->user->admin)
      ferry_error_add_cause(invalid, "FieldValueForbidden", field,
                            "Forbidden: \"%s\": groups that begin with \"system:\" are given by "
                            "members of system:masters only",
                            text);
  }
  if (ferry_error_n_causes(invalid))
    return ferry_validate_answer(req->found.kind, name, g_steal_pointer(&invalid), error);
  if (old && (g_strcmp0(req->found.subresource, "status") == 0 ||
              !json_equal(json_object_get(old, "status"), json_object_get(object, "status")))) {
    if (json_equal(json_object_get(old, "status"), json_object_get(object, "status")))
      return TRUE;
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_FORBIDDEN,
                "users.ferry.migration \"%s\" is forbidden: status lists the credentials there "
                "are; make them with users/token and users/certificate, end them with users/revoke",
                name);
    return FALSE;
  }
  if (old && json_equal(ferry_json_get(old, "spec.groups"), groups))
    return TRUE;
  return may_grant(req, name, groups, error);
}

/* ---- making ---- */

/* Those of status that are good now, where `ending` (may be NULL) ends at `ends_ms` at the latest.
 * New reference. */
static json_t *good_ones(FerryApi *api, const json_t *user, const char *ending, gint64 ends_ms) {
  json_t *out = json_array(), *entry;
  gint64 now = ferry_clock_wall_ms(api->clock);
  gsize i;
  json_array_foreach(ferry_json_get(user, "status.credentials"), i, entry) {
    gint64 ends = ferry_rfc3339_parse(ferry_json_str(entry, "expiresAt"));
    g_autoptr(json_t) copy = json_deep_copy(entry);
    if (g_strcmp0(ferry_json_str(entry, "id"), ending) == 0 && (ends < 0 || ends_ms < ends)) {
      g_autofree char *when = ferry_rfc3339_format(ends_ms);
      ferry_json_set_str(copy, "expiresAt", when);
      ends = ends_ms;
    }
    if (ends < 0 || ends > now)
      json_array_append(out, copy);
  }
  return out;
}

static json_t *status_entry(const json_t *record) {
  g_autofree char *created = ferry_rfc3339_format(ferry_json_int(record, "created", 0));
  g_autofree char *ends = ferry_rfc3339_format(ferry_json_int(record, "expires", 0));
  return json_pack("{s:s, s:s, s:s, s:s}", "id", ferry_json_str(record, "id"), "type",
                   ferry_json_str(record, "type"), "createdAt", created, "expiresAt", ends);
}

/* The record and the User that lists it, as one. */
static gboolean commit_credential(FerryRequest *req, json_t *record, GError **error) {
  for (int i = 0;; i++) {
    g_autoptr(json_t) user = ferry_resource_find(req, error);
    if (!user)
      return FALSE;
    if (ferry_json_str(user, "metadata.deletionTimestamp")) {
      g_set_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT,
                  "user \"%s\" is being deleted: no credential is made for it", req->found.name);
      return FALSE;
    }
    g_autoptr(json_t) list = good_ones(req->api, user, NULL, 0);
    if (json_array_size(list) >= MAX_CREDENTIALS) {
      g_set_error(error, FERRY_ERROR, FERRY_ERROR_TOO_MANY_REQUESTS,
                  "user \"%s\" has %d credentials already; end some: ferry user revoke %s "
                  "--credential ID",
                  req->found.name, MAX_CREDENTIALS, req->found.name);
      return FALSE;
    }
    g_autoptr(json_t) object = json_deep_copy(user);
    json_array_append_new(list, status_entry(record));
    ferry_json_set(object, "status.credentials", g_steal_pointer(&list));
    ferry_json_set_str(record, "uid", ferry_json_str(user, "metadata.uid"));
    FerryWrite writes[] = {{.op = FERRY_WRITE_CREATE,
                            .kind = &ferry_kind_credential,
                            .ns = "",
                            .name = ferry_json_str(record, "metadata.name"),
                            .object = record},
                           {.op = FERRY_WRITE_UPDATE,
                            .kind = &ferry_kind_user,
                            .ns = "",
                            .name = req->found.name,
                            .object = object,
                            .revision = ferry_object_revision(user)}};
    g_autoptr(GError) problem = NULL;
    if (ferry_store_commit(req->api->store, writes, G_N_ELEMENTS(writes), NULL, &problem))
      return TRUE;
    if (!g_error_matches(problem, FERRY_ERROR, FERRY_ERROR_CONFLICT) || i >= FERRY_API_MAX_TRIES) {
      g_propagate_error(error, g_steal_pointer(&problem));
      return FALSE;
    }
  }
}

/* expirationSeconds of the body, in seconds. */
static gboolean read_life(const json_t *body, gint64 *life_s, GError **error) {
  const json_t *value = json_object_get(body, "expirationSeconds");
  *life_s = DEFAULT_S;
  if (!value || json_is_null(value))
    return TRUE;
  *life_s = json_integer_value(value);
  if (json_is_integer(value) && *life_s >= SHORTEST_S && *life_s <= LONGEST_S)
    return TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
              "expirationSeconds: expected a whole number from %d to %" G_GINT64_FORMAT
              " (left out: %" G_GINT64_FORMAT ", 90 days)",
              SHORTEST_S, LONGEST_S, DEFAULT_S);
  return FALSE;
}

static void users_told(FerryRequest *req, const char *done, const json_t *record) {
  ferry_info(done, "FERRY_USER_NAME", req->found.name, "FERRY_CREDENTIAL",
             ferry_json_str(record, "id"), "FERRY_USER", req->user->name);
}

static gboolean make_token(FerryRequest *req, gint64 life_s, GError **error) {
  FerryApi *api = req->api;
  g_autofree char *id = ferry_random_hex(FERRY_SECRET_ID_DIGITS / 2);
  g_autofree char *secret = ferry_random_hex(FERRY_SECRET_BYTES);
  g_autofree char *hash = ferry_sha256_hex(secret, strlen(secret));
  gint64 ends = ferry_clock_wall_ms(api->clock) + life_s * 1000;
  g_autoptr(json_t) record =
      ferry_credential_new(api, "token", id, req->found.name, ends, req->user->name);
  ferry_json_set_str(record, "hash", hash);
  if (!commit_credential(req, record, error))
    return FALSE;
  users_told(req, "made a user's token", record);
  g_autofree char *token = g_strdup_printf(PREFIX "%s.%s", id, secret);
  g_autofree char *when = ferry_rfc3339_format(ends);
  ferry_respond_json(req, 201,
                     json_pack("{s:s, s:s, s:s, s:s}", "id", id, "token", token, "expiresAt", when,
                               "ca", ferry_pki_ca(api->pki)));
  return TRUE;
}

static gboolean make_certificate(FerryRequest *req, const json_t *body, gint64 life_s,
                                 GError **error) {
  FerryApi *api = req->api;
  const char *csr = ferry_json_str(body, "csr");
  if (!csr)
    return ferry_error_bad_request(
        error, "expected {\"csr\": a certificate request in PEM, \"expirationSeconds\"}");
  FerryPkiIssued issued = {0};
  if (!ferry_pki_sign_client(api->pki, csr, NULL, req->found.name, ferry_clock_wall_ms(api->clock),
                             life_s, &issued, error))
    return FALSE;
  g_autoptr(json_t) record = ferry_credential_new(api, "certificate", issued.serial,
                                                  req->found.name, issued.ends_ms, req->user->name);
  ferry_json_set_str(record, "ca", ferry_pki_ca_hash(api->pki));
  gboolean ok = commit_credential(req, record, error);
  if (ok) {
    users_told(req, "made a user's certificate", record);
    g_autofree char *when = ferry_rfc3339_format(issued.ends_ms);
    ferry_respond_json(req, 201,
                       json_pack("{s:s, s:s, s:s, s:s}", "id", issued.serial, "certificate",
                                 issued.pem, "expiresAt", when, "ca", ferry_pki_ca(api->pki)));
  }
  ferry_pki_issued_clear(&issued);
  return ok;
}

/* ---- ending ---- */

static gboolean end_in_status(FerryRequest *req, const char *id, gint64 ends_ms, GError **error) {
  for (int i = 0;; i++) {
    g_autoptr(json_t) user = ferry_resource_find(req, error);
    if (!user)
      return FALSE;
    g_autoptr(json_t) object = json_deep_copy(user);
    ferry_json_set(object, "status.credentials", good_ones(req->api, user, id, ends_ms));
    FerryWrite write = {.op = FERRY_WRITE_UPDATE,
                        .kind = &ferry_kind_user,
                        .ns = "",
                        .name = req->found.name,
                        .object = object,
                        .revision = ferry_object_revision(user)};
    g_autoptr(GError) problem = NULL;
    if (ferry_store_commit(req->api->store, &write, 1, NULL, &problem))
      return TRUE;
    if (!g_error_matches(problem, FERRY_ERROR, FERRY_ERROR_CONFLICT) || i >= FERRY_API_MAX_TRIES) {
      g_propagate_error(error, g_steal_pointer(&problem));
      return FALSE;
    }
  }
}

/* {"id": ..., "graceSeconds": 0}: void at once, or after that time. */
static gboolean revoke_one(FerryRequest *req, const json_t *body, GError **error) {
  const char *id = ferry_json_str(body, "id");
  const json_t *grace = json_object_get(body, "graceSeconds");
  gint64 grace_s = grace ? json_integer_value(grace) : 0;
  if (!id || (grace && !json_is_integer(grace)) || grace_s < 0 || grace_s > LONGEST_S)
    return ferry_error_bad_request(
        error, "expected {\"id\": of one of status.credentials, \"graceSeconds\": a whole "
               "number that is not negative, 0 where it is left out}");
  gint64 now = ferry_clock_wall_ms(req->api->clock);
  g_autoptr(GPtrArray) records = ferry_credential_list(req->api, req->found.name);
  for (guint i = 0; i < records->len; i++) {
    const json_t *record = g_ptr_array_index(records, i);
    if (g_strcmp0(ferry_json_str(record, "id"), id) != 0)
      continue;
    gint64 at = now + grace_s * 1000;
    g_autofree char *when = ferry_rfc3339_format(at);
    g_autofree char *why =
        g_strdup_printf("this %s (%s) of user \"%s\" was revoked at %s",
                        ferry_json_str(record, "type"), id, req->found.name, when);
    if (!ferry_credential_revoke(req->api, ferry_json_str(record, "metadata.name"), at, why,
                                 error) ||
        !end_in_status(req, id, at, error))
      return FALSE;
    users_told(req, "revoked a user's credential", record);
    ferry_respond_json(req, 200, json_pack("{s:s, s:s}", "id", id, "endsAt", when));
    return TRUE;
  }
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND,
              "user \"%s\" has no credential \"%s\"; ferry user list shows them", req->found.name,
              id);
  return FALSE;
}

gboolean ferry_serve_user_action(FerryRequest *req, GError **error) {
  g_autoptr(json_t) body = ferry_request_body(req, error);
  g_autoptr(json_t) user = body ? ferry_resource_find(req, error) : NULL;
  if (!user)
    return FALSE;
  if (!json_is_object(body))
    return ferry_error_bad_request(error, "the body must be one object");
  if (g_str_equal(req->found.subresource, "revoke"))
    return revoke_one(req, body, error);
  gint64 life_s;
  if (!may_grant(req, req->found.name, ferry_json_get(user, "spec.groups"), error) ||
      !read_life(body, &life_s, error))
    return FALSE;
  return g_str_equal(req->found.subresource, "token") ? make_token(req, life_s, error)
                                                      : make_certificate(req, body, life_s, error);
}
