// SPDX-License-Identifier: Apache-2.0
// Objects as meta.k8s.io Tables: the columns of the kind's table, a row of cells per object.
#include "model/listing/table.h"
#include "base/rfc3339.h"

static json_t *column_definitions(const FerryKind *kind) {
  json_t *list = json_array();
  for (gsize i = 0; i < kind->n_columns; i++) {
    const FerryColumn *column = &kind->columns[i];
    json_array_append_new(
        list, json_pack("{s:s, s:s, s:s, s:s, s:i}", "name", column->name, "type", column->type,
                        "format", column->format ? column->format : "", "description",
                        column->doc ? column->doc : "", "priority", column->priority));
  }
  return list;
}

/* A list of scalars as "a,b"; kubectl would print an array as Go does. */
static json_t *table_joined(const json_t *list) {
  g_autoptr(GString) text = g_string_new(NULL);
  gsize i;
  json_t *item;
  json_array_foreach((json_t *)list, i, item) {
    if (json_is_string(item))
      g_string_append_printf(text, "%s%s", text->len ? "," : "", json_string_value(item));
  }
  return json_string(text->str);
}

static json_t *path_cell(const FerryColumn *column, const json_t *object, gint64 now_ms) {
  json_t *value = ferry_json_get(object, column->path);
  if (g_str_equal(column->type, "date")) {
    gint64 then = ferry_rfc3339_parse(json_string_value(value));
    if (then < 0)
      return json_string("<unknown>");
    g_autofree char *age = ferry_age_format(now_ms - then);
    return json_string(age);
  }
  if (json_is_array(value))
    return table_joined(value);
  return json_is_object(value) ? NULL : json_incref(value);
}

static json_t *row_cells(const FerryKind *kind, const json_t *object, gint64 now_ms) {
  json_t *cells = json_array();
  for (gsize i = 0; i < kind->n_columns; i++) {
    const FerryColumn *column = &kind->columns[i];
    json_t *cell = column->cell ? column->cell(object, now_ms) : path_cell(column, object, now_ms);
    json_array_append_new(cells, cell ? cell : json_null());
  }
  return cells;
}

json_t *ferry_table_new(const FerryKind *kind, json_t *const *objects, gsize n, const char *version,
                        FerryInclude include, gboolean columns, gint64 now_ms) {
  g_autofree char *api_version = g_strconcat("meta.k8s.io/", version, NULL);
  json_t *rows = json_array();
  for (gsize i = 0; i < n; i++) {
    json_t *row = json_object();
    json_object_set_new(row, "cells", row_cells(kind, objects[i], now_ms));
    if (include == FERRY_INCLUDE_OBJECT) {
      json_object_set(row, "object", objects[i]);
    } else if (include == FERRY_INCLUDE_METADATA) {
      json_t *partial = json_object();
      json_object_set_new(partial, "kind", json_string("PartialObjectMetadata"));
      json_object_set_new(partial, "apiVersion", json_string(api_version));
      json_object_set(partial, "metadata", json_object_get(objects[i], "metadata"));
      json_object_set_new(row, "object", partial);
    }
    json_array_append_new(rows, row);
  }
  json_t *table = json_object();
  json_object_set_new(table, "kind", json_string("Table"));
  json_object_set_new(table, "apiVersion", json_string(api_version));
  json_object_set_new(table, "metadata", json_object());
  json_object_set_new(table, "columnDefinitions",
                      columns ? column_definitions(kind) : json_array());
  json_object_set_new(table, "rows", rows);
  return table;
}
