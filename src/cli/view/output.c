// SPDX-License-Identifier: Apache-2.0
// Tables come from the server, column by column; libsmartcols aligns them. Rows of a watch are
// kept for their widths (up to KEEP of them), so the columns of later rows stay in place.
#include "cli/view/output.h"
#include "base/yaml.h"
#include "cli/view/text.h"
#include <libsmartcols/libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEEP = 500 };

/* Who wrote which field is for programs: as kubectl does, it is left out. New reference. */
static json_t *without_managers(const json_t *object) {
  if (ferry_json_get(object, "metadata.managedFields") == NULL)
    return json_incref((json_t *)object);
  json_t *copy = ferry_json_copy_along(object, "metadata");
  ferry_json_set(copy, "metadata.managedFields", NULL);
  return copy;
}

void ferry_output_object(const json_t *whole, const char *format) {
  g_autoptr(json_t) object = without_managers(whole);
  g_autofree char *text =
      g_strcmp0(format, "yaml") == 0 ? ferry_yaml_dump(object) : ferry_json_dump_pretty(object);
  fputs(text, stdout);
}

void ferry_output_objects(json_t *objects, gboolean single, const char *format) {
  if (single && json_array_size(objects) == 1) {
    ferry_output_object(json_array_get(objects, 0), format);
    return;
  }
  json_t *items = json_array(), *object;
  size_t i;
  json_array_foreach(objects, i, object) json_array_append_new(items, without_managers(object));
  g_autoptr(json_t) list = json_pack("{s:s,s:s,s:{s:s},s:o}", "apiVersion", "v1", "kind", "List",
                                     "metadata", "resourceVersion", "", "items", items);
  ferry_output_object(list, format);
}

struct FerryTablePrinter {
  FerryTableStyle style;
  char *prefix;
  json_t *columns; /* of the server's Table */
  struct libscols_table *table;
  GPtrArray *lines; /* of `table`, borrowed; those up to n_printed are out */
  gsize n_printed;
};

FerryTablePrinter *ferry_table_printer_new(const FerryTableStyle *style) {
  FerryTablePrinter *p = g_new0(FerryTablePrinter, 1);
  p->style = *style;
  p->prefix = g_strdup(style->prefix);
  p->lines = g_ptr_array_new();
  return p;
}

void ferry_table_printer_free(FerryTablePrinter *p) {
  if (p == NULL)
    return;
  if (p->table != NULL)
    scols_unref_table(p->table);
  json_decref(p->columns);
  g_ptr_array_unref(p->lines);
  g_free(p->prefix);
  g_free(p);
}

static gboolean output_shown(const FerryTablePrinter *p, const json_t *column) {
  return p->style.wide || ferry_json_int(column, "priority", 0) == 0;
}

/* What ends up in a cell: no control characters, arrows only where the locale has them. */
static char *cell_text(const FerryTablePrinter *p, const json_t *cell) {
  g_autofree char *raw = NULL;
  if (json_is_string(cell))
    raw = g_strdup(json_string_value(cell));
  else if (cell == NULL || json_is_null(cell))
    raw = g_strdup("");
  else
    raw = json_is_integer(cell) ? g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(cell))
                                : ferry_json_dump(cell);
  g_autofree char *clean = ferry_text_clean(raw);
  if (p->style.utf8)
    return g_steal_pointer(&clean);
  g_auto(GStrv) parts = g_strsplit(clean, "→", -1);
  return g_strjoinv("->", parts);
}

static void new_column(FerryTablePrinter *p, const char *name) {
  g_autofree char *upper = g_utf8_strup(name, -1);
  scols_table_new_column(p->table, upper, 0, 0);
}

