// SPDX-License-Identifier: Apache-2.0
// Who is served next: priority levels with seats, and within a level fair queueing between flows.
// Pure: no I/O, no clock; not thread-safe.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** What a request is, by what it is worth to the cluster. */
typedef enum {
  FERRY_LEVEL_EXEMPT,    /* health: never queued */
  FERRY_LEVEL_AGENTS,    /* agents' reports, sessions, status, telemetry, watches */
  FERRY_LEVEL_CONTROL,   /* cancel, change, delete of a migration or an evacuation */
  FERRY_LEVEL_WORK,      /* other writes */
  FERRY_LEVEL_HEAVY,     /* lists, watches' beginnings, deletes of collections, OpenAPI, metrics */
  FERRY_LEVEL_ANONYMOUS, /* whoever is not known */
} FerryLevel;
#define FERRY_LEVELS (FERRY_LEVEL_ANONYMOUS + 1)

typedef struct {
  const char *name;
  guint seats;    /* requests that run at once: threads of this level alone; 0: never queued */
  guint per_flow; /* requests of one flow that wait */
  guint total;    /* and of all flows */
  guint wait_ms;  /* after which a request that waits is refused */
  int nice;       /* of the level's threads */
} FerryLevelRule;

/** Row for each level. */
extern const FerryLevelRule ferry_level_rules[FERRY_LEVELS];

typedef struct FerryFlows FerryFlows;

/** `rules`: FERRY_LEVELS rows that outlive the object. */
FerryFlows *ferry_flows_new(const FerryLevelRule *rules);
/** Nothing may be waiting any more. */
void ferry_flows_free(FerryFlows *flows);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryFlows, ferry_flows_free)

/** Puts `request` (borrowed, not NULL) at the end of its flow's queue. `cost` weighs it against
 * other flows' requests (1: a small one). FALSE where the queue is full; *retry_s is then the
 * seconds after which another try makes sense. */
gboolean ferry_flows_put(FerryFlows *flows, FerryLevel level, const char *flow, double cost,
                         gpointer request, gint64 now_us, guint *retry_s);
/** Takes the request whose turn it is and gives it a seat; NULL where none waits or no seat is
 * free. Every one must be given back with ferry_flows_done. */
gpointer ferry_flows_take(FerryFlows *flows, FerryLevel level);
/** Gives the seat of a request back that ferry_flows_take gave. */
void ferry_flows_done(FerryFlows *flows, FerryLevel level);
/** Takes a request that has waited too long, without a seat; NULL: none. */
gpointer ferry_flows_take_late(FerryFlows *flows, FerryLevel level, gint64 now_us);

/** How many requests of a level wait for a seat. */
guint ferry_flows_waiting(const FerryFlows *flows, FerryLevel level);
/** How many requests of a level have a seat. */
guint ferry_flows_running(const FerryFlows *flows, FerryLevel level);

G_END_DECLS
