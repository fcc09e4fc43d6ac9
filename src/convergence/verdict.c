// SPDX-License-Identifier: Apache-2.0
// Saying that the intent cannot be kept, with what would be needed, and taking it back.
//
// Theory of operation: two passes are enough to say it of most guests, and waiting for certainty
// would cost what an early verdict is for. So the first verdict may be provisional: from two passes
// that a kind guest and an unkind one would have left alike, or from less. It changes nothing in
// what the controller does. Later passes confirm it (said again, with better numbers; from then on
// the patience runs) or a plan within the intent appears and it is withdrawn, which is said, too.
#include "convergence/verdict.h"
#include "convergence/decide.h"
#include "convergence/options.h"
#include "convergence/state.h"
#include "model/migration/reasons.h"
#include <math.h>

#define BEYOND 4 /* passes that all leave the whole set: the guest is so much faster, or more */
/* Of steady guests of which it was said after two passes, so many of 100 could not be moved within
 * their intent: counted on simulated cells, and tests/convergence/test-verdict.c counts them again
 * on others. */
#define DOUBT_SKEWED 14
#define DOUBT_CYCLIC 58
#define DOUBT_SHRINKING 10
#define MOST_WITHDRAWN 3 /* a guest that wavers at the border is not worth more words */

static char *guest_text(const FerryWriter *w, const FerryPath *path, double v) {
  if (!w)
    return g_strdup_printf("%.1f MiB are left after each pass, to be sent at %.1f MiB/s",
                           ferry_mib(v), ferry_mib(path->rate));
  return g_strdup_printf(
      "the guest writes %s%.0f MiB/s over %.0f MiB and %.1f MiB are to be sent at %.1f MiB/s",
      w->write_rate > BEYOND * path->rate ? "more than " : "",
      ferry_mib(MIN(w->write_rate, BEYOND * path->rate)), ferry_mib(w->working_set), ferry_mib(v),
      ferry_mib(path->rate));
}

/* What a slow-down would have to be; one that is allowed and cannot be set lacks a way to do it. */
static char *slower_text(const FerryConvergence *c, double share) {
  int percent = (int)ceil(MAX(5, 100 * share));
  if (percent > c->intent.max_slowdown_percent)
    return g_strdup_printf(", or a slow-down of %d %%", percent);
  if (c->intent.can_throttle && !c->no_throttle)
    return g_strdup("");
  return g_strdup_printf(", or a way to slow it down by %d %%, which is allowed: "
                         "allowMonitorCommands, or dirtyRateSeconds for auto-converge",
                         percent);
}

static void verdict_say(FerryConvergence *c, gint64 now_us, const FerryPath *path, double v,
                        const FerryWriter *writer, FerryReason code, const char *as_seen) {
  double now = ferry_intent_elapsed(c, now_us), room = ferry_intent_room(c);
  double end = (double)c->intent.max_duration_ms / 1000;
  double limit =
      writer ? ferry_options_needed_limit(c, path, v, now, writer) : v / path->switch_rate;
  gint64 need_ms = (gint64)ceil(MIN(FERRY_LONGEST_S, MAX(limit, room) + path->eps) * 1000);
  c->is.needed_ms = need_ms;
  g_autofree char *guest = guest_text(writer, path, v);
  if (end > 0 && now + v / path->rate > end) {
    ferry_decide(c, now_us, FERRY_ACTION_NOTE, need_ms, code,
                 "%s%s: that alone takes %.1f s and ends after the %.1f s allowed; allow more time "
                 "or more bandwidth",
                 as_seen, guest, v / path->rate, end);
    return;
  }
  double rate = v / room, slow = 0; /* without a model: what would carry all of it in the pause */
  if (writer) {
    rate = ferry_model_min_rate(writer, room);
    slow = ferry_model_min_throttle(writer, path, room);
  }
  g_autofree char *slower = writer ? slower_text(c, slow) : g_strdup("");
  ferry_decide(c, now_us, FERRY_ACTION_NOTE, need_ms, code,
               "%s%s: a pause of about %" G_GINT64_FORMAT " ms would be needed, %" G_GINT64_FORMAT
               " ms are allowed%s; allow the longer pause, or %.0f MiB/s of bandwidth%s%s",
               as_seen, guest, need_ms, c->intent.max_downtime_ms,
               end > 0 ? " within the duration" : "", ferry_mib(rate) * FERRY_MARGIN, slower,
               c->intent.allow_post_copy ? "" : ", or post-copy");
}

void ferry_verdict_infeasible(FerryConvergence *c, gint64 now_us, const FerryPath *path, double v,
                              gboolean provisional) {
  FerryIntentState *s = &c->is;
  if ((s->noted && !s->doubtful && (provisional || !s->provisional)) ||
      s->withdrawn >= MOST_WITHDRAWN)
    return;
  s->noted = TRUE;
  s->provisional = provisional;
  s->doubtful = FALSE;
  verdict_say(c, now_us, path, v, c->t.fitted ? &c->t.writer : NULL, FERRY_REASON_INFEASIBLE,
              provisional ? "as far as it was seen: " : "");
}

void ferry_verdict_doubtful(FerryConvergence *c, gint64 now_us, const FerryPath *path, double v,
                            const FerryWriter *writer) {
  FerryIntentState *s = &c->is;
  if (s->noted || s->withdrawn >= MOST_WITHDRAWN)
    return;
  s->noted = s->provisional = s->doubtful = TRUE;
  const char *unless = "if its writes are as skewed as those of most";
  int percent = DOUBT_SKEWED;
  if (!writer) {
    unless = "unless it writes page after page";
    percent = DOUBT_CYCLIC;
  } else if (writer == &c->t.writer) {
    unless = "though less is left after each pass";
    percent = DOUBT_SHRINKING;
  }
  g_autofree char *as_seen = g_strdup_printf(
      "with a probability of about %d %%, as long as it writes as now, %s: ", percent, unless);
  verdict_say(c, now_us, path, v, writer ? writer : &c->t.writer, FERRY_REASON_DOUBTFUL, as_seen);
}

void ferry_verdict_feasible(FerryConvergence *c, gint64 now_us, const FerryOption *o) {
  FerryIntentState *s = &c->is;
  if (!s->noted)
    return;
  s->noted = s->provisional = s->doubtful = FALSE;
  s->withdrawn++;
  ferry_decide(c, now_us, FERRY_ACTION_NOTE, (gint64)ceil(o->pause * 1000), FERRY_REASON_FEASIBLE,
               "what was said of it is withdrawn: it can end in about %.1f s with a pause of about "
               "%.0f ms, %" G_GINT64_FORMAT " ms are allowed",
               o->seconds, o->pause * 1000, c->intent.max_downtime_ms);
}
