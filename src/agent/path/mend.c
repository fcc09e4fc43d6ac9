// SPDX-License-Identifier: Apache-2.0
// Theory of operation: in post-copy each host holds a part of the VM's memory, so nothing can be
// undone and nothing is lost by waiting, as long as both parts are there. A connection over a link
// that comes back goes on by itself, which is best: it is broken only where it will not, and only
// where it can be resumed then. It is resumed once both QEMUs have noticed; a target's QEMU that
// only waits for memory never does by itself, so its host's agent closes its end.
#include "agent/path/mend.h"
#include "model/domain/domain_states.h"

static gboolean is_post_copy(const FerryDomainState *s) {
  return g_strcmp0(s->reason, FERRY_VM_REASON_POST_COPY) == 0;
}

static gboolean has_failed(const FerryDomainState *s) {
  return g_strcmp0(s->reason, FERRY_VM_REASON_POST_COPY_FAILED) == 0;
}

FerryMendHere ferry_mend_here(const FerryDomainState *s) {
  return !s || !s->active  ? FERRY_MEND_HERE_OVER
         : has_failed(s)   ? FERRY_MEND_HERE_BROKEN
         : is_post_copy(s) ? FERRY_MEND_HERE_SENDS
                           : FERRY_MEND_HERE_OVER;
}

FerryMendThere ferry_mend_there(const FerryDomainState *s) {
  if (!s)
    return FERRY_MEND_THERE_UNKNOWN;
  if (!s->active)
    return FERRY_MEND_THERE_GONE;
  if (has_failed(s))
    return FERRY_MEND_THERE_BROKEN;
  return s->state == FERRY_VM_PAUSED || is_post_copy(s) ? FERRY_MEND_THERE_WAITS
                                                        : FERRY_MEND_THERE_RUNS;
}

static FerryMendAnswer judge_unnoticed(const FerryMendSeen *s) {
  FerryMendAnswer wait = {FERRY_MEND_WAIT, FERRY_RECOVERY_STALLED};
  FerryMendAnswer give_up = {FERRY_MEND_BREAK, FERRY_RECOVERY_STALLED};
  switch (s->there) {
  case FERRY_MEND_THERE_GONE: /* nobody to wait for */
    return give_up;
  case FERRY_MEND_THERE_BROKEN:
    return s->allowed && !s->stopped ? give_up : wait;
  case FERRY_MEND_THERE_WAITS:
    return s->allowed && !s->stopped && s->path_up && s->path_up_ms >= FERRY_RECOVERY_PATIENCE_MS
               ? give_up
               : wait;
  default:
    return wait;
  }
}

static FerryMendAnswer judge_broken(const FerryMendSeen *s) {
  FerryMendAnswer stop = {FERRY_MEND_STOP, FERRY_RECOVERY_GIVEN_UP};
  if (s->stopped || s->there == FERRY_MEND_THERE_GONE || s->there == FERRY_MEND_THERE_RUNS)
    return stop;
  if (s->there == FERRY_MEND_THERE_UNKNOWN)
    return s->silent_ms >= FERRY_RECOVERY_SILENT_MS
               ? stop
               : (FerryMendAnswer){FERRY_MEND_WAIT, FERRY_RECOVERY_SILENT};
  if (!s->allowed)
    return stop;
  if (s->there == FERRY_MEND_THERE_WAITS)
    return (FerryMendAnswer){s->next_close_ms > 0 ? FERRY_MEND_WAIT : FERRY_MEND_CLOSE,
                             FERRY_RECOVERY_UNNOTICED};
  if (!s->path_up)
    return (FerryMendAnswer){FERRY_MEND_WAIT, FERRY_RECOVERY_PATH_DOWN};
  if (s->next_try_ms > 0)
    return (FerryMendAnswer){FERRY_MEND_WAIT, FERRY_RECOVERY_WAITING};
  return (FerryMendAnswer){FERRY_MEND_RESUME, FERRY_RECOVERY_RESUMING};
}

FerryMendAnswer ferry_mend_judge(const FerryMendSeen *s) {
  switch (s->here) {
  case FERRY_MEND_HERE_SENDS:
    return judge_unnoticed(s);
  case FERRY_MEND_HERE_BROKEN:
    return judge_broken(s);
  default:
    return (FerryMendAnswer){FERRY_MEND_NONE, FERRY_RECOVERY_NONE};
  }
}

gint64 ferry_mend_pause_ms(gint64 tries) {
  return tries <= 0 ? 0 : MIN(30000, 1000 * ((gint64)1 << MIN(tries, 5)));
}
