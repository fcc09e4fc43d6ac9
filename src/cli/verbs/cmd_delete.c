// SPDX-License-Identifier: Apache-2.0
// Deletes, then waits until the object is gone or another one has its name: finalizers (a running
// migration has one) may keep it for a while, or for ever. What is waited for is said.
#include "cli/core/options.h"
#include "base/duration.h"
#include "cli/core/listing.h"
#include "cli/core/watching.h"
#include <stdio.h>

enum { WAIT_POLL_MS = 200, SAY_AFTER_MS = 1000 };

typedef struct {
  const FerryKind *kind;
  char *ns, *name, *uid;
} Doomed;

static void doomed_free(gpointer p) {
  Doomed *d = p;
  g_free(d->ns);
  g_free(d->name);
  g_free(d->uid);
  g_free(d);
}

static void delete_doom(GPtrArray *list, const FerryKind *kind, const char *ns, const char *name) {
  Doomed *d = g_new0(Doomed, 1);
  d->kind = kind;
  d->ns = g_strdup(ns);
  d->name = g_strdup(name);
  g_ptr_array_add(list, d);
}

static gboolean doom_files(FerryCli *cli, GPtrArray *list, GError **error) {
  g_autoptr(json_t) documents = ferry_resource_read_files(cli, error);
  if (documents == NULL)
    return FALSE;
  size_t i;
  json_t *document;
  json_array_foreach(documents, i, document) {
    const char *ns, *name = ferry_json_str(document, "metadata.name");
    const FerryKind *kind = ferry_resource_of(cli, document, &ns, error);
    if (kind == NULL)
      return FALSE;
    if (name == NULL) {
      g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                  "a %s in the input has no metadata.name, so it cannot be deleted by this file",
                  kind->kind);
      return FALSE;
    }
    delete_doom(list, kind, ns, name);
  }
  return TRUE;
}

static gboolean doom_selected(FerryCli *cli, GPtrArray *list, const FerryKind *kind,
                              GError **error) {
  FerryListing listing = {.kind = kind, .ns = ferry_cli_namespace(cli)};
  g_autoptr(json_t) objects = ferry_listing_objects(cli, &listing, error);
  if (objects == NULL)
    return FALSE;
  size_t i;
  json_t *object;
  json_array_foreach(objects, i, object)
      delete_doom(list, kind, ferry_json_str(object, "metadata.namespace"),
                  ferry_json_str(object, "metadata.name"));
  return TRUE;
}

static gboolean delete_one(FerryCli *cli, Doomed *d, GError **error) {
  gboolean dry = ferry_args_has(cli->args, "dry-run");
  g_autofree char *path = ferry_resource_path(d->kind, d->ns, d->name, NULL);
  g_autoptr(json_t) body = json_object();
  if (dry)
    json_object_set_new(body, "dryRun", json_pack("[s]", "All"));
  if (ferry_args_has(cli->args, "force"))
    ferry_json_set_int(body, "gracePeriodSeconds", 0);
  g_autoptr(json_t) answer =
      ferry_client_request(cli->client, "DELETE", path, body, NULL, NULL, NULL, error);
  if (answer == NULL)
    return FALSE;
  ferry_cli_warnings(cli);
  /* A Status: it is gone. The object itself: its finalizers are waited for. */
  gboolean going = ferry_json_str(answer, "metadata.deletionTimestamp") != NULL;
  if (going)
    d->uid = g_strdup(ferry_json_str(answer, "metadata.uid"));
  g_autofree char *label = ferry_resource_label(d->kind, d->name);
  printf("%s %s%s\n", label, going ? "is being deleted" : "deleted", dry ? " (dry run)" : "");
  if (ferry_json_str(answer, "message") != NULL) /* what went with it */
    printf("%s\n", ferry_json_str(answer, "message"));
  fflush(stdout);
  return TRUE;
}

/* When it is gone: TRUE. `deadline_us` 0: none. */
static gboolean wait_gone(FerryCli *cli, const Doomed *d, gint64 deadline_us, GError **error) {
  g_autofree char *path = ferry_resource_path(d->kind, d->ns, d->name, NULL);
  g_autofree char *label = ferry_resource_label(d->kind, d->name);
  g_autofree char *said = NULL;
  gint64 say_us = g_get_monotonic_time() + SAY_AFTER_MS * 1000;
  for (;;) {
    g_autoptr(GError) local = NULL;
    g_autoptr(json_t) object =
        ferry_client_request(cli->client, "GET", path, NULL, NULL, NULL, NULL, &local);
    if (g_error_matches(local, FERRY_ERROR, FERRY_ERROR_NOT_FOUND))
      break;
    if (object == NULL) {
      g_propagate_error(error, g_steal_pointer(&local));
      return FALSE;
    }
    if (g_strcmp0(ferry_json_str(object, "metadata.uid"), d->uid) != 0)
      break;
    g_autofree char *keeps = ferry_resource_what_keeps(object);
    gint64 now = g_get_monotonic_time();
    if (ferry_watching_interrupted() || (deadline_us && now >= deadline_us)) {
      g_set_error(
          error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE,
          "%s is marked for deletion but still there: it waits for %s. It goes when that is "
          "done; nothing else needs to be",
          label, keeps);
      return FALSE;
    }
    if (now >= say_us && g_strcmp0(keeps, said) != 0) {
      fprintf(stderr, "%s waits for %s\n", label, keeps);
      g_free(said);
      said = g_steal_pointer(&keeps);
    }
    g_usleep(WAIT_POLL_MS * 1000);
  }
  printf("%s deleted\n", label);
  return TRUE;
}

