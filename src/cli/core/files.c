// SPDX-License-Identifier: Apache-2.0
// Objects from -f FILE: YAML streams, JSON, Lists; a limit on each file's size.
#include "base/file.h"
#include "base/yaml.h"
#include "cli/core/resource.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

static char *read_stdin(gsize *len, GError **error) {
  g_autoptr(GString) text = g_string_new(NULL);
  char buffer[16384];
  ssize_t n;
  while ((n = read(STDIN_FILENO, buffer, sizeof buffer)) != 0) {
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) {
      g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST, "reading standard input: %s",
                  g_strerror(errno));
      return NULL;
    }
    g_string_append_len(text, buffer, n);
    if (text->len > FERRY_JSON_MAX_BYTES) {
      g_set_error(error, FERRY_ERROR, FERRY_ERROR_TOO_LARGE,
                  "standard input has more than %d bytes; split it", FERRY_JSON_MAX_BYTES);
      return NULL;
    }
  }
  *len = text->len;
  return g_string_free(g_steal_pointer(&text), FALSE);
}

static gboolean add_document(json_t *all, json_t *document, const char *file, size_t at,
                             GError **error) {
  json_t *items = ferry_json_get(document, "items");
  const char *kind = ferry_json_str(document, "kind");
  if (kind != NULL && g_str_has_suffix(kind, "List") && json_is_array(items)) {
    size_t i;
    json_t *item;
    json_array_foreach(items, i, item) {
      if (!add_document(all, item, file, at, error))
        return FALSE;
    }
    return TRUE;
  }
  const char *missing = !json_is_object(document)                               ? "an object"
                        : ferry_json_str(document, "apiVersion") == NULL        ? "apiVersion"
                        : kind == NULL                                          ? "kind"
                        : !json_is_object(ferry_json_get(document, "metadata")) ? "metadata"
                                                                                : NULL;
  if (missing != NULL) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST, "%s, document %zu: %s is missing",
                file, at + 1, missing);
    return FALSE;
  }
  json_array_append(all, document);
  return TRUE;
}

json_t *ferry_resource_read_files(FerryCli *cli, GError **error) {
  g_autoptr(json_t) all = json_array();
  const GPtrArray *files = ferry_args_all(cli->args, "filename");
  for (guint i = 0; files != NULL && i < files->len; i++) {
    const char *file = g_ptr_array_index(files, i);
    gboolean is_stdin = g_str_equal(file, "-");
    gsize len = 0;
    g_autofree char *text = is_stdin ? read_stdin(&len, error)
                                     : ferry_file_read(file, FERRY_JSON_MAX_BYTES, &len, error);
    if (text == NULL)
      return NULL;
    g_autoptr(json_t) documents = ferry_yaml_parse(text, len, error);
    if (documents == NULL) {
      g_prefix_error(error, "%s: ", is_stdin ? "standard input" : file);
      return NULL;
    }
    size_t at;
    json_t *document;
    json_array_foreach(documents, at, document) {
      if (!add_document(all, document, is_stdin ? "standard input" : file, at, error))
        return NULL;
    }
  }
  if (json_array_size(all) == 0) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST, "there is no object in the input");
    return NULL;
  }
  return g_steal_pointer(&all);
}

const FerryKind *ferry_resource_of(FerryCli *cli, const json_t *document, const char **ns,
                                   GError **error) {
  const char *api_version = ferry_json_str(document, "apiVersion");
  const char *word = ferry_json_str(document, "kind");
  const FerryKind *kind = ferry_kind_by_gvk(api_version, word);
  if (kind == NULL) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "Ferry has no kind \"%s\" in \"%s\"; check apiVersion and kind", word, api_version);
    return NULL;
  }
  *ns = NULL;
  if (!kind->namespaced)
    return kind;
  const char *asked = ferry_cli_option(cli, "namespace");
  const char *own = ferry_json_str(document, "metadata.namespace");
  if (asked != NULL && own != NULL && !g_str_equal(asked, own)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "the object says namespace \"%s\" but -n says \"%s\"; drop one of them", own,
                asked);
    return NULL;
  }
  if (ferry_cli_client(cli, error) == NULL)
    return NULL;
  *ns = own != NULL ? own : ferry_cli_namespace(cli);
  return kind;
}
