// SPDX-License-Identifier: Apache-2.0
#include "base/yaml.h"
#include "cli/view/kubeconfig_text.h"
#include <string.h>

static json_t *config_of(json_t *made, const char *ns, const char *key) {
  g_autoptr(GError) error = NULL;
  g_autofree char *text = ferry_kubeconfig_text("https://ferry:6443", "ann", ns, made, key);
  g_autoptr(json_t) documents = ferry_yaml_parse(text, strlen(text), &error);
  g_assert_no_error(error);
  json_decref(made);
  return json_incref(json_array_get(documents, 0));
}

static const char *of_user(const json_t *config, const char *member) {
  return ferry_json_str(ferry_json_get(json_array_get(json_object_get(config, "users"), 0), "user"),
                        member);
}

static void test_token(void) {
  g_autoptr(json_t) config =
      config_of(json_pack("{s:s, s:s}", "ca", "CA", "token", "t0"), NULL, NULL);
  json_t *cluster = json_array_get(json_object_get(config, "clusters"), 0);
  json_t *context = json_array_get(json_object_get(config, "contexts"), 0);
  g_assert_cmpstr(of_user(config, "token"), ==, "t0");
  g_assert_null(of_user(config, "client-key-data"));
  g_assert_cmpstr(ferry_json_str(cluster, "cluster.server"), ==, "https://ferry:6443");
  g_assert_cmpstr(ferry_json_str(cluster, "cluster.certificate-authority-data"), ==, "Q0E=");
  g_assert_cmpstr(ferry_json_str(context, "context.namespace"), ==, "default");
  g_assert_cmpstr(ferry_json_str(config, "current-context"), ==, "ann@ferry");
}

static void test_certificate(void) {
  g_autoptr(json_t) config =
      config_of(json_pack("{s:s, s:s}", "ca", "CA", "certificate", "CERT"), "shop", "KEY");
  json_t *context = json_array_get(json_object_get(config, "contexts"), 0);
  g_assert_null(of_user(config, "token"));
  g_assert_cmpstr(of_user(config, "client-certificate-data"), ==, "Q0VSVA==");
  g_assert_cmpstr(of_user(config, "client-key-data"), ==, "S0VZ");
  g_assert_cmpstr(ferry_json_str(context, "context.namespace"), ==, "shop");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/cli/kubeconfig_text/token", test_token);
  g_test_add_func("/cli/kubeconfig_text/certificate", test_certificate);
  return g_test_run();
}
