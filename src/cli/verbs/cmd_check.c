// SPDX-License-Identifier: Apache-2.0
// A migration that is asked for but not made (dryRun=All): the server runs every check.
#include "cli/verbs/options.h"
#include "cli/core/migration_options.h"
#include "cli/view/explain.h"
#include "cli/core/migration_request.h"
#include "cli/view/output.h"
#include "cli/view/text.h"
#include <stdio.h>

/* What the server noted about single hosts though the whole is possible. */
static void print_refusals(const json_t *object) {
  size_t i, j;
  json_t *refusal, *reason;
  json_array_foreach(ferry_json_get(object, "status.refusals"), i, refusal) {
    json_array_foreach(ferry_json_get(refusal, "reasons"), j, reason) {
      const char *message = ferry_json_str(reason, "message");
      g_autofree char *node = ferry_text_clean(ferry_json_str(refusal, "nodeName"));
      g_autofree char *text =
          ferry_text_clean(message != NULL ? message : ferry_json_str(reason, "reason"));
      printf("  * not to %s: %s\n", node, text);
    }
  }
}

static int cmd_check(FerryCli *cli) {
  const char *vm = ferry_cli_word(cli, 0), *format = ferry_cli_option(cli, "output");
  const char *to = ferry_cli_option(cli, "to");
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) request = ferry_migration_request_new(cli, vm, &error);
  if (request == NULL)
    return ferry_cli_usage(cli, "%s", error->message);
  g_autoptr(json_t) object = ferry_migration_request_post(cli, request, TRUE, &error);
  if (object == NULL)
    return ferry_migration_request_fail(cli, vm, error);
  ferry_cli_warnings(cli);
  if (format != NULL) {
    ferry_output_object(object, format);
    return FERRY_EXIT_DONE;
  }
  printf("%s can move%s%s.\n", vm, to != NULL ? " to " : "", to != NULL ? to : "");
  print_refusals(object);
  g_autofree char *stated = ferry_explain_stated(object, cli->utf8, cli->color);
  if (*stated)
    printf("It would go by these settings, and otherwise by the defaults:\n%s", stated);
  return FERRY_EXIT_DONE;
}

static const FerryCliOption after_flags[] = {
    OPT_OUTPUT(ferry_formats_final, "Print the object as it would be: json or yaml"), OPT_END};
static FerryCliOption options_check[FERRY_MIGRATION_OPTIONS_MAX];

/* Those in the middle are libvirt's flags, from the model's table. */
static void __attribute__((constructor)) fill_options(void) {
  ferry_migration_options_fill(options_check, ferry_options_before_flags, after_flags);
}

const FerryVerb ferry_verb_check = {
    .name = "check",
    .synopses = LINES("VM"),
    .doc = "Say whether a VM can move, with all reasons if not",
    .details = "Nothing is changed. The exit code is 3 where the migration would be refused.",
    .options = options_check,
    .min_words = 1,
    .max_words = 1,
    .words_of = "vmi",
    .run = cmd_check};
