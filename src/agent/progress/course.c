// SPDX-License-Identifier: Apache-2.0
// The course of a migration, bounded: when the list is full every second row goes, and rows come
// half as often from then on. The first and the last row always stay.
#include "agent/progress/course.h"

#define FIRST_INTERVAL_MS 250

static const char *const course_columns[] = {
    "iteration",  "remainingBytes", "rateBytesPerSecond", "dirtyRateBytesPerSecond",
    "forecastMs", "limitMs",        "throttlePercent"};

void ferry_course_init(FerryCourse *c, const json_t *before) {
  *c = (FerryCourse){.rows = json_is_array(before) ? json_deep_copy(before) : json_array(),
                     .interval_ms = FIRST_INTERVAL_MS};
  gsize n = json_array_size(c->rows);
  if (n > 0)
    c->last_ms = ferry_json_int(json_array_get(c->rows, n - 1), "elapsedMs", 0);
  /* what an earlier agent has thinned stays as thin */
  while (n > 1 && c->interval_ms * (gint64)n < c->last_ms)
    c->interval_ms *= 2;
}

void ferry_course_clear(FerryCourse *c) {
  g_clear_pointer(&c->rows, json_decref);
}

static void course_thin(FerryCourse *c) {
  json_t *kept = json_array();
  gsize n = json_array_size(c->rows);
  for (gsize i = 0; i < n; i += 2)
    json_array_append(kept, json_array_get(c->rows, i));
  json_decref(c->rows);
  c->rows = kept;
  c->interval_ms *= 2;
}

gboolean ferry_course_add(FerryCourse *c, const json_t *estimate, gint64 elapsed_ms,
                          gboolean last) {
  gsize n = json_array_size(c->rows);
  if (elapsed_ms < 0 || (n > 0 && elapsed_ms <= c->last_ms) ||
      (n > 0 && !last && elapsed_ms - c->last_ms < c->interval_ms))
    return FALSE;
  if (n >= FERRY_COURSE_MAX)
    course_thin(c);
  json_t *row = json_object();
  ferry_json_set_int(row, "elapsedMs", elapsed_ms);
  for (gsize i = 0; i < G_N_ELEMENTS(course_columns); i++) {
    gint64 value = ferry_json_int(estimate, course_columns[i], -1);
    if (value >= 0)
      ferry_json_set_int(row, course_columns[i], value);
  }
  json_array_append_new(c->rows, row);
  c->last_ms = elapsed_ms;
  return TRUE;
}
