// SPDX-License-Identifier: Apache-2.0
// One POST, then a watch on the same connection from what the POST answered; nothing is asked
// before, so the command costs hardly more than the migration.
#include "cli/core/options.h"
#include "cli/core/migration_options.h"
#include "cli/core/follow.h"
#include "cli/core/migration_request.h"
#include "cli/core/several.h"
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

static int migrate_one(FerryCli *cli, const char *vm, const char *host) {
  const char *format = ferry_cli_option(cli, "output");
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) request = ferry_migration_request_new(cli, vm, host, &error);
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

/* ---- several ---- */

/* Asks for a migration of each; what is refused is told, and the others go on. Returns the worst
 * exit code. */
static int migrate_begin(FerryCli *cli, const GPtrArray *names, GPtrArray *migrations) {
  int worst = FERRY_EXIT_DONE;
  for (guint i = 0; i < names->len; i++) {
    const char *vm = names->pdata[i];
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) request = ferry_migration_request_new(cli, vm, NULL, &error);
    if (request == NULL)
      return ferry_cli_usage(cli, "%s", error->message);
    json_t *object = ferry_migration_request_post(cli, request, FALSE, &error);
    if (object == NULL) {
      fprintf(stderr, "%s:\n", vm);
      worst = ferry_several_worst(worst, ferry_migration_request_fail(cli, vm, error));
      continue;
    }
    ferry_cli_warnings(cli);
    g_ptr_array_add(migrations, object);
  }
  return worst;
}

static int migrate_several(FerryCli *cli) {
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) names = ferry_several_vms(cli, TRUE, &error);
  if (names == NULL || !ferry_several_check(cli, names, &error))
    return ferry_cli_fail(error,
                          "Nothing was changed. With several words each is a VM; --to names the "
                          "host.");
  g_autoptr(GPtrArray) migrations = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
  int code = migrate_begin(cli, names, migrations);
  if (code == FERRY_EXIT_USAGE)
    return code;
  if (ferry_args_has(cli->args, "no-wait")) {
    for (guint i = 0; i < migrations->len; i++)
      printf("%s\n", ferry_json_str(migrations->pdata[i], "metadata.name"));
    return code;
  }
  guint moved = 0;
  int end = ferry_several_follow(cli, migrations, &moved);
  printf("%u of %u have moved.\n", moved, names->len);
  return end == FERRY_EXIT_INTERRUPTED ? end : ferry_several_worst(code, end);
}

static int cmd_migrate(FerryCli *cli) {
  gboolean to = ferry_args_has(cli->args, "to");
  gboolean chosen = ferry_args_has(cli->args, "selector") || ferry_args_has(cli->args, "from");
  guint words = cli->args->words->len;
  if (chosen && words > 0)
    return ferry_cli_usage(cli, "-l and --from choose among all VMs; leave names out");
  if (!chosen && words == 0)
    return ferry_cli_usage(cli, "ferry migrate needs VM, -l LABELS or --from HOST");
  if (!chosen && (words == 1 || (words == 2 && !to)))
    return migrate_one(cli, ferry_cli_word(cli, 0), ferry_cli_word(cli, 1));
  if (ferry_args_has(cli->args, "output"))
    return ferry_cli_usage(cli, "-o is of one VM");
  return migrate_several(cli);
}

static const FerryCliOption after_flags[] = {
    OPT_SELECTOR,
    {"from", 0, "HOST", "Every VM that runs on that host", .kind = "node",
     .more = "With -l those of them that have the labels."},
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
    .synopses = LINES("VM [HOST]", "VM VM VM... | -l LABELS | --from HOST"),
    .doc = "Move a running VM to another host",
    .details =
        "Shows the progress until the migration has ended. On a terminal Ctrl-C asks whether to\n"
        "cancel it; elsewhere the migration goes on and the exit code is 130.\n"
        "Of several VMs each one's end is a line; Ctrl-C leaves them. Two words are a VM and a "
        "host, "
        "with --to two VMs.",
    .options = options_migrate,
    .min_words = 0,
    .max_words = 1000,
    .words_of = "vmi node",
    .run = cmd_migrate};
