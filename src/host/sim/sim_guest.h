// SPDX-License-Identifier: Apache-2.0
// A simulated guest: how fast it dirties which memory. Deterministic; virtual time only.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  FERRY_SIM_IDLE,
  FERRY_SIM_UNIFORM,
  FERRY_SIM_CYCLIC,
  FERRY_SIM_SKEWED,   /* 80 % of the writes to 20 % of the pages */
  FERRY_SIM_PHASED,   /* uniform, quiet and busy by turns */
  FERRY_SIM_BURSTY,   /* uniform in bursts of busy_s, each somewhere in a stretch of both times */
  FERRY_SIM_CALMING,  /* uniform until busy_s, then quiet */
  FERRY_SIM_STARTING, /* uniform from the migration's start on, idle before */
} FerrySimPattern;

#define FERRY_SIM_PATTERNS 8
#define FERRY_SIM_MAX_CLASSES 8

/** "idle", "uniform", "cyclic", "skewed", "phased", "bursty", "calming", "starting". */
const char *ferry_sim_pattern_name(FerrySimPattern pattern);

/** What a guest does; bytes, bytes/s, seconds. */
typedef struct {
  double memory;      /* bytes of non-zero memory */
  double zero;        /* bytes of zero pages beside them */
  double zero_after;  /* share of the other memory that QEMU meets before them; 0: about half */
  double working_set; /* all vCPUs together */
  double write_rate;  /* all vCPUs together */
  FerrySimPattern pattern;
  int vcpus;              /* each writes its own share of the working set; 1..4 */
  double busy_s, quiet_s; /* phases, of those that have them */
} FerrySimGuestSpec;

/** Pages of one writer that are alike. */
typedef struct {
  double set, rate; /* W and w */
  gboolean cyclic;
  double unsynced; /* dirtied since the last look at the log */
  double pending;  /* known to be dirty and not sent yet */
} FerrySimClass;

typedef struct {
  FerrySimGuestSpec spec;
  FerrySimClass classes[FERRY_SIM_MAX_CLASSES];
  guint n_classes;
  double rest;   /* not sent yet and outside the working set; falls in the first pass only */
  double zeroes; /* zero pages not sent yet */
} FerrySimGuest;

/** All of its memory is still to be sent. `spec` is copied. */
void ferry_sim_guest_init(FerrySimGuest *g, const FerrySimGuestSpec *spec);
/** How much of its full speed the guest writes at `now` (phases), 0..1; before 0 as it did before
 * the migration. */
double ferry_sim_guest_activity(const FerrySimGuest *g, double now);
/** When that changes next; INFINITY: never. */
double ferry_sim_guest_next_change(const FerrySimGuest *g, double now);
/** The guest runs for `seconds` at `speed` (0..1). */
void ferry_sim_guest_run(FerrySimGuest *g, double seconds, double speed);
/** What QEMU knows to be left: bytes, zero pages included. */
double ferry_sim_guest_remaining(const FerrySimGuest *g);
/** Sends up to `bytes` of known-dirty memory. */
void ferry_sim_guest_send(FerrySimGuest *g, double bytes);
/** Looks at the dirty log: returns the bytes that it found (all, also those still pending). */
double ferry_sim_guest_sync(FerrySimGuest *g);

G_END_DECLS
