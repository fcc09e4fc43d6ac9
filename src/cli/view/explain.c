// SPDX-License-Identifier: Apache-2.0
// Theory of operation: the course (samples) and the decisions are two lists by elapsed time; the
// table merges them, with the samples thinned to what a person reads. The graph takes the largest
// value that falls into each of its columns, so that no pass disappears.
#include "cli/view/explain.h"
#include "base/json.h"
#include "base/quantity.h"
#include "cli/view/bottleneck.h"
#include "cli/view/output.h"
#include "cli/view/progress.h"
#include "cli/view/text.h"
#include "model/kinds/change_fields.h"
#include "model/kinds/policy_fields.h"
#include "model/kinds/policy_layers.h"
#include "model/migration/action.h"
#include "model/migration/condition.h"
#include <string.h>

#define MAX_SAMPLES 24
#define GRAPH_HEIGHT 8
#define GRAPH_WIDTH 80
#define LABEL_WIDTH 10

/* ---- the table ---- */

static char *explain_bytes(const json_t *row, const char *key, const char *suffix) {
  gint64 value = ferry_json_int(row, key, -1);
  g_autofree char *text =
      value > 0 || (value == 0 && !*suffix) ? ferry_bytes_format((double)value) : NULL;
  return text ? g_strconcat(text, suffix, NULL) : g_strdup("");
}

static char *explain_duration(const json_t *row, const char *key) {
  gint64 ms = ferry_json_int(row, key, -1);
  return ms >= 0 ? ferry_duration_format(ms) : g_strdup("");
}

/* A number in its unit, as it was said, so that it can be said again. */
static char *explain_said(FerryUnit unit, gint64 n) {
  const char *word = unit == FERRY_UNIT_PERCENT ? "%" : ferry_unit_word(unit);
  return g_strdup_printf("%" G_GINT64_FORMAT "%s%s", n, *word ? " " : "", word);
}

/* "SetDowntime 300 ms". */
static char *explain_what(const json_t *decision) {
  const char *action = ferry_json_str(decision, "action");
  gint64 value = ferry_json_int(decision, "value", -1);
  if (!action)
    return g_strdup("");
  g_autofree char *clean = ferry_text_clean(action);
  if (value < 0)
    return g_steal_pointer(&clean);
  g_autofree char *said = explain_said(ferry_action_unit(ferry_action_parse(action)), value);
  return g_strconcat(clean, " ", said, NULL);
}

static json_t *row_new(const json_t *row, gboolean decision) {
  gint64 pass = ferry_json_int(row, "iteration", -1);
  g_autofree char *time = explain_duration(row, "elapsedMs");
  g_autofree char *iteration = pass > 0 ? g_strdup_printf("%" G_GINT64_FORMAT, pass) : g_strdup("");
  g_autofree char *remaining = explain_bytes(row, "remainingBytes", "");
  g_autofree char *rate = explain_bytes(row, "rateBytesPerSecond", "/s");
  g_autofree char *dirty = explain_bytes(row, "dirtyRateBytesPerSecond", "/s");
  g_autofree char *estimate = explain_duration(row, "forecastMs");
  g_autofree char *limit = explain_duration(row, "limitMs");
  g_autofree char *act = decision ? explain_what(row) : g_strdup("");
  const char *reason = decision ? ferry_json_str(row, "reason") : NULL;
  g_autofree char *why = ferry_text_clean(reason ? reason : "");
  return json_pack("{s:[s,s,s,s,s,s,s,s,s]}", "cells", time, iteration, remaining, rate, dirty,
                   estimate, limit, act, why);
}

static gint64 explain_at(const json_t *row) {
  return ferry_json_int(row, "elapsedMs", 0);
}

static json_t *table_new(const char *const *names, json_t *rows) {
  json_t *columns = json_array();
  for (gsize i = 0; names[i]; i++)
    json_array_append_new(
        columns, json_pack("{s:s, s:s, s:i}", "name", names[i], "type", "string", "priority", 0));
  return json_pack("{s:s, s:o, s:o}", "kind", "Table", "columnDefinitions", columns, "rows", rows);
}

