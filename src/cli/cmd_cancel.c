// SPDX-License-Identifier: Apache-2.0
// The word is a migration's name or a VM's (object, domain or UUID): one list answers both.
#include "cli/follow.h"
#include "cli/output.h"
#include "cli/summary.h"
#include <stdio.h>

/* The migration meant by `word`; a running one is preferred. Borrowed from `list`. */
static json_t *find(json_t *list, const char *word, const char *vmi) {
  json_t *best = NULL;
  size_t i;
  json_t *item;
  json_array_foreach(ferry_json_get(list, "items"), i, item) {
    gboolean named = g_strcmp0(ferry_json_str(item, "metadata.name"), word) == 0;
    gboolean of_vm = vmi != NULL && g_strcmp0(ferry_json_str(item, "spec.vmiName"), vmi) == 0;
    if (!named && !of_vm)
      continue;
    if (best == NULL || (ferry_migration_ended(best) && !ferry_migration_ended(item)) ||
        (ferry_migration_ended(best) == ferry_migration_ended(item) && named))
      best = item;
  }
  return best;
}

static json_t *find_migration(FerryCli *cli, const char *word, GError **error) {
  if (ferry_cli_client(cli, error) == NULL)
    return NULL;
  const char *ns = ferry_cli_namespace(cli);
  g_autoptr(json_t) list =
      ferry_resource_list(cli, &ferry_kind_vmim, ns, NULL, NULL, NULL, NULL, error);
  if (list == NULL)
    return NULL;
  json_t *found = find(list, word, word);
  if (found == NULL) {
    g_autoptr(GError) local = NULL;
    g_autoptr(json_t) vmi = ferry_resource_get(cli, &ferry_kind_vmi, ns, word, NULL, &local);
    if (vmi == NULL && !g_error_matches(local, FERRY_ERROR, FERRY_ERROR_NOT_FOUND)) {
      g_propagate_error(error, g_steal_pointer(&local));
      return NULL;
    }
    if (vmi != NULL)
      found = find(list, word, ferry_json_str(vmi, "metadata.name"));
    if (found == NULL) {
      g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND, "%s \"%s\" in namespace %s%s",
                  vmi != NULL ? "there is no migration of VM" : "there is no VM or migration", word,
                  ns, vmi != NULL ? "; there is nothing to cancel" : "");
      return NULL;
    }
  }
  return json_incref(found);
}

static int tell(const json_t *object) {
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

int ferry_cmd_cancel(FerryCli *cli) {
  const char *word = ferry_cli_word(cli, 0), *format = ferry_cli_option(cli, "output");
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) found = find_migration(cli, word, &error);
  if (found == NULL)
    return ferry_cli_fail(error, "ferry get vmim -A lists the migrations.");
  const char *name = ferry_json_str(found, "metadata.name");
  if (ferry_migration_ended(found)) {
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
    code = tell(object);
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
