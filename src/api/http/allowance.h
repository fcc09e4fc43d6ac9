// SPDX-License-Identifier: Apache-2.0
// How much one user, or one address where nobody is known, may ask for: requests at once, a token
// bucket, and bytes of answers that he has not read. Pure: time is passed in; not thread-safe.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

typedef struct FerryAllowances FerryAllowances;

typedef struct {
  double rate, burst; /* tokens a second, and at most */
  guint in_flight;
} FerryAllowance;

typedef enum { FERRY_ALLOWED, FERRY_ALLOWED_NO_RATE, FERRY_ALLOWED_NO_FLIGHT } FerryAllowed;

/** `unread`: bytes of answers that all may have unread; beyond it whoever has any gets no more. Not
 * locked: its owner does that. */
FerryAllowances *ferry_allowances_new(gsize unread);
void ferry_allowances_free(FerryAllowances *all);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryAllowances, ferry_allowances_free)
/** Takes `cost` tokens of `who` and begins a request, to be ended with ferry_allowances_end. A cost
 * above the burst is taken as the burst. Where it is not allowed nothing is taken, and *retry_s are
 * the seconds after which it would be. */
FerryAllowed ferry_allowances_begin(FerryAllowances *all, const char *who,
                                    const FerryAllowance *allowance, double cost, gint64 now_us,
                                    guint *retry_s);
/** Ends a request of which `unread` bytes were held for its client. */
void ferry_allowances_end(FerryAllowances *all, const char *who, gsize unread);
/** Whether another answer may be made for `who`, who may have `most` bytes unread. */
gboolean ferry_allowances_may_answer(const FerryAllowances *all, const char *who, gsize most);
/** Counts an answer of a request that has begun, until it ends. */
void ferry_allowances_hold(FerryAllowances *all, const char *who, gsize bytes);
/** Bytes that all have unread. */
gsize ferry_allowances_unread(const FerryAllowances *all);
/** How many are remembered. */
guint ferry_allowances_size(const FerryAllowances *all);

G_END_DECLS
