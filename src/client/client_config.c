// SPDX-License-Identifier: Apache-2.0
// Kubeconfig files: which server, which CA, who we are.
#include "client/client_config.h"
#include "base/error.h"
#include "base/file.h"
#include "base/yaml.h"
#include "base/limits.h"
#include <string.h>

#define MAX_KUBECONFIG (1024 * 1024)

FerryClientConfig *ferry_client_config_new(void) {
  FerryClientConfig *config = g_new0(FerryClientConfig, 1);
  config->ns = g_strdup("default");
  return config;
}

/* Every string of a configuration, so that copy and free can't forget one. */
static const gsize config_strings[] = {
    G_STRUCT_OFFSET(FerryClientConfig, server),    G_STRUCT_OFFSET(FerryClientConfig, ca_pem),
    G_STRUCT_OFFSET(FerryClientConfig, ca_sha256), G_STRUCT_OFFSET(FerryClientConfig, cert_pem),
    G_STRUCT_OFFSET(FerryClientConfig, key_pem),   G_STRUCT_OFFSET(FerryClientConfig, token),
    G_STRUCT_OFFSET(FerryClientConfig, ns),        G_STRUCT_OFFSET(FerryClientConfig, context),
    G_STRUCT_OFFSET(FerryClientConfig, source),    G_STRUCT_OFFSET(FerryClientConfig, user_agent),
};

FerryClientConfig *ferry_client_config_copy(const FerryClientConfig *config) {
  FerryClientConfig *copy = g_memdup2(config, sizeof *config);
  for (guint i = 0; i < G_N_ELEMENTS(config_strings); i++) {
    char **field = G_STRUCT_MEMBER_P(copy, config_strings[i]);
    *field = g_strdup(*field);
  }
  return copy;
}

static void client_config_wipe(char *text) {
  if (text)
    explicit_bzero(text, strlen(text));
}

void ferry_client_config_free(FerryClientConfig *config) {
  if (!config)
    return;
  client_config_wipe(config->key_pem);
  client_config_wipe(config->token);
  for (guint i = 0; i < G_N_ELEMENTS(config_strings); i++)
    g_free(*(char **)G_STRUCT_MEMBER_P(config, config_strings[i]));
  g_free(config);
}

static char *find_file(GError **error) {
  const char *own = g_getenv("FERRY_KUBECONFIG");
  if (own && *own)
    return g_strdup(own);
  const char *list = g_getenv("KUBECONFIG");
  if (list && *list) {
    g_auto(GStrv) paths = g_strsplit(list, ":", 64);
    for (guint i = 0; paths[i]; i++)
      if (*paths[i] && g_file_test(paths[i], G_FILE_TEST_EXISTS))
        return g_strdup(paths[i]);
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND,
                "$KUBECONFIG names \"%s\", which does not exist; correct it or use --kubeconfig",
                list);
    return NULL;
  }
  static const char *const admin = "/var/lib/ferry/admin.kubeconfig";
  g_autofree char *home = g_build_filename(g_get_home_dir(), ".kube", "config", NULL);
  const char *const candidates[] = {admin, home};
  for (guint i = 0; i < G_N_ELEMENTS(candidates); i++) {
    g_autofree char *text = NULL;
    if (g_file_get_contents(candidates[i], &text, NULL, NULL)) {
      client_config_wipe(text);
      return g_strdup(candidates[i]);
    }
  }
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND,
              "no kubeconfig found: looked at $FERRY_KUBECONFIG, $KUBECONFIG, %s and %s; ferryd "
              "writes one as admin.kubeconfig in its state directory, name it with --kubeconfig",
              admin, home);
  return NULL;
}

static gboolean client_config_bad(GError **error, const char *path, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
static gboolean client_config_bad(GError **error, const char *path, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  g_autofree char *text = g_strdup_vprintf(format, ap);
  va_end(ap);
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID, "%s: %s", path, text);
  return FALSE;
}

/* The entry called `name` of the list `list`, and in it the object `key`. */
static json_t *client_config_entry(const json_t *root, const char *list, const char *name,
                                   const char *key, const char *path, GError **error) {
  json_t *item = ferry_json_find(json_object_get(root, list), "name", name);
  json_t *object = json_object_get(item, key);
  if (!json_is_object(object)) {
    client_config_bad(error, path, "\"%s\" has no entry \"%s\" with a \"%s\"", list, name, key);
    return NULL;
  }
  return object;
}

