// SPDX-License-Identifier: Apache-2.0
// The kinds come from the model, so no request for discovery is made.
#include "cli/core/resource.h"
#include "base/edit_distance.h"
#include "cli/core/words.h"
#include <string.h>

enum { PAGE = 500 };

const FerryKind *ferry_resource_kind(const char *word, GError **error) {
  const FerryKind *kind = ferry_words_kind(word);
  if (kind == NULL)
    kind = ferry_kind_by_word(word);
  if (kind != NULL)
    return kind;
  gsize n;
  const FerryKind *const *kinds = ferry_kinds(&n);
  GString *names = g_string_new(NULL);
  g_autoptr(GPtrArray) plurals = g_ptr_array_new();
  for (gsize i = 0; i < n; i++) {
    g_string_append_printf(names, "%s%s", i > 0 ? ", " : "", kinds[i]->plural);
    for (guint j = 0; kinds[i]->short_names != NULL && kinds[i]->short_names[j] != NULL && j < 1;
         j++)
      g_string_append_printf(names, " (%s)", kinds[i]->short_names[j]);
    g_ptr_array_add(plurals, (gpointer)kinds[i]->plural);
    g_ptr_array_add(plurals, (gpointer)kinds[i]->singular);
  }
  g_ptr_array_add(plurals, NULL);
  const char *near = ferry_nearest(word, (const char *const *)plurals->pdata);
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
              "there is no kind \"%s\"%s%s%s; the kinds are %s", word,
              near != NULL ? ", did you mean \"" : "", near != NULL ? near : "",
              near != NULL ? "\"?" : "", names->str);
  g_string_free(names, TRUE);
  return NULL;
}

static void target_free(gpointer p) {
  g_free(((FerryTarget *)p)->name);
  g_free(p);
}

static void add_target(GPtrArray *targets, const FerryKind *kind, const char *name) {
  FerryTarget *t = g_new0(FerryTarget, 1);
  t->kind = kind;
  t->name = g_strdup(name);
  g_ptr_array_add(targets, t);
}

static gboolean slash_targets(GPtrArray *targets, const GPtrArray *words, GError **error) {
  for (guint i = 0; i < words->len; i++) {
    const char *word = g_ptr_array_index(words, i);
    const char *slash = strchr(word, '/');
    if (slash == NULL || slash == word || slash[1] == '\0') {
      g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                  "\"%s\" is not KIND/NAME; write either KIND/NAME for all or KIND NAME...", word);
      return FALSE;
    }
    g_autofree char *word_kind = g_strndup(word, (gsize)(slash - word));
    const FerryKind *kind = ferry_resource_kind(word_kind, error);
    if (kind == NULL)
      return FALSE;
    add_target(targets, kind, slash + 1);
  }
  return TRUE;
}

static void all_targets(GPtrArray *targets) {
  gsize n;
  const FerryKind *const *kinds = ferry_kinds(&n);
  for (gsize i = 0; i < n; i++)
    if (kinds[i]->categories != NULL && g_strv_contains(kinds[i]->categories, "all"))
      add_target(targets, kinds[i], NULL);
}

GPtrArray *ferry_resource_targets(const GPtrArray *words, GError **error) {
  g_autoptr(GPtrArray) targets = g_ptr_array_new_with_free_func(target_free);
  const char *first = g_ptr_array_index(words, 0);
  if (strchr(first, '/') != NULL)
    return slash_targets(targets, words, error) ? g_steal_pointer(&targets) : NULL;
  if (g_str_equal(first, "all") && words->len == 1) {
    all_targets(targets);
    return g_steal_pointer(&targets);
  }
  g_auto(GStrv) kinds = g_strsplit(first, ",", 32);
  if (kinds[0] != NULL && kinds[1] != NULL && words->len > 1) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "names need one kind, not \"%s\"; write KIND/NAME for each", first);
    return NULL;
  }
  for (guint k = 0; kinds[k] != NULL; k++) {
    const FerryKind *kind = ferry_resource_kind(kinds[k], error);
    if (kind == NULL)
      return NULL;
    if (words->len == 1)
      add_target(targets, kind, NULL);
    for (guint i = 1; i < words->len; i++)
      add_target(targets, kind, g_ptr_array_index(words, i));
  }
  return g_steal_pointer(&targets);
}

char *ferry_resource_path(const FerryKind *kind, const char *ns, const char *name,
                          const char *query) {
  g_autofree char *path = ferry_client_path(kind->group, kind->version,
                                            kind->namespaced ? ns : NULL, kind->plural, name, NULL);
  if (query == NULL || *query == '\0')
    return g_steal_pointer(&path);
  return g_strconcat(path, "?", query, NULL);
}

char *ferry_resource_label(const FerryKind *kind, const char *name) {
  return g_strconcat(kind->singular, *kind->group ? "." : "", kind->group, "/", name, NULL);
}

void ferry_query_add(GString *query, const char *key, const char *value) {
  if (value == NULL)
    return;
  g_autofree char *escaped = g_uri_escape_string(value, NULL, FALSE);
  g_string_append_printf(query, "%s%s=%s", query->len > 0 ? "&" : "", key, escaped);
}

