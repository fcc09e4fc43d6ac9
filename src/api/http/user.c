// SPDX-License-Identifier: Apache-2.0
#include "api/http/user.h"

#include <string.h>

FerryUser *ferry_user_new(const char *name, const char *const *groups) {
  FerryUser *user = g_new0(FerryUser, 1);
  user->refs = 1;
  user->name = g_strdup(name);
  user->groups = g_strdupv((char **)groups);
  user->admin = g_strv_contains(groups, "system:masters");
  user->anonymous = g_str_equal(name, "system:anonymous");
  if (g_str_has_prefix(name, "system:node:") && g_strv_contains(groups, "system:nodes"))
    user->node = g_strdup(name + strlen("system:node:"));
  return user;
}

FerryUser *ferry_user_ref(FerryUser *user) {
  g_atomic_int_inc(&user->refs);
  return user;
}

void ferry_user_unref(FerryUser *user) {
  if (!user || !g_atomic_int_dec_and_test(&user->refs))
    return;
  ferry_user_unref(user->impersonator);
  g_free(user->name);
  g_free(user->uid);
  g_strfreev(user->groups);
  g_free(user->node);
  g_free(user->credential);
  g_free(user->session);
  g_free(user->key);
  g_free(user->ca);
  g_free(user);
}
