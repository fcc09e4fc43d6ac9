// SPDX-License-Identifier: Apache-2.0
#include "cli/view/candidates_table.h"
#include "base/json.h"
#include "base/quantity.h"
#include "cli/view/output.h"
#include "cli/view/text.h"

static char *number_or(const json_t *candidate, const char *key, const char *unit) {
  gint64 n = ferry_json_int(candidate, key, -1);
  return n < 0 ? g_strdup("?") : g_strdup_printf("%" G_GINT64_FORMAT "%s", n, unit);
}

static char *memory_text(const json_t *candidate) {
  gint64 n = ferry_json_int(candidate, "memoryAfterBytes", -1);
  return n < 0 ? g_strdup("?") : ferry_bytes_format((double)n);
}

static json_t *candidates_row(const json_t *candidate) {
  const char *name = ferry_json_str(candidate, "nodeName"), *why = ferry_json_str(candidate, "why");
  const char *network = ferry_json_str(candidate, "network");
  gboolean chosen = ferry_json_bool(candidate, "chosen", FALSE);
  gsize warnings = json_array_size(json_object_get(candidate, "warnings"));
  g_autofree char *host = ferry_text_clean(name ? name : "?");
  g_autofree char *memory = memory_text(candidate);
  g_autofree char *over = ferry_text_clean(network ? network : "-");
  g_autofree char *speed = number_or(candidate, "speedMbps", " Mbit/s");
  g_autofree char *score = number_or(candidate, "score", "");
  g_autofree char *inbound = number_or(candidate, "inbound", "");
  g_autofree char *warned = g_strdup_printf("%zu", warnings);
  g_autofree char *reason = ferry_text_clean(why ? why : "");
  g_autofree char *taken =
      chosen ? g_strdup_printf("taken%s%s", *reason ? ": " : "", reason) : g_strdup("");
  return json_pack("{s:[s,s,s,s,s,s,s,s]}", "cells", host, memory, over, speed, inbound, score,
                   warned, taken);
}

static json_t *candidates_rows(const json_t *candidates) {
  json_t *rows = json_array(), *one;
  gsize i;
  for (int chosen = 1; chosen >= 0; chosen--)
    json_array_foreach((json_t *)candidates, i, one) {
      if (ferry_json_bool(one, "chosen", FALSE) == chosen)
        json_array_append_new(rows, candidates_row(one));
    }
  return rows;
}

static json_t *candidates_columns(void) {
  static const char *const names[] = {"Host",    "Memory After", "Over",     "Speed",
                                      "Inbound", "Score",        "Warnings", "Choice"};
  json_t *list = json_array();
  for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
    json_array_append_new(
        list, json_pack("{s:s, s:s, s:i}", "name", names[i], "type", "string", "priority", 0));
  return list;
}

static void candidates_add_drawbacks(GString *out, const json_t *candidate) {
  const char *name = ferry_json_str(candidate, "nodeName");
  g_autofree char *host = ferry_text_clean(name ? name : "?");
  gsize i;
  json_t *drawback;
  json_array_foreach(json_object_get(candidate, "drawbacks"), i, drawback) {
    g_autofree char *clean = ferry_text_clean(json_string_value(drawback));
    g_string_append_printf(out, "  * %s has a drawback: %s\n", host, clean);
  }
}

char *ferry_candidates_text(const json_t *candidates, gboolean utf8, gboolean color) {
  if (json_array_size(candidates) == 0)
    return g_strdup("");
  FerryTableStyle style = {.color = color, .utf8 = utf8};
  g_autoptr(json_t) table = json_pack("{s:s, s:o, s:o}", "kind", "Table", "columnDefinitions",
                                      candidates_columns(), "rows", candidates_rows(candidates));
  g_autoptr(FerryTablePrinter) printer = ferry_table_printer_new(&style);
  ferry_table_printer_add(printer, table);
  g_autofree char *text = ferry_table_printer_text(printer);
  GString *out = g_string_new(text);
  gsize i, k;
  json_t *one, *warning;
  json_array_foreach((json_t *)candidates, i, one) {
    candidates_add_drawbacks(out, one);
    json_array_foreach(json_object_get(one, "warnings"), k, warning) {
      const char *words = json_string_value(warning), *name = ferry_json_str(one, "nodeName");
      g_autofree char *clean = ferry_text_clean(words ? words : "");
      g_autofree char *host = ferry_text_clean(name ? name : "?");
      if (!ferry_json_bool(one, "chosen", FALSE)) /* those of that one came with the answer */
        g_string_append_printf(out, "  * %s: %s\n", host, clean);
    }
  }
  return g_string_free(out, FALSE);
}
