// SPDX-License-Identifier: Apache-2.0
// ferry resolve: a person's word which of two copies of a VM goes on, and what the hosts did.
#include "cli/core/options.h"
#include "cli/core/migration_find.h"
#include "cli/core/resource.h"
#include "cli/view/output.h"
#include "model/migration/doubt.h"
#include <stdio.h>

enum { WAIT_MS = 30000 };

static gboolean is_carried_out(const json_t *migration, gconstpointer data) {
  return !ferry_doubt_keep_is_due(migration, FERRY_SIDE_SOURCE) &&
         !ferry_doubt_keep_is_due(migration, FERRY_SIDE_TARGET);
}

static int resolve_tell(const json_t *m, gboolean quiet) {
  const char *vm = ferry_json_str(m, "spec.vmiName"), *kept = ferry_doubt_kept(m);
  const char *name = ferry_json_str(m, "metadata.name");
  for (FerrySide side = FERRY_SIDE_SOURCE; side <= FERRY_SIDE_TARGET; side++)
    if (ferry_doubt_keep_is_due(m, side)) {
      const char *node = ferry_side_node(m, side);
      fprintf(stderr,
              "error: the agent of %s has not done its part within %d s; it does so as soon as it "
              "can, and what it did is in ferry describe vmim %s\n",
              node != NULL ? node : "a host", WAIT_MS / 1000, name);
      return FERRY_EXIT_FAILED;
    }
  if (!quiet)
    printf("%s now runs on %s alone; its other copy is gone\n", vm, kept);
  return FERRY_EXIT_DONE;
}

static int cmd_resolve(FerryCli *cli) {
  const char *format = ferry_cli_option(cli, "output"), *keep = ferry_cli_option(cli, "keep");
  g_autoptr(GError) error = NULL;
  if (keep == NULL)
    return ferry_cli_usage(cli, "say which host's copy goes on: --keep HOST");
  g_autoptr(json_t) found = ferry_migration_find(
      cli, ferry_cli_word(cli, 0),
      "; two copies that no migration left are ended on one of the hosts (virsh destroy)", &error);
  if (found == NULL)
    return ferry_cli_fail(error, "ferry get vmim -A lists the migrations.");
  g_autoptr(json_t) body = json_pack("{s:s}", "keepNode", keep);
  g_autoptr(json_t) object = ferry_migration_put(cli, found, "resolve", body, &error);
  if (object == NULL) {
    ferry_cli_fail(error, NULL);
    return g_error_matches(error, FERRY_ERROR, FERRY_ERROR_CONFLICT) ? FERRY_EXIT_REFUSED
                                                                     : FERRY_EXIT_FAILED;
  }
  gboolean wait = !ferry_args_has(cli->args, "no-wait");
  if (wait && !ferry_migration_await(cli, &object, WAIT_MS, is_carried_out, NULL, &error))
    return ferry_cli_fail(error, "It was asked for; ferry describe vmim shows what became of it.");
  if (format != NULL)
    ferry_output_object(object, format);
  if (wait)
    return resolve_tell(object, format != NULL);
  if (format == NULL)
    printf("%s: the copy of %s on %s is to go on\n", ferry_json_str(object, "metadata.name"),
           ferry_json_str(object, "spec.vmiName"), keep);
  return FERRY_EXIT_DONE;
}

static const FerryCliOption options_resolve[] = {
    {"keep", 0, "HOST", "The host whose copy goes on; the other host's is destroyed",
     .kind = "node"},
    OPT_NO_WAIT("Don't wait until both hosts have done it"),
    OPT_OUTPUT(ferry_formats_final, "Print only the migration's object: json or yaml"),
    OPT_END};

const FerryVerb ferry_verb_resolve = {
    .name = "resolve",
    .synopses = LINES("VM|MIGRATION --keep HOST"),
    .doc = "Say which copy goes on where two hosts have the VM",
    .details = "For a migration that left two copies, or one copy that stays suspended because it "
               "isn't known whether the other one runs. The agents of both hosts carry it out; it "
               "can't be undone.",
    .options = options_resolve,
    .min_words = 1,
    .max_words = 1,
    .words_of = "vmi",
    .run = cmd_resolve};
