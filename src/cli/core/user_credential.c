// SPDX-License-Identifier: Apache-2.0
#include "cli/core/user_credential.h"
#include "base/ec_key.h"

char *ferry_user_path(const char *name, const char *action) {
  g_autofree char *escaped = g_uri_escape_string(name, NULL, FALSE);
  return g_strdup_printf(FERRY_USER_PATH "/%s%s%s", escaped, action ? "/" : "",
                         action ? action : "");
}

json_t *ferry_user_send(FerryCli *cli, const char *method, const char *path, const json_t *body,
                        GError **error) {
  return ferry_client_request(cli->client, method, path, body, NULL, NULL, NULL, error);
}

json_t *ferry_user_credential(FerryCli *cli, const FerryUserWish *wish, char **key,
                              GError **error) {
  g_autoptr(json_t) body = json_object();
  if (wish->life_s)
    ferry_json_set_int(body, "expirationSeconds", wish->life_s);
  if (wish->certificate) {
    *key = ferry_ec_key_new(error);
    g_autofree char *csr = *key ? ferry_ec_key_request(*key, NULL, wish->name, error) : NULL;
    if (!csr)
      return NULL;
    ferry_json_set_str(body, "csr", csr);
  }
  g_autofree char *path = ferry_user_path(wish->name, wish->certificate ? "certificate" : "token");
  json_t *made = ferry_user_send(cli, "POST", path, body, error);
  if (made && !ferry_json_str(made, wish->certificate ? "certificate" : "token")) {
    g_clear_pointer(&made, json_decref);
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
                "the server's answer holds no credential");
  }
  return made;
}

gboolean ferry_user_end_credential(FerryCli *cli, const char *name, const char *id, gint64 grace_s,
                                   GError **error) {
  g_autofree char *path = ferry_user_path(name, "revoke");
  g_autoptr(json_t) body = json_pack("{s:s, s:I}", "id", id, "graceSeconds", (json_int_t)grace_s);
  g_autoptr(json_t) answer = ferry_user_send(cli, "POST", path, body, error);
  return answer != NULL;
}