static void output_start(FerryTablePrinter *p, json_t *columns) {
  p->columns = json_incref(columns);
  p->table = scols_new_table();
  if (p->table == NULL)
    g_error("libsmartcols: out of memory");
  scols_table_set_termforce(p->table, SCOLS_TERMFORCE_NEVER);
  scols_table_set_column_separator(p->table, "   ");
  scols_table_enable_colors(p->table, p->style.color);
  scols_table_enable_noheadings(p->table, p->style.no_headers);
  if (p->style.with_namespace)
    new_column(p, "Namespace");
  size_t i;
  json_t *column;
  json_array_foreach(columns, i, column) {
    const char *name = ferry_json_str(column, "name");
    if (output_shown(p, column))
      new_column(p, name != NULL ? name : "?");
  }
}

static void set_cell(FerryTablePrinter *p, struct libscols_line *line, gsize at, const char *text) {
  scols_line_set_data(line, at, text);
  const char *color = p->style.color ? ferry_state_color(text) : NULL;
  if (color != NULL)
    scols_cell_set_color(scols_line_get_cell(line, at), color);
}

static void output_add_row(FerryTablePrinter *p, const json_t *row) {
  struct libscols_line *line = scols_table_new_line(p->table, NULL);
  if (line == NULL)
    g_error("libsmartcols: out of memory");
  g_ptr_array_add(p->lines, line);
  gsize at = 0;
  if (p->style.with_namespace) {
    g_autofree char *ns = ferry_text_clean(ferry_json_str(row, "object.metadata.namespace"));
    scols_line_set_data(line, at++, ns);
  }
  size_t i;
  json_t *column;
  json_array_foreach(p->columns, i, column) {
    if (!output_shown(p, column))
      continue;
    g_autofree char *text = cell_text(p, json_array_get(ferry_json_get(row, "cells"), i));
    if (i == 0 && p->prefix != NULL) {
      g_autofree char *full = g_strconcat(p->prefix, text, NULL);
      scols_line_set_data(line, at++, full);
    } else if (i == 0) {
      scols_line_set_data(line, at++, text);
    } else {
      set_cell(p, line, at++, text);
    }
  }
}

void ferry_table_printer_add(FerryTablePrinter *p, const json_t *table) {
  json_t *columns = ferry_json_get(table, "columnDefinitions");
  if (p->table == NULL && json_array_size(columns) > 0)
    output_start(p, columns);
  if (p->table == NULL)
    return; /* a Table without columns as the first: there is nothing to print it by */
  size_t i;
  json_t *row;
  json_array_foreach(ferry_json_get(table, "rows"), i, row) output_add_row(p, row);
}

static void forget_old(FerryTablePrinter *p) {
  if (p->lines->len <= KEEP)
    return;
  /* The first line stays: printing from it would print the header again. */
  guint n = p->lines->len - KEEP;
  for (guint i = 1; i <= n; i++)
    scols_table_remove_line(p->table, g_ptr_array_index(p->lines, i));
  g_ptr_array_remove_range(p->lines, 1, n);
  p->n_printed -= n;
}

char *ferry_table_printer_text(FerryTablePrinter *p) {
  if (p->table == NULL || p->lines->len == p->n_printed)
    return g_strdup("");
  char *raw = NULL;
  struct libscols_line *first = g_ptr_array_index(p->lines, p->n_printed);
  struct libscols_line *last = g_ptr_array_index(p->lines, p->lines->len - 1);
  if (scols_table_print_range_to_string(p->table, first, last, &raw) != 0)
    g_error("libsmartcols: cannot print");
  p->n_printed = p->lines->len;
  forget_old(p);
  /* No spaces at the ends of lines: they only hurt in logs. */
  g_auto(GStrv) lines = g_strsplit(raw, "\n", -1);
  free(raw);
  for (guint i = 0; lines[i] != NULL; i++)
    g_strchomp(lines[i]);
  g_autofree char *text = g_strjoinv("\n", lines);
  return g_str_has_suffix(text, "\n") ? g_steal_pointer(&text) : g_strconcat(text, "\n", NULL);
}

gsize ferry_table_printer_flush(FerryTablePrinter *p) {
  gsize n = p->lines->len - p->n_printed;
  g_autofree char *text = ferry_table_printer_text(p);
  fputs(text, stdout);
  fflush(stdout);
  return n;
}
