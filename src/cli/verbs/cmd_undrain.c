// SPDX-License-Identifier: Apache-2.0
// undrain opens a host again and ends its evacuations; with --bring-back the VMs that were moved
// off it come home.
#include "cli/hosts/bring_back.h"
#include "cli/hosts/drain_request.h"
#include "cli/core/options.h"
#include "cli/core/several.h"
#include <stdio.h>

/* What left it comes home; what is refused, and who was moved on meanwhile, stays. */
static int undrain_bring_back(FerryCli *cli, const char *host) {
  g_autoptr(GError) error = NULL;
  guint refused = 0, moved = 0;
  g_autoptr(GPtrArray) migrations = ferry_bring_back(cli, host, &refused, &error);
  if (migrations == NULL)
    return ferry_cli_fail(error, NULL);
  if (migrations->len + refused == 0) {
    printf("No VM is away from %s.\n", host);
    return FERRY_EXIT_DONE;
  }
  int code = ferry_several_follow(cli, migrations, &moved);
  printf("%u of %u VMs are back on %s.\n", moved, migrations->len + refused, host);
  return code == FERRY_EXIT_DONE && refused > 0 ? FERRY_EXIT_REFUSED : code;
}

static int cmd_undrain(FerryCli *cli) {
  const char *host = ferry_cli_word(cli, 0);
  g_autoptr(GError) error = NULL;
  guint ended = 0;
  if (ferry_cli_client(cli, &error) == NULL || !ferry_drain_undo(cli, host, &ended, &error))
    return ferry_cli_fail(error, g_error_matches(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND)
                                     ? "ferry get nodes lists the hosts."
                                     : NULL);
  ferry_drain_tell_open(host, ended);
  return ferry_args_has(cli->args, "bring-back") ? undrain_bring_back(cli, host) : FERRY_EXIT_DONE;
}

static const FerryCliOption options_undrain[] = {
    {"bring-back", 0, NULL, "Then move home what was moved off it",
     .more = "Those VMs that still run where the drain put them, as far as their migrations are "
             "still known."},
    OPT_END};

const FerryVerb ferry_verb_undrain = {
    .name = "undrain",
    .synopses = LINES("HOST"),
    .doc = "Let VMs move to a host again, and end its evacuation",
    .details = "Moves that are waiting are cancelled; those already running go on.",
    .options = options_undrain,
    .min_words = 1,
    .max_words = 1,
    .words_of = "node",
    .run = cmd_undrain};
