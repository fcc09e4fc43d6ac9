// SPDX-License-Identifier: Apache-2.0
// One walk for every kind: metadata first, then each field in the object's own order as "Title:
// value", lists of objects as a table where all elements are flat, numbers in the unit of the
// field's row in the kind's table. So a new field is described without a line of code.
#include "cli/view/describe.h"
#include "base/json.h"
#include "base/rfc3339.h"
#include "cli/view/text.h"
#include "model/kinds/kind.h"
#include <string.h>

enum {
  INDENT = 2,
  COLUMN = 24,
  TABLE_COLUMNS_MAX = 7,
  CELL_MAX = 60,
  CROWD = 6,
  MANY = 20,
  MANY_SHOWN = 6
};

static void describe_line(GString *out, int depth, const char *title, const char *value) {
  g_autofree char *label = g_strconcat(title, ":", NULL);
  g_string_append_printf(out, "%*s%-*s %s", depth * INDENT, "", MAX(COLUMN - depth * INDENT, 1),
                         label, value);
  while (out->len > 0 && out->str[out->len - 1] == ' ')
    g_string_truncate(out, out->len - 1);
  g_string_append_c(out, '\n');
}

/* The row of `key`; NULL: none, or `fields` is NULL. */
static const FerryField *describe_row_of(const FerryField *fields, const char *key) {
  for (const FerryField *f = fields; f != NULL && f->name != NULL; f++)
    if (g_str_equal(f->name, key))
      return f;
  return NULL;
}

/* A scalar as people read it. */
static char *describe_scalar(const FerryField *row, const json_t *value) {
  FerryUnit unit = row != NULL ? row->unit : FERRY_UNIT_NONE;
  if (json_is_string(value))
    return ferry_text_clean(json_string_value(value));
  if (json_is_integer(value))
    return ferry_unit_format(unit, json_integer_value(value));
  if (json_is_real(value))
    return g_strdup_printf("%g%s%s", json_real_value(value), *ferry_unit_word(unit) ? " " : "",
                           ferry_unit_word(unit));
  if (json_is_boolean(value))
    return g_strdup(json_is_true(value) ? "yes" : "no");
  return g_strdup("");
}

/* The title of a field: its unit goes, as the value is printed with one. */
static char *field_title(const FerryField *row, const char *key) {
  const char *unit = ferry_unit_suffix(row != NULL ? row->unit : FERRY_UNIT_NONE);
  if (!*unit || !g_str_has_suffix(key, unit) || strlen(key) == strlen(unit))
    return ferry_title_from_key(key);
  g_autofree char *bare = g_strndup(key, strlen(key) - strlen(unit));
  return ferry_title_from_key(bare);
}

static gboolean is_scalar(const json_t *value) {
  return !json_is_object(value) && !json_is_array(value);
}

static gboolean fits_table(const json_t *list, GPtrArray *columns) {
  size_t i;
  json_t *item;
  json_array_foreach((json_t *)list, i, item) {
    if (!json_is_object(item))
      return FALSE;
    const char *key;
    json_t *value;
    json_object_foreach(item, key, value) {
      if (!is_scalar(value))
        return FALSE;
      if (!g_ptr_array_find_with_equal_func(columns, key, g_str_equal, NULL))
        g_ptr_array_add(columns, (gpointer)key);
    }
  }
  /* What is said in words stands last, so that it may be long. */
  for (guint k = 0; k + 1 < columns->len; k++)
    if (g_str_equal(columns->pdata[k], "message")) {
      gpointer message = g_ptr_array_steal_index(columns, k);
      g_ptr_array_add(columns, message);
      break;
    }
  return columns->len > 0 && columns->len <= TABLE_COLUMNS_MAX;
}

static void describe_table(GString *out, int depth, const json_t *list, const FerryField *fields,
                           const GPtrArray *columns) {
  g_autofree guint *widths = g_new0(guint, columns->len);
  size_t i;
  json_t *item;
  for (guint pass = 0; pass < 2; pass++)
    for (i = 0; i <= json_array_size(list); i++) {
      item = i > 0 ? json_array_get(list, i - 1) : NULL;
      if (pass == 1)
        g_string_append_printf(out, "%*s", depth * INDENT, "");
      for (guint c = 0; c < columns->len; c++) {
        const char *key = columns->pdata[c];
        json_t *value = item != NULL ? json_object_get(item, key) : NULL;
        const FerryField *row = describe_row_of(fields, key);
        g_autofree char *text = item == NULL    ? field_title(row, key)
                                : value != NULL ? describe_scalar(row, value)
                                                : g_strdup("");
        guint width = ferry_text_width(text);
        if (pass == 0)
          widths[c] = MAX(widths[c], MIN(width, CELL_MAX));
        else if (c + 1 == columns->len)
          g_string_append(out, text);
        else
          g_string_append_printf(out, "%s%*s", text, (int)(MAX(widths[c], width) - width + 2), "");
      }
      if (pass == 1) {
        while (out->len > 0 && out->str[out->len - 1] == ' ')
          g_string_truncate(out, out->len - 1);
        g_string_append_c(out, '\n');
      }
    }
}

