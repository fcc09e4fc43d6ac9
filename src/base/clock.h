// SPDX-License-Identifier: Apache-2.0
// The clock port: what reads time takes one of these, so tests and the simulation can own time.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  gint64 (*monotonic_us)(gpointer data); /* for durations on this machine */
  gint64 (*wall_ms)(gpointer data);      /* for timestamps shown to people */
  gpointer data;
} FerryClock;

/** The machine's own clocks. */
const FerryClock *ferry_clock_system(void);
/** Microseconds of that clock that never goes back, for durations. */
gint64 ferry_clock_monotonic_us(const FerryClock *clock);
/** Milliseconds since 1970 by that clock, for timestamps that people see. */
gint64 ferry_clock_wall_ms(const FerryClock *clock);

G_END_DECLS
