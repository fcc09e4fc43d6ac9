// SPDX-License-Identifier: Apache-2.0
// From argv to a verb: finds the verb (options of every verb may stand before it), parses by its
// table, sets up what output can do, runs it. Errors of usage end here with exit code 2.
#include "cli/program.h"
#include "base/edit_distance.h"
#include "cli/skew_note.h"
#include "cli/verbs.h"
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The index in argv of the verb, skipping global options and their values; argc where none. */
static int find_verb(int argc, char **argv) {
  int i = 1;
  for (; i < argc && argv[i][0] == '-' && argv[i][1] != '\0'; i++) {
    for (const FerryCliOption *o = ferry_global_options; o->name != NULL; o++) {
      gboolean is_long = g_str_has_prefix(argv[i], "--") && g_str_equal(argv[i] + 2, o->name);
      gboolean is_short = argv[i][1] == o->letter && o->letter != 0 && argv[i][2] == '\0';
      if (o->arg != NULL && (is_long || is_short))
        i++;
    }
  }
  return MIN(i, argc);
}

static int unknown_verb(const char *word) {
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  gsize n;
  const FerryVerb *const *verbs = ferry_verbs(&n);
  for (gsize i = 0; i < n; i++)
    g_ptr_array_add(names, (gpointer)verbs[i]->name);
  g_ptr_array_add(names, NULL);
  const char *near = ferry_nearest(word, (const char *const *)names->pdata);
  fprintf(stderr, "error: unknown verb \"%s\"", word);
  if (near != NULL)
    fprintf(stderr, ", did you mean \"%s\"?", near);
  fprintf(stderr, "\nferry --help lists the verbs.\n");
  return FERRY_EXIT_USAGE;
}

static gboolean wants_color(const FerryArgs *args, gboolean tty) {
  const char *when = ferry_args_get(args, "color");
  if (g_strcmp0(when, "always") == 0)
    return TRUE;
  if (g_strcmp0(when, "never") == 0)
    return FALSE;
  const char *no_color = g_getenv("NO_COLOR");
  return tty && (no_color == NULL || *no_color == '\0');
}

static int program_run(const FerryVerb *verb, FerryArgs *args) {
  const char *term = g_getenv("TERM");
  FerryCli cli = {.verb = verb, .args = args};
  cli.out_tty = isatty(STDOUT_FILENO) && term != NULL && !g_str_equal(term, "dumb");
  cli.color = wants_color(args, cli.out_tty);
  cli.utf8 = g_str_equal(nl_langinfo(CODESET), "UTF-8");
  if (args->words->len < verb->min_words)
    return ferry_cli_usage(&cli, "ferry %s needs %s", verb->name, verb->synopses[0]);
  if (args->words->len > verb->max_words)
    return ferry_cli_usage(&cli, "ferry %s: \"%s\" is one word too many", verb->name,
                           (char *)g_ptr_array_index(args->words, verb->max_words));
  int code = verb->run(&cli);
  ferry_skew_tell(&cli, code);
  ferry_client_free(cli.client);
  if (fflush(stdout) != 0) {
    if (errno == EPIPE)
      return FERRY_EXIT_PIPE; /* whoever read has enough */
    if (code == FERRY_EXIT_DONE)
      code = FERRY_EXIT_FAILED;
    perror("error: writing the output");
  }
  return code;
}

int ferry_cli_main(int argc, char **argv) {
  setlocale(LC_CTYPE, "");
  signal(SIGPIPE, SIG_IGN);
  int at = find_verb(argc, argv);
  const FerryVerb *verb = at < argc ? ferry_verb_find(argv[at]) : NULL;
  if (at < argc && verb == NULL && !g_str_equal(argv[at], "help"))
    return unknown_verb(argv[at]);
  if (verb == NULL && at + 1 < argc) { /* ferry help VERB */
    verb = ferry_verb_find(argv[at + 1]);
    if (verb == NULL)
      return unknown_verb(argv[at + 1]);
    g_autofree char *help = ferry_help_verb(verb);
    fputs(help, stdout);
    return FERRY_EXIT_DONE;
  }
  static const FerryCliOption version_option[] = {{"version", 0, NULL, "Show the version"}, {NULL}};
  static const FerryCliOption no_options[] = {{NULL}};
  const FerryCliOption *const tables[] = {
      ferry_global_options, verb != NULL ? verb->options : version_option, no_options, NULL};
  g_autoptr(GPtrArray) rest = g_ptr_array_new();
  for (int i = 1; i < argc; i++)
    if (i != at)
      g_ptr_array_add(rest, argv[i]);
  g_ptr_array_add(rest, NULL);
  g_autoptr(GError) error = NULL;
  g_autoptr(FerryArgs) args =
      ferry_args_parse(tables, (int)rest->len - 1, (char *const *)rest->pdata, &error);
  if (args == NULL) {
    fprintf(stderr, "error: %s\nferry %s%s--help shows what there is.\n", error->message,
            verb != NULL ? verb->name : "", verb != NULL ? " " : "");
    return FERRY_EXIT_USAGE;
  }
  if (ferry_args_has(args, "help") || (verb == NULL && at < argc)) {
    g_autofree char *help = verb != NULL ? ferry_help_verb(verb) : ferry_help_program();
    fputs(help, stdout);
    return FERRY_EXIT_DONE;
  }
  if (verb == NULL && ferry_args_has(args, "version")) {
    printf("ferry v%s\n", FERRY_VERSION);
    return FERRY_EXIT_DONE;
  }
  if (verb == NULL) {
    g_autofree char *help = ferry_help_program();
    fputs(help, stderr);
    return FERRY_EXIT_USAGE;
  }
  return program_run(verb, args);
}
