// SPDX-License-Identifier: Apache-2.0
// `user create|list|revoke|rotate`. A user is a User, a binding and a credential: three requests.
// Where one fails, what the earlier ones made is deleted again, and the error says so.
#include "cli/core/options.h"
#include "base/ec_key.h"
#include "base/duration.h"
#include "base/yaml.h"
#include "cli/core/listing.h"
#include "cli/core/resource.h"
#include "cli/view/output.h"
#include "base/limits.h"
#include <stdio.h>
#include <string.h>

#define USERS "/apis/ferry.migration/v1/users"
#define RBAC "/apis/rbac.authorization.k8s.io/v1"

/* What was asked for. */
typedef struct {
  const char *name, *role, *ns;
  gint64 life_s; /* 0: the server's own default */
  gboolean certificate;
} Wish;

static char *user_path(const char *name, const char *action) {
  g_autofree char *escaped = g_uri_escape_string(name, NULL, FALSE);
  return g_strdup_printf(USERS "/%s%s%s", escaped, action ? "/" : "", action ? action : "");
}

static json_t *send_json(FerryCli *cli, const char *method, const char *path, const json_t *body,
                         GError **error) {
  return ferry_client_request(cli->client, method, path, body, NULL, NULL, NULL, error);
}

/* "30d" too, which a duration of the rest of Ferry has no use for. */
static gboolean user_read_life(const char *text, gint64 *life_s) {
  gint64 days, ms;
  gsize n = text ? strlen(text) : 0;
  if (n > 1 && text[n - 1] == 'd') {
    g_autofree char *number = g_strndup(text, n - 1);
    if (!g_ascii_string_to_signed(number, 10, 1, FERRY_CREDENTIAL_MAX_DAYS, &days, NULL))
      return FALSE;
    *life_s = days * FERRY_DAY_S;
    return TRUE;
  }
  if (!ferry_duration_parse(text, &ms) || ms < 1000)
    return FALSE;
  *life_s = ms / 1000;
  return TRUE;
}

static char *user_base64(const char *text) {
  return g_base64_encode((const guchar *)text, strlen(text));
}

static void print_kubeconfig(FerryCli *cli, const Wish *wish, const json_t *made, const char *key) {
  const char *ca = ferry_json_str(made, "ca"), *token = ferry_json_str(made, "token");
  const char *certificate = ferry_json_str(made, "certificate");
  g_autofree char *ca64 = user_base64(ca ? ca : "");
  g_autofree char *context = g_strdup_printf("%s@ferry", wish->name);
  json_t *user = json_object();
  if (token) {
    ferry_json_set_str(user, "token", token);
  } else {
    g_autofree char *certificate64 = user_base64(certificate);
    g_autofree char *key64 = user_base64(key);
    ferry_json_set_str(user, "client-certificate-data", certificate64);
    ferry_json_set_str(user, "client-key-data", key64);
  }
  g_autoptr(json_t) config = json_pack(
      "{s:s, s:s, s:[{s:s, s:{s:s, s:s}}], s:[{s:s, s:o}], s:[{s:s, s:{s:s, s:s, s:s}}], s:s}",
      "apiVersion", "v1", "kind", "Config", "clusters", "name", "ferry", "cluster", "server",
      ferry_client_config(cli->client)->server, "certificate-authority-data", ca64, "users", "name",
      wish->name, "user", user, "contexts", "name", context, "context", "cluster", "ferry", "user",
      wish->name, "namespace", wish->ns ? wish->ns : "default", "current-context", context);
  g_autofree char *text = ferry_yaml_dump(config);
  fputs(text, stdout);
  fflush(stdout);
}

/* A new credential; `*key` gets the private key of a certificate. New reference. */
static json_t *make_credential(FerryCli *cli, const Wish *wish, char **key, GError **error) {
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
  g_autofree char *path = user_path(wish->name, wish->certificate ? "certificate" : "token");
  json_t *made = send_json(cli, "POST", path, body, error);
  if (made && !ferry_json_str(made, wish->certificate ? "certificate" : "token")) {
    g_clear_pointer(&made, json_decref);
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
                "the server's answer holds no credential");
  }
  return made;
}

static char *binding_path(const Wish *wish) {
  g_autofree char *ns = wish->ns ? g_uri_escape_string(wish->ns, NULL, FALSE) : NULL;
  return ns ? g_strdup_printf(RBAC "/namespaces/%s/rolebindings", ns)
            : g_strdup(RBAC "/clusterrolebindings");
}

