// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a record stays until its credential has ended by itself, so that whoever
// comes with a revoked one hears why. Certificates that have no record (made by an older version,
// or with the CA's key by hand) are good unless their identity was revoked after they were issued:
// their beginning of validity says when that was.
#include "api/auth/credentials.h"
#include "api/http/api.h"
#include "model/field/object_meta.h"
#include "base/log.h"
#include "base/limits.h"

#include <string.h>

#define BACKDATED_S 3600 /* see pki.c: valid from an hour before it was issued */

const FerryKind ferry_kind_credential = {
    .group = "internal.ferry.migration",
    .version = "v1",
    .kind = "Credential",
    .plural = "credentials",
    .singular = "credential",
    .doc = "Credential records one token or certificate; never served."};
const FerryKind ferry_kind_revocation = {
    .group = "internal.ferry.migration",
    .version = "v1",
    .kind = "Revocation",
    .plural = "revocations",
    .singular = "revocation",
    .doc = "Revocation voids what an identity got until a time; never served."};

static char *record_name(const char *credential) {
  return g_strdelimit(g_strdup(credential), " ", '-');
}

json_t *ferry_credential_new(FerryApi *api, const char *type, const char *id, const char *user,
                             gint64 expires_ms, const char *by) {
  g_autofree char *name = g_strdup_printf("%s-%s", type, id);
  return json_pack("{s:{s:s}, s:s, s:s, s:s, s:I, s:I, s:s}", "metadata", "name", name, "type",
                   type, "id", id, "user", user, "created",
                   (json_int_t)ferry_clock_wall_ms(api->clock), "expires", (json_int_t)expires_ms,
                   "by", by);
}

json_t *ferry_credential_find(FerryApi *api, const char *credential) {
  g_autofree char *name = record_name(credential);
  return ferry_store_get(api->store, &ferry_kind_credential, "", name);
}

GPtrArray *ferry_credential_list(FerryApi *api, const char *user) {
  GPtrArray *all = ferry_store_list(api->store, &ferry_kind_credential, NULL, NULL);
  for (guint i = all->len; user && i-- > 0;)
    if (g_strcmp0(ferry_json_str(g_ptr_array_index(all, i), "user"), user) != 0)
      g_ptr_array_remove_index(all, i);
  return all;
}

gboolean ferry_credential_add(FerryApi *api, json_t *record, GError **error) {
  FerryWrite write = {.op = FERRY_WRITE_CREATE,
                      .kind = &ferry_kind_credential,
                      .ns = "",
                      .name = ferry_json_str(record, "metadata.name"),
                      .object = record};
  return ferry_store_commit(api->store, &write, 1, NULL, error);
}

static json_t *revoked_copy(const json_t *record, gint64 at_ms, const char *why) {
  json_t *copy = json_deep_copy(record);
  ferry_json_set_int(copy, "revoked.at", at_ms);
  ferry_json_set_str(copy, "revoked.why", why);
  return copy;
}

static json_t *revocation_of(const char *identity, gint64 now_ms, const char *why) {
  return json_pack("{s:{s:s}, s:I, s:s}", "metadata", "name", identity, "before",
                   (json_int_t)now_ms, "why", why);
}

guint ferry_credential_revoke_writes(FerryApi *api, const char *user, gboolean identity,
                                     const char *why, GArray *writes, GPtrArray *keep) {
  gint64 now = ferry_clock_wall_ms(api->clock);
  g_autoptr(GPtrArray) records = ferry_credential_list(api, user);
  GPtrArray *made = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
  guint n = 0;
  g_ptr_array_add(keep, made);
  for (guint i = 0; i < records->len; i++) {
    const json_t *record = g_ptr_array_index(records, i);
    gint64 ends = ferry_json_int(record, "expires", 0);
    if (ferry_credential_is_revoked(record, now, NULL) || (ends && ends < now))
      continue;
    json_t *copy = revoked_copy(record, now, why);
    g_ptr_array_add(made, copy);
    FerryWrite write = {.op = FERRY_WRITE_UPDATE,
                        .kind = &ferry_kind_credential,
                        .ns = "",
                        .name = ferry_json_str(copy, "metadata.name"),
                        .object = copy,
                        .revision = ferry_object_revision(record)};
    g_array_append_val(writes, write);
    n++;
  }
  if (!identity)
    return n;
  g_autoptr(json_t) old = ferry_store_get(api->store, &ferry_kind_revocation, "", user);
  json_t *revocation = revocation_of(user, now, why);
  g_ptr_array_add(made, revocation);
  FerryWrite write = {.op = old ? FERRY_WRITE_UPDATE : FERRY_WRITE_CREATE,
                      .kind = &ferry_kind_revocation,
                      .ns = "",
                      .name = ferry_json_str(revocation, "metadata.name"),
                      .object = revocation};
  g_array_append_val(writes, write);
  return n;
}