static void print_table(GString *out, const char *const *names, json_t *rows, gboolean utf8,
                        gboolean color) {
  FerryTableStyle style = {.color = color, .utf8 = utf8};
  g_autoptr(json_t) table = table_new(names, rows);
  g_autoptr(FerryTablePrinter) printer = ferry_table_printer_new(&style);
  ferry_table_printer_add(printer, table);
  g_autofree char *text = ferry_table_printer_text(printer);
  g_string_append(out, text);
}

/* ---- what does not fit into a line ---- */

static guint explain_widest(const char *text) {
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  guint most = 0;
  for (guint i = 0; lines[i]; i++)
    most = MAX(most, ferry_text_width(lines[i]));
  return most;
}

/* `text` in lines of at most `width` columns; those after the first are indented. */
static void print_wrapped(GString *out, const char *text, guint indent, guint width) {
  g_auto(GStrv) words = g_strsplit(text, " ", -1);
  guint at = 0, room = MAX(width, indent + 20);
  for (guint i = 0; words[i]; i++) {
    guint w = ferry_text_width(words[i]);
    if (at > 0 && at + 1 + w > room) {
      g_string_append_printf(out, "\n%*s", (int)indent, "");
      at = indent;
    } else if (i > 0) {
      g_string_append_c(out, ' ');
      at++;
    }
    g_string_append(out, words[i]);
    at += w;
  }
  g_string_append_c(out, '\n');
}

static void print_reasons(GString *out, const json_t *decisions, guint width) {
  gsize i;
  json_t *d;
  g_string_append(out, "\nDecisions:\n");
  json_array_foreach(decisions, i, d) {
    const char *reason = ferry_json_str(d, "reason");
    g_autofree char *time = explain_duration(d, "elapsedMs");
    g_autofree char *act = explain_what(d);
    g_autofree char *line = g_strdup_printf("%s  %s: %s", time, act, reason ? reason : "");
    g_autofree char *clean = ferry_text_clean(line);
    print_wrapped(out, clean, 4, width);
  }
}

static json_t *course_rows(const json_t *course, const json_t *decisions) {
  json_t *rows = json_array();
  gsize n = json_array_size(course), m = json_array_size(decisions), d = 0;
  gsize step = MAX(1, (n + MAX_SAMPLES - 1) / MAX_SAMPLES);
  for (gsize i = 0; i < n; i++) {
    const json_t *sample = json_array_get(course, i);
    if (i % step && i != n - 1)
      continue;
    for (; d < m && explain_at(json_array_get(decisions, d)) <= explain_at(sample); d++)
      json_array_append_new(rows, row_new(json_array_get(decisions, d), TRUE));
    json_array_append_new(rows, row_new(sample, FALSE));
  }
  for (; d < m; d++)
    json_array_append_new(rows, row_new(json_array_get(decisions, d), TRUE));
  return rows;
}

/* ---- the graph ---- */

