// SPDX-License-Identifier: Apache-2.0
// A world: hosts, VMs, agents, ferryd, what people ask for and what goes wrong, all of it drawn
// from one number. The same number gives the same world, and the same run.
#pragma once
#include "agent/agent.h"
#include "sim/world/hyper.h"
#include "sim/world/plan.h"
#include "sim/world/wire.h"

G_BEGIN_DECLS

#define FERRY_WORLD_LONGEST_US (25 * 60 * G_USEC_PER_SEC)

/** The agent of a host: the process that is, and those that were. */
typedef struct {
  FerryWorldHost *host;
  FerryWorldProcess *process; /* NULL: none runs */
  FerryAgent *agent;
  FerryWorldProcess *replaced_process; /* stopped, and another one has its place; NULL: none */
  gboolean waking;                     /* the replaced one: by one act, and no second */
  FerryAgent *replaced;
  gboolean fatal; /* one of them has said that it ends */
} FerryWorldAgent;

/** What somebody was told that it is done. */
typedef struct {
  char *name;
  gboolean created, cancelled, deleted;
  gboolean ended; /* it was seen to have: from then on it may go when its time is over */
} FerryWorldAcknowledged;

typedef struct {
  guint64 seed;
  FerryWorldPlan *plan;
  FerryHyper *hyper;
  FerryWorldFerryd *ferryd;
  FerryWorldAgent agents[FERRY_WORLD_MAX_HOSTS];
  GPtrArray *processes; /* all there ever were, and what belongs to them */
  GHashTable *ledger;   /* name -> FerryWorldAcknowledged* */
  guint per_cluster, per_source, per_target;
  gboolean healed; /* nothing goes wrong any more */
  gboolean ended;  /* it is being taken down */
  guint acts;      /* that still go on */
  char *violation; /* the first invariant that did not hold, with what was seen; owned */
  GString *log;    /* NULL: nobody reads it */
} FerryWorld;

typedef struct {
  guint migrations, faults, succeeded, failed;
  gint64 seconds; /* of the world's time */
} FerryWorldCount;

/** Runs the world of `plan` to its end. NULL: all invariants held; else what did not hold (free
 * with g_free). `log` (may be NULL) gets what happened. */
char *ferry_world_run(FerryWorldPlan *plan, GString *log, FerryWorldCount *count);

/* For the files of the world. */
void ferry_world_say(FerryWorld *world, const char *format, ...) G_GNUC_PRINTF(2, 3);
/** The first one counts. */
void ferry_world_violate(FerryWorld *world, const char *format, ...) G_GNUC_PRINTF(2, 3);
FerryWorldAcknowledged *ferry_world_ledger(FerryWorld *world, const char *name);
/** Of an entry. */
void ferry_world_ledger_free(gpointer entry);
/** In a fiber. */
void ferry_world_agent_start(FerryWorld *world, guint host);
void ferry_world_agent_kill(FerryWorld *world, guint host);
/** Its host loses its power: one that was replaced goes, too. */
void ferry_world_agent_power_off(FerryWorld *world, guint host);
/** A second one takes the place of one that is stopped. */
void ferry_world_agent_replace(FerryWorld *world, guint host);
/** The one that was replaced goes on, finds that out, and ends. */
void ferry_world_agent_wake_replaced(FerryWorld *world, guint host);

/** After each turn: FALSE, an invariant does not hold (check.c). */
gboolean ferry_world_check(gpointer world);
/** When all is well again and nothing goes on any more. */
void ferry_world_check_end(FerryWorld *world);
/** After ferryd has started anew. */
void ferry_world_check_ledger(FerryWorld *world);
/** Whether nothing goes on any more. */
gboolean ferry_world_is_quiet(FerryWorld *world);
/** What does, in words. Free with g_free. */
char *ferry_world_unrest(FerryWorld *world);
/** Carries out one act, in a fiber of its own (acts.c). */
gpointer ferry_world_act(gpointer data);
typedef struct {
  FerryWorld *world;
  const FerryWorldAct *act;
} FerryWorldActing;

G_END_DECLS
