// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"
#include "cli/core/options.h"
#include <stdio.h>

enum { KUBECONFIG_MAX = 1024 * 1024 };

static int cmd_kubeconfig(FerryCli *cli) {
  g_autoptr(GError) error = NULL;
  const char *state_dir = ferry_cli_option(cli, "state-dir");
  g_autofree char *path = NULL;
  if (state_dir != NULL) {
    path = g_build_filename(state_dir, "admin.kubeconfig", NULL);
  } else {
    g_autoptr(FerryClientConfig) config =
        ferry_client_config_load(ferry_cli_option(cli, "kubeconfig"), NULL, &error);
    if (config == NULL)
      return ferry_cli_fail(error, NULL);
    path = g_strdup(config->source);
  }
  g_autofree char *text = ferry_file_read(path, KUBECONFIG_MAX, NULL, &error);
  if (text == NULL)
    return ferry_cli_fail(error, state_dir != NULL ? "ferryd writes it at its first start; it is "
                                                     "readable by root only."
                                                   : NULL);
  if (ferry_args_has(cli->args, "path"))
    puts(path);
  else
    fputs(text, stdout);
  return FERRY_EXIT_DONE;
}

static const FerryCliOption options_kubeconfig[] = {
    {"state-dir", 0, "DIR",
     "Take the administrator's kubeconfig of a ferryd with this state "
     "directory"},
    {"path", 0, NULL, "Print the file's path instead of its content"},
    OPT_END,
};

const FerryVerb ferry_verb_kubeconfig = {.name = "kubeconfig",
                                         .synopses = LINES(""),
                                         .doc = "Print the kubeconfig in use",
                                         .options = options_kubeconfig,
                                         .run = cmd_kubeconfig};