char *ferry_explain_graph(const json_t *course, guint width, guint height, gboolean utf8) {
  static const char *const eighths[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  gsize n = json_array_size(course), i;
  if (n < 2 || width < 20 || height < 1)
    return g_strdup("");
  gint64 end = MAX(1, explain_at(json_array_get(course, n - 1)));
  guint columns = width - LABEL_WIDTH - 2;
  g_autofree gint64 *high = g_new(gint64, columns);
  gint64 top = 1;
  json_t *row;
  for (guint c = 0; c < columns; c++)
    high[c] = -1;
  json_array_foreach(course, i, row) {
    guint c = (guint)CLAMP((double)explain_at(row) / (double)end * (columns - 1), 0, columns - 1);
    high[c] = MAX(high[c], ferry_json_int(row, "remainingBytes", 0));
    top = MAX(top, high[c]);
  }
  for (guint c = 0; c < columns; c++) /* between two samples the earlier one holds */
    if (high[c] < 0)
      high[c] = c > 0 ? high[c - 1] : 0;
  GString *out = g_string_new(NULL);
  for (guint line = height; line-- > 0;) {
    g_autofree char *label =
        line == height - 1 ? ferry_bytes_format((double)top) : g_strdup(line == 0 ? "0" : "");
    g_string_append_printf(out, "%*s %s", LABEL_WIDTH, label, utf8 ? "│" : "|");
    for (guint c = 0; c < columns; c++) {
      double part = (double)high[c] / (double)top * height - line;
      if (utf8)
        g_string_append(out, eighths[part <= 0 ? 0 : (guint)CLAMP(part * 8 + 0.5, 1, 8)]);
      else
        g_string_append_c(out, part >= 0.5 ? '#' : part > 0 ? '.' : ' ');
    }
    while (out->len > 0 && out->str[out->len - 1] == ' ')
      g_string_truncate(out, out->len - 1);
    g_string_append_c(out, '\n');
  }
  g_string_append_printf(out, "%*s %s", LABEL_WIDTH, "", utf8 ? "└" : "+");
  for (guint c = 0; c < columns; c++)
    g_string_append(out, utf8 ? "─" : "-");
  g_autofree char *total = ferry_duration_format(end);
  g_string_append_printf(out, "\n%*s  0%*s\n", LABEL_WIDTH, "", (int)columns - 1, total);
  return g_string_free(out, FALSE);
}

static void print_course(GString *out, const json_t *course, const json_t *decisions, guint width,
                         gboolean utf8, gboolean color) {
  static const char *const names[] = {"Time",     "Iteration", "Remaining", "Rate",   "Dirty Rate",
                                      "Estimate", "Limit",     "Decision",  "Reason", NULL};
  g_autoptr(GString) table = g_string_new(NULL);
  json_t *rows = course_rows(course, decisions);
  g_autoptr(json_t) kept = json_deep_copy(rows);
  print_table(table, names, rows, utf8, color);
  if (width == 0 || explain_widest(table->str) <= width) {
    g_string_append(out, table->str);
    return;
  }
  const char *const few[] = {names[0], names[1], names[2], names[3], names[4],
                             names[5], names[6], names[7], NULL};
  print_table(out, few, json_incref(kept), utf8, color);
  print_reasons(out, decisions, width);
}

/* ---- the policy and the changes ---- */

static char *value_text(const json_t *value) {
  if (json_is_string(value))
    return ferry_text_clean(json_string_value(value));
  g_autofree char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
  return ferry_text_clean(text ? text : "");
}

/* What somebody said comes first, then what nobody did. */
static int by_origin(gconstpointer a, gconstpointer b, gpointer origins) {
  const char *x = *(const char *const *)a, *y = *(const char *const *)b;
  gboolean p = ferry_origin_is_default(json_string_value(json_object_get(origins, x)));
  gboolean q = ferry_origin_is_default(json_string_value(json_object_get(origins, y)));
  return p != q ? p - q : strcmp(x, y);
}

/* A value in the unit of its row; 0 is said in words where it is no limit. */
static char *setting_text(const char *name, const json_t *value) {
  const FerryField *field = ferry_configuration_field(name);
  if (!json_is_integer(value) || !field)
    return value_text(value);
  gint64 n = json_integer_value(value);
  if (n == 0 && field->zero)
    return g_strdup_printf("0 (%s)", field->zero);
  switch (field->unit) {
  case FERRY_UNIT_BYTES:
  case FERRY_UNIT_BYTES_PER_SECOND:
    return ferry_unit_format(field->unit, n);
  default:
    return explain_said(field->unit, n);
  }
}

/* The fields of a change in words. */
static char *change_text(const json_t *fields) {
  static const char *const words[][2] = {{"downtimeMs", "downtime"},
                                         {"bandwidthMiBps", "bandwidth"},
                                         {"technique", "technique"},
                                         {"stallingLimitSeconds", "stalling limit"}};
  g_autoptr(GString) out = g_string_new(NULL);
  for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
    const json_t *value = json_object_get(fields, words[i][0]);
    g_autofree char *text =
        json_is_integer(value)
            ? explain_said(ferry_change_field(words[i][0])->unit, json_integer_value(value))
        : value ? value_text(value)
                : NULL;
    if (text)
      g_string_append_printf(out, "%s%s %s", out->len ? ", " : "", words[i][1], text);
  }
  return g_strdup(out->str);
}

