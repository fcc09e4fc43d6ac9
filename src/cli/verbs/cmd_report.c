// SPDX-License-Identifier: Apache-2.0
// ferry report: for whoever has to find out what happened, in a form that may be shown to
// strangers.
#include "base/archive.h"
#include "cli/core/migration_find.h"
#include "cli/core/options.h"
#include "cli/core/report.h"
#include "base/clock.h"
#include "base/yaml.h"
#include "cli/view/explain.h"
#include "cli/view/output.h"
#include <stdio.h>
#include <string.h>

#define MAX_BYTES ((gsize)32 * 1024 * 1024) /* of all files together, before they are packed */

static const char report_readme[] =
    "What ferry report collected about one migration. Addresses are words (ip-1, mac-1), the same\n"
    "ones throughout; tokens, keys and passwords read (redacted). Look through it before you show\n"
    "it to others: what is called by a name of your own is left as it is.\n\n"
    "explain.txt        how the migration went, and each decision\n"
    "migration.yaml     the migration; vm, source and target: its VM and both hosts\n"
    "cluster.yaml       the cluster's configuration; policies: which it went by; networks\n"
    "*Events.yaml       events about each of these\n"
    "about.yaml         versions, and when this was made\n"
    "*.conf, *.log      of the machine that ferry report ran on, where it may read them. Run it "
    "with\n"
    "                   --only-local on the other hosts to have theirs.\n";

/* Each member of the report is a file; short words stand together in about.yaml. */
static void report_files(FerryArchive *archive, const json_t *report, const json_t *texts) {
  g_autoptr(json_t) about = json_object();
  const char *name;
  json_t *value;
  ferry_archive_add(archive, "README", report_readme);
  json_object_foreach((json_t *)report, name, value) {
    if (json_is_string(value) || g_str_equal(name, "server")) {
      json_object_set(about, name, value);
      continue;
    }
    g_autofree char *file = g_strconcat(name, ".yaml", NULL);
    g_autofree char *text = ferry_yaml_dump(value);
    ferry_archive_add(archive, file, text);
  }
  g_autofree char *versions = ferry_yaml_dump(about);
  ferry_archive_add(archive, "about.yaml", versions);
  if (json_object_get(report, "migration")) {
    g_autofree char *course =
        ferry_explain_text(json_object_get(report, "migration"), 0, TRUE, FALSE);
    ferry_archive_add(archive, "explain.txt", course);
  }
  json_object_foreach((json_t *)texts, name, value)
      ferry_archive_add(archive, name, json_string_value(value));
}

static gboolean is_archive(const char *where) {
  return g_str_has_suffix(where, ".tar.gz") || g_str_has_suffix(where, ".tgz");
}

static int report_write(const char *where, const json_t *report, const json_t *texts) {
  g_autoptr(GError) error = NULL;
  g_autofree char *base = g_path_get_basename(where);
  char *dot = strchr(base, '.');
  if (dot && dot != base)
    *dot = '\0';
  g_autoptr(FerryArchive) archive =
      ferry_archive_new(base, MAX_BYTES, ferry_clock_wall_ms(ferry_clock_system()) / 1000);
  report_files(archive, report, texts);
  gboolean ok = is_archive(where) ? ferry_archive_write_file(archive, where, &error)
                                  : ferry_archive_write_folder(archive, where, &error);
  if (!ok)
    return ferry_cli_fail(error, NULL);
  printf("%s is written. Look through it before you show it to others.\n", where);
  return FERRY_EXIT_DONE;
}

static int cmd_report(FerryCli *cli) {
  const char *where = ferry_cli_option(cli, "output");
  gboolean printed = !where || g_str_equal(where, "json") || g_str_equal(where, "yaml");
  if (!printed && !strpbrk(where, "./"))
    return ferry_cli_usage(cli,
                           "-o %s: expected json, yaml, FILE.tar.gz, or a folder's path such as "
                           "./%s",
                           where, where);
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) migration = ferry_migration_find(cli, ferry_cli_word(cli, 0), "", &error);
  if (!migration)
    return ferry_cli_fail(error, "ferry get migrations -A lists the migrations.");
  gboolean only_local = ferry_cli_option(cli, "only-local") != NULL;
  g_autoptr(json_t) report = only_local ? json_object() : ferry_report_collect(cli, migration);
  g_autoptr(json_t) texts = printed ? json_object() : ferry_report_local(cli, migration);
  if (!ferry_report_redact(cli, &report, &texts, &error))
    return ferry_cli_fail(error, "Names can't be hidden that the server doesn't tell.");
  if (!printed)
    return report_write(where, report, texts);
  ferry_output_object(report, where ? where : "yaml");
  return FERRY_EXIT_DONE;
}

static const FerryCliOption options_report[] = {
    {"output", 'o', "WHERE", "FILE.tar.gz, a folder to make, or json or yaml to print one document",
     .more = "Without it that is printed as YAML. Only files hold what is of this machine: "
             "configuration files and the journal."},
    {"redact-names", 0, NULL, "Also hide the names of hosts, VMs and namespaces"},
    {"only-local", 0, NULL, "Only what is of this machine, to be added to another one's report"},
    {"config", 0, "FILE", "This configuration file, in place of those of /etc/ferry; repeatable"},
    {"log", 0, "FILE", "The end of this log as well; repeatable",
     .more = "QEMU's own is /var/log/libvirt/qemu/DOMAIN.log."},
    OPT_END};

const FerryVerb ferry_verb_report = {
    .name = "report",
    .synopses = LINES("VM|MIGRATION"),
    .doc = "Collect everything a bug report about a migration needs",
    .details =
        "The migration with its decisions and course, its VM, both hosts, the policies and "
        "Networks\n"
        "it went by, and events; with -o FILE.tar.gz also Ferry's and libvirt's logs and Ferry's\n"
        "configuration of this machine. Tokens, keys, passwords and definitions are taken out;\n"
        "addresses are replaced by words that stay the same throughout. Names are left as they "
        "are\n"
        "without --redact-names. At most 32 MiB: of what is longer the end.",
    .options = options_report,
    .min_words = 1,
    .max_words = 1,
    .words_of = "vmi",
    .run = cmd_report};