static gint by_age(gconstpointer a, gconstpointer b) {
  gint64 x = ferry_json_int(*(json_t *const *)a, "created", 0);
  gint64 y = ferry_json_int(*(json_t *const *)b, "created", 0);
  return x < y ? 1 : x > y ? -1 : 0;
}

/* The certificates of `user` that are good, the newest first. */
static GPtrArray *good_certificates(FerryApi *api, const char *user) {
  gint64 now = ferry_clock_wall_ms(api->clock);
  GPtrArray *good = ferry_credential_list(api, user);
  for (guint i = good->len; i-- > 0;) {
    const json_t *record = g_ptr_array_index(good, i);
    if (g_strcmp0(ferry_json_str(record, "type"), "certificate") != 0 ||
        ferry_credential_is_revoked(record, now, NULL) ||
        ferry_json_int(record, "expires", 0) < now)
      g_ptr_array_remove_index(good, i);
  }
  g_ptr_array_sort(good, by_age);
  return good;
}

void ferry_credential_keep_newest(FerryApi *api, const char *user, const char *shown, guint most) {
  g_autoptr(GPtrArray) good = good_certificates(api, user);
  g_autoptr(GArray) writes = g_array_new(FALSE, FALSE, sizeof(FerryWrite));
  g_autofree char *kept = shown ? record_name(shown) : NULL;
  gint64 before = 0;
  for (guint i = most; i < good->len; i++) {
    const json_t *record = g_ptr_array_index(good, i);
    FerryWrite write = {.op = FERRY_WRITE_DELETE,
                        .kind = &ferry_kind_credential,
                        .ns = "",
                        .name = ferry_json_str(record, "metadata.name"),
                        .revision = ferry_object_revision(record)};
    if (g_strcmp0(write.name, kept) == 0)
      continue;
    before = MAX(before, ferry_json_int(record, "created", 0));
    g_array_append_val(writes, write);
  }
  if (writes->len == 0)
    return;
  g_autoptr(json_t) old = ferry_store_get(api->store, &ferry_kind_revocation, "", user);
  g_autofree char *why =
      g_strdup_printf("%u newer certificates of \"%s\" were made since this one: somebody renews "
                      "it over and over, or has a copy of its key",
                      most, user);
  g_autoptr(json_t) revocation =
      revocation_of(user, MAX(before, ferry_json_int(old, "before", 0)), why);
  FerryWrite write = {.op = old ? FERRY_WRITE_UPDATE : FERRY_WRITE_CREATE,
                      .kind = &ferry_kind_revocation,
                      .ns = "",
                      .name = user,
                      .object = revocation,
                      /* the Node may just be deleted, which says more */
                      .revision = ferry_object_revision(old)};
  g_array_append_val(writes, write);
  g_autoptr(GError) error = NULL;
  if (!ferry_store_commit(api->store, (FerryWrite *)(void *)writes->data, writes->len, NULL,
                          &error))
    ferry_info("the oldest certificates are made void with the next one", "FERRY_USER_NAME", user,
               "FERRY_ERROR", error->message);
  else
    ferry_warning("certificates were made void: too many newer ones", "FERRY_USER_NAME", user,
                  "FERRY_REASON", why);
}

gboolean ferry_credential_revoke(FerryApi *api, const char *name, gint64 at_ms, const char *why,
                                 GError **error) {
  g_autoptr(json_t) record = ferry_store_get(api->store, &ferry_kind_credential, "", name);
  if (!record) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND, "there is no credential \"%s\"", name);
    return FALSE;
  }
  gint64 before = ferry_json_int(record, "revoked.at", 0);
  if (before && before <= at_ms)
    return TRUE;
  g_autoptr(json_t) copy = revoked_copy(record, at_ms, why);
  FerryWrite write = {.op = FERRY_WRITE_UPDATE,
                      .kind = &ferry_kind_credential,
                      .ns = "",
                      .name = name,
                      .object = copy};
  return ferry_store_commit(api->store, &write, 1, NULL, error);
}

