// SPDX-License-Identifier: Apache-2.0
#include "client/client.h"
#include "base/error.h"
#include <glib/gstdio.h>
#include <string.h>

static const char good[] =
    "apiVersion: v1\nkind: Config\ncurrent-context: main\n"
    "contexts:\n- name: main\n  context: {cluster: c, user: u, namespace: shop}\n"
    "- name: other\n  context: {cluster: c, user: bob}\n"
    "- name: plugin\n  context: {cluster: c, user: plugin}\n"
    "- name: broken\n  context: {cluster: missing, user: u}\n"
    "clusters:\n- name: c\n  cluster:\n    server: https://127.0.0.1:6443\n"
    "    certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==\n"
    "users:\n- name: u\n  user:\n    client-certificate: cert.pem\n    client-key: key.pem\n"
    "- name: bob\n  user: {token: abc}\n"
    "- name: plugin\n  user: {exec: {command: aws}}\n";

typedef struct {
  char *dir, *path;
} Fixture;

static void put(Fixture *f, const char *name, const char *text) {
  g_autofree char *path = g_build_filename(f->dir, name, NULL);
  g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void set_up(Fixture *f, gconstpointer data) {
  f->dir = g_dir_make_tmp("ferry-XXXXXX", NULL);
  f->path = g_build_filename(f->dir, "config", NULL);
  put(f, "config", good);
  put(f, "cert.pem", "-----BEGIN CERTIFICATE-----\n");
  put(f, "key.pem", "-----BEGIN PRIVATE KEY-----\n");
}

static void tear_down(Fixture *f, gconstpointer data) {
  static const char *const files[] = {"config", "cert.pem", "key.pem"};
  for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
    g_autofree char *path = g_build_filename(f->dir, files[i], NULL);
    g_unlink(path);
  }
  g_rmdir(f->dir);
  g_free(f->dir);
  g_free(f->path);
}

static void test_whole(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_autoptr(FerryClientConfig) c = ferry_client_config_load(f->path, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(c->server, ==, "https://127.0.0.1:6443");
  g_assert_cmpstr(c->ns, ==, "shop");
  g_assert_cmpstr(c->context, ==, "main");
  g_assert_cmpstr(c->ca_pem, ==, "-----BEGIN CERTIFICATE-----\n");
  g_assert_cmpstr(c->cert_pem, ==, "-----BEGIN CERTIFICATE-----\n");
  g_assert_cmpstr(c->key_pem, ==, "-----BEGIN PRIVATE KEY-----\n");
  g_autoptr(FerryClientConfig) other = ferry_client_config_load(f->path, "other", &error);
  g_assert_no_error(error);
  g_assert_cmpstr(other->token, ==, "abc");
  g_assert_cmpstr(other->ns, ==, "default");
  g_autoptr(FerryClientConfig) copy = ferry_client_config_copy(other);
  g_assert_cmpstr(copy->token, ==, "abc");
  g_assert_true(copy->token != other->token);
}

static void refuse(Fixture *f, const char *context, const char *part) {
  g_autoptr(GError) error = NULL;
  g_assert_null(ferry_client_config_load(f->path, context, &error));
  g_assert_nonnull(strstr(error->message, part));
}

static void test_bad(Fixture *f, gconstpointer data) {
  refuse(f, "plugin", "exec");
  refuse(f, "broken", "\"missing\"");
  refuse(f, "nosuch", "\"nosuch\"");
  put(f, "config", "- a list\n");
  refuse(f, NULL, "not a kubeconfig");
  put(f, "config", "{}\n");
  refuse(f, NULL, "current-context");
  put(f, "config", "a: [\n");
  refuse(f, NULL, f->path);
}

static void test_found_by_environment(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_autofree char *list = g_strdup_printf("/nonexistent/a:%s", f->path);
  g_unsetenv("FERRY_KUBECONFIG");
  g_setenv("KUBECONFIG", list, TRUE);
  g_autoptr(FerryClientConfig) c = ferry_client_config_load(NULL, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(c->source, ==, f->path);
  g_setenv("KUBECONFIG", "/nonexistent/a", TRUE);
  g_assert_null(ferry_client_config_load(NULL, NULL, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add("/client-config/whole", Fixture, NULL, set_up, test_whole, tear_down);
  g_test_add("/client-config/bad", Fixture, NULL, set_up, test_bad, tear_down);
  g_test_add("/client-config/environment", Fixture, NULL, set_up, test_found_by_environment,
             tear_down);
  return g_test_run();
}