static gboolean make_binding(FerryCli *cli, const Wish *wish, GError **error) {
  g_autofree char *path = binding_path(wish);
  g_autofree char *name = g_strdup_printf("%s-%s", wish->name, wish->role);
  g_autoptr(json_t) body = json_pack(
      "{s:s, s:s, s:{s:s}, s:{s:s, s:s, s:s}, s:[{s:s, s:s, s:s}]}", "apiVersion",
      "rbac.authorization.k8s.io/v1", "kind", wish->ns ? "RoleBinding" : "ClusterRoleBinding",
      "metadata", "name", name, "roleRef", "apiGroup", "rbac.authorization.k8s.io", "kind",
      "ClusterRole", "name", wish->role, "subjects", "kind", "User", "apiGroup",
      "rbac.authorization.k8s.io", "name", wish->name);
  g_autoptr(json_t) answer = send_json(cli, "POST", path, body, error);
  return answer != NULL;
}

/* Deletes what was made; the error then says that, or what is left. */
static void take_back(FerryCli *cli, const Wish *wish, gboolean bound, GError **error) {
  g_autofree char *user = user_path(wish->name, NULL);
  g_autofree char *bindings = binding_path(wish);
  g_autofree char *binding = g_strdup_printf("%s/%s-%s", bindings, wish->name, wish->role);
  g_autoptr(GString) left = g_string_new(NULL);
  const char *paths[] = {bound ? binding : NULL, user};
  for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
    g_autoptr(GError) problem = NULL;
    g_autoptr(json_t) answer =
        paths[i] ? send_json(cli, "DELETE", paths[i], NULL, &problem) : json_null();
    if (!answer && !g_error_matches(problem, FERRY_ERROR, FERRY_ERROR_NOT_FOUND))
      g_string_append_printf(left, "; left behind: %s (%s)", paths[i], problem->message);
  }
  g_autoptr(GError) cause = g_steal_pointer(error);
  g_set_error(error, FERRY_ERROR, cause->code, "%s%s: %s",
              left->len ? "user not created, and not all could be taken back"
                        : "user not created, what was made is taken back",
              left->str, cause->message);
}

static json_t *group_list(const FerryCli *cli) {
  json_t *out = json_array();
  const GPtrArray *all = ferry_args_all(cli->args, "group");
  for (guint i = 0; all && i < all->len; i++)
    json_array_append_new(out, json_string(g_ptr_array_index(all, i)));
  return out;
}

static gboolean create_all(FerryCli *cli, const Wish *wish, GError **error) {
  g_autoptr(json_t) body =
      json_pack("{s:s, s:s, s:{s:s}, s:{s:o}}", "apiVersion", "ferry.migration/v1", "kind", "User",
                "metadata", "name", wish->name, "spec", "groups", group_list(cli));
  g_autoptr(json_t) user = send_json(cli, "POST", USERS, body, error);
  if (!user)
    return FALSE;
  g_autofree char *key = NULL;
  gboolean bound = wish->role && make_binding(cli, wish, error);
  g_autoptr(json_t) made = bound || !wish->role ? make_credential(cli, wish, &key, error) : NULL;
  if (made)
    print_kubeconfig(cli, wish, made, key);
  else
    take_back(cli, wish, bound, error);
  if (key)
    explicit_bzero(key, strlen(key));
  return made != NULL;
}

static int create_user(FerryCli *cli, Wish *wish) {
  g_autoptr(GError) error = NULL;
  if (!wish->role && !ferry_args_has(cli->args, "group"))
    return ferry_cli_usage(cli, "user create needs --role ROLE (view, operate, edit, admin, "
                                "cluster-admin or one of your own) or --group GROUP");
  return create_all(cli, wish, &error) ? FERRY_EXIT_DONE : ferry_cli_fail(error, NULL);
}

static int list_users(FerryCli *cli) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) all = send_json(cli, "GET", USERS, NULL, &error);
  if (!all)
    return ferry_cli_fail(error, NULL);
  const char *format = ferry_cli_option(cli, "output");
  json_t *items = json_object_get(all, "items"), *user, *c;
  size_t i, k;
  if (format) {
    ferry_output_objects(items, FALSE, format);
    return FERRY_EXIT_DONE;
  }
  printf("%-20s %-12s %-34s %-21s %s\n", "USER", "TYPE", "CREDENTIAL", "CREATED", "ENDS");
  json_array_foreach(items, i, user) {
    const char *name = ferry_json_str(user, "metadata.name");
    json_t *credentials = ferry_json_get(user, "status.credentials");
    if (json_array_size(credentials) == 0)
      printf("%-20s %-12s\n", name, "none");
    json_array_foreach(credentials, k, c) {
      const char *ends = ferry_json_str(c, "expiresAt");
      printf("%-20s %-12s %-34s %-21s %s\n", name, ferry_json_str(c, "type"),
             ferry_json_str(c, "id"), ferry_json_str(c, "createdAt"), ends ? ends : "never");
    }
  }
  return FERRY_EXIT_DONE;
}

