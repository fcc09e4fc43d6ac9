// SPDX-License-Identifier: Apache-2.0
// ferry change: a wish is put to the server, and the host's answer is waited for.
#include "cli/core/options.h"
#include "model/migration/phase.h"
#include "base/quantity.h"
#include "cli/core/migration_find.h"
#include "cli/core/units.h"
#include "cli/view/output.h"
#include "cli/core/resource.h"
#include "model/kinds/policy_fields.h"
#include "model/kinds/change_fields.h"
#include <stdio.h>

enum { WAIT_MS = 10000 };

/* What a bare number counts, in milliseconds or bytes, and so does the field. */
static const struct {
  const char *option, *field;
  gint64 unit;
  gboolean is_rate;
  const char *expected;
} change_numbers[] = {
    {"downtime", "downtimeMs", 1, FALSE, "a time such as 300ms or 2s, or milliseconds"},
    {"bandwidth", "bandwidthMiBps", FERRY_MIB, TRUE,
     "a rate such as 64MiB/s or 1Gi, or MiB a second"},
    {"stalling-limit", "stallingLimitSeconds", 1000, FALSE, "a time such as 90s or 2m, or seconds"},
};

static gboolean change_read(gsize i, const char *text, gint64 *value) {
  if (!(change_numbers[i].is_rate ? ferry_units_size(text, change_numbers[i].unit, value, NULL)
                                  : ferry_units_time(text, change_numbers[i].unit, value)))
    return FALSE;
  *value = *value / change_numbers[i].unit + (*value % change_numbers[i].unit != 0);
  return TRUE;
}

/* The body, or NULL where something typed is wrong (and told). */
static json_t *read_body(FerryCli *cli) {
  g_autoptr(json_t) body = json_object();
  for (gsize i = 0; i < G_N_ELEMENTS(change_numbers); i++) {
    const char *text = ferry_cli_option(cli, change_numbers[i].option);
    const FerryField *field = ferry_change_field(change_numbers[i].field);
    gint64 value;
    if (text == NULL)
      continue;
    if (!change_read(i, text, &value) || value < field->min || value > field->max) {
      ferry_cli_usage(
          cli, "--%s: expected %s, from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT ", not \"%s\"",
          change_numbers[i].option, change_numbers[i].expected, field->min, field->max, text);
      return NULL;
    }
    ferry_json_set_int(body, change_numbers[i].field, value);
  }
  const char *technique = ferry_cli_option(cli, "technique");
  if (technique != NULL)
    ferry_json_set_str(body, "technique", technique);
  if (json_object_size(body) == 0) {
    ferry_cli_usage(cli, "nothing to change: give --downtime, --bandwidth, --technique or "
                         "--stalling-limit");
    return NULL;
  }
  const char *reason = ferry_cli_option(cli, "reason");
  if (reason != NULL)
    ferry_json_set_str(body, "reason", reason);
  return g_steal_pointer(&body);
}

/* The last entry: ours, for the answer to our PUT. */
static char *last_id(const json_t *migration) {
  const json_t *changes = ferry_json_get(migration, "status.changes");
  gsize n = json_array_size(changes);
  return n > 0 ? g_strdup(ferry_json_str(json_array_get(changes, n - 1), "id")) : NULL;
}

static const json_t *change_entry(const json_t *migration, const char *id) {
  return ferry_json_find(ferry_json_get(migration, "status.changes"), "id", id);
}

static gboolean change_settled(const json_t *migration, gconstpointer id) {
  return ferry_change_state_of(change_entry(migration, id)) > FERRY_CHANGE_REQUESTED;
}

/* What became of it, in words; returns the exit code. */
static int change_tell(const json_t *migration, const char *id, gboolean quiet) {
  const char *name = ferry_json_str(migration, "metadata.name");
  const json_t *change = change_entry(migration, id);
  FerryChangeState state = ferry_change_state_of(change);
  const char *message = ferry_json_str(change, "message");
  if (state == FERRY_CHANGE_REFUSED) {
    fprintf(stderr, "error: %s was not changed: %s\n", name, message != NULL ? message : "refused");
    return FERRY_EXIT_REFUSED;
  }
  if (state != FERRY_CHANGE_APPLIED) {
    fprintf(stderr,
            "error: the agent of %s has not answered within %d s; the change waits there. See "
            "ferry describe vmim %s\n",
            ferry_json_str(migration, "status.migrationState.sourceNode"), WAIT_MS / 1000, name);
    return FERRY_EXIT_FAILED;
  }
  if (!quiet)
    printf("%s: %s\n", name, message != NULL ? message : "changed");
  return FERRY_EXIT_DONE;
}

static int cmd_change(FerryCli *cli) {
  const char *format = ferry_cli_option(cli, "output");
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) body = read_body(cli);
  if (body == NULL)
    return FERRY_EXIT_USAGE;
  g_autoptr(json_t) found =
      ferry_migration_find(cli, ferry_cli_word(cli, 0), "; there is nothing to change", &error);
  if (found == NULL)
    return ferry_cli_fail(error, "ferry get vmim -A lists the migrations.");
  g_autoptr(json_t) object = ferry_migration_put(cli, found, "change", body, &error);
  if (object == NULL) {
    ferry_cli_fail(error, NULL);
    return g_error_matches(error, FERRY_ERROR, FERRY_ERROR_CONFLICT) ||
                   g_error_matches(error, FERRY_ERROR, FERRY_ERROR_INVALID)
               ? FERRY_EXIT_REFUSED
               : FERRY_EXIT_FAILED;
  }
  g_autofree char *id = last_id(object);
  gboolean wait = !ferry_args_has(cli->args, "no-wait");
  if (wait && id != NULL &&
      !ferry_migration_await(cli, &object, WAIT_MS, change_settled, id, &error))
    return ferry_cli_fail(error, "The change was asked for; ferry describe vmim shows what became "
                                 "of it.");
  if (format != NULL)
    ferry_output_object(object, format);
  if (wait && id != NULL)
    return change_tell(object, id, format != NULL);
  if (format == NULL)
    printf("%s: change requested\n", ferry_json_str(object, "metadata.name"));
  return FERRY_EXIT_DONE;
}

static const FerryCliOption options_change[] = {
    OPT_DOWNTIME("downtime", "The longest pause allowed from now on"),
    {"bandwidth", 0, "RATE",
     "The bandwidth limit from now on, such as 64MiB/s; a bare number is MiB a second (1 "
     "to " G_STRINGIFY(FERRY_CHANGE_MAX_MIBPS) ")"},
    {"technique", 0, "WORD", "Switch to post-copy now, or stay in pre-copy", ferry_techniques,
     .more = "pre-copy keeps it there, whatever the policy would do later."},
    {"stalling-limit", 0, "TIME",
     "Call it stalling after this long without progress, such as 2m; a bare number is seconds, 0 "
     "never"},
    {"reason", 0, "TEXT", "Why; kept with the change and told in its event"},
    OPT_NO_WAIT("Don't wait until the change is in force"),
    OPT_OUTPUT(ferry_formats_final, "Print only the migration's object: json or yaml"),
    OPT_END};

const FerryVerb ferry_verb_change = {
    .name = "change",
    .synopses = LINES("VM|MIGRATION"),
    .doc = "Change a migration while it runs",
    .details = "Returns when the source's host has done it, with exit code 3 where it was refused.",
    .options = options_change,
    .min_words = 1,
    .max_words = 1,
    .words_of = "vmi",
    .run = cmd_change};
