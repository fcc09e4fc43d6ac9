// SPDX-License-Identifier: Apache-2.0
// Paths of fields as server-side apply owns them: the steps of Kubernetes' FieldsV1 ("f:spec",
// "f:maxDowntimeMs", "k:{\"type\":\"Ready\"}", "v:x") joined by a byte that JSON text can't hold
// unescaped. Lists without a merge key are leaves as a whole.
//
// An object's leaves are such paths with their values, and so is the record of what each manager
// owns: applying compares sets of text. Removing what a manager no longer names goes the other
// way, from the deepest path up, and takes an element or object with it only where nobody else has
// a part in it.
#include "api/resource/field_paths.h"
#include "base/compare.h"

#include <string.h>

#define SEP FERRY_FIELD_PATH_SEP
#define MAX_PATH_BYTES 512

/* What is never owned: identity and what the server writes. */
static gboolean field_paths_skipped(const char *path) {
  static const char *const exact[] = {"apiVersion", "kind", "status", NULL};
  static const char *const meta[] = {"name",
                                     "namespace",
                                     "uid",
                                     "resourceVersion",
                                     "generation",
                                     "selfLink",
                                     "creationTimestamp",
                                     "generateName",
                                     "deletionTimestamp",
                                     "managedFields",
                                     "deletionGracePeriodSeconds",
                                     NULL};
  if (g_str_has_prefix(path, "metadata."))
    return g_strv_contains(meta, path + 9);
  return g_strv_contains(exact, path);
}

/* The walk's two paths; both grow and shrink with it. */
typedef struct {
  const FerryKind *kind;
  GString *schema; /* "metadata.labels" */
  GString *owned;  /* "f:metadata", SEP, "f:labels" */
  GHashTable *out;
} Leaves;

static gsize push_step(GString *path, const char *separator, const char *head, const char *step) {
  gsize mark = path->len;
  g_string_append_printf(path, "%s%s%s", mark ? separator : "", head, step);
  return mark;
}

/* What lies below a long path is owned as a whole: else a few long keys, repeated in the path of
 * each of many leaves, would take far more memory than they came in. */
static gboolean path_is_full(const GString *path) {
  return path->len > MAX_PATH_BYTES;
}

static void field_paths_leaves(Leaves *l, const json_t *value);

static void leaves_of_object(Leaves *l, const json_t *value) {
  const char *key;
  json_t *child;
  json_object_foreach((json_t *)value, key, child) {
    gsize schema = push_step(l->schema, ".", "", key);
    if (!field_paths_skipped(l->schema->str)) {
      gsize owned = push_step(l->owned, SEP, "f:", key);
      field_paths_leaves(l, child);
      g_string_truncate(l->owned, owned);
    }
    g_string_truncate(l->schema, schema);
  }
}

static void leaves_of_list(Leaves *l, const json_t *value, const char *merge) {
  for (gsize i = 0; i < json_array_size(value); i++) {
    json_t *item = json_array_get(value, i);
    json_t *id = *merge ? json_object_get(item, merge) : item;
    g_autoptr(json_t) key = *merge ? json_pack("{s:O?}", merge, id) : json_incref(id);
    char *text = json_dumps(key, JSON_ENCODE_ANY | JSON_COMPACT);
    gsize owned = push_step(l->owned, SEP, *merge ? "k:" : "v:", text);
    free(text);
    if (*merge)
      field_paths_leaves(l, item);
    else
      g_hash_table_insert(l->out, g_strdup(l->owned->str), item);
    g_string_truncate(l->owned, owned);
  }
}

/* Adds the leaf paths of `value` to `out` (path -> the value, borrowed). */
static void field_paths_leaves(Leaves *l, const json_t *value) {
  gboolean full = path_is_full(l->owned);
  const char *merge = json_is_array(value) && !full
                          ? ferry_kind_merge_key(l->schema->str, (gpointer)l->kind)
                          : NULL;
  if (json_is_object(value) && !full && (json_object_size(value) > 0 || l->owned->len == 0))
    leaves_of_object(l, value);
  else if (merge)
    leaves_of_list(l, value, merge);
  else
    g_hash_table_insert(l->out, g_strdup(l->owned->str), (gpointer)value);
}

