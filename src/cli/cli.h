// SPDX-License-Identifier: Apache-2.0
// What every verb gets and how a verb is described. A verb is one file cmd_NAME.c with one function
// `int ferry_cmd_NAME(FerryCli *)` and one row in verbs.c.
#pragma once
#include "cli/args.h"
#include "base/error.h"
#include "client/client.h"

G_BEGIN_DECLS

/** The exit codes; ferry(1) documents them. */
enum {
  FERRY_EXIT_DONE = 0,
  FERRY_EXIT_FAILED = 1,
  FERRY_EXIT_USAGE = 2,
  FERRY_EXIT_REFUSED = 3,       /* a check refused the migration; nothing was changed */
  FERRY_EXIT_INTERRUPTED = 130, /* Ctrl-C: what was started goes on */
};

typedef struct FerryVerb FerryVerb;

typedef struct {
  const FerryVerb *verb;
  FerryArgs *args;
  FerryClient *client; /* made by ferry_cli_client */
  gboolean out_tty;    /* stdout is a terminal that can redraw a line */
  gboolean color;      /* colours on stdout */
  gboolean utf8;       /* the locale can show bars and arrows */
} FerryCli;

struct FerryVerb {
  const char *name;
  const char *const *synopses; /* what follows the verb, a line each, NULL-ended */
  const char *doc;             /* one line */
  const char *details;         /* paragraphs for --help, may be NULL */
  const FerryOption *options;  /* its own, beside the global ones */
  guint min_words, max_words;
  int (*run)(FerryCli *cli);
};

/** All verbs, in the order of --help; ends with a NULL name. */
extern const FerryVerb ferry_verbs[];
/** Options that every verb takes. */
extern const FerryOption ferry_global_options[];
/** The verb of that name, or NULL. */
const FerryVerb *ferry_verb_find(const char *name);
/** Text of `ferry --help`. Free with g_free. */
char *ferry_help_program(void);
/** Text of `ferry VERB --help`. Free with g_free. */
char *ferry_help_verb(const FerryVerb *verb);

/** The whole program but exit(): returns the exit code. */
int ferry_cli_main(int argc, char **argv);

/** The client by --kubeconfig, --server and the environment, or NULL with an error. Borrowed. */
FerryClient *ferry_cli_client(FerryCli *cli, GError **error);
/** "traceparent: ..." for a request that begins something: the trace that this command was started
 * in (the variable TRACEPARENT, as OpenTelemetry has it) goes on, else it is a new one. Free with
 * g_free. */
char *ferry_cli_trace_header(void);
/** The namespace by -n or the kubeconfig; NULL where -A was given. Borrowed. Needs a client. */
const char *ferry_cli_namespace(FerryCli *cli);
/** The value of an option, the empty string for a flag given, NULL where absent. */
const char *ferry_cli_option(const FerryCli *cli, const char *name);
/** The i-th word after the verb, or NULL. */
const char *ferry_cli_word(const FerryCli *cli, guint i);

/** Prints "error: ..." with its causes as bullets on stderr and returns FERRY_EXIT_FAILED. `advice`
 * (may be NULL) says what to do next. */
int ferry_cli_fail(const GError *error, const char *advice);
/** The text that ferry_cli_fail prints. Free with g_free. */
char *ferry_error_text(const GError *error, const char *advice);
/** Prints "error: ..." and how to get help on stderr; returns FERRY_EXIT_USAGE. */
int ferry_cli_usage(const FerryCli *cli, const char *format, ...) G_GNUC_PRINTF(2, 3);
/** Prints the Warning headers of the last answer on stderr. */
void ferry_cli_warnings(FerryCli *cli);

int ferry_cmd_get(FerryCli *cli);
int ferry_cmd_describe(FerryCli *cli);
int ferry_cmd_apply(FerryCli *cli);
int ferry_cmd_create(FerryCli *cli);
int ferry_cmd_delete(FerryCli *cli);
int ferry_cmd_label(FerryCli *cli);
int ferry_cmd_annotate(FerryCli *cli);
int ferry_cmd_migrate(FerryCli *cli);
int ferry_cmd_cancel(FerryCli *cli);
int ferry_cmd_change(FerryCli *cli);
int ferry_cmd_check(FerryCli *cli);
int ferry_cmd_forecast(FerryCli *cli);
int ferry_cmd_explain(FerryCli *cli);
int ferry_cmd_drain(FerryCli *cli);
int ferry_cmd_undrain(FerryCli *cli);
int ferry_cmd_events(FerryCli *cli);
int ferry_cmd_top(FerryCli *cli);
int ferry_cmd_version(FerryCli *cli);
int ferry_cmd_kubeconfig(FerryCli *cli);
int ferry_cmd_user(FerryCli *cli);

G_END_DECLS
