// SPDX-License-Identifier: Apache-2.0
#include "agent/twin/ambiguity.h"

gboolean ferry_ambiguity_arises(const GError *error, gint64 switchover_us, gboolean post_copy) {
  return error && switchover_us > 0 && !post_copy &&
         (error->code == FERRY_HOST_ERROR_NO_CONNECTION ||
          (error->code >= FERRY_HOST_ERROR_PEER_NAME && error->code <= FERRY_HOST_ERROR_PEER_LOST));
}

static gboolean ambiguity_runs(const FerryDomainState *peer) {
  return peer->active && g_strcmp0(peer->state, "paused") != 0;
}

/* Since when something holds, without a break; 0: it does not. */
static gint64 since(gint64 before, gboolean holds, gint64 now_us) {
  if (!holds)
    return 0;
  return before ? before : now_us;
}

FerryAmbiguityAnswer ferry_ambiguity_hear(FerryAmbiguity *a, const FerryDomainState *peer,
                                          gint64 now_us) {
  a->asked = a->asked || peer;
  a->runs_us = since(a->runs_us, peer && ambiguity_runs(peer), now_us);
  a->absent_us = since(a->absent_us, peer && !peer->active, now_us);
  if (a->runs_us && now_us - a->runs_us >= FERRY_AMBIGUITY_CERTAIN_MS * 1000)
    return FERRY_AMBIGUITY_MOVED;
  if (a->absent_us && now_us - a->absent_us >= FERRY_AMBIGUITY_ABSENT_MS * 1000)
    return FERRY_AMBIGUITY_STAYED;
  return FERRY_AMBIGUITY_OPEN;
}
