// SPDX-License-Identifier: Apache-2.0
// Control of one running migration: samples and pass boundaries in, decisions with reasons out.
// Pure: no I/O, no clock (`now_us` is a monotonic time of the caller's), no randomness.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** What is wanted of this migration, from its resolved configuration. */
typedef struct {
  gint64 max_downtime_ms;       /* the pause may not exceed this; at least 1 */
  gint64 switchover_cost_ms;    /* eps: what a switch-over costs with nothing to send; 0: 30 */
  gint64 completion_timeout_ms; /* of the whole migration; 0: none */
  gint64 progress_timeout_ms;   /* without a new best `remaining`; 0: none */
  gint64 link_timeout_ms;       /* without one byte sent; 0: none */
  gboolean allow_post_copy;
  gboolean allow_workload_disruption;
} FerryConvergenceIntent;

/** One look at the job. Bytes; all of them whole numbers >= 0. */
typedef struct {
  gint64 processed; /* sent so far, never falls */
  gint64 remaining; /* of memory (and disks) at this moment */
  gint64 total;
  gint64 rate;       /* bytes/s as the hypervisor says; 0: unknown */
  gint64 dirty_rate; /* bytes/s as the hypervisor says; 0: unknown */
} FerryConvergenceSample;

typedef enum {
  FERRY_CONVERGENCE_SET_DOWNTIME, /* value: ms */
  FERRY_CONVERGENCE_START_POSTCOPY,
  FERRY_CONVERGENCE_SUSPEND, /* pause the guest on the source so that it converges */
  FERRY_CONVERGENCE_ABORT,
  FERRY_CONVERGENCE_NOTE, /* nothing to do, but to tell: it does not converge, with the numbers */
} FerryConvergenceAction;

typedef struct {
  FerryConvergenceAction action;
  gint64 value;
  const char *code; /* CamelCase, static: "NotConverging", "ProgressTimeout" */
  char *reason;     /* words with numbers; owned by whoever took the decision */
} FerryConvergenceDecision;

typedef struct _FerryConvergence FerryConvergence;

/** A controller of a migration that starts at `now_us`. Its first decision is the first limit. */
FerryConvergence *ferry_convergence_new(const FerryConvergenceIntent *intent, gint64 now_us);
void ferry_convergence_free(FerryConvergence *c);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryConvergence, ferry_convergence_free)

/** Feeds a sample; every 50 to 250 ms. */
void ferry_convergence_sample(FerryConvergence *c, const FerryConvergenceSample *sample,
                              gint64 now_us);
/** Pass `iteration` (2: the first pass is over) over memory began. Feed a fresh sample first. */
void ferry_convergence_iteration(FerryConvergence *c, int iteration, gint64 now_us);
/** The migration is in post-copy (whoever started it): nothing is decided from here on. */
void ferry_convergence_post_copy(FerryConvergence *c);

/** The next decision, TRUE while there is one; g_free out->reason. Call until FALSE after each
 * feed and at least once a second (timeouts). */
gboolean ferry_convergence_next(FerryConvergence *c, gint64 now_us, FerryConvergenceDecision *out);

/** The downtime limit decided last, in ms. */
gint64 ferry_convergence_downtime_ms(const FerryConvergence *c);
/** "SetDowntime", "StartPostCopy", "Suspend", "Abort", "Note". */
const char *ferry_convergence_action_name(FerryConvergenceAction action);

G_END_DECLS