static json_t *policy_of(const json_t *migration) {
  json_t *origins = ferry_json_get(migration, "status.configurationOrigins");
  json_t *config = ferry_json_get(migration, "status.migrationState.migrationConfiguration");
  json_t *list = json_array();
  g_autoptr(GPtrArray) keys = g_ptr_array_new();
  const char *key;
  json_t *value;
  json_object_foreach(config, key, value) g_ptr_array_add(keys, (gpointer)key);
  g_ptr_array_sort_with_data(keys, by_origin, origins);
  for (guint i = 0; i < keys->len; i++) {
    key = g_ptr_array_index(keys, i);
    const char *origin = json_string_value(json_object_get(origins, key));
    json_array_append_new(list,
                          json_pack("{s:s, s:O, s:s}", "field", key, "value",
                                    json_object_get(config, key), "origin", origin ? origin : ""));
  }
  return list;
}

static json_t *policy_rows(const json_t *policy) {
  json_t *rows = json_array();
  gsize i;
  json_t *field;
  json_array_foreach(policy, i, field) {
    const char *name = ferry_json_str(field, "field");
    g_autofree char *value = setting_text(name, json_object_get(field, "value"));
    json_array_append_new(
        rows, json_pack("{s:[s,s,s]}", "cells", name, value, ferry_json_str(field, "origin")));
  }
  return rows;
}

char *ferry_explain_stated(const json_t *m, gboolean utf8, gboolean color) {
  static const char *const names[] = {"Field", "Value", "From", NULL};
  g_autoptr(json_t) policy = policy_of(m);
  for (gsize i = json_array_size(policy); i-- > 0;) {
    const char *origin = ferry_json_str(json_array_get(policy, i), "origin");
    if (ferry_origin_is_default(origin))
      json_array_remove(policy, i);
  }
  GString *out = g_string_new(NULL);
  if (json_array_size(policy) > 0)
    print_table(out, names, policy_rows(policy), utf8, color);
  return g_string_free(out, FALSE);
}

static json_t *change_rows(const json_t *changes) {
  static const char *const keys[] = {"time", "by", NULL, "reason", "state", "message"};
  json_t *rows = json_array();
  gsize i;
  json_t *change;
  json_array_foreach(changes, i, change) {
    json_t *cells = json_array();
    for (gsize k = 0; k < G_N_ELEMENTS(keys); k++) {
      const char *text = keys[k] ? ferry_json_str(change, keys[k]) : NULL;
      g_autofree char *cell = keys[k] ? ferry_text_clean(text ? text : "")
                                      : change_text(json_object_get(change, "fields"));
      json_array_append_new(cells, json_string(cell));
    }
    json_array_append_new(rows, json_pack("{s:o}", "cells", cells));
  }
  return rows;
}

/* ---- the whole ---- */

static const char *explain_text_of(const json_t *object, const char *path) {
  const char *text = ferry_json_str(object, path);
  return text ? text : "?";
}

/* "Driven by the preset nova (MigrationPolicy/night): ...", so that one sees what it was held to.
 */
