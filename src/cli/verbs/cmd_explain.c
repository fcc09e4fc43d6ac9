// SPDX-License-Identifier: Apache-2.0
// What can be told of a migration afterwards: explain for who ran it, report for who is to find out
// what happened, in one document that may be shown to strangers.
#include "cli/core/options.h"
#include "cli/view/explain.h"
#include "cli/core/migration_find.h"
#include "cli/view/output.h"
#include "base/clock.h"
#include "base/rfc3339.h"
#include "cli/core/resource.h"
#include "cli/view/redact.h"
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

/* ---- report ---- */

static void report_add(FerryCli *cli, json_t *report, const char *what, const FerryKind *kind,
                       const char *ns, const char *name) {
  g_autoptr(GError) error = NULL;
  if (!name)
    return;
  g_autofree char *path = ferry_resource_path(kind, ns, name, NULL);
  json_t *object = ferry_client_request(cli->client, "GET", path, NULL, NULL, NULL, NULL, &error);
  json_object_set_new(report, what, object ? object : json_string(error->message));
}

static void report_add_events(FerryCli *cli, json_t *report, const char *what, const char *ns,
                              const char *name) {
  g_autofree char *field = g_strconcat("involvedObject.name=", name, NULL);
  g_autoptr(json_t) list =
      ferry_cli_list(cli, &ferry_kind_event, ns, NULL, field, NULL, NULL, NULL);
  if (list)
    json_object_set(report, what, ferry_json_get(list, "items"));
}

static int cmd_report(FerryCli *cli) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) migration = ferry_migration_find(cli, ferry_cli_word(cli, 0), "", &error);
  if (!migration)
    return ferry_cli_fail(error, "ferry get migrations -A lists the migrations.");
  const char *ns = ferry_json_str(migration, "metadata.namespace");
  const char *vm = ferry_json_str(migration, "spec.vmiName");
  g_autoptr(json_t) report = json_object();
  g_autofree char *now = ferry_rfc3339_format_ms(ferry_clock_wall_ms(ferry_clock_system()));
  json_object_set_new(report, "made", json_string(now));
  json_object_set_new(report, "ferry", json_string("v" FERRY_VERSION));
  g_autoptr(json_t) server =
      ferry_client_request(cli->client, "GET", "/version", NULL, NULL, NULL, NULL, NULL);
  if (server)
    json_object_set(report, "server", server);
  json_object_set(report, "migration", migration);
  report_add(cli, report, "vm", &ferry_kind_vmi, ns, vm);
  report_add(cli, report, "source", &ferry_kind_node, NULL,
             ferry_json_str(migration, "status.migrationState.sourceNode"));
  report_add(cli, report, "target", &ferry_kind_node, NULL,
             ferry_json_str(migration, "status.migrationState.targetNode"));
  report_add_events(cli, report, "migrationEvents", ns, ferry_json_str(migration, "metadata.name"));
  report_add_events(cli, report, "vmEvents", ns, vm);
  g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr(json_t) shown = json_deep_copy(report);
  ferry_redact(shown, names);
  ferry_output_object(shown,
                      ferry_cli_option(cli, "output") ? ferry_cli_option(cli, "output") : "yaml");
  return FERRY_EXIT_DONE;
}

static const FerryCliOption options_report[] = {OPT_OUTPUT(ferry_formats_final, "json or yaml"),
                                                OPT_END};

const FerryVerb ferry_verb_report = {
    .name = "report",
    .synopses = LINES("VM|MIGRATION"),
    .doc = "Print everything a bug report about a migration needs",
    .details =
        "The migration, its VM, both hosts and their events, without secrets; addresses are\n"
        "replaced by words that stay the same throughout. Names are left as they are.",
    .options = options_report,
    .min_words = 1,
    .max_words = 1,
    .words_of = "vmi",
    .run = cmd_report};