gboolean ferry_credential_is_revoked(const json_t *record, gint64 now_ms, const char **why) {
  gint64 at = ferry_json_int(record, "revoked.at", 0);
  if (!at || at > now_ms)
    return FALSE;
  if (why)
    *why = ferry_json_str(record, "revoked.why");
  return TRUE;
}

static gboolean credentials_unauthorized(GError **error, const char *why) {
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED, "Unauthorized: %s",
              why ? why : "the credential was revoked");
  return FALSE;
}

/* Of a certificate without a record. */
static gboolean check_identity(FerryApi *api, const FerryUser *user, GError **error) {
  g_autoptr(json_t) revocation =
      ferry_store_get(api->store, &ferry_kind_revocation, "", user->name);
  gint64 issued_ms = (user->begins_s + BACKDATED_S) * 1000;
  if (!revocation || issued_ms > ferry_json_int(revocation, "before", 0))
    return TRUE;
  return credentials_unauthorized(error, ferry_json_str(revocation, "why"));
}

/* Whose User it was given to must still be that User, with those groups. */
static gboolean check_owner(FerryApi *api, const FerryUser *user, GError **error) {
  g_autoptr(json_t) owner = ferry_store_get(api->store, &ferry_kind_user, "", user->name);
  g_autofree char *why = NULL;
  if (g_strcmp0(ferry_json_str(owner, "metadata.uid"), user->uid) != 0)
    why = g_strdup_printf("the user \"%s\" was deleted", user->name);
  else if (ferry_json_str(owner, "metadata.deletionTimestamp"))
    why = g_strdup_printf("the user \"%s\" is being deleted", user->name);
  else if (ferry_json_int(owner, "metadata.generation", 0) != user->generation)
    why = g_strdup_printf("the groups of user \"%s\" have changed: connect again", user->name);
  return why ? credentials_unauthorized(error, why) : TRUE;
}

/* A Node that is there may be on its way out: an older version let finalizers keep it. */
static gboolean check_node(FerryApi *api, const FerryUser *user, GError **error) {
  g_autoptr(json_t) node = ferry_store_get(api->store, &ferry_kind_node, "", user->node);
  if (!ferry_json_str(node, "metadata.deletionTimestamp"))
    return TRUE;
  g_autofree char *why = g_strdup_printf("node %s is being deleted", user->node);
  return credentials_unauthorized(error, why);
}

gboolean ferry_credential_check(FerryApi *api, const FerryUser *user, GError **error) {
  g_autoptr(json_t) record = ferry_credential_find(api, user->credential);
  const char *why = NULL;
  if (record && ferry_credential_is_revoked(record, ferry_clock_wall_ms(api->clock), &why))
    return credentials_unauthorized(error, why);
  if ((user->generation && !check_owner(api, user, error)) ||
      (user->node && !check_node(api, user, error)))
    return FALSE;
  if (record)
    return TRUE;
  if (g_str_has_prefix(user->credential, "certificate "))
    return check_identity(api, user, error);
  return credentials_unauthorized(error, "the bearer token is not known");
}

void ferry_credential_forget(FerryApi *api, const json_t *record) {
  FerryWrite write = {.op = FERRY_WRITE_DELETE,
                      .kind = &ferry_kind_credential,
                      .ns = "",
                      .name = ferry_json_str(record, "metadata.name")};
  g_autoptr(GError) error = NULL;
  if (!ferry_store_commit(api->store, &write, 1, NULL, &error) &&
      !g_error_matches(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND))
    ferry_warning("cannot remove the record of a credential", "FERRY_CREDENTIAL", write.name,
                  "FERRY_ERROR", error->message);
}

void ferry_credential_expire(FerryApi *api) {
  gint64 now = ferry_clock_wall_ms(api->clock);
  g_autoptr(GPtrArray) all = ferry_credential_list(api, NULL);
  for (guint i = 0; i < all->len; i++) {
    const json_t *record = g_ptr_array_index(all, i);
    gint64 ends = ferry_json_int(record, "expires", 0);
    if (!ends || ends + FERRY_DAY_MS > now)
      continue;
    ferry_credential_forget(api, record);
  }
}

gboolean ferry_credential_is_over(FerryApi *api, const json_t *record) {
  gint64 now = ferry_clock_wall_ms(api->clock);
  return ferry_credential_is_revoked(record, now, NULL) ||
         ferry_json_int(record, "expires", 0) <= now;
}
