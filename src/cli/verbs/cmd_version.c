// SPDX-License-Identifier: Apache-2.0
#include "cli/core/options.h"
#include "cli/view/output.h"
#include "cli/view/text.h"
#include <stdio.h>

/* ferryd's own version; gitVersion is that of the Kubernetes whose wire it speaks. */
static void print_server(const json_t *server, const char *url) {
  g_autofree char *own = ferry_text_clean(ferry_json_str(server, "ferryVersion"));
  g_autofree char *wire = ferry_text_clean(ferry_json_str(server, "gitVersion"));
  printf("ferryd  %s at %s, speaks Kubernetes %s\n", *own ? own : "?", url, *wire ? wire : "?");
}

static int cmd_version(FerryCli *cli) {
  const char *format = ferry_cli_option(cli, "output");
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) all = json_pack("{s:{s:s}}", "clientVersion", "gitVersion", "v" FERRY_VERSION);
  if (format == NULL)
    printf("ferry   v%s\n", FERRY_VERSION);
  g_autoptr(json_t) server = NULL;
  FerryClient *client = ferry_args_has(cli->args, "client") ? NULL : ferry_cli_client(cli, &error);
  if (client != NULL)
    server = ferry_client_request(client, "GET", "/version", NULL, NULL, NULL, NULL, &error);
  if (server != NULL)
    json_object_set(all, "serverVersion", server);
  if (format != NULL)
    ferry_output_object(all, format);
  else if (server != NULL)
    print_server(server, ferry_client_config(client)->server);
  return error == NULL ? FERRY_EXIT_DONE : ferry_cli_fail(error, NULL);
}

static const FerryCliOption options_version[] = {
    OPT_OUTPUT(ferry_formats_final, "json or yaml"),
    {"client", 0, NULL, "Only this program's version, without asking the server"},
    OPT_END,
};

const FerryVerb ferry_verb_version = {.name = "version",
                                      .synopses = LINES(""),
                                      .doc = "Show the versions of this program and of the server",
                                      .options = options_version,
                                      .run = cmd_version};
