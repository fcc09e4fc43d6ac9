// SPDX-License-Identifier: Apache-2.0
// ferry cancel.
#include "cli/core/options.h"
#include "cli/core/follow.h"
#include "cli/core/migration_find.h"
#include "cli/view/output.h"
#include "cli/view/summary.h"
#include <stdio.h>

static int cancel_tell(const json_t *object) {
  const char *vm = ferry_json_str(object, "spec.vmiName");
  const char *source = ferry_json_str(object, "status.migrationState.sourceNode");
  const char *target = ferry_json_str(object, "status.migrationState.targetNode");
  if (ferry_migration_succeeded(object)) {
    fprintf(stderr, "error: too late, %s had moved to %s\n", vm, target != NULL ? target : "?");
    return FERRY_EXIT_FAILED;
  }
  if (ferry_migration_cancelled(object)) {
    printf("%s: cancelled; %s stays%s%s\n", ferry_json_str(object, "metadata.name"), vm,
           source != NULL ? " on " : " where it is", source != NULL ? source : "");
    return FERRY_EXIT_DONE;
  }
  /* It failed for another reason before the cancel took hold: said, and what was asked for holds.
   */
  g_autofree char *text = ferry_summary_failure(object);
  fputs(text, stderr);
  return FERRY_EXIT_DONE;
}

static int cmd_cancel(FerryCli *cli) {
  const char *word = ferry_cli_word(cli, 0), *format = ferry_cli_option(cli, "output");
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) found = ferry_migration_find(cli, word, "; there is nothing to cancel", &error);
  if (found == NULL)
    return ferry_cli_fail(error, "ferry get vmim -A lists the migrations.");
  const char *name = ferry_json_str(found, "metadata.name");
  if (ferry_migration_is_final(found)) {
    fprintf(stderr, "error: the migration %s has ended already (%s); there is nothing to cancel\n",
            name, ferry_json_str(found, "status.phase"));
    return FERRY_EXIT_REFUSED;
  }
  json_t *object = ferry_follow_cancel(cli, found, &error);
  if (object == NULL) {
    ferry_cli_fail(error, NULL);
    return error->domain == FERRY_ERROR &&
                   (error->code == FERRY_ERROR_CONFLICT || error->code == FERRY_ERROR_INVALID)
               ? FERRY_EXIT_REFUSED
               : FERRY_EXIT_FAILED;
  }
  /* An answer that is not the object (a Status) leaves us with what the list said. */
  if (ferry_json_str(object, "metadata.resourceVersion") == NULL) {
    json_decref(object);
    object = json_incref(found);
  }
  int code = FERRY_EXIT_DONE;
  FerryFollowEnd end = FERRY_FOLLOW_ENDED;
  gboolean wait = !ferry_args_has(cli->args, "no-wait");
  if (wait)
    end = ferry_follow(cli, &object, TRUE, &error);
  if (format != NULL)
    ferry_output_object(object, format);
  if (!wait && format == NULL)
    printf("%s: cancel requested\n", name);
  else if (wait && end == FERRY_FOLLOW_ENDED && format == NULL)
    code = cancel_tell(object);
  else if (wait && end == FERRY_FOLLOW_ENDED)
    code = ferry_migration_succeeded(object) ? FERRY_EXIT_FAILED : FERRY_EXIT_DONE;
  else if (end == FERRY_FOLLOW_GONE)
    printf("%s: deleted\n", name);
  else if (end == FERRY_FOLLOW_INTERRUPTED)
    code = FERRY_EXIT_INTERRUPTED;
  else if (end == FERRY_FOLLOW_ERROR)
    code = ferry_cli_fail(error, "The cancel was requested; ferry get vmim shows what became of "
                                 "it.");
  json_decref(object);
  return code;
}

static const FerryCliOption options_cancel[] = {
    OPT_NO_WAIT("Don't wait until the migration has ended"),
    OPT_OUTPUT(ferry_formats_final, "Print only the final object: json or yaml"), OPT_END};

const FerryVerb ferry_verb_cancel = {.name = "cancel",
                                     .synopses = LINES("VM|MIGRATION"),
                                     .doc = "Cancel a migration; the VM stays where it is",
                                     .options = options_cancel,
                                     .min_words = 1,
                                     .max_words = 1,
                                     .words_of = "vmi",
                                     .run = cmd_cancel};
