// SPDX-License-Identifier: Apache-2.0
// What people get to see of a migration: its status as far as this agent writes it, its Events and
// what its log lines carry. The worker's own; no lock.
#pragma once
#include "agent/core/context.h"
#include "agent/link/delivery.h"
#include "agent/migration/state/asked.h"
#include "agent/progress/course.h"
#include "agent/progress/progress.h"
#include "base/log.h"
#include "model/migration/phase.h"

G_BEGIN_DECLS

typedef struct {
  const FerryAsked *asked;
  FerryDelivery *delivery; /* owned */
  FerryLogContext *log;    /* owned; what its lines carry */
  json_t *timestamps, *decisions;
  FerryJobProgress progress;
  FerryCourse course;
  gint64 reported_us, course_us; /* monotonic; when progress, and the course, were last shown */
  gboolean accepted;             /* ferryd has taken that it began: PreparingTarget or Running */
} FerryShown;

/** Goes on from what an earlier attempt or agent left in the object. Takes `delivery` and `log`. */
void ferry_shown_init(FerryShown *shown, const FerryAsked *asked, FerryDelivery *delivery,
                      FerryLogContext *log);
/** Nothing more is told. */
void ferry_shown_end(FerryShown *shown);
void ferry_shown_clear(FerryShown *shown);

/** ferryd has taken that it began. */
void ferry_shown_accept(FerryShown *shown);
/** A status patch with `phase` and all timestamps. New reference. */
json_t *ferry_shown_phase(FerryShown *shown, FerryPhase phase);
/** Writes a status patch (taken over) that must arrive. */
void ferry_shown_send(FerryShown *shown, json_t *status);
/** Tells an Event about it. */
void ferry_shown_tell(FerryShown *shown, const char *type, const char *reason, const char *message);
/** Writes status.migrationState.KEY. */
void ferry_shown_state(FerryShown *shown, const char *key, const char *value);
/** Waits until the server has taken all that was written, or the agent ends. */
FerryDeliveryResult ferry_shown_await(FerryShown *shown, FerryAgentContext *context);

/** Appends to status.decisions what was done and why, with the controller's numbers (`estimate`,
 * taken over). `value` < 0: none. */
void ferry_shown_record(FerryShown *shown, json_t *estimate, gint64 elapsed_ms, FerryAction action,
                        gint64 value, const char *code, const char *reason);
/** Shows progress, a few times a second at most; `eta`: ferry_progress_update(). */
void ferry_shown_progress(FerryShown *shown, const FerryJobStats *stats, gboolean post_copy,
                          const FerryEta *eta, gint64 elapsed_ms);

G_END_DECLS
