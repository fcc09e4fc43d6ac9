// SPDX-License-Identifier: Apache-2.0
// `freeze` and `unfreeze`: spec.freeze of the KubeVirt object, which is made where there is none.
#include "cli/core/options.h"
#include "cli/core/resource.h"
#include "cli/view/output.h"
#include <stdio.h>

static gboolean is_missing(const GError *error) {
  return g_error_matches(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND);
}

/* `freeze`: its new value (taken); null: none. */
static json_t *set_freeze(FerryCli *cli, json_t *freeze, GError **error) {
  g_autoptr(GError) cause = NULL;
  g_autoptr(json_t) patch = json_pack("{s:{s:o}}", "spec", "freeze", freeze);
  g_autofree char *path =
      ferry_resource_path(&ferry_kind_kubevirt, "kubevirt", "kubevirt", "fieldManager=ferry");
  json_t *object = ferry_client_request(cli->client, "PATCH", path, patch,
                                        FERRY_CONTENT_MERGE_PATCH, NULL, NULL, &cause);
  if (object || !is_missing(cause) || json_is_null(freeze)) {
    if (cause)
      g_propagate_error(error, g_steal_pointer(&cause));
    return object;
  }
  json_t *made = json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:O}}", "apiVersion", "kubevirt.io/v1",
                           "kind", "KubeVirt", "metadata", "name", "kubevirt", "namespace",
                           "kubevirt", "spec", "freeze", freeze);
  g_autofree char *all =
      ferry_resource_path(&ferry_kind_kubevirt, "kubevirt", NULL, "fieldManager=ferry");
  object = ferry_client_request(cli->client, "POST", all, made, NULL, NULL, NULL, error);
  json_decref(made);
  return object;
}

static int tell_freeze(FerryCli *cli, json_t *freeze, const char *done) {
  const char *format = ferry_cli_option(cli, "output");
  g_autoptr(GError) error = NULL;
  gboolean ends = json_is_null(freeze);
  g_autoptr(json_t) object = NULL;
  if (ferry_cli_client(cli, &error) != NULL)
    object = set_freeze(cli, freeze, &error);
  else
    json_decref(freeze);
  if (object == NULL && !(ends && is_missing(error)))
    return ferry_cli_fail(error, NULL);
  if (object != NULL && format != NULL)
    ferry_output_object(object, format);
  else
    puts(done);
  return FERRY_EXIT_DONE;
}

static int cmd_freeze(FerryCli *cli) {
  const char *reason = ferry_cli_word(cli, 0);
  json_t *freeze = json_object();
  if (reason != NULL)
    ferry_json_set_str(freeze, "reason", reason);
  return tell_freeze(
      cli, freeze,
      "frozen: nothing new starts, what runs goes on to its end; 'ferry unfreeze' ends this");
}

static int cmd_unfreeze(FerryCli *cli) {
  return tell_freeze(cli, json_null(), "not frozen: what waits may start");
}

static const FerryCliOption options_freeze[] = {
    OPT_OUTPUT(ferry_formats_final, "Print the KubeVirt object: json or yaml"), OPT_END};

const FerryVerb ferry_verb_freeze = {
    .name = "freeze",
    .synopses = LINES("[REASON]"),
    .doc = "Start nothing new; what is running goes on to its end",
    .details = "For when something is wrong and nobody knows what. Migrations that wait, a drain's "
               "too, then say who froze Ferry, since when, and why (REASON).",
    .options = options_freeze,
    .max_words = 1,
    .run = cmd_freeze};

const FerryVerb ferry_verb_unfreeze = {.name = "unfreeze",
                                       .synopses = LINES(""),
                                       .doc = "Let migrations start again after ferry freeze",
                                       .options = options_freeze,
                                       .run = cmd_unfreeze};