static gboolean end_credential(FerryCli *cli, const char *name, const char *id, gint64 grace_s,
                               GError **error) {
  g_autofree char *path = user_path(name, "revoke");
  g_autoptr(json_t) body = json_pack("{s:s, s:I}", "id", id, "graceSeconds", (json_int_t)grace_s);
  g_autoptr(json_t) answer = send_json(cli, "POST", path, body, error);
  return answer != NULL;
}

static gboolean is_subject(const json_t *binding, const char *name) {
  json_t *subject;
  size_t i;
  json_array_foreach(ferry_json_get(binding, "subjects"), i, subject) {
    if (g_strcmp0(ferry_json_str(subject, "kind"), "User") == 0 &&
        g_strcmp0(ferry_json_str(subject, "name"), name) == 0)
      return TRUE;
  }
  return FALSE;
}

static char *path_of_binding(const char *plural, const json_t *binding) {
  const char *ns = ferry_json_str(binding, "metadata.namespace");
  g_autofree char *name =
      g_uri_escape_string(ferry_json_str(binding, "metadata.name"), NULL, FALSE);
  return ns ? g_strdup_printf(RBAC "/namespaces/%s/%s/%s", ns, plural, name)
            : g_strdup_printf(RBAC "/%s/%s", plural, name);
}

/* Deletes the bindings that are this user's alone: the next user of that name must not get what
 * this one had. Those that name others as well are told. */
static gboolean user_unbind(FerryCli *cli, const char *plural, const char *name, guint *gone,
                            GError **error) {
  g_autofree char *list = g_strconcat(RBAC "/", plural, NULL);
  g_autoptr(json_t) all = send_json(cli, "GET", list, NULL, error);
  json_t *binding;
  size_t i;
  if (!all)
    return FALSE;
  json_array_foreach(json_object_get(all, "items"), i, binding) {
    if (!is_subject(binding, name))
      continue;
    g_autofree char *path = path_of_binding(plural, binding);
    if (json_array_size(ferry_json_get(binding, "subjects")) > 1) {
      printf("%s names %s beside others: take the name out with kubectl edit\n",
             path + strlen(RBAC "/"), name);
      continue;
    }
    g_autoptr(GError) problem = NULL;
    g_autoptr(json_t) answer = send_json(cli, "DELETE", path, NULL, &problem);
    if (answer) {
      ++*gone;
    } else if (!g_error_matches(problem, FERRY_ERROR, FERRY_ERROR_NOT_FOUND)) {
      g_propagate_error(error, g_steal_pointer(&problem));
      return FALSE;
    }
  }
  return TRUE;
}

static int revoke_user(FerryCli *cli, const Wish *wish) {
  g_autoptr(GError) error = NULL;
  const char *id = ferry_cli_option(cli, "credential");
  if (id) {
    if (!end_credential(cli, wish->name, id, 0, &error))
      return ferry_cli_fail(error, NULL);
    printf("credential %s of user %s revoked\n", id, wish->name);
    return FERRY_EXIT_DONE;
  }
  g_autofree char *path = user_path(wish->name, NULL);
  g_autoptr(json_t) answer = send_json(cli, "DELETE", path, NULL, &error);
  if (!answer)
    return ferry_cli_fail(error, NULL);
  if (ferry_json_str(answer, "metadata.deletionTimestamp")) { /* an older ferryd's */
    g_autofree char *keeps = ferry_resource_what_keeps(answer);
    g_set_error(&error, FERRY_ERROR, FERRY_ERROR_CONFLICT,
                "user \"%s\" is not revoked: this ferryd only marked it for deletion, it waits for "
                "%s, and its credentials hold until then; end each with ferry user revoke %s "
                "--credential ID",
                wish->name, keeps, wish->name);
    return ferry_cli_fail(error, NULL);
  }
  printf("user %s deleted, all its credentials are revoked\n", wish->name);
  guint gone = 0;
  gboolean ok = user_unbind(cli, "clusterrolebindings", wish->name, &gone, &error) &&
                user_unbind(cli, "rolebindings", wish->name, &gone, &error);
  if (gone)
    printf("%u binding%s of its name alone deleted\n", gone, gone == 1 ? "" : "s");
  if (ok)
    return FERRY_EXIT_DONE;
  return ferry_cli_fail(error, "The user is gone, but bindings that name it may be left: the next "
                               "user of that name would have their rights.");
}

