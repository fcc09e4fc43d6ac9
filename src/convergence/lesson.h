// SPDX-License-Identifier: Apache-2.0
// What a migration taught of its VM, for the next one: how the guest writes, what compression
// gained, what the switch-over cost. Kept with the VM as JSON, the newest few, and believed the
// less the older it is. Pure.
#pragma once
#include "convergence/controller.h"
#include "convergence/means.h"

G_BEGIN_DECLS

#define FERRY_LESSONS_MAX 5 /* are kept */

typedef struct {
  gboolean valid;      /* anything at all is known */
  FerryWriter writer;  /* rounds 0: not known; an idle one has no rate */
  gboolean steady;     /* two migrations saw it write alike */
  FerryMeansGain gain; /* 0: not known */
  double switchover_s; /* fixed cost of the switch-over; 0: not known */
} FerryLesson;

/** What `c` has learnt by its end, which moved the guest with `means` (FerryMean bits) and paused
 * it for `downtime_ms` (< 0: not known). A guest that was slowed teaches nothing of its writes. */
void ferry_lesson_take(const FerryConvergence *c, unsigned means, gint64 downtime_ms,
                       FerryLesson *out);
/** As an object {pattern, workingSetBytes, writeRateBytesPerSecond, steady, compressionGainPercent,
 * xbzrleGainPercent, switchoverMs}, without what is not known; NULL: nothing is. A new reference.
 */
json_t *ferry_lesson_to_json(const FerryLesson *lesson);
/** Adds `lesson` of the migration `uid`, which ended at `at_ms`, to a VM's lessons, unless that one
 * is there; at most FERRY_LESSONS_MAX stay, the newest. */
void ferry_lessons_add(json_t *lessons, const json_t *lesson, const char *uid, gint64 at_ms);
/** What a VM's lessons come to at `now_ms`: each counts half as much after a week, and nothing
 * after two months or where it makes no sense. Of guests whose last two ways of writing differ much
 * nothing is said. */
void ferry_lessons_read(const json_t *lessons, gint64 now_ms, FerryLesson *out);
/** One object of ferry_lesson_to_json(), or nothing where it makes no sense. */
FerryLesson ferry_lesson_read(const json_t *object);
/** What the lesson lets the next controller begin with: the cost of the switch-over, and how a
 * guest writes that did so twice; what was measured now is known better. */
void ferry_lesson_apply(const FerryLesson *lesson, FerryConvergenceIntent *intent);

G_END_DECLS
