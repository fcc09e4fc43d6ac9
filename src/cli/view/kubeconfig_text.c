// SPDX-License-Identifier: Apache-2.0
#include "cli/view/kubeconfig_text.h"
#include "base/yaml.h"
#include <string.h>

static char *kubeconfig_base64(const char *text) {
  return g_base64_encode((const guchar *)text, strlen(text));
}

char *ferry_kubeconfig_text(const char *server, const char *user, const char *ns,
                            const json_t *made, const char *key) {
  const char *ca = ferry_json_str(made, "ca"), *token = ferry_json_str(made, "token");
  const char *certificate = ferry_json_str(made, "certificate");
  g_autofree char *ca64 = kubeconfig_base64(ca ? ca : "");
  g_autofree char *context = g_strdup_printf("%s@ferry", user);
  json_t *credential = json_object();
  if (token) {
    ferry_json_set_str(credential, "token", token);
  } else {
    g_autofree char *certificate64 = kubeconfig_base64(certificate);
    g_autofree char *key64 = kubeconfig_base64(key);
    ferry_json_set_str(credential, "client-certificate-data", certificate64);
    ferry_json_set_str(credential, "client-key-data", key64);
  }
  g_autoptr(json_t) config = json_pack(
      "{s:s, s:s, s:[{s:s, s:{s:s, s:s}}], s:[{s:s, s:o}], s:[{s:s, s:{s:s, s:s, s:s}}], s:s}",
      "apiVersion", "v1", "kind", "Config", "clusters", "name", "ferry", "cluster", "server",
      server, "certificate-authority-data", ca64, "users", "name", user, "user", credential,
      "contexts", "name", context, "context", "cluster", "ferry", "user", user, "namespace",
      ns ? ns : "default", "current-context", context);
  return ferry_yaml_dump(config);
}
