// SPDX-License-Identifier: Apache-2.0
// Client-side apply: what was applied last is kept in kubectl's own annotation, so `ferry apply`
// and `kubectl apply` take turns on the same objects.
#include "cli/core/options.h"
#include "cli/core/apply_patch.h"
#include "cli/view/output.h"
#include "cli/core/resource.h"
#include "model/field/object_meta.h"
#include <stdio.h>
#include <string.h>

static json_t *with_last_applied(const json_t *document) {
  json_t *copy = json_deep_copy(document);
  json_t *annotations = ferry_json_get(copy, "metadata.annotations");
  if (json_is_object(annotations))
    json_object_del(annotations, FERRY_LAST_APPLIED);
  g_autofree char *text = ferry_json_dump(copy);
  g_autofree char *line = g_strconcat(text, "\n", NULL);
  annotations = ferry_json_get(copy, "metadata.annotations");
  if (!json_is_object(annotations)) {
    ferry_json_set(copy, "metadata.annotations", json_object());
    annotations = ferry_json_get(copy, "metadata.annotations");
  }
  json_object_set_new(annotations, FERRY_LAST_APPLIED, json_string(line));
  return copy;
}

static json_t *last_applied(const json_t *live) {
  const char *text = ferry_object_annotation(live, FERRY_LAST_APPLIED);
  return text != NULL ? ferry_json_parse(text, strlen(text), NULL) : NULL;
}

static const char *query_of(FerryCli *cli) {
  return ferry_args_has(cli->args, "dry-run")
             ? "fieldManager=ferry&fieldValidation=Strict&dryRun=All"
             : "fieldManager=ferry&fieldValidation=Strict";
}

static json_t *apply_one(FerryCli *cli, const FerryKind *kind, const char *ns,
                         const json_t *document, const char **done, GError **error) {
  const char *name = ferry_json_str(document, "metadata.name");
  if (name == NULL) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "apply needs metadata.name; ferry create makes objects with generateName");
    return NULL;
  }
  g_autofree char *get_path = ferry_resource_path(kind, ns, name, NULL);
  g_autofree char *path = ferry_resource_path(kind, ns, name, query_of(cli));
  g_autoptr(GError) local = NULL;
  g_autoptr(json_t) live =
      ferry_client_request(cli->client, "GET", get_path, NULL, NULL, NULL, NULL, &local);
  g_autoptr(json_t) wanted = with_last_applied(document);
  if (live == NULL) {
    if (!g_error_matches(local, FERRY_ERROR, FERRY_ERROR_NOT_FOUND)) {
      g_propagate_error(error, g_steal_pointer(&local));
      return NULL;
    }
    *done = "created";
    g_autofree char *all = ferry_resource_path(kind, ns, NULL, query_of(cli));
    return ferry_client_request(cli->client, "POST", all, wanted, NULL, NULL, NULL, error);
  }
  g_autoptr(json_t) last = last_applied(live);
  g_autoptr(json_t) patch = ferry_cli_apply_patch(last, wanted, live);
  json_object_del(patch, "apiVersion");
  json_object_del(patch, "kind");
  json_object_del(patch, "status");
  *done = json_object_size(patch) > 0 ? "configured" : "unchanged";
  if (json_object_size(patch) == 0)
    return g_steal_pointer(&live);
  return ferry_client_request(cli->client, "PATCH", path, patch, FERRY_CONTENT_MERGE_PATCH, NULL,
                              NULL, error);
}

static json_t *create_one(FerryCli *cli, const FerryKind *kind, const char *ns,
                          const json_t *document, const char **done, GError **error) {
  g_autofree char *path = ferry_resource_path(kind, ns, NULL, query_of(cli));
  *done = "created";
  return ferry_client_request(cli->client, "POST", path, document, NULL, NULL, NULL, error);
}

typedef json_t *(*WriteFunc)(FerryCli *, const FerryKind *, const char *, const json_t *,
                             const char **, GError **);

/* Each object on its own: one that fails does not keep the others from being written. */
static int apply_write_all(FerryCli *cli, json_t *documents, WriteFunc write) {
  const char *format = ferry_cli_option(cli, "output");
  gboolean document = format != NULL && !g_str_equal(format, "name");
  g_autoptr(json_t) results = json_array();
  int code = FERRY_EXIT_DONE;
  size_t i;
  json_t *wanted;
  json_array_foreach(documents, i, wanted) {
    g_autoptr(GError) error = NULL;
    const char *ns = NULL, *done = NULL;
    const FerryKind *kind = ferry_resource_of(cli, wanted, &ns, &error);
    g_autoptr(json_t) result = NULL;
    if (kind != NULL && ferry_cli_client(cli, &error) != NULL)
      result = write(cli, kind, ns, wanted, &done, &error);
    if (result == NULL) {
      code = ferry_cli_fail(error, NULL);
      continue;
    }
    ferry_cli_warnings(cli);
    g_autofree char *label = ferry_resource_label(kind, ferry_json_str(result, "metadata.name"));
    if (document)
      json_array_append(results, result);
    else if (format != NULL)
      puts(label);
    else
      printf("%s %s%s\n", label, done, ferry_args_has(cli->args, "dry-run") ? " (dry run)" : "");
  }
  if (document && json_array_size(results) > 0)
    ferry_output_objects(results, json_array_size(documents) == 1, format);
  return code;
}

static int cmd_apply(FerryCli *cli) {
  g_autoptr(GError) error = NULL;
  if (!ferry_args_has(cli->args, "filename"))
    return ferry_cli_usage(cli, "apply needs -f FILE");
  g_autoptr(json_t) documents = ferry_resource_read_files(cli, &error);
  return documents != NULL ? apply_write_all(cli, documents, apply_one)
                           : ferry_cli_fail(error, NULL);
}

static int cmd_create(FerryCli *cli) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) documents = NULL;
  const char *word = ferry_cli_word(cli, 0), *name = ferry_cli_word(cli, 1);
  gboolean from_file = ferry_args_has(cli->args, "filename");
  if (word == NULL && from_file) {
    documents = ferry_resource_read_files(cli, &error);
    if (documents == NULL)
      return ferry_cli_fail(error, NULL);
  } else if (!from_file && name != NULL && ferry_kind_by_word(word) == &ferry_kind_namespace) {
    documents = json_pack("[{s:s,s:s,s:{s:s}}]", "apiVersion", "v1", "kind", "Namespace",
                          "metadata", "name", name);
    if (documents == NULL)
      return ferry_cli_usage(cli, "the name is not UTF-8");
  } else {
    return ferry_cli_usage(cli, "create needs either -f FILE or namespace NAME");
  }
  return apply_write_all(cli, documents, create_one);
}

static const FerryCliOption options_write[] = {
    OPT_FILE, OPT_DRY_RUN,
    OPT_OUTPUT(ferry_formats_object, "Print the objects: json, yaml or name"), OPT_END};

const FerryVerb ferry_verb_apply = {.name = "apply",
                                    .synopses = LINES("-f FILE"),
                                    .doc = "Create or update objects from a file",
                                    .options = options_write,
                                    .run = cmd_apply};

const FerryVerb ferry_verb_create = {.name = "create",
                                     .synopses = LINES("-f FILE", "namespace NAME"),
                                     .doc = "Create objects from a file",
                                     .options = options_write,
                                     .max_words = 2,
                                     .run = cmd_create};
