// SPDX-License-Identifier: Apache-2.0
// How much one user, or one address where nobody is known, may ask for: requests at once, and a
// token bucket. Pure: time is passed in; not thread-safe.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

typedef struct FerryAllowances FerryAllowances;

typedef struct {
  double rate, burst; /* tokens a second, and at most */
  guint in_flight;
} FerryAllowance;

typedef enum { FERRY_ALLOWED, FERRY_ALLOWED_NO_RATE, FERRY_ALLOWED_NO_FLIGHT } FerryAllowed;

/** Nobody is known yet. Not locked: its owner does that. */
FerryAllowances *ferry_allowances_new(void);
void ferry_allowances_free(FerryAllowances *all);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryAllowances, ferry_allowances_free)
/** Takes `cost` tokens of `who` and begins a request, to be ended with ferry_allowances_end. A cost
 * above the burst is taken as the burst. Where it is not allowed nothing is taken, and *retry_s are
 * the seconds after which it would be. */
FerryAllowed ferry_allowances_begin(FerryAllowances *all, const char *who,
                                    const FerryAllowance *allowance, double cost, gint64 now_us,
                                    guint *retry_s);
void ferry_allowances_end(FerryAllowances *all, const char *who);
/** How many are remembered. */
guint ferry_allowances_size(const FerryAllowances *all);

G_END_DECLS
