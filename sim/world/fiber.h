// SPDX-License-Identifier: Apache-2.0
// Threads that take turns on a virtual clock: one runs at a time, and time goes on only while all
// wait. Who is next is drawn from a seed, so that the same seed gives the same run, always.
//
// Production code gets its threads, locks and clocks from GLib and pthread; the world's programs
// are linked so that these calls come here instead (shim.c).
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** What is killed and stopped as one: ferryd, an agent. */
typedef struct {
  const char *name;
  gboolean dead;   /* nothing that it does has an effect any more */
  gboolean frozen; /* SIGSTOP: its threads do not run */
  gint64 skew_us;  /* its host's clock is wrong by that much */
} FerryWorldProcess;

typedef struct _FerryFiber FerryFiber;
typedef gpointer (*FerryFiberFunc)(gpointer data);

/** Begins a world's time at 0. No fiber may be left of the last one. */
void ferry_fiber_begin(guint64 seed);
/** Frees what the world's threads were. All must have ended. */
void ferry_fiber_end(void);
/** The same in the middle of a world: its threads are dropped as they are, with what they hold. */
void ferry_fiber_abandon(void);
/** Whether a fiber is running: outside of one, time stands still and locks are free. */
gboolean ferry_fiber_inside(void);

/** A new thread of `process` (NULL: of none, such as libvirtd's). `joined`: somebody calls
 * ferry_fiber_join; else it is freed when it ends. */
FerryFiber *ferry_fiber_new(FerryWorldProcess *process, FerryFiberFunc func, gpointer data,
                            gboolean joined);
gpointer ferry_fiber_join(FerryFiber *fiber);
/** The process whose thread is running; NULL: none. */
FerryWorldProcess *ferry_fiber_process(void);
/** The running thread stands for one of `process` from now on: who calls is served in his own
 * thread. Returns whose it was. */
FerryWorldProcess *ferry_fiber_become(FerryWorldProcess *process);

/** Microseconds since the world began. */
gint64 ferry_fiber_now(void);
/** Waits until somebody wakes `key` (TRUE) or until `until_us` (FALSE; -1: for ever). */
gboolean ferry_fiber_wait(gconstpointer key, gint64 until_us);
/** Wakes one or all who wait for `key`. */
void ferry_fiber_wake(gconstpointer key, gboolean all);
/** Lets time pass. */
void ferry_fiber_sleep(gint64 us);
/** A stopped process goes on. */
void ferry_fiber_thaw(FerryWorldProcess *process);

/** Runs threads until `until_us`, or none can run. `look` is called after each turn; FALSE ends it.
 * FALSE: it was ended. */
gboolean ferry_fiber_run(gint64 until_us, gboolean (*look)(gpointer data), gpointer data);
/** Turns taken since the world began. */
guint64 ferry_fiber_turns(void);

/** The next number of the world's one sequence. */
guint64 ferry_world_random(void);
/** 0 to n - 1. */
guint ferry_world_draw(guint n);
/** Whether something of this chance (0..1) happens now. */
gboolean ferry_world_chance(double chance);
/** `low` to `high`, evenly. */
gint64 ferry_world_between(gint64 low, gint64 high);

/* For shim.c: what a thread keeps for itself. */
gpointer ferry_fiber_local(GPrivate *key);
void ferry_fiber_set_local(GPrivate *key, gpointer value, gboolean release);

G_END_DECLS