json_t *ferry_cli_list(FerryCli *cli, const FerryKind *kind, const char *ns,
                       const char *label_selector, const char *field_selector, const char *query,
                       const char *const *headers, GError **error) {
  FerryClient *client = ferry_cli_client(cli, error);
  if (client == NULL)
    return NULL;
  g_autoptr(json_t) whole = NULL;
  g_autofree char *token = NULL;
  do {
    g_autoptr(GString) q = g_string_new(query);
    g_autofree char *limit = g_strdup_printf("%d", PAGE);
    ferry_query_add(q, "limit", limit);
    ferry_query_add(q, "labelSelector", label_selector);
    ferry_query_add(q, "fieldSelector", field_selector);
    ferry_query_add(q, "continue", token);
    g_autofree char *path = ferry_resource_path(kind, ns, NULL, q->str);
    g_autoptr(json_t) page =
        ferry_client_request(client, "GET", path, NULL, NULL, headers, NULL, error);
    if (page == NULL)
      return NULL;
    g_free(token);
    token = g_strdup(ferry_json_str(page, "metadata.continue"));
    if (whole == NULL) {
      whole = g_steal_pointer(&page);
      continue;
    }
    const char *list = ferry_json_get(page, "rows") != NULL ? "rows" : "items";
    json_array_extend(ferry_json_get(whole, list), ferry_json_get(page, list));
  } while (token != NULL && *token != '\0');
  return g_steal_pointer(&whole);
}

/* The one object of `list` that `name` means: object's name, domain's name or UUID. */
static json_t *find_named(json_t *list, const char *name, const char *ns) {
  size_t i;
  json_t *item;
  json_array_foreach(ferry_json_get(list, "items"), i, item) {
    if (ns != NULL && g_strcmp0(ferry_json_str(item, "metadata.namespace"), ns) != 0)
      continue;
    const char *uid = ferry_json_str(item, "metadata.uid");
    if (g_strcmp0(ferry_json_str(item, "metadata.name"), name) == 0 ||
        g_strcmp0(ferry_json_str(item, "spec.domainName"), name) == 0 ||
        (uid != NULL && g_ascii_strcasecmp(uid, name) == 0))
      return item;
  }
  return NULL;
}

static void explain_missing(json_t *list, const FerryKind *kind, const char *ns, const char *name,
                            GError **error) {
  json_t *other = find_named(list, name, NULL);
  if (other != NULL) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND,
                "%s \"%s\" is not in namespace %s but in %s; add -n %s", kind->plural, name, ns,
                ferry_json_str(other, "metadata.namespace"),
                ferry_json_str(other, "metadata.namespace"));
    return;
  }
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  size_t i;
  json_t *item;
  json_array_foreach(ferry_json_get(list, "items"), i, item) {
    if (ns == NULL || g_strcmp0(ferry_json_str(item, "metadata.namespace"), ns) == 0)
      g_ptr_array_add(names, (gpointer)ferry_json_str(item, "metadata.name"));
  }
  g_ptr_array_add(names, NULL);
  const char *near = ferry_nearest(name, (const char *const *)names->pdata);
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND, "%s \"%s\" not found%s%s%s%s%s",
              kind->plural, name, ns != NULL ? " in namespace " : "", ns != NULL ? ns : "",
              near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
              near != NULL ? "\"?" : "");
}

json_t *ferry_cli_get(FerryCli *cli, const FerryKind *kind, const char *ns, const char *name,
                      const char *const *headers, GError **error) {
  FerryClient *client = ferry_cli_client(cli, error);
  if (client == NULL)
    return NULL;
  g_autoptr(GError) local = NULL;
  if (ns != NULL || !kind->namespaced) {
    g_autofree char *path = ferry_resource_path(kind, ns, name, NULL);
    json_t *object = ferry_client_request(client, "GET", path, NULL, NULL, headers, NULL, &local);
    if (object != NULL)
      return object;
    if (!g_error_matches(local, FERRY_ERROR, FERRY_ERROR_NOT_FOUND)) {
      g_propagate_error(error, g_steal_pointer(&local));
      return NULL;
    }
  }
  g_autoptr(json_t) list = ferry_cli_list(cli, kind, NULL, NULL, NULL, NULL, NULL, error);
  if (list == NULL)
    return NULL;
  json_t *item = find_named(list, name, kind->namespaced ? ns : NULL);
  if (item == NULL) {
    explain_missing(list, kind, kind->namespaced ? ns : NULL, name, error);
    return NULL;
  }
  g_autofree char *path = ferry_resource_path(kind, ferry_json_str(item, "metadata.namespace"),
                                              ferry_json_str(item, "metadata.name"), NULL);
  return ferry_client_request(client, "GET", path, NULL, NULL, headers, NULL, error);
}

char *ferry_resource_what_keeps(const json_t *object) {
  g_autoptr(GString) text = g_string_new(NULL);
  gsize i;
  json_t *one;
  json_array_foreach(ferry_json_get(object, "metadata.finalizers"), i, one)
      g_string_append_printf(text, "%s%s", i ? ", " : "finalizers ", json_string_value(one));
  return g_strdup(text->len ? text->str : "nothing that it names");
}
