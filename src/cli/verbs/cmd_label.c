// SPDX-License-Identifier: Apache-2.0
// `label` and `annotate`: one merge patch of a map in metadata, made only of what was asked for, so
// other people's keys are never touched.
#include "cli/core/options.h"
#include "cli/core/listing.h"
#include "cli/view/output.h"
#include <stdio.h>
#include <string.h>

/* Splits words into objects and changes: a change holds '=' or ends with '-'. The first word is
 * always a kind. NULL and an error where a change is malformed. */
static json_t *split_words(const GPtrArray *words, GPtrArray *objects, GError **error) {
  g_autoptr(json_t) changes = json_object();
  for (guint i = 0; i < words->len; i++) {
    const char *word = g_ptr_array_index(words, i);
    const char *equals = strchr(word, '=');
    gsize n = strlen(word);
    g_autofree char *key = NULL;
    json_t *value = NULL;
    if (i > 0 && equals != NULL) {
      key = g_strndup(word, (gsize)(equals - word));
      value = json_string(equals + 1);
    } else if (i > 0 && n > 1 && word[n - 1] == '-') {
      key = g_strndup(word, n - 1);
      value = json_null();
    } else {
      if (json_object_size(changes) > 0) {
        g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                    "\"%s\" is neither KEY=VALUE nor KEY-; names come before the changes", word);
        return NULL;
      }
      g_ptr_array_add(objects, (gpointer)word);
      continue;
    }
    if (*key == '\0' || value == NULL || json_object_get(changes, key) != NULL) {
      json_decref(value);
      g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                  "\"%s\": the key is empty, given twice, or the value is not UTF-8", word);
      return NULL;
    }
    json_object_set_new(changes, key, value);
  }
  if (json_object_size(changes) == 0) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "nothing to change: give KEY=VALUE to set or KEY- to remove");
    return NULL;
  }
  return g_steal_pointer(&changes);
}

/* Refuses to change a value that is there unless --overwrite. */
static gboolean may_change(FerryCli *cli, const json_t *object, const char *map,
                           const json_t *changes, GError **error) {
  if (ferry_args_has(cli->args, "overwrite"))
    return TRUE;
  g_autofree char *path = g_strconcat("metadata.", map, NULL);
  json_t *now = ferry_json_get(object, path);
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)changes, key, value) {
    json_t *old = json_object_get(now, key);
    if (old == NULL || json_is_null(value) || json_equal(old, value))
      continue;
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT,
                "%s \"%s\" has %s=%s already; --overwrite changes it",
                ferry_json_str(object, "kind"), ferry_json_str(object, "metadata.name"), key,
                json_is_string(old) ? json_string_value(old) : "?");
    return FALSE;
  }
  return TRUE;
}

static json_t *patch_one(FerryCli *cli, const FerryKind *kind, const json_t *object,
                         const char *map, json_t *changes, GError **error) {
  if (!may_change(cli, object, map, changes, error))
    return NULL;
  g_autoptr(json_t) patch = json_pack("{s:{s:O}}", "metadata", map, changes);
  g_autofree char *path = ferry_resource_path(
      kind, ferry_json_str(object, "metadata.namespace"), ferry_json_str(object, "metadata.name"),
      ferry_args_has(cli->args, "dry-run") ? "fieldManager=ferry&dryRun=All"
                                           : "fieldManager=ferry");
  return ferry_client_request(cli->client, "PATCH", path, patch, FERRY_CONTENT_MERGE_PATCH, NULL,
                              NULL, error);
}

/* What is to be set in which map, and what becomes of each result. */
typedef struct {
  const char *map, *done, *format;
  json_t *changes;
  json_t *results; /* to be printed as documents; NULL: a line each */
} Labelling;

static int label_one(FerryCli *cli, const FerryKind *kind, json_t *object, gpointer data) {
  const Labelling *l = data;
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) result = patch_one(cli, kind, object, l->map, l->changes, &error);
  if (result == NULL)
    return ferry_cli_fail(error, NULL);
  g_autofree char *label = ferry_resource_label(kind, ferry_json_str(object, "metadata.name"));
  if (l->results != NULL)
    json_array_append(l->results, result);
  else if (l->format != NULL)
    puts(label);
  else
    printf("%s %s%s\n", label, l->done, ferry_args_has(cli->args, "dry-run") ? " (dry run)" : "");
  return FERRY_EXIT_DONE;
}

static int label_change(FerryCli *cli, const char *map, const char *done) {
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) words = g_ptr_array_new();
  g_autoptr(json_t) changes = split_words(cli->args->words, words, &error);
  if (changes == NULL)
    return ferry_cli_usage(cli, "%s", error->message);
  g_autoptr(GPtrArray) targets = ferry_resource_targets(words, &error);
  if (targets == NULL)
    return ferry_cli_usage(cli, "%s", error->message);
  if (ferry_cli_client(cli, &error) == NULL)
    return ferry_cli_fail(error, NULL);
  gboolean selected = ferry_args_has(cli->args, "selector");
  for (guint i = 0; i < targets->len; i++)
    if (selected != (((const FerryTarget *)targets->pdata[i])->name == NULL))
      return ferry_cli_usage(cli, "give either names or -l LABELS");
  const char *format = ferry_cli_option(cli, "output");
  g_autoptr(json_t) results = json_array();
  Labelling labelling = {.map = map, .done = done, .format = format, .changes = changes};
  if (format != NULL && !g_str_equal(format, "name"))
    labelling.results = results;
  int code = ferry_listing_each(cli, targets, label_one, &labelling);
  if (json_array_size(results) > 0)
    ferry_output_objects(results, json_array_size(results) == 1 && !selected, format);
  return code;
}

static int cmd_label(FerryCli *cli) {
  return label_change(cli, "labels", "labeled");
}

static int cmd_annotate(FerryCli *cli) {
  return label_change(cli, "annotations", "annotated");
}

static const FerryCliOption options_meta[] = {
    {"overwrite", 0, NULL, "Change values that are there already"},
    OPT_SELECTOR,
    OPT_DRY_RUN,
    OPT_OUTPUT(ferry_formats_object, "Print the objects: json, yaml or name"),
    OPT_END,
};

const FerryVerb ferry_verb_label = {
    .name = "label",
    .synopses = LINES("KIND NAME... KEY=VALUE... KEY-...", "KIND -l LABELS KEY=VALUE..."),
    .doc = "Set or remove labels",
    .options = options_meta,
    .min_words = 2,
    .max_words = 1000,
    .words_of = "KIND",
    .run = cmd_label};

const FerryVerb ferry_verb_annotate = {
    .name = "annotate",
    .synopses = LINES("KIND NAME... KEY=VALUE... KEY-...", "KIND -l LABELS KEY=VALUE..."),
    .doc = "Set or remove annotations",
    .options = options_meta,
    .min_words = 2,
    .max_words = 1000,
    .words_of = "KIND",
    .run = cmd_annotate};
