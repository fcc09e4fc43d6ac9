// SPDX-License-Identifier: Apache-2.0
// What each way to end costs, and the choice. Pure.
#pragma once
#include "convergence/state.h"

G_BEGIN_DECLS

#define FERRY_BROKEN_PROMISES 2 /* after so many only what was seen is believed */
#define FERRY_MARGIN 1.1
#define FERRY_CANDIDATES 18 /* limits that are priced */
#define FERRY_START_LEAST_MS 5
#define FERRY_TAKE_UP_S 0.2 /* from a pass's end to a new limit in force: event, call, window */

/** The path that this controller reckons with; rate 0: not known yet. */
FerryPath ferry_intent_path(const FerryConvergence *c);

typedef struct {
  FerryOption all[2 * FERRY_CANDIDATES + 24];
  guint n;
} FerryOptions;

/** The largest limit in seconds of pause without eps. */
double ferry_intent_room(const FerryConvergence *c);
/** The first limit, in seconds. Below it nothing is gained: what is left then costs less than the
 * switch-over. */
double ferry_intent_low(const FerryConvergence *c);
/** Seconds since the start. */
double ferry_intent_elapsed(const FerryConvergence *c, gint64 now_us);
/** Below this QEMU switches over, in bytes on the wire. */
double ferry_intent_threshold(const FerryConvergence *c);
/** The strongest throttle (0..1) that is permitted and can be carried out. */
double ferry_intent_throttle_bound(const FerryConvergence *c);
/** The price of `limit` seconds with `v` bytes to send. */
FerryOption ferry_options_price(const FerryConvergence *c, const FerryPath *path, double v,
                                double limit, double throttle);
/** The price of post-copy now, with `v` bytes to send. */
FerryOption ferry_options_postcopy(const FerryConvergence *c, const FerryPath *path, double v);
/** Whether the stalls of that post-copy surely keep the maximum. */
gboolean ferry_options_postcopy_keeps(const FerryConvergence *c, const FerryOption *o);
/** What the guest pays, more for what it loses in one piece, and the time at the price that the
 * intent prefers. Seconds of work. */
double ferry_option_cost(const FerryConvergence *c, const FerryOption *o);
/** The share of the earliest end's time that may be spent beyond it on a cheaper end. */
double ferry_intent_slack(const FerryConvergence *c);
/** Fills `options` (empty before); the first is what is set now. */
void ferry_options_gather(const FerryConvergence *c, const FerryPath *path, double v, double now,
                          FerryOptions *options);
/** By when it is to end, in seconds from the start: the earliest end that was in sight, and the
 * slack; INFINITY: none was yet. */
double ferry_intent_bound(const FerryConvergence *c);
/** Whether a better moment than `o` may be waited for: what that costs, if none comes, is a small
 * part of what `o` does, and there is time for another pass of `v` bytes. */
gboolean ferry_options_worth_waiting(const FerryConvergence *c, const FerryPath *path,
                                     const FerryOption *o, double v, double now);
/** Two passes fit every pattern: whether a guest that wrote the same in turn, page after page,
 * could end for much less than `o` (NULL: nothing is within the intent). */
gboolean ferry_options_hopeful(const FerryConvergence *c, const FerryPath *path, double v,
                               double now, const FerryOption *o);
/** Seconds to the earliest end within the intent, a throttled one only where there is no other;
 * INFINITY: none. */
double ferry_options_earliest(const FerryConvergence *c, const FerryOptions *options, double now);
/** The cheapest within the intent that ends late by ferry_intent_slack() at most; NULL: none is
 * within. */
const FerryOption *ferry_options_choose(const FerryConvergence *c, const FerryOptions *options,
                                        double now);
/** Two passes fit every pattern: whether nothing would be within the intent if the guest wrote the
 * same with 80/20 skew; that guest is then in `skewed`. */
gboolean ferry_options_doubtful(const FerryConvergence *c, const FerryPath *path, double v,
                                double now, FerryWriter *skewed);
/** The limit for the first pass, `pass` seconds old, by what was measured beforehand; 0: low. */
double ferry_options_first_pass(const FerryConvergence *c, const FerryPath *path, double pass,
                                double now);
/** The smallest limit, beyond what is allowed, that would end it in time for such a guest. */
double ferry_options_needed_limit(const FerryConvergence *c, const FerryPath *path, double v,
                                  double now, const FerryWriter *writer);

G_END_DECLS