/* `fields`: the rows of the object's members; NULL: there are none, as its keys are data (labels),
 * or they are not known. */
static void describe_walk(GString *out, int depth, const json_t *object, const FerryField *fields,
                          gboolean map);

static void list_value(GString *out, int depth, const char *title, const FerryField *row,
                       const json_t *list) {
  if (json_array_size(list) == 0) {
    describe_line(out, depth, title, "(none)");
    return;
  }
  const FerryField *fields = row != NULL ? row->fields : NULL;
  g_autoptr(GPtrArray) columns = g_ptr_array_new();
  size_t i;
  json_t *item;
  if (is_scalar(json_array_get(list, 0))) {
    g_autoptr(GString) all = g_string_new(NULL);
    size_t shown = json_array_size(list) > MANY ? MANY_SHOWN : json_array_size(list);
    json_array_foreach((json_t *)list, i, item) {
      if (i >= shown)
        break;
      g_autofree char *text = describe_scalar(row, item);
      g_string_append_printf(all, "%s%s", i > 0 ? ", " : "", text);
    }
    if (shown < json_array_size(list))
      g_string_append_printf(all, " and %zu more (-o yaml shows them)",
                             json_array_size(list) - shown);
    describe_line(out, depth, title, all->str);
    return;
  }
  describe_line(out, depth, title, "");
  if (fits_table(list, columns)) {
    describe_table(out, depth + 1, list, fields, columns);
    return;
  }
  json_array_foreach((json_t *)list, i, item) {
    g_string_append_printf(out, "%*s-\n", (depth + 1) * INDENT, "");
    describe_walk(out, depth + 2, item, fields, FALSE);
  }
}

static void describe_walk(GString *out, int depth, const json_t *object, const FerryField *fields,
                          gboolean map) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)object, key, value) {
    const FerryField *row = describe_row_of(fields, key);
    g_autofree char *title = map ? ferry_text_clean(key) : field_title(row, key);
    if (json_is_array(value)) {
      list_value(out, depth, title, row, value);
    } else if (json_is_object(value)) {
      if (json_object_size(value) == 0) {
        describe_line(out, depth, title, "(none)");
        continue;
      }
      describe_line(out, depth, title, "");
      describe_walk(out, depth + 1, value, row != NULL ? row->fields : NULL,
                    row != NULL && row->type == FERRY_TYPE_MAP);
    } else {
      g_autofree char *text = describe_scalar(row, value);
      describe_line(out, depth, title, text);
    }
  }
}

/* Of labels such as a node's for each processor model: how many there are under one prefix, where
 * they are too many to be read; else 0. */
static guint describe_crowd(const json_t *map, const char *key) {
  const char *slash = strchr(key, '/'), *other;
  json_t *value;
  guint n = 0;
  if (slash == NULL)
    return 0;
  json_object_foreach((json_t *)map, other, value) n +=
      strncmp(other, key, (gsize)(slash - key) + 1) == 0;
  return n > CROWD ? n : 0;
}

static void describe_pairs(GString *out, const char *title, const json_t *map) {
  if (json_object_size(map) == 0) {
    describe_line(out, 0, title, "<none>");
    return;
  }
  const char *key, *label = title;
  g_autoptr(GHashTable) crowds = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  json_t *value;
  json_object_foreach((json_t *)map, key, value) {
    if (strstr(key, "last-applied-configuration") != NULL)
      continue; /* the whole object again */
    guint crowd = describe_crowd(map, key);
    g_autofree char *prefix = g_strndup(key, strcspn(key, "/"));
    if (crowd > 0 && !g_hash_table_add(crowds, g_strdup(prefix)))
      continue;
    g_autofree char *text = describe_scalar(NULL, value);
    g_autofree char *pair = crowd > 0
                                ? g_strdup_printf("%s/... (%u, -o yaml shows them)", prefix, crowd)
                                : g_strconcat(key, "=", text, NULL);
    if (label != NULL)
      describe_line(out, 0, label, pair);
    else
      g_string_append_printf(out, "%*s %s\n", COLUMN, "", pair);
    label = NULL;
  }
}

