// SPDX-License-Identifier: Apache-2.0
#include "agent/progress/stall_judge.h"
#include "base/quantity.h"

#define ASK_US (1000 * 1000)

void ferry_stall_set_limit(FerryStalling *s, gint64 limit_s) {
  s->limit_s = limit_s;
}

void ferry_stall_set_told(FerryStalling *s, gboolean told) {
  s->told = told;
}

void ferry_stall_set_deaf(FerryStalling *s, gboolean deaf) {
  s->deaf = deaf;
}

gboolean ferry_stall_judge(const FerryStalling *s, const FerryConvergenceStall *seen,
                           gboolean post_copy) {
  return s->limit_s > 0 && seen->stalled_ms > s->limit_s * 1000 && !post_copy;
}

gboolean ferry_stall_is_news(const FerryStalling *s, gboolean stalls) {
  return stalls != s->told && (stalls || !s->deaf);
}

char *ferry_stall_text(const FerryConvergenceStall *s, gboolean stalls, gboolean post_copy) {
  if (stalls)
    return g_strdup_printf("no progress for %" G_GINT64_FORMAT
                           " s: at best %.1f MiB remained; %.1f MiB/s are sent, the guest "
                           "changes %.1f MiB/s",
                           s->stalled_ms / 1000, (double)s->best_remaining / FERRY_MIB,
                           (double)s->rate / FERRY_MIB, (double)s->dirty_rate / FERRY_MIB);
  if (post_copy)
    return g_strdup("it is in post-copy");
  return g_strdup_printf("it moves again: %.1f MiB remain at best; %.1f MiB/s are sent, the "
                         "guest changes %.1f MiB/s",
                         (double)s->best_remaining / FERRY_MIB, (double)s->rate / FERRY_MIB,
                         (double)s->dirty_rate / FERRY_MIB);
}

gboolean ferry_silence_tells(FerrySilence *s, gboolean silent, gint64 now_us) {
  if (!silent) {
    *s = (FerrySilence){0};
    return FALSE;
  }
  if (!s->since_us)
    s->since_us = now_us;
  if (s->told || now_us - s->since_us < FERRY_SILENCE_MS * 1000)
    return FALSE;
  s->told = TRUE;
  return TRUE;
}

void ferry_broken_reset(FerryBrokenLink *b) {
  *b = (FerryBrokenLink){0};
}

gboolean ferry_broken_is_due(FerryBrokenLink *b, gint64 processed, gint64 now_us) {
  if (b->moved_us == 0 || processed != b->moved) {
    b->moved = processed;
    b->moved_us = now_us;
    b->told = FERRY_BROKEN_UNTOLD;
  }
  if (now_us - b->moved_us < FERRY_BROKEN_S * G_USEC_PER_SEC || now_us - b->asked_us < ASK_US)
    return FALSE;
  b->asked_us = now_us;
  return TRUE;
}

gboolean ferry_broken_tells(FerryBrokenLink *b, gboolean here) {
  if (b->told == FERRY_BROKEN_HERE || (!here && b->told))
    return FALSE;
  b->told = here ? FERRY_BROKEN_HERE : FERRY_BROKEN_IDLE;
  return TRUE;
}