GHashTable *ferry_field_paths_of(const FerryKind *kind, const json_t *object, gboolean of_status) {
  GHashTable *out = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  json_t *status = json_object_get(object, "status");
  g_autoptr(GString) schema = g_string_new(of_status ? "status" : NULL);
  g_autoptr(GString) owned = g_string_new(of_status ? "f:status" : NULL);
  Leaves l = {kind, schema, owned, out};
  const json_t *top = of_status ? status : object;
  if (top)
    field_paths_leaves(&l, top);
  return out;
}

static void from_fields(const json_t *fields, GString *path, GHashTable *out) {
  const char *key;
  json_t *child;
  if (path->len && (json_object_size(fields) == 0 || path_is_full(path))) {
    g_hash_table_add(out, g_strdup(path->str));
    return;
  }
  json_object_foreach((json_t *)fields, key, child) {
    if (g_str_equal(key, "."))
      continue;
    gsize mark = push_step(path, SEP, "", key);
    from_fields(child, path, out);
    g_string_truncate(path, mark);
  }
}

GHashTable *ferry_field_paths_read(const json_t *fields) {
  GHashTable *out = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr(GString) path = g_string_new(NULL);
  from_fields(fields, path, out);
  return out;
}

json_t *ferry_field_paths_write(GHashTable *paths) {
  json_t *root = json_object();
  GList *keys = g_list_sort(g_hash_table_get_keys(paths), ferry_compare_text);
  for (GList *l = keys; l; l = l->next) {
    g_auto(GStrv) steps = g_strsplit(l->data, SEP, -1);
    json_t *level = root;
    for (gsize i = 0; steps[i]; i++) {
      json_t *next = json_object_get(level, steps[i]);
      if (!next)
        json_object_set_new(level, steps[i], next = json_object());
      level = next;
    }
  }
  g_list_free(keys);
  return root;
}

/* ---- removal ---- */

static char *join_steps(char *const *steps, guint n) {
  g_autoptr(GString) out = g_string_new(steps[0]);
  for (guint i = 1; i < n; i++)
    g_string_append_printf(out, SEP "%s", steps[i]);
  return g_strdup(out->str);
}

/* The paths and all above them. */
static GHashTable *with_parents(GHashTable *paths) {
  GHashTable *out = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  GHashTableIter iter;
  gpointer path;
  g_hash_table_iter_init(&iter, paths);
  while (g_hash_table_iter_next(&iter, &path, NULL)) {
    const char *end = (const char *)path + strlen(path);
    /* Where a path was there, all above it were. */
    for (; end; end = g_strrstr_len(path, end - (const char *)path, SEP))
      if (!g_hash_table_add(out, g_strndup(path, (gsize)(end - (const char *)path))))
        break;
  }
  return out;
}

/* Whether the element that "k:..." names is known by the field that "f:..." names. */
static gboolean is_key(const char *element, const char *field) {
  g_autoptr(json_t) id = json_loads(element + 2, JSON_DECODE_ANY, NULL);
  return json_object_get(id, field + 2) != NULL;
}

/* The elements of lists by what names them, each list looked through once; elements that are
 * removed keep their place, as nulls, until all is done. */
typedef struct {
  json_t *list;
  GHashTable *known; /* keys by which elements were entered; "" for values */
  GHashTable *at;    /* "key=JSON text" -> position + 1 */
  GHashTable *gone;  /* positions + 1 */
} Elements;

static void elements_free(gpointer data) {
  Elements *e = data;
  json_decref(e->list);
  g_hash_table_unref(e->known);
  g_hash_table_unref(e->at);
  g_hash_table_unref(e->gone);
  g_free(e);
}

static Elements *elements_of(GHashTable *lists, json_t *list) {
  Elements *e = g_hash_table_lookup(lists, list);
  if (e)
    return e;
  e = g_new0(Elements, 1);
  e->list = json_incref(list);
  e->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  e->at = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  e->gone = g_hash_table_new(NULL, NULL);
  g_hash_table_insert(lists, list, e);
  return e;
}