/* PEM text given in place ("-data", base64) or as a file; *out stays NULL where neither is set. */
static gboolean client_config_pem(const json_t *object, const char *key, const char *path,
                                  char **out, GError **error) {
  g_autofree char *data_key = g_strconcat(key, "-data", NULL);
  const char *data = json_string_value(json_object_get(object, data_key));
  const char *file = json_string_value(json_object_get(object, key));
  if (data && *data) {
    if (strlen(data) > FERRY_PEM_MAX * 2)
      return client_config_bad(error, path, "%s is over %d bytes", data_key, FERRY_PEM_MAX);
    gsize len = 0;
    g_autofree guchar *raw = g_base64_decode(data, &len);
    *out = g_strndup((const char *)raw, len);
    explicit_bzero(raw, len);
    if (!strstr(*out, "-----BEGIN"))
      return client_config_bad(error, path, "%s does not hold PEM text in base64", data_key);
    return TRUE;
  }
  if (file && *file) {
    g_autofree char *dir = g_path_get_dirname(path);
    g_autofree char *full =
        g_path_is_absolute(file) ? g_strdup(file) : g_build_filename(dir, file, NULL);
    *out = ferry_file_read(full, FERRY_PEM_MAX, NULL, error);
    if (!*out) {
      g_prefix_error(error, "%s: %s: ", path, key);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean load_user(FerryClientConfig *config, const json_t *user, GError **error) {
  const char *path = config->source;
  if (json_object_get(user, "exec") || json_object_get(user, "auth-provider"))
    return client_config_bad(
        error, path,
        "the user logs in with a plugin (exec or auth-provider), which Ferry does not run; "
        "use a client certificate or a token");
  if (!client_config_pem(user, "client-certificate", path, &config->cert_pem, error) ||
      !client_config_pem(user, "client-key", path, &config->key_pem, error))
    return FALSE;
  const char *token = ferry_json_str(user, "token");
  const char *token_file = ferry_json_str(user, "tokenFile");
  if (token && *token) {
    config->token = g_strdup(token);
  } else if (token_file && *token_file) {
    config->token = ferry_file_read(token_file, 64 * 1024, NULL, error);
    if (!config->token)
      return FALSE;
    g_strstrip(config->token);
  }
  for (const char *p = config->token; p && *p; p++)
    if (*p <= ' ' || *p > '~')
      return client_config_bad(error, path,
                               "the user's token holds a blank or a control character");
  return TRUE;
}

static gboolean client_config_load(FerryClientConfig *config, const json_t *root,
                                   const char *context, GError **error) {
  const char *path = config->source;
  if (!context)
    context = ferry_json_str(root, "current-context");
  if (!context || !*context)
    return client_config_bad(error, path, "no current-context is set; set one or name a context");
  json_t *ctx = client_config_entry(root, "contexts", context, "context", path, error);
  if (!ctx)
    return FALSE;
  const char *cluster_name = ferry_json_str(ctx, "cluster");
  const char *user_name = ferry_json_str(ctx, "user");
  const char *ns = ferry_json_str(ctx, "namespace");
  if (!cluster_name || !user_name)
    return client_config_bad(error, path, "the context \"%s\" needs a cluster and a user", context);
  json_t *cluster = client_config_entry(root, "clusters", cluster_name, "cluster", path, error);
  json_t *user =
      cluster ? client_config_entry(root, "users", user_name, "user", path, error) : NULL;
  if (!user)
    return FALSE;
  const char *server = ferry_json_str(cluster, "server");
  if (!server)
    return client_config_bad(error, path, "the cluster \"%s\" has no server", cluster_name);
  config->server = g_strdup(server);
  config->context = g_strdup(context);
  config->insecure = ferry_json_bool(cluster, "insecure-skip-tls-verify", FALSE);
  if (ns && *ns) {
    g_free(config->ns);
    config->ns = g_strdup(ns);
  }
  return client_config_pem(cluster, "certificate-authority", path, &config->ca_pem, error) &&
         load_user(config, user, error);
}

FerryClientConfig *ferry_client_config_load(const char *path, const char *context, GError **error) {
  g_autofree char *found = path ? g_strdup(path) : find_file(error);
  if (!found)
    return NULL;
  gsize len = 0;
  g_autofree char *text = ferry_file_read(found, MAX_KUBECONFIG, &len, error);
  if (!text)
    return NULL;
  g_autoptr(json_t) docs = ferry_yaml_parse(text, len, error);
  explicit_bzero(text, len);
  if (!docs) {
    g_prefix_error(error, "%s: ", found);
    return NULL;
  }
  json_t *root = json_array_get(docs, 0);
  if (!json_is_object(root)) {
    client_config_bad(error, found, "this is not a kubeconfig: it holds no YAML mapping");
    return NULL;
  }
  g_autoptr(FerryClientConfig) config = ferry_client_config_new();
  config->source = g_steal_pointer(&found);
  if (!client_config_load(config, root, context, error))
    return NULL;
  return g_steal_pointer(&config);
}