static void describe_metadata(GString *out, const json_t *object, gint64 now_ms) {
  static const struct {
    const char *title, *path;
  } rows[] = {{"Name", "metadata.name"}, {"Namespace", "metadata.namespace"}};
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    const char *value = ferry_json_str(object, rows[i].path);
    g_autofree char *clean = ferry_text_clean(value);
    if (value != NULL)
      describe_line(out, 0, rows[i].title, clean);
  }
  describe_pairs(out, "Labels", ferry_json_get(object, "metadata.labels"));
  describe_pairs(out, "Annotations", ferry_json_get(object, "metadata.annotations"));
  const char *kind = ferry_json_str(object, "kind");
  const char *version = ferry_json_str(object, "apiVersion");
  g_autofree char *type =
      g_strdup_printf("%s (%s)", kind != NULL ? kind : "?", version != NULL ? version : "?");
  describe_line(out, 0, "Kind", type);
  const char *uid = ferry_json_str(object, "metadata.uid");
  g_autofree char *clean_uid = ferry_text_clean(uid);
  if (uid != NULL)
    describe_line(out, 0, "UID", clean_uid);
  const char *created = ferry_json_str(object, "metadata.creationTimestamp");
  gint64 ms = ferry_rfc3339_parse(created);
  if (ms >= 0) {
    g_autofree char *age = ferry_age_format(MAX(now_ms - ms, 0));
    g_autofree char *text = g_strdup_printf("%s (%s ago)", created, age);
    describe_line(out, 0, "Created", text);
  }
  const char *deleted = ferry_json_str(object, "metadata.deletionTimestamp");
  if (deleted != NULL)
    describe_line(out, 0, "Being deleted", deleted);
}

static json_t *event_row(const json_t *event, gint64 now_ms) {
  static const char *const times[] = {"lastTimestamp", "eventTime", "metadata.creationTimestamp"};
  gint64 last = -1;
  for (gsize i = 0; last < 0 && i < G_N_ELEMENTS(times); i++)
    last = ferry_rfc3339_parse(ferry_json_str(event, times[i]));
  g_autofree char *age = last >= 0 ? ferry_age_format(MAX(now_ms - last, 0)) : g_strdup("?");
  gint64 count = ferry_json_int(event, "count", 1);
  g_autofree char *seen = count > 1 ? g_strdup_printf("%s (x%d)", age, (int)count) : g_strdup(age);
  const char *host = ferry_json_str(event, "source.host");
  const char *component = ferry_json_str(event, "source.component");
  g_autofree char *from = g_strdup_printf("%s%s%s", component != NULL ? component : "",
                                          host != NULL ? ", " : "", host != NULL ? host : "");
  const char *type = ferry_json_str(event, "type"), *reason = ferry_json_str(event, "reason");
  const char *message = ferry_json_str(event, "message");
  return json_pack("{s:s,s:s,s:s,s:s,s:s}", "type", type != NULL ? type : "", "reason",
                   reason != NULL ? reason : "", "age", seen, "from", from, "message",
                   message != NULL ? message : "");
}

static void event_section(GString *out, json_t *events, gint64 now_ms) {
  if (json_array_size(events) == 0) {
    describe_line(out, 0, "Events", "<none>");
    return;
  }
  describe_line(out, 0, "Events", "");
  g_autoptr(json_t) rows = json_array();
  size_t i;
  json_t *event;
  json_array_foreach(events, i, event) json_array_append_new(rows, event_row(event, now_ms));
  g_autoptr(GPtrArray) columns = g_ptr_array_new();
  if (fits_table(rows, columns))
    describe_table(out, 1, rows, NULL, columns);
}

char *ferry_describe_vms(json_t *vms) {
  GString *out = g_string_new(NULL);
  size_t i;
  json_t *vm;
  describe_line(out, 0, "VMs", json_array_size(vms) > 0 ? "" : "(none)");
  json_array_foreach(vms, i, vm) {
    const char *name = ferry_json_str(vm, "metadata.name");
    const char *ns = ferry_json_str(vm, "metadata.namespace");
    g_autofree char *full =
        g_strdup_printf("%s/%s", ns != NULL ? ns : "", name != NULL ? name : "");
    g_autofree char *clean = ferry_text_clean(full);
    const char *phase = ferry_json_str(vm, "status.phase");
    describe_line(out, 1, clean, phase != NULL ? phase : "");
  }
  return g_string_free(out, FALSE);
}

char *ferry_describe(const json_t *object, json_t *events, gint64 now_ms) {
  GString *out = g_string_new(NULL);
  describe_metadata(out, object, now_ms);
  g_autoptr(json_t) rest = json_copy((json_t *)object);
  json_object_del(rest, "metadata");
  json_object_del(rest, "apiVersion");
  json_object_del(rest, "kind");
  const char *version = ferry_json_str(object, "apiVersion"),
             *name = ferry_json_str(object, "kind");
  const FerryKind *kind = version != NULL && name != NULL ? ferry_kind_by_gvk(version, name) : NULL;
  describe_walk(out, 0, rest, kind != NULL ? kind->fields : NULL, FALSE);
  if (events != NULL)
    event_section(out, events, now_ms);
  return g_string_free(out, FALSE);
}