static void print_rule(GString *out, const json_t *m, guint width) {
  const json_t *config = ferry_json_get(m, "status.migrationState.migrationConfiguration");
  const json_t *origins = ferry_json_get(m, "status.configurationOrigins");
  const char *preset = ferry_json_str(config, "preset");
  const char *origin = ferry_json_str(origins, preset ? "preset" : "schedule");
  if (!config)
    return;
  g_autoptr(GString) text = g_string_new(NULL);
  g_string_printf(text, "Driven by %s%s (%s): a pause of at most %" G_GINT64_FORMAT " ms",
                  preset && !g_str_equal(preset, "intent") ? "the preset " : "",
                  !preset                         ? "a schedule"
                  : g_str_equal(preset, "intent") ? "an intent"
                                                  : preset,
                  origin && !ferry_origin_is_default(origin) ? origin : "the default",
                  ferry_json_int(config, FERRY_FIELD_MAX_DOWNTIME, 0));
  gint64 whole = ferry_json_int(config, FERRY_FIELD_MAX_DURATION, 0);
  gint64 slow = ferry_json_int(config, FERRY_FIELD_MAX_SLOWDOWN, 0);
  if (whole > 0) {
    g_autofree char *by = ferry_duration_format(whole);
    g_string_append_printf(text, ", done within %s", by);
  }
  if (slow > 0)
    g_string_append_printf(text, ", the guest slowed by at most %" G_GINT64_FORMAT " %%", slow);
  g_string_append_printf(text, ", post-copy %sallowed",
                         ferry_json_bool(config, "allowPostCopy", FALSE) ? "" : "not ");
  g_autofree char *clean = ferry_text_clean(text->str);
  print_wrapped(out, clean, 2, width ? width : G_MAXINT);
}

/* What it sent, and what was expected of it. */
static void print_sums(GString *out, const json_t *m) {
  const json_t *s = ferry_json_get(m, "status.summary");
  gint64 bytes = ferry_json_int(s, "dataTransferredBytes", -1);
  gint64 rate = ferry_json_int(s, "averageRateBytesPerSecond", -1);
  gint64 passes = ferry_json_int(s, "iterations", -1);
  gint64 forecast = ferry_json_int(m, "status.forecast.totalMs", -1);
  if (bytes >= 0 && rate >= 0) {
    g_autofree char *sent = ferry_bytes_format((double)bytes);
    g_autofree char *mean = ferry_rate_format(rate);
    g_string_append_printf(out, "Sent %s at %s", sent, mean);
    if (passes > 0)
      g_string_append_printf(out, " in %" G_GINT64_FORMAT " %s", passes,
                             passes == 1 ? "pass" : "passes");
    g_string_append_c(out, '\n');
  }
  if (forecast >= 0) {
    const json_t *error = ferry_json_get(s, "forecastErrorPercent");
    g_autofree char *expected = ferry_duration_format(forecast);
    g_string_append_printf(out, "Expected to take %s", expected);
    if (json_is_number(error))
      g_string_append_printf(out, ", which was %.1f %% off", json_number_value(error));
    g_string_append_c(out, '\n');
  }
}

static void print_stalling(GString *out, const json_t *m, guint width) {
  const json_t *stalling = ferry_condition_find(m, FERRY_CONDITION_STALLING);
  const char *message = ferry_json_str(stalling, "message");
  if (!ferry_condition_entry_holds(stalling))
    return;
  g_autofree char *line = g_strconcat("It stalls: ", message ? message : "no progress", NULL);
  g_autofree char *clean = ferry_text_clean(line);
  print_wrapped(out, clean, 2, width ? width : G_MAXINT);
}

static json_t *attempt_rows(const json_t *attempts) {
  static const char *const keys[] = {"endTimestamp", "nodeName", "reason", "message"};
  json_t *rows = json_array(), *attempt;
  gsize i;
  json_array_foreach(attempts, i, attempt) {
    json_t *cells = json_array();
    for (gsize k = 0; k < G_N_ELEMENTS(keys); k++) {
      const char *text = ferry_json_str(attempt, keys[k]);
      g_autofree char *cell = ferry_text_clean(text ? text : "");
      json_array_append_new(cells, json_string(cell));
    }
    json_array_append_new(rows, json_pack("{s:o}", "cells", cells));
  }
  return rows;
}