static char *element_name(const char *key, const json_t *id) {
  char *text = json_dumps(id, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
  char *name = g_strconcat(key, "=", text ? text : "", NULL);
  free(text);
  return name;
}

static void enter_elements(Elements *e, const char *key) {
  if (!g_hash_table_add(e->known, g_strdup(key)))
    return;
  for (gsize i = 0; i < json_array_size(e->list); i++) {
    const json_t *item = json_array_get(e->list, i);
    const json_t *id = *key ? json_object_get(item, key) : item;
    char *name = id ? element_name(key, id) : NULL;
    if (name && !g_hash_table_contains(e->at, name))
      g_hash_table_insert(e->at, name, GSIZE_TO_POINTER(i + 1));
    else
      g_free(name);
  }
}

/* The child at a step, borrowed, or NULL; `*index` where it is an element. */
static json_t *child_at(GHashTable *lists, json_t *value, const char *step, gsize *index) {
  if (*step == 'f')
    return json_object_get(value, step + 2);
  g_autoptr(json_t) named = json_loads(step + 2, JSON_DECODE_ANY, NULL);
  const char *key = *step == 'v' ? "" : json_object_iter_key(json_object_iter(named));
  if (!json_is_array(value) || !named || !key)
    return NULL;
  Elements *e = elements_of(lists, value);
  enter_elements(e, key);
  g_autofree char *name = element_name(key, *key ? json_object_get(named, key) : named);
  gsize place = GPOINTER_TO_SIZE(g_hash_table_lookup(e->at, name));
  if (!place || g_hash_table_contains(e->gone, GSIZE_TO_POINTER(place)))
    return NULL;
  *index = place - 1;
  return json_array_get(value, *index);
}

static void remove_element(GHashTable *lists, json_t *list, gsize index) {
  g_hash_table_add(elements_of(lists, list)->gone, GSIZE_TO_POINTER(index + 1));
  json_array_set_new(list, index, json_null());
}

static gsize elements_left(GHashTable *lists, json_t *list) {
  const Elements *e = g_hash_table_lookup(lists, list);
  return json_array_size(list) - (e ? g_hash_table_size(e->gone) : 0);
}

static void close_gaps(GHashTable *lists) {
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init(&iter, lists);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    const Elements *e = value;
    if (g_hash_table_size(e->gone) == 0)
      continue;
    g_autoptr(json_t) rest = json_array();
    for (gsize i = 0; i < json_array_size(e->list); i++)
      if (!g_hash_table_contains(e->gone, GSIZE_TO_POINTER(i + 1)))
        json_array_append(rest, json_array_get(e->list, i));
    json_array_clear(e->list);
    json_array_extend(e->list, rest);
  }
}

/* How much of a path is to go: an element that nobody has any part in goes as a whole, whatever
 * else is in it; one that stays keeps the field that it is known by. 0: nothing. */
static guint steps_to_go(char *const *steps, GHashTable *stays) {
  guint n = g_strv_length((char **)steps);
  for (guint i = 0; i < n; i++) {
    g_autofree char *element = *steps[i] == 'k' ? join_steps(steps, i + 1) : NULL;
    if (element && !g_hash_table_contains(stays, element))
      return i + 1;
    if (element && i + 2 == n && is_key(steps[i], steps[i + 1]))
      return 0;
  }
  return n;
}

/* Removes the value at a path, and what becomes empty by that and is nobody's. */
static void remove_one(GHashTable *lists, json_t *object, const char *path, GHashTable *stays) {
  g_auto(GStrv) steps = g_strsplit(path, SEP, -1);
  guint last = steps_to_go(steps, stays);
  for (guint n = last; n > 0; n--) {
    gsize index = 0;
    json_t *parent = object;
    for (guint i = 0; parent && i + 1 < n; i++)
      parent = child_at(lists, parent, steps[i], &index);
    json_t *child = parent ? child_at(lists, parent, steps[n - 1], &index) : NULL;
    g_autofree char *here = join_steps(steps, n);
    /* A map that was applied as an empty one: what others put into it is not ours to remove. */
    gboolean full = json_object_size(child) > 0 && (n < last || *steps[n - 1] == 'f');
    if (!child || full || (n < last && elements_left(lists, child) > 0) ||
        g_hash_table_contains(stays, here))
      return;
    if (*steps[n - 1] == 'f')
      json_object_del(parent, steps[n - 1] + 2);
    else
      remove_element(lists, parent, index);
  }
}

void ferry_field_paths_remove(json_t *object, GHashTable *gone, GHashTable *kept) {
  g_autoptr(GHashTable) stays = with_parents(kept);
  g_autoptr(GHashTable) lists = g_hash_table_new_full(NULL, NULL, NULL, elements_free);
  GHashTableIter iter;
  gpointer path;
  g_hash_table_iter_init(&iter, gone);
  while (g_hash_table_iter_next(&iter, &path, NULL))
    if (!g_hash_table_contains(stays, path))
      remove_one(lists, object, path, stays);
  close_gaps(lists);
}