static int wait_for_all(FerryCli *cli, GPtrArray *list, gint64 timeout_ms) {
  gint64 deadline_us = timeout_ms ? g_get_monotonic_time() + timeout_ms * 1000 : 0;
  int code = FERRY_EXIT_DONE;
  ferry_watching_begin();
  for (guint i = 0; i < list->len; i++) {
    g_autoptr(GError) error = NULL;
    const Doomed *d = g_ptr_array_index(list, i);
    if (d->uid != NULL && !wait_gone(cli, d, deadline_us, &error))
      code = ferry_cli_fail(error, NULL);
  }
  ferry_watching_end();
  return ferry_watching_interrupted() ? FERRY_EXIT_INTERRUPTED : code;
}

static int delete_collect(FerryCli *cli, GPtrArray *list) {
  g_autoptr(GError) error = NULL;
  if (ferry_cli_client(cli, &error) == NULL)
    return ferry_cli_fail(error, NULL);
  if (ferry_args_has(cli->args, "filename")) {
    if (cli->args->words->len > 0)
      return ferry_cli_usage(cli, "give either -f FILE or objects, not both");
    return doom_files(cli, list, &error) ? FERRY_EXIT_DONE : ferry_cli_fail(error, NULL);
  }
  if (cli->args->words->len == 0)
    return ferry_cli_usage(cli, "delete needs KIND NAME, KIND -l LABELS or -f FILE");
  g_autoptr(GPtrArray) targets = ferry_resource_targets(cli->args->words, &error);
  if (targets == NULL)
    return ferry_cli_usage(cli, "%s", error->message);
  gboolean selected = ferry_args_has(cli->args, "selector");
  for (guint i = 0; i < targets->len; i++) {
    FerryTarget *t = g_ptr_array_index(targets, i);
    if (selected != (t->name == NULL))
      return ferry_cli_usage(cli, "give either names or -l LABELS");
    if (t->name != NULL)
      delete_doom(list, t->kind, t->kind->namespaced ? ferry_cli_namespace(cli) : NULL, t->name);
    else if (!doom_selected(cli, list, t->kind, &error))
      return ferry_cli_fail(error, NULL);
  }
  return FERRY_EXIT_DONE;
}

static int cmd_delete(FerryCli *cli) {
  const char *timeout = ferry_cli_option(cli, "timeout");
  gint64 timeout_ms = 0;
  if (timeout && (!ferry_duration_parse(timeout, &timeout_ms) || timeout_ms <= 0))
    return ferry_cli_usage(cli, "--timeout %s: expected a duration such as 30s or 5m", timeout);
  g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(doomed_free);
  int code = delete_collect(cli, list);
  if (code != FERRY_EXIT_DONE)
    return code;
  if (list->len == 0)
    fprintf(stderr, "No resources found.\n");
  for (guint i = 0; i < list->len; i++) {
    g_autoptr(GError) error = NULL;
    if (!delete_one(cli, g_ptr_array_index(list, i), &error) &&
        !(ferry_args_has(cli->args, "ignore-not-found") &&
          g_error_matches(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND)))
      code = ferry_cli_fail(error, NULL);
  }
  if (ferry_args_has(cli->args, "no-wait") || ferry_args_has(cli->args, "dry-run"))
    return code;
  int waited = wait_for_all(cli, list, timeout_ms);
  return waited != FERRY_EXIT_DONE ? waited : code;
}

static const FerryCliOption options_delete[] = {
    OPT_FILE,
    OPT_SELECTOR,
    OPT_DRY_RUN,
    OPT_NO_WAIT("Don't wait until the objects are gone"),
    {"timeout", 0, "DURATION", "Wait at most this long; without it, until they are gone",
     .more =
         "What keeps an object, its finalizers, is said after a second; Ctrl-C ends the wait with "
         "exit code 130, and the deletion goes on."},
    {"ignore-not-found", 0, NULL, "Don't fail for an object that is not there"},
    {"force", 0, NULL, "Delete even a host on which VMs run or whose agent still reports",
     .more = "Without it such a host is refused. Deleting a host ends its agent's certificates; it "
             "needs a new join token to come back (ferryd(8))."},
    OPT_END,
};

const FerryVerb ferry_verb_delete = {
    .name = "delete",
    .synopses = LINES("KIND NAME...", "KIND/NAME...", "KIND -l LABELS", "-f FILE"),
    .doc = "Delete objects",
    .details = "Deleting a migration that runs cancels it.",
    .options = options_delete,
    .max_words = 1000,
    .words_of = "KIND",
    .run = cmd_delete};
