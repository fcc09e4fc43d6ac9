// SPDX-License-Identifier: Apache-2.0
// Acting as somebody else, as Kubernetes has it: each name asked for needs the verb impersonate on
// users or groups by that name. What is done then is judged as that user's alone; who it really was
// stays known (FerryUser.impersonator).
#include "api/auth/impersonate.h"
#include "api/auth/authz.h"

#include <string.h>

static gboolean may_be(FerryRequest *req, const char *resource, const char *name, GError **error) {
  FerryAccess a = {.verb = "impersonate", .group = "", .resource = resource, .name = name};
  return ferry_authz_require(req, &a, error);
}

/* The user and groups that the headers name. */
static gboolean read_headers(FerryRequest *req, const char **user, GPtrArray *groups,
                             GError **error) {
  for (guint i = 0; i + 1 < req->asked.impersonation->len; i += 2) {
    const char *name = g_ptr_array_index(req->asked.impersonation, i);
    const char *value = g_ptr_array_index(req->asked.impersonation, i + 1);
    if (!*value || !g_utf8_validate(value, -1, NULL))
      return ferry_error_bad_request(error, "Impersonate-User, Impersonate-Group: expected a name");
    if (g_ascii_strcasecmp(name, "Impersonate-User") == 0 && *user)
      return ferry_error_bad_request(error, "Impersonate-User: expected one");
    if (g_ascii_strcasecmp(name, "Impersonate-User") == 0) {
      *user = value;
    } else if (g_ascii_strcasecmp(name, "Impersonate-Group") == 0) {
      if (groups->len >= FERRY_API_MAX_GROUPS)
        return ferry_error_bad_request(error, "Impersonate-Group: at most 32 groups");
      g_ptr_array_add(groups, (gpointer)value);
    } else {
      g_set_error(error, FERRY_ERROR, FERRY_ERROR_FORBIDDEN,
                  "%.100s: only users and groups are impersonated here; leave out --as-uid and "
                  "--as-user-extra",
                  name);
      return FALSE;
    }
  }
  return *user != NULL || ferry_error_bad_request(
                              error, "Impersonate-Group without Impersonate-User: name a user too");
}

/* Everybody is in one of these two groups. */
static const char *known_by(const char *user, const GPtrArray *groups) {
  for (guint i = 0; i < groups->len; i++)
    if (g_str_equal(g_ptr_array_index(groups, i), "system:authenticated") ||
        g_str_equal(g_ptr_array_index(groups, i), "system:unauthenticated"))
      return NULL;
  return g_str_equal(user, "system:anonymous") ? "system:unauthenticated" : "system:authenticated";
}

gboolean ferry_impersonate(FerryRequest *req, GError **error) {
  if (!req->asked.impersonation)
    return TRUE;
  const char *name = NULL;
  g_autoptr(GPtrArray) groups = g_ptr_array_new();
  if (!read_headers(req, &name, groups, error) || !may_be(req, "users", name, error))
    return FALSE;
  for (guint i = 0; i < groups->len; i++)
    if (!may_be(req, "groups", g_ptr_array_index(groups, i), error))
      return FALSE;
  const char *more = known_by(name, groups);
  if (more)
    g_ptr_array_add(groups, (gpointer)more);
  g_ptr_array_add(groups, NULL);
  FerryUser *user = ferry_user_new(name, (const char *const *)groups->pdata);
  user->credential = g_strdup(req->user->credential);
  user->expires_s = req->user->expires_s;
  user->impersonator = req->user;
  req->user = user;
  return TRUE;
}
