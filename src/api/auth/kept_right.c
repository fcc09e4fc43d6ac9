// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a stream is judged when it is opened and lasts for most of an hour. What it
// was judged by is kept, and is judged again by the roles and bindings of now whenever one of them
// has changed, which a number tells. The number is read before judging, so that no change falls in
// between.
#include "api/auth/kept_right.h"
#include "api/auth/authz.h"
#include "api/auth/rbac.h"

struct FerryKeptRight {
  gint refs;
  FerryAccess access; /* its texts are owned, but verb, group and resource, which are constants */
  FerrySelector *fields;
  guint64 judged; /* by which roles and bindings */
};

FerryKeptRight *ferry_kept_right_new(FerryRequest *req, GError **error) {
  FerryKeptRight *right = g_new0(FerryKeptRight, 1);
  g_autofree char *own = NULL;
  right->refs = 1;
  right->judged = ferry_rbac_generation(req->api);
  ferry_authz_access_of(req, &right->access, &own, &right->fields);
  right->access.ns = g_strdup(right->access.ns);
  right->access.name = g_strdup(right->access.name);
  if (ferry_authz_require(req, &right->access, error))
    return right;
  ferry_kept_right_unref(right);
  return NULL;
}

FerryKeptRight *ferry_kept_right_ref(FerryKeptRight *right) {
  g_atomic_int_inc(&right->refs);
  return right;
}

void ferry_kept_right_unref(FerryKeptRight *right) {
  if (!right || !g_atomic_int_dec_and_test(&right->refs))
    return;
  g_free((char *)right->access.ns);
  g_free((char *)right->access.name);
  ferry_selector_free(right->fields);
  g_free(right);
}

gboolean ferry_kept_right_holds(FerryApi *api, const FerryUser *user, FerryKeptRight *right) {
  guint64 now = ferry_rbac_generation(api);
  if (right->judged == now)
    return TRUE;
  right->judged = now;
  return ferry_authz_allows(api, user, &right->access);
}
