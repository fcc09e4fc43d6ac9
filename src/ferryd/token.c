// SPDX-License-Identifier: Apache-2.0
#include "client/client.h"
#include "client/join_url.h"
#include "ferryd/names.h"
#include "ferryd/options.h"
#include <gio/gio.h>
#include <stdio.h>

/* For the person who reads it: on the other channel, so that the output is the token alone where a
 * program takes it. */
static void tell_command(const char *server, const char *node) {
  g_autofree char *command = ferryd_names_join_command(server, node);
  fprintf(stderr, "On %s, as root, with the token in a file that root alone reads:\n  %s\n", node,
          command);
  g_autofree char *url = ferry_join_url(server);
  g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_NONE, NULL);
  if (!g_str_equal(url, server) && !ferry_join_url_answers(url))
    fprintf(stderr, "But ferryd serves this machine alone: start it with --listen 0.0.0.0:%d\n",
            uri ? g_uri_get_port(uri) : 6443);
}

static int token_create(const char *node, const char *state_dir) {
  g_autoptr(GError) error = NULL;
  g_autofree char *kubeconfig = g_build_filename(state_dir, "admin.kubeconfig", NULL);
  g_autoptr(FerryClientConfig) config = ferry_client_config_load(kubeconfig, NULL, &error);
  g_autoptr(FerryClient) client = config ? ferry_client_new(config, &error) : NULL;
  g_autofree char *escaped = g_uri_escape_string(node, NULL, FALSE);
  g_autofree char *path = g_strdup_printf("/apis/ferry.migration/v1/nodes/%s/token", escaped);
  g_autoptr(json_t) body = json_object();
  g_autoptr(json_t) answer =
      client ? ferry_client_request(client, "POST", path, body, NULL, NULL, NULL, &error) : NULL;
  const char *token = ferry_json_str(answer, "token");
  if (!token) {
    fprintf(stderr, "ferryd: cannot create a token for node %s: %s\n", node,
            error ? error->message : "the server's answer holds none");
    return 1;
  }
  printf("%s\n", token);
  fflush(stdout);
  tell_command(config->server, node);
  return 0;
}

int ferryd_token_main(int argc, char **argv) {
  g_autofree char *node = NULL;
  g_autofree char *state_dir = NULL;
  const GOptionEntry entries[] = {
      {"node", 0, 0, G_OPTION_ARG_STRING, &node, "The host that will join", "NAME"},
      {"state-dir", 0, 0, G_OPTION_ARG_FILENAME, &state_dir,
       "Where the running ferryd keeps its state (default /var/lib/ferry)", "DIR"},
      {NULL},
  };
  g_autoptr(GOptionContext) context = g_option_context_new("create --node NAME");
  g_autoptr(GError) error = NULL;
  g_option_context_add_main_entries(context, entries, NULL);
  g_option_context_set_summary(context, "Prints a one-time join token, valid for 24 hours.");
  if (!g_option_context_parse(context, &argc, &argv, &error)) {
    fprintf(stderr, "ferryd token: %s\n", error->message);
    return 2;
  }
  if (argc != 2 || !g_str_equal(argv[1], "create") || !node) {
    fprintf(stderr, "usage: ferryd token create --node NAME [--state-dir DIR]\n");
    return 2;
  }
  return token_create(node, state_dir ? state_dir : "/var/lib/ferry");
}
