// SPDX-License-Identifier: Apache-2.0
// A migration that is asked for but not made (dryRun=All): the server runs every check.
#include "cli/core/options.h"
#include "cli/core/migration_options.h"
#include "cli/view/candidates_table.h"
#include "cli/view/explain.h"
#include "cli/core/migration_request.h"
#include "cli/core/several.h"
#include "cli/core/resource.h"
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

static void say_possible(FerryCli *cli, const char *vm) {
  const char *to = ferry_cli_option(cli, "to");
  printf("%s can move%s%s.\n", vm, to != NULL ? " to " : "", to != NULL ? to : "");
}

/* One VM, with all that there is to say. */
static int check_fully(FerryCli *cli, const char *vm) {
  const char *format = ferry_cli_option(cli, "output");
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) request = ferry_migration_request_new(cli, vm, NULL, &error);
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
  say_possible(cli, vm);
  g_autofree char *hosts =
      ferry_candidates_text(ferry_json_get(object, "status.candidates"), cli->utf8, cli->color);
  fputs(hosts, stdout);
  print_refusals(object);
  g_autofree char *stated = ferry_explain_stated(object, cli->utf8, cli->color);
  if (*stated)
    printf("It would go by these settings, and otherwise by the defaults:\n%s", stated);
  return FERRY_EXIT_DONE;
}

/* ---- several ---- */

/* Where one would go. */
static const char *taken_host(const json_t *object) {
  gsize i;
  json_t *one;
  json_array_foreach(ferry_json_get(object, "status.candidates"), i, one) {
    if (ferry_json_bool(one, "chosen", FALSE))
      return ferry_json_str(one, "nodeName");
  }
  return NULL;
}

/* One of several: a line where it can move, else all reasons. */
static int check_briefly(FerryCli *cli, const char *vm) {
  g_autoptr(GError) error = NULL;
  g_autofree char *name = ferry_text_clean(vm);
  g_autoptr(json_t) request = ferry_migration_request_new(cli, vm, NULL, &error);
  if (request == NULL)
    return ferry_cli_usage(cli, "%s", error->message);
  g_autoptr(json_t) object = ferry_migration_request_post(cli, request, TRUE, &error);
  if (object == NULL) {
    if (error->domain != FERRY_ERROR ||
        (error->code != FERRY_ERROR_INVALID && error->code != FERRY_ERROR_CONFLICT))
      return ferry_migration_request_fail(cli, vm, error);
    guint n = ferry_error_n_causes(error);
    printf("%s cannot move:\n", name);
    for (guint i = 0; i < n; i++) {
      g_autofree char *why = ferry_text_clean(ferry_error_cause(error, i)->message);
      printf("  * %s\n", why);
    }
    if (n == 0) {
      g_autofree char *why = ferry_text_clean(error->message);
      printf("  * %s\n", why);
    }
    return FERRY_EXIT_REFUSED;
  }
  const char *host = taken_host(object);
  g_autofree char *to = ferry_text_clean(host != NULL ? host : "");
  guint warned = g_strv_length((char **)ferry_client_warnings(cli->client));
  g_autofree char *more = warned ? g_strdup_printf(" (%u warning%s: ferry check %s)", warned,
                                                   warned > 1 ? "s" : "", name)
                                 : g_strdup("");
  printf("%s can move%s%s%s.\n", name, host != NULL ? " to " : "", to, more);
  return FERRY_EXIT_DONE;
}

static int check_several(FerryCli *cli) {
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) names = ferry_several_vms(cli, FALSE, &error);
  int worst = FERRY_EXIT_DONE;
  guint can = 0;
  if (names == NULL)
    return ferry_cli_fail(error, NULL);
  for (guint i = 0; i < names->len; i++) {
    int code = check_briefly(cli, names->pdata[i]);
    can += code == FERRY_EXIT_DONE;
    if (code == FERRY_EXIT_USAGE)
      return code;
    worst = ferry_several_worst(worst, code);
  }
  printf("%u of %u can move.\n", can, names->len);
  return worst;
}

static int cmd_check(FerryCli *cli) {
  gboolean chosen = ferry_args_has(cli->args, "all") || ferry_args_has(cli->args, "selector");
  guint words = cli->args->words->len;
  if (chosen && words > 0)
    return ferry_cli_usage(cli, "--all and -l choose among all VMs; leave names out");
  if (!chosen && words == 0)
    return ferry_cli_usage(cli, "needs VM, -l LABELS or --all");
  if ((chosen || words > 1) && ferry_args_has(cli->args, "output"))
    return ferry_cli_usage(cli, "-o is of one VM");
  return chosen || words > 1 ? check_several(cli) : check_fully(cli, ferry_cli_word(cli, 0));
}

static const FerryCliOption after_flags[] = {
    {"all", 0, NULL, "All VMs of the namespace"},
    OPT_SELECTOR,
    OPT_OUTPUT(ferry_formats_final, "Print the object as it would be: json or yaml"),
    OPT_END};
static FerryCliOption options_check[FERRY_MIGRATION_OPTIONS_MAX];

/* Those in the middle are libvirt's flags, from the model's table. */
static void __attribute__((constructor)) fill_options(void) {
  ferry_migration_options_fill(options_check, ferry_options_before_flags, after_flags);
}

const FerryVerb ferry_verb_check = {
    .name = "check",
    .synopses = LINES("VM...", "-l LABELS | --all"),
    .doc = "Say whether VMs can move, and every reason why not",
    .details = "For a single VM it also shows which hosts could take it, and which one would be "
               "chosen.\n\n"
               "Nothing is changed. The exit code is 3 where a migration would be refused.",
    .options = options_check,
    .min_words = 0,
    .max_words = 1000,
    .words_of = "vmi",
    .run = cmd_check};
