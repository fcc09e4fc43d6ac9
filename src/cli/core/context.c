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

char *ferry_error_text(const GError *error, const char *advice) {
  GString *out = g_string_new("error: ");
  guint n = ferry_error_n_causes(error);
  g_autofree char *spoken = ferry_words_message(error->message);
  g_autofree char *message = ferry_text_clean(spoken);
  /* A Status of several causes repeats them all in its message as "[a, b]": the bullets say it. */
  char *list = n > 1 ? g_strstr_len(message, -1, ": [") : NULL;
  if (list != NULL && g_str_has_suffix(message, "]"))
    *list = '\0';
  g_string_append(out, message);
  g_string_append_c(out, '\n');
  /* A single cause is mostly in the message already. */
  if (n == 1 && ferry_error_cause(error, 0)->message != NULL &&
      strstr(error->message, ferry_error_cause(error, 0)->message) != NULL)
    n = 0;
  for (guint i = 0; i < n; i++) {
    const FerryCause *cause = ferry_error_cause(error, i);
    g_autofree char *why =
        ferry_text_clean(cause->message != NULL ? cause->message : cause->reason);
    gboolean field = cause->field != NULL && *cause->field != '\0';
    g_string_append_printf(out, "  * %s%s%s\n", field ? cause->field : "", field ? ": " : "", why);
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
