// SPDX-License-Identifier: Apache-2.0
// What a verb asks of its surroundings: the server, the namespace, and how errors are told.
#include "base/trace.h"
#include "cli/core/cli.h"
#include "cli/core/words.h"
#include "cli/view/text.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

FerryClient *ferry_cli_client(FerryCli *cli, GError **error) {
  if (cli->client != NULL)
    return cli->client;
  const char *server = ferry_cli_option(cli, "server");
  g_autoptr(GError) local = NULL;
  g_autoptr(FerryClientConfig) config =
      ferry_client_config_load(ferry_cli_option(cli, "kubeconfig"), NULL, &local);
  if (config == NULL) {
    /* --server alone is enough for a server that the system's trust covers. */
    if (server == NULL || ferry_cli_option(cli, "kubeconfig") != NULL ||
        !g_error_matches(local, FERRY_ERROR, FERRY_ERROR_NOT_FOUND)) {
      g_propagate_error(error, g_steal_pointer(&local));
      return NULL;
    }
    config = ferry_client_config_new();
  }
  if (server != NULL) {
    g_free(config->server);
    config->server = g_strdup(server);
  }
  cli->client = ferry_client_new(config, error);
  return cli->client;
}

const char *ferry_cli_namespace(FerryCli *cli) {
  if (ferry_args_has(cli->args, "all-namespaces"))
    return NULL;
  const char *ns = ferry_cli_option(cli, "namespace");
  if (ns == NULL && cli->client != NULL)
    ns = ferry_client_config(cli->client)->ns;
  return ns != NULL ? ns : "default";
}

const char *ferry_cli_option(const FerryCli *cli, const char *name) {
  return ferry_args_get(cli->args, name);
}

const char *ferry_cli_word(const FerryCli *cli, guint i) {
  return i < cli->args->words->len ? g_ptr_array_index(cli->args->words, i) : NULL;
}

/* What a Status says in the words of its API of an object that is not there, or there already, in
 * people's. NULL: it says something else, and as it is meant for people. */
static char *standard_text(const GError *error, const FerryErrorAbout *about, const char *said) {
  const char *state = error->code == FERRY_ERROR_NOT_FOUND        ? "not found"
                      : error->code == FERRY_ERROR_ALREADY_EXISTS ? "already exists"
                                                                  : NULL;
  if (!said || !state || !about->name)
    return NULL;
  gboolean grouped = about->group && *about->group;
  g_autofree char *standard = g_strdup_printf("%s%s%s \"%s\" %s", about->kind, grouped ? "." : "",
                                              grouped ? about->group : "", about->name, state);
  return g_str_equal(standard, error->message)
             ? g_strdup_printf("%s \"%s\" %s", said, about->name, state)
             : NULL;
}

static char *cause_text(const FerryCause *cause) {
  g_autofree char *why = ferry_text_clean(cause->message != NULL ? cause->message : cause->reason);
  gboolean field = cause->field != NULL && *cause->field != '\0';
  return g_strconcat(field ? cause->field : "", field ? ": " : "", why, NULL);
}

/* Causes are told from the data: the message of their Status repeats them all. */
char *ferry_error_text(const GError *error, const char *advice) {
  GString *out = g_string_new("error: ");
  guint n = ferry_error_n_causes(error);
  const FerryErrorAbout *about = ferry_error_about(error);
  const char *said = about ? ferry_words_said(about->group, about->kind) : NULL;
  g_autofree char *standard = standard_text(error, about, said);
  g_autofree char *message = ferry_text_clean(standard ? standard : error->message);
  if (said == NULL && about != NULL && error->code == FERRY_ERROR_INVALID)
    said = about->kind;
  if (n == 1 && g_strcmp0(ferry_error_cause(error, 0)->message, error->message) == 0)
    n = 0; /* for clients that print nothing else */
  if (n > 0 && said != NULL) {
    g_autofree char *what = ferry_text_clean(said);
    gboolean named = about->name != NULL && *about->name && !g_str_has_suffix(about->name, "*");
    g_autofree char *name = ferry_text_clean(named ? about->name : "");
    g_string_append_printf(out, "the %s%s%s is refused", what, named ? " " : "", name);
  } else {
    g_string_append(out, message);
  }
  if (n == 1 && said != NULL) {
    g_autofree char *why = cause_text(ferry_error_cause(error, 0));
    g_string_append_printf(out, ": %s", why);
  }
  g_string_append_c(out, '\n');
  for (guint i = 0; n > 1 && i < n; i++) {
    g_autofree char *why = cause_text(ferry_error_cause(error, i));
    g_string_append_printf(out, "  * %s\n", why);
  }
  if (advice != NULL && *advice != '\0')
    g_string_append_printf(out, "%s\n", advice);
  return g_string_free(out, FALSE);
}

int ferry_cli_fail(const GError *error, const char *advice) {
  g_autofree char *text = ferry_error_text(error, advice);
  fflush(stdout);
  fputs(text, stderr);
  return FERRY_EXIT_FAILED;
}

int ferry_cli_usage(const FerryCli *cli, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  g_autofree char *text = g_strdup_vprintf(format, ap);
  va_end(ap);
  fflush(stdout);
  fprintf(stderr, "error: %s\nferry %s --help shows how.\n", text, cli->verb->name);
  return FERRY_EXIT_USAGE;
}

char *ferry_cli_trace_header(void) {
  g_autofree char *given = ferry_trace_parse(g_getenv("TRACEPARENT"));
  g_autofree char *trace = given ? g_steal_pointer(&given) : ferry_trace_new();
  g_autofree char *parent = ferry_trace_format(trace);
  return g_strconcat(FERRY_TRACE_HEADER ": ", parent, NULL);
}

void ferry_cli_warnings(FerryCli *cli) {
  for (const char *const *w = ferry_client_warnings(cli->client); w != NULL && *w != NULL; w++)
    fprintf(stderr, "warning: %s\n", *w);
}
