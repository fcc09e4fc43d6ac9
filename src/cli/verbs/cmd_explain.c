// SPDX-License-Identifier: Apache-2.0
// ferry explain: what can be told of a migration afterwards, to who ran it.
#include "cli/core/options.h"
#include "cli/view/explain.h"
#include "cli/core/migration_find.h"
#include "cli/view/output.h"
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* 0: into a file or a pipe, where nothing is cut or wrapped. */
static guint terminal_width(const FerryCli *cli) {
  struct winsize size;
  if (cli->out_tty && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return size.ws_col;
  return 0;
}

static int cmd_explain(FerryCli *cli) {
  const char *format = ferry_cli_option(cli, "output");
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) migration =
      ferry_migration_find(cli, ferry_cli_word(cli, 0), "; there is nothing to explain", &error);
  if (migration == NULL)
    return ferry_cli_fail(error, "ferry get vmim -A lists the migrations.");
  if (format != NULL) {
    g_autoptr(json_t) all = ferry_explain_json(migration);
    ferry_output_object(all, format);
    return FERRY_EXIT_DONE;
  }
  g_autofree char *text = ferry_explain_text(migration, terminal_width(cli), cli->utf8, cli->color);
  fputs(text, stdout);
  return FERRY_EXIT_DONE;
}

static const FerryCliOption options_explain[] = {
    OPT_OUTPUT(ferry_formats_final,
               "Print all of it, each decision with its numbers, as json or yaml"),
    OPT_END};

const FerryVerb ferry_verb_explain = {.name = "explain",
                                      .synopses = LINES("VM|MIGRATION"),
                                      .doc = "Show how a migration went and why",
                                      .details = "Its course with each decision and the reason, "
                                                 "what remained over time, and the policy with\n"
                                                 "where each field came from.",
                                      .options = options_explain,
                                      .min_words = 1,
                                      .max_words = 1,
                                      .words_of = "vmi",
                                      .run = cmd_explain};
