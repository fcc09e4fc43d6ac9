// SPDX-License-Identifier: Apache-2.0
// One POST, then a watch on the same connection from what the POST answered; nothing is asked
// before, so the command costs hardly more than the migration.
#include "cli/verbs/options.h"
#include "cli/core/migration_options.h"
#include "cli/core/follow.h"
#include "cli/core/migration_request.h"
#include "cli/view/output.h"
#include "cli/view/summary.h"
#include <stdio.h>

static void how_to_go_on(const json_t *object) {
  const char *name = ferry_json_str(object, "metadata.name");
  const char *ns = ferry_json_str(object, "metadata.namespace");
  fprintf(stderr,
          "The migration %s goes on. ferry get vmim %s -n %s -w watches it, ferry cancel %s -n %s "
          "cancels it.\n",
          name, name, ns, name, ns);
}

static int migrate_finish(FerryCli *cli, FerryFollowEnd end, json_t *object, const GError *error) {
  const char *format = ferry_cli_option(cli, "output");
  if (format != NULL)
    ferry_output_object(object, format);
  switch (end) {
  case FERRY_FOLLOW_ENDED:
    if (ferry_migration_succeeded(object)) {
      g_autofree char *text = ferry_summary_success(object, cli->utf8, cli->color);
      if (format == NULL)
        fputs(text, stdout);
      return FERRY_EXIT_DONE;
    } else {
      g_autofree char *text = ferry_summary_failure(object);
      fflush(stdout);
      fputs(text, stderr);
      return FERRY_EXIT_FAILED;
    }
  case FERRY_FOLLOW_LEFT:
    how_to_go_on(object);
    return FERRY_EXIT_DONE;
  case FERRY_FOLLOW_INTERRUPTED:
    how_to_go_on(object);
    return FERRY_EXIT_INTERRUPTED;
  case FERRY_FOLLOW_GONE:
    fprintf(stderr,
            "error: the migration %s was deleted before it ended; ferry get vmi %s shows where "
            "the VM is\n",
            ferry_json_str(object, "metadata.name"), ferry_json_str(object, "spec.vmiName"));
    return FERRY_EXIT_FAILED;
  case FERRY_FOLLOW_ERROR:
    break;
  }
  ferry_cli_fail(error, NULL);
  how_to_go_on(object);
  return FERRY_EXIT_FAILED;
}

static int cmd_migrate(FerryCli *cli) {
  const char *vm = ferry_cli_word(cli, 0), *format = ferry_cli_option(cli, "output");
  g_autoptr(GError) error = NULL;
  if (ferry_cli_word(cli, 1) != NULL && ferry_cli_option(cli, "to") != NULL)
    return ferry_cli_usage(cli, "the host is said twice: \"%s\" and --to %s",
                           ferry_cli_word(cli, 1), ferry_cli_option(cli, "to"));
  g_autoptr(json_t) request = ferry_migration_request_new(cli, vm, &error);
  if (request == NULL)
    return ferry_cli_usage(cli, "%s", error->message);
  json_t *object = ferry_migration_request_post(cli, request, FALSE, &error);
  if (object == NULL)
    return ferry_migration_request_fail(cli, vm, error);
  ferry_cli_warnings(cli);
  int code = FERRY_EXIT_DONE;
  if (ferry_args_has(cli->args, "no-wait")) {
    if (format != NULL)
      ferry_output_object(object, format);
    else
      printf("%s\n", ferry_json_str(object, "metadata.name"));
  } else {
    FerryFollowEnd end = ferry_follow(cli, &object, format != NULL, &error);
    code = migrate_finish(cli, end, object, error);
  }
  json_decref(object);
  return code;
}

static const FerryCliOption after_flags[] = {
    {"no-wait", 0, NULL, "Return as soon as the migration is accepted", NULL, "detach",
     .more = "It prints the migration's name."},
    OPT_OUTPUT(ferry_formats_final, "Print only the final object: json or yaml"),
    OPT_END,
};
static FerryCliOption options_migrate[FERRY_MIGRATION_OPTIONS_MAX];

/* Those in the middle are libvirt's flags, from the model's table. */
static void __attribute__((constructor)) fill_options(void) {
  ferry_migration_options_fill(options_migrate, ferry_options_before_flags, after_flags);
}

const FerryVerb ferry_verb_migrate = {
    .name = "migrate",
    .synopses = LINES("VM [HOST]"),
    .doc = "Move a running VM to another host",
    .details =
        "Shows the progress until the migration has ended. On a terminal Ctrl-C asks whether to\n"
        "cancel it; elsewhere the migration goes on and the exit code is 130.",
    .options = options_migrate,
    .min_words = 1,
    .max_words = 2,
    .words_of = "vmi node",
    .run = cmd_migrate};
