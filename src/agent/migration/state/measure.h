// SPDX-License-Identifier: Apache-2.0
// What is known of guest and path before anything moves.
#pragma once
#include "agent/migration/state/asked.h"
#include "agent/migration/state/ports.h"
#include "convergence/model.h"
#include "model/migration/path_source.h"

G_BEGIN_DECLS

/** What was measured before a migration; rates in bytes/s; 0: not measured. */
typedef struct {
  int short_s, long_s; /* two periods of different length, in seconds; short_s 0: one only */
  gint64 short_rate, long_rate;
  gint64 resident;       /* bytes of memory that the guest has touched */
  gint64 bandwidth;      /* that the last migration to the same address reached */
  gint64 probed;         /* what the path carried just now, with the bandwidth limit for a cap */
  gboolean probed_limit; /* it carried all of the limit */
  char *path_note;       /* owned: why the path was not measured; NULL: it was, or not asked for */
} FerryMeasured;

void ferry_measured_clear(FerryMeasured *measured);
/** The path was measured: it carried `rate` under `limit` (0: none). */
void ferry_measured_set_path(FerryMeasured *measured, gint64 rate, gint64 limit);
/** The path was not measured; `why` is taken over. */
void ferry_measured_set_unmeasured(FerryMeasured *measured, char *why);

/** Measures the guest for `seconds`: in two periods where there is time for them. */
gboolean ferry_measure_guest(FerryHostJob *job, int seconds, FerryMeasured *measured,
                             GError **error);
/** Memory of the VM in bytes, as last reported; at least 1. */
gint64 ferry_measure_memory(const FerryMigrationPorts *ports, const FerryAsked *asked);
/** What is wanted of it, with the rate that the last migration to the same address reached (also in
 * `measured`) for the link's. */
void ferry_measure_intent(const FerryMigrationPorts *ports, const FerryAsked *asked,
                          FerryMeasured *measured, FerryConvergenceIntent *intent);

/** The writer that explains the two rates best. Pure. */
FerryWriter ferry_measured_writer(const FerryMeasured *measured, double bytes);
/** The path as far as it is known, and where that is from (may be NULL). Pure. */
FerryPath ferry_measured_path(const FerryMeasured *measured, const FerryConvergenceIntent *intent,
                              FerryPathSource *from);
/** How far off its rate of writing may be, as a share of it. Pure. */
double ferry_measured_doubt(const FerryWriter *writer);
/** The throttle in percent with which auto-converge has to begin, as no pause that is allowed would
 * do without, or perhaps not; 0: none, or none that is allowed would do either. Pure. */
int ferry_measured_throttle(const FerryMeasured *measured, const FerryConvergenceIntent *intent);

G_END_DECLS
