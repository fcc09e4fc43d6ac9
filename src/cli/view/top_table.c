// SPDX-License-Identifier: Apache-2.0
#include "cli/view/top_table.h"
#include "model/migration/migration.h"
#include "base/json.h"
#include "base/quantity.h"
#include "cli/view/progress.h"
#include "cli/view/text.h"
#include "model/migration/phase.h"

static int by_percent(gconstpointer a, gconstpointer b) {
  json_t *const *x = a, *const *y = b;
  gint64 px = ferry_json_int(*x, "status.progress.percent", -1);
  gint64 py = ferry_json_int(*y, "status.progress.percent", -1);
  if (px != py)
    return px > py ? -1 : 1;
  return g_strcmp0(ferry_json_str(*x, "metadata.name"), ferry_json_str(*y, "metadata.name"));
}

static char *bytes_or_blank(gint64 bytes) {
  return bytes < 0 ? g_strdup("") : ferry_bytes_format((double)bytes);
}

static const char *or_blank(const char *text) {
  return text != NULL ? text : "";
}

static json_t *row_new(const json_t *object, gboolean utf8) {
  FerryProgress p;
  ferry_progress_read(&p, object, -1);
  const char *from = ferry_json_str(object, "status.migrationState.sourceNode");
  const char *to = ferry_json_str(object, "status.migrationState.targetNode");
  g_autofree char *way = g_strdup_printf("%s%s%s", or_blank(from),
                                         from == NULL && to == NULL ? ""
                                         : utf8                     ? " → "
                                                                    : " -> ",
                                         or_blank(to));
  g_autofree char *percent = p.percent >= 0 ? g_strdup_printf("%d%%", p.percent) : g_strdup("");
  g_autofree char *remaining = bytes_or_blank(p.remaining_bytes);
  g_autofree char *rate = bytes_or_blank(p.rate);
  g_autofree char *dirty = bytes_or_blank(p.dirty_rate);
  g_autofree char *elapsed = p.elapsed_ms >= 0 ? ferry_duration_format(p.elapsed_ms) : g_strdup("");
  g_autofree char *note = p.note != NULL ? g_strdup(p.note) : g_strdup("");
  json_t *row = json_pack("{s:[s,s,s,s,s,s,s,s,s,s],s:{s:{s:s,s:s}}}", "cells",
                          or_blank(ferry_json_str(object, "metadata.namespace")), p.vm,
                          p.aborting ? ferry_phase_name(FERRY_PHASE_CANCELLING) : p.phase, way,
                          percent, remaining, rate, dirty, elapsed, note, "object", "metadata",
                          "name", or_blank(ferry_json_str(object, "metadata.name")), "namespace",
                          or_blank(ferry_json_str(object, "metadata.namespace")));
  ferry_progress_clear(&p);
  return row;
}

/* Takes a column out where it tells nothing: each row's cell is the first one's (where `same`), or
 * none has any text. What is left fits a terminal of 80 columns. */
static void drop_column(json_t *columns, json_t *rows, gsize at, gboolean same) {
  size_t i;
  json_t *row, *first = json_array_get(ferry_json_get(json_array_get(rows, 0), "cells"), at);
  json_array_foreach(rows, i, row) {
    const json_t *cell = json_array_get(json_object_get(row, "cells"), at);
    if (same ? !json_equal(cell, first) : *json_string_value(cell) != '\0')
      return;
  }
  json_array_foreach(rows, i, row) json_array_remove(json_object_get(row, "cells"), at);
  json_array_remove(columns, at);
}

json_t *ferry_top_table(json_t *items, gboolean utf8) {
  g_autoptr(GPtrArray) running = g_ptr_array_new();
  size_t i;
  json_t *item;
  json_array_foreach(items, i, item) {
    if (!ferry_migration_is_final(item))
      g_ptr_array_add(running, item);
  }
  g_ptr_array_sort(running, by_percent);
  static const char *const names[] = {"Namespace", "VM",     "Phase",   "Way",  "Done",
                                      "Left",      "Sent/s", "Dirty/s", "Time", "Waiting for"};
  json_t *columns = json_array();
  for (gsize c = 0; c < G_N_ELEMENTS(names); c++)
    json_array_append_new(
        columns, json_pack("{s:s,s:s,s:i}", "name", names[c], "type", "string", "priority", 0));
  json_t *rows = json_array();
  for (guint k = 0; k < running->len; k++)
    json_array_append_new(rows, row_new(g_ptr_array_index(running, k), utf8));
  drop_column(columns, rows, G_N_ELEMENTS(names) - 1, FALSE);
  drop_column(columns, rows, 0, TRUE);
  return json_pack("{s:s,s:o,s:o}", "kind", "Table", "columnDefinitions", columns, "rows", rows);
}
