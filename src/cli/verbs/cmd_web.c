// SPDX-License-Identifier: Apache-2.0
// `web` opens the page, logged in as who asks: by a link whose token the server makes for him,
// which works once and for a minute. It stands in the fragment, which no browser sends to any
// server.
#include "cli/core/options.h"
#include <stdio.h>
#include <string.h>

static char *page_url(FerryCli *cli, GError **error) {
  FerryClient *client = ferry_cli_client(cli, error);
  g_autoptr(json_t) body = json_object();
  g_autoptr(json_t) made =
      client ? ferry_client_request(client, "POST", "/web/link", body, NULL, NULL, NULL, error)
             : NULL;
  if (made == NULL)
    return NULL;
  const char *token = ferry_json_str(made, "token");
  if (token == NULL) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL, "the server's answer holds no link");
    return NULL;
  }
  const char *server = ferry_client_config(client)->server;
  gsize len = strlen(server);
  while (len > 0 && server[len - 1] == '/')
    len--;
  return g_strdup_printf("%.*s/web/#login=%s", (int)len, server, token);
}

static gboolean open_browser(const char *url, GError **error) {
  const char *argv[] = {"xdg-open", url, NULL};
  return g_spawn_async(NULL, (char **)argv, NULL,
                       G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL |
                           G_SPAWN_STDERR_TO_DEV_NULL,
                       NULL, NULL, NULL, error);
}

static int cmd_web(FerryCli *cli) {
  g_autoptr(GError) error = NULL;
  g_autofree char *url = page_url(cli, &error);
  if (url == NULL)
    return ferry_cli_fail(error, NULL);
  if (ferry_args_has(cli->args, "print-url")) {
    puts(url);
    return FERRY_EXIT_DONE;
  }
  if (!open_browser(url, &error))
    return ferry_cli_fail(error, "Open it yourself: ferry web --print-url prints the link.");
  printf("The page opens in your browser. The link works once, within a minute.\n");
  return FERRY_EXIT_DONE;
}

static const FerryCliOption options_web[] = {
    {"print-url", 0, NULL, "Print the link and open nothing; it logs in whoever has it, once"},
    OPT_END,
};

const FerryVerb ferry_verb_web = {
    .name = "web",
    .synopses = LINES(""),
    .doc = "Open the page in a browser, logged in",
    .details = "The link is made for you by the server, works once and for 60 seconds.",
    .options = options_web,
    .run = cmd_web};