static int rotate_user(FerryCli *cli, const Wish *wish) {
  g_autoptr(GError) error = NULL;
  const char *text = ferry_cli_option(cli, "grace");
  gint64 grace_s = 0;
  if (text && !user_read_life(text, &grace_s))
    return ferry_cli_usage(cli, "--grace %s: expected a duration such as 1h or 2d", text);
  g_autofree char *path = user_path(wish->name, NULL);
  g_autoptr(json_t) user = send_json(cli, "GET", path, NULL, &error);
  g_autofree char *key = NULL;
  g_autoptr(json_t) made = user ? make_credential(cli, wish, &key, &error) : NULL;
  if (!made)
    return ferry_cli_fail(error, NULL);
  print_kubeconfig(cli, wish, made, key);
  if (key)
    explicit_bzero(key, strlen(key));
  json_t *credentials = ferry_json_get(user, "status.credentials"), *c;
  size_t i;
  int code = FERRY_EXIT_DONE;
  json_array_foreach(credentials, i, c) {
    g_autoptr(GError) problem = NULL;
    if (!end_credential(cli, wish->name, ferry_json_str(c, "id"), grace_s, &problem) &&
        !g_error_matches(problem, FERRY_ERROR, FERRY_ERROR_NOT_FOUND))
      code = ferry_cli_fail(problem, "The new credential was printed; end the old one with ferry "
                                     "user revoke --credential.");
  }
  return code;
}

static int cmd_user(FerryCli *cli) {
  g_autoptr(GError) error = NULL;
  const char *action = ferry_cli_word(cli, 0), *life = ferry_cli_option(cli, "expires");
  Wish wish = {.name = ferry_cli_word(cli, 1),
               .role = ferry_cli_option(cli, "role"),
               .ns = ferry_cli_option(cli, "namespace"),
               .certificate = ferry_args_has(cli->args, "certificate")};
  if (life && !user_read_life(life, &wish.life_s))
    return ferry_cli_usage(cli, "--expires %s: expected a duration such as 30d or 12h", life);
  gboolean list = g_str_equal(action, "list");
  if (list == (wish.name != NULL))
    return ferry_cli_usage(cli, list ? "user list takes no name" : "user %s needs a user's NAME",
                           action);
  if (!ferry_cli_client(cli, &error))
    return ferry_cli_fail(error, NULL);
  if (list)
    return list_users(cli);
  if (g_str_equal(action, "create"))
    return create_user(cli, &wish);
  if (g_str_equal(action, "revoke"))
    return revoke_user(cli, &wish);
  if (g_str_equal(action, "rotate"))
    return rotate_user(cli, &wish);
  return ferry_cli_usage(cli, "\"%s\" is not one of create, list, revoke and rotate", action);
}

static const FerryCliOption options_user[] = {
    {"role", 0, "ROLE", "Create: the ClusterRole it gets, such as view, operate or admin"},
    {"group", 0, "GROUP", "Create: a group it is in; repeatable"},
    {"expires", 0, "TIME",
     "Create, rotate: how long the credential is good, such as 30d (the default is 90 days)"},
    {"certificate", 0, NULL, "Create, rotate: a certificate in place of a token",
     .more = "The key is made here and is not sent."},
    {"credential", 0, "ID", "Revoke: only this credential, which user list shows"},
    {"grace", 0, "TIME", "Rotate: for how long the old credentials go on working, such as 1h"},
    OPT_OUTPUT(ferry_formats_final, "List: json or yaml"),
    OPT_END,
};

const FerryVerb ferry_verb_user = {
    .name = "user",
    .synopses = LINES("create NAME --role ROLE", "list", "revoke NAME", "rotate NAME"),
    .doc = "Give people and programs access, and take it away",
    .details = "create and rotate print a kubeconfig, which ferry and kubectl take. With -n the "
               "role holds "
               "in\n"
               "that namespace only.",
    .options = options_user,
    .min_words = 1,
    .max_words = 2,
    .run = cmd_user};
