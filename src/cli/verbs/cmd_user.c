// SPDX-License-Identifier: Apache-2.0
// `user create|list|revoke|rotate`. A user is a User, a binding and a credential: three requests
// (core/user_credential.h, core/user_binding.h). Where one fails, what the earlier ones made is
// deleted again, and the error says so.
#include "base/duration.h"
#include "base/limits.h"
#include "cli/core/options.h"
#include "cli/core/resource.h"
#include "cli/core/user_binding.h"
#include "cli/view/kubeconfig_text.h"
#include "cli/view/output.h"
#include <stdio.h>
#include <string.h>

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

static void print_kubeconfig(FerryCli *cli, const FerryUserWish *wish, const json_t *made,
                             const char *key) {
  g_autofree char *text = ferry_kubeconfig_text(ferry_client_config(cli->client)->server,
                                                wish->name, wish->ns, made, key);
  fputs(text, stdout);
  fflush(stdout);
}

/* Deletes what was made; the error then says that, or what is left. */
static void take_back(FerryCli *cli, const FerryUserWish *wish, gboolean bound, GError **error) {
  g_autofree char *user = ferry_user_path(wish->name, NULL);
  g_autofree char *binding = ferry_user_binding(wish);
  g_autoptr(GString) left = g_string_new(NULL);
  const char *paths[] = {bound ? binding : NULL, user};
  for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
    g_autoptr(GError) problem = NULL;
    g_autoptr(json_t) answer =
        paths[i] ? ferry_user_send(cli, "DELETE", paths[i], NULL, &problem) : json_null();
    if (!answer && !g_error_matches(problem, FERRY_ERROR, FERRY_ERROR_NOT_FOUND))
      g_string_append_printf(left, "; left behind: %s (%s)", paths[i], problem->message);
  }
  g_autoptr(GError) cause = g_steal_pointer(error);
  g_set_error(error, FERRY_ERROR, cause->code, "%s%s: %s",
              left->len ? "user not created, and not everything could be undone"
                        : "user not created, what had been made is undone",
              left->str, cause->message);
}

static json_t *group_list(const FerryCli *cli) {
  json_t *out = json_array();
  const GPtrArray *all = ferry_args_all(cli->args, "group");
  for (guint i = 0; all && i < all->len; i++)
    json_array_append_new(out, json_string(g_ptr_array_index(all, i)));
  return out;
}

static gboolean create_all(FerryCli *cli, const FerryUserWish *wish, GError **error) {
  g_autoptr(json_t) body =
      json_pack("{s:s, s:s, s:{s:s}, s:{s:o}}", "apiVersion", "ferry.migration/v1", "kind", "User",
                "metadata", "name", wish->name, "spec", "groups", group_list(cli));
  g_autoptr(json_t) user = ferry_user_send(cli, "POST", FERRY_USER_PATH, body, error);
  if (!user)
    return FALSE;
  g_autofree char *key = NULL;
  gboolean bound = wish->role && ferry_user_bind(cli, wish, error);
  g_autoptr(json_t) made =
      bound || !wish->role ? ferry_user_credential(cli, wish, &key, error) : NULL;
  if (made)
    print_kubeconfig(cli, wish, made, key);
  else
    take_back(cli, wish, bound, error);
  if (key)
    explicit_bzero(key, strlen(key));
  return made != NULL;
}

static int create_user(FerryCli *cli, FerryUserWish *wish) {
  g_autoptr(GError) error = NULL;
  if (!wish->role && !ferry_args_has(cli->args, "group"))
    return ferry_cli_usage(cli, "user create needs --role ROLE (view, operate, edit, admin, "
                                "cluster-admin or one of your own) or --group GROUP");
  return create_all(cli, wish, &error) ? FERRY_EXIT_DONE : ferry_cli_fail(error, NULL);
}

static int list_users(FerryCli *cli) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) all = ferry_user_send(cli, "GET", FERRY_USER_PATH, NULL, &error);
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

static int revoke_user(FerryCli *cli, const FerryUserWish *wish) {
  g_autoptr(GError) error = NULL;
  const char *id = ferry_cli_option(cli, "credential");
  if (id) {
    if (!ferry_user_end_credential(cli, wish->name, id, 0, &error))
      return ferry_cli_fail(error, NULL);
    printf("credential %s of user %s revoked\n", id, wish->name);
    return FERRY_EXIT_DONE;
  }
  g_autofree char *path = ferry_user_path(wish->name, NULL);
  g_autoptr(json_t) answer = ferry_user_send(cli, "DELETE", path, NULL, &error);
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
  gboolean ok = ferry_user_unbind(cli, wish->name, &gone, &error);
  if (gone)
    printf("%u binding%s of its name alone deleted\n", gone, gone == 1 ? "" : "s");
  if (ok)
    return FERRY_EXIT_DONE;
  return ferry_cli_fail(error, "The user is gone, but bindings that name it may be left: the next "
                               "user of that name would have their rights.");
}

static int rotate_user(FerryCli *cli, const FerryUserWish *wish) {
  g_autoptr(GError) error = NULL;
  const char *text = ferry_cli_option(cli, "grace");
  gint64 grace_s = 0;
  if (text && !user_read_life(text, &grace_s))
    return ferry_cli_usage(cli, "--grace %s: expected a duration such as 1h or 2d", text);
  g_autofree char *path = ferry_user_path(wish->name, NULL);
  g_autoptr(json_t) user = ferry_user_send(cli, "GET", path, NULL, &error);
  g_autofree char *key = NULL;
  g_autoptr(json_t) made = user ? ferry_user_credential(cli, wish, &key, &error) : NULL;
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
    if (!ferry_user_end_credential(cli, wish->name, ferry_json_str(c, "id"), grace_s, &problem) &&
        !g_error_matches(problem, FERRY_ERROR, FERRY_ERROR_NOT_FOUND))
      code = ferry_cli_fail(problem, "The new credential was printed; end the old one with ferry "
                                     "user revoke --credential.");
  }
  return code;
}

static int cmd_user(FerryCli *cli) {
  g_autoptr(GError) error = NULL;
  const char *action = ferry_cli_word(cli, 0), *life = ferry_cli_option(cli, "expires");
  FerryUserWish wish = {.name = ferry_cli_word(cli, 1),
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
