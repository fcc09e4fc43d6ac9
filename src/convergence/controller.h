// SPDX-License-Identifier: Apache-2.0
// Control of one running migration: samples and pass boundaries in, decisions with reasons out.
// Pure: no I/O, no clock (`now_us` is a monotonic time of the caller's), no randomness. One thread
// at a time per controller.
#pragma once
#include "base/json.h"
#include "convergence/estimate.h"
#include "model/migration/progress_words.h"

G_BEGIN_DECLS

/** A controller of a migration that starts at `now_us`. Its first decision is the first limit. */
FerryConvergence *ferry_convergence_new(const FerryConvergenceIntent *intent, gint64 now_us);
/** The migration began before its controller did: its duration, its completion timeout and a
 * schedule's times count from `start_us`. Before the first sample. */
void ferry_convergence_began(FerryConvergence *convergence, gint64 start_us);
/** ... and at best `best_remaining` bytes remained, at `best_us`. Before the first sample. */
void ferry_convergence_recall(FerryConvergence *convergence, gint64 best_remaining, gint64 best_us);
void ferry_convergence_free(FerryConvergence *c);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryConvergence, ferry_convergence_free)

/** Feeds a sample; every 50 to 250 ms. */
void ferry_convergence_sample(FerryConvergence *c, const FerryConvergenceSample *sample,
                              gint64 now_us);
/** After ferry_convergence_began(): what was done to the guest before, which a new decision has to
 * know of. `throttle_percent` is what was decided last. */
void ferry_convergence_recall_guest(FerryConvergence *convergence, gboolean suspended,
                                    int throttle_percent, gint64 now_us);
/** Pass `iteration` (2: the first pass is over) over memory began. Feed a fresh sample first. */
void ferry_convergence_iteration(FerryConvergence *c, int iteration, gint64 now_us);
/** The migration is in post-copy (whoever started it): nothing is decided from here on. */
void ferry_convergence_post_copy(FerryConvergence *c);
/** The caller could not carry out `action` (the hypervisor refused it): the controller goes on as
 * if it had not been decided, and does not decide it again. */
void ferry_convergence_refused(FerryConvergence *c, FerryAction action);

/** The next decision, TRUE while there is one; g_free out->reason. Call until FALSE after each
 * feed and at least once a second (timeouts). */
gboolean ferry_convergence_next(FerryConvergence *c, gint64 now_us, FerryConvergenceDecision *out);

/** To be asked before a limit of the bandwidth is raised to `bandwidth` bytes/s: the downtime limit
 * in ms that must be in force first, or 0. A limit that makes up for the old cap would allow a
 * longer pause at the new rate, and QEMU takes up a rate before the controller can see it. */
gint64 ferry_convergence_before_bandwidth(FerryConvergence *convergence, gint64 bandwidth,
                                          gint64 now_us);
/** What a person asked for while it runs: from now on the limit is `downtime_ms` and the bandwidth
 * `bandwidth` bytes/s (0: as before), both already set in the hypervisor. The controller does not
 * move that limit any more, reckons with both, and forgets an earlier verdict. */
void ferry_convergence_override(FerryConvergence *c, gint64 downtime_ms, gint64 bandwidth,
                                gint64 now_us);
/** TRUE: a person wants it to stay in pre-copy; FALSE: it may switch again where the intent does.
 */
void ferry_convergence_keep_precopy(FerryConvergence *c, gboolean keep);

/** How it gets on: what remained at best, and for how long there was no new best. */
typedef struct {
  gint64 best_remaining, stalled_ms;
  gint64 rate, dirty_rate; /* bytes/s; 0: unknown */
} FerryConvergenceStall;
/** How long there was no new best, and what the rates are. */
void ferry_convergence_stall(const FerryConvergence *c, gint64 now_us, FerryConvergenceStall *out);

/** When it ends, as far as that is known. */
typedef struct {
  FerryEtaKind kind;
  gint64 ms;        /* from now; of NEVER: none */
  gint64 needed_ms; /* of NEVER: the pause with which it would end; 0: unknown */
} FerryEta;
/** Of the controller's own plan; a schedule has none, only what it can't end before. */
void ferry_convergence_eta(const FerryConvergence *c, gint64 now_us, FerryEta *out);

/** The downtime limit decided last, in ms. */
gint64 ferry_convergence_downtime_ms(const FerryConvergence *c);
/** Each decision so far (the newest 200), oldest first: its estimate at that moment, with action,
 * value, code and reason. A new reference. */
json_t *ferry_convergence_history(const FerryConvergence *c);

G_END_DECLS
