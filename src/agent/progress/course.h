// SPDX-License-Identifier: Apache-2.0
// The course of a migration as rows of numbers, bounded. Pure.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

#define FERRY_COURSE_MAX 200 /* rows */
typedef struct {
  json_t *rows; /* status.course */
  gint64 interval_ms, last_ms;
} FerryCourse;

/** Goes on from `before`, an earlier agent's rows (may be NULL). */
void ferry_course_init(FerryCourse *course, const json_t *before);
void ferry_course_clear(FerryCourse *course);
/** Adds a row with the numbers of ferry_convergence_estimate, where it is time for one or it is the
 * `last`; thins the rows when there are FERRY_COURSE_MAX. TRUE where it was added. */
gboolean ferry_course_add(FerryCourse *course, const json_t *estimate, gint64 elapsed_ms,
                          gboolean last);

G_END_DECLS
