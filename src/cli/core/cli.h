// SPDX-License-Identifier: Apache-2.0
// What every verb gets and how a verb is described; the verbs themselves are in cli/verbs.
// The functions are in context.c.
#pragma once
#include "cli/core/args.h"
#include "base/error.h"
#include "client/client.h"

G_BEGIN_DECLS

/** A server that has gone is tried again for so long. */
#define FERRY_CLI_RETRY_LIMIT_MS 60000
/** So long is waited between two tries, and two streams; tables can wait longer. */
#define FERRY_CLI_RETRY_MS 250
#define FERRY_CLI_RETRY_TABLE_MS 500

/** The exit codes; ferry(1) documents them. */
enum {
  FERRY_EXIT_DONE = 0,
  FERRY_EXIT_FAILED = 1,
  FERRY_EXIT_USAGE = 2,
  FERRY_EXIT_REFUSED = 3,       /* a check refused the migration; nothing was changed */
  FERRY_EXIT_INTERRUPTED = 130, /* Ctrl-C: what was started goes on */
  FERRY_EXIT_PIPE = 141,        /* nobody reads the output any more; as SIGPIPE would have it */
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
  const char *const *synopses;   /* what follows the verb, a line each, NULL-ended */
  const char *doc;               /* one line */
  const char *details;           /* paragraphs for --help, may be NULL */
  const FerryCliOption *options; /* its own, beside the global ones */
  guint min_words, max_words;
  const char
      *words_of; /* its words are names of objects of this kind, or one each of these kinds; "KIND":
                    a kind, then names of its objects; NULL: neither (for the completion) */
  int (*run)(FerryCli *cli);
};

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

G_END_DECLS