static void explain_head(GString *out, const json_t *m, gboolean utf8) {
  g_autofree char *line = g_strdup_printf(
      "%s: %s, %s %s %s, %s", explain_text_of(m, "metadata.name"),
      explain_text_of(m, "spec.vmiName"), explain_text_of(m, "status.migrationState.sourceNode"),
      utf8 ? "→" : "->", explain_text_of(m, "status.migrationState.targetNode"),
      explain_text_of(m, "status.phase"));
  g_autofree char *clean = ferry_text_clean(line);
  g_string_append(out, clean);
  gint64 total = ferry_json_int(m, "status.summary.totalMs", -1);
  gint64 pause = ferry_json_int(m, "status.summary.downtimeMs", -1);
  if (total >= 0) {
    g_autofree char *text = ferry_duration_format(total);
    g_string_append_printf(out, " after %s", text);
  }
  if (pause >= 0) {
    g_autofree char *text = ferry_duration_format(pause);
    g_string_append_printf(out, " with a pause of %s", text);
  }
  g_string_append_c(out, '\n');
  const char *message = ferry_json_str(m, "status.message");
  g_autofree char *said = message ? ferry_text_clean(message) : ferry_progress_waits(m);
  if (said)
    g_string_append_printf(out, "%s\n", said);
}

char *ferry_explain_text(const json_t *m, guint width, gboolean utf8, gboolean color) {
  static const char *const policy_names[] = {"Field", "Value", "From", NULL};
  static const char *const change_names[] = {"Time",  "By",      "Change", "Why",
                                             "State", "Message", NULL};
  static const char *const attempt_names[] = {"Time", "Host", "Reason", "Message", NULL};
  const json_t *course = ferry_json_get(m, "status.course");
  const json_t *decisions = ferry_json_get(m, "status.decisions");
  const json_t *changes = ferry_json_get(m, "status.changes");
  const json_t *attempts = ferry_json_get(m, "status.attempts");
  GString *out = g_string_new(NULL);
  explain_head(out, m, utf8);
  print_sums(out, m);
  g_autofree char *bottleneck = ferry_bottleneck_text(m);
  if (bottleneck)
    g_string_append_printf(out, "%s\n", bottleneck);
  print_rule(out, m, width);
  print_stalling(out, m, width);
  if (json_array_size(attempts) > 0) {
    g_string_append(out, "\nTried before:\n");
    print_table(out, attempt_names, attempt_rows(attempts), utf8, color);
  }
  g_string_append(out, "\nCourse:\n");
  if (json_array_size(course) + json_array_size(decisions) > 0)
    print_course(out, course, decisions, width, utf8, color);
  else
    g_string_append(out, "nothing was sent yet\n");
  g_autofree char *graph =
      ferry_explain_graph(course, width ? MIN(width, 100) : GRAPH_WIDTH, GRAPH_HEIGHT, utf8);
  if (*graph)
    g_string_append_printf(out, "\nRemaining over time:\n%s", graph);
  if (json_array_size(changes) > 0) {
    g_string_append(out, "\nChanged while it ran:\n");
    print_table(out, change_names, change_rows(changes), utf8, color);
  }
  g_autoptr(json_t) policy = policy_of(m);
  const char *name = ferry_json_str(m, "status.migrationState.migrationPolicyName");
  g_string_append_printf(out, "\nPolicy%s%s:\n", name ? " " : "", name ? name : "");
  if (json_array_size(policy) > 0)
    print_table(out, policy_names, policy_rows(policy), utf8, color);
  else
    g_string_append(out, "not resolved yet\n");
  return g_string_free(out, FALSE);
}

json_t *ferry_explain_json(const json_t *m) {
  static const char *const lists[] = {"course", "decisions", "changes", "attempts", "conditions"};
  json_t *out = json_pack(
      "{s:O?, s:O?, s:O?, s:O?, s:O?, s:O?, s:O?, s:o}", "metadata", json_object_get(m, "metadata"),
      "spec", json_object_get(m, "spec"), "phase", ferry_json_get(m, "status.phase"), "reason",
      ferry_json_get(m, "status.reason"), "message", ferry_json_get(m, "status.message"), "summary",
      ferry_json_get(m, "status.summary"), "forecast", ferry_json_get(m, "status.forecast"),
      "policy", policy_of(m));
  for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
    const json_t *list = json_object_get(ferry_json_get(m, "status"), lists[i]);
    json_object_set_new(out, lists[i], list ? json_deep_copy(list) : json_array());
  }
  return out;
}
