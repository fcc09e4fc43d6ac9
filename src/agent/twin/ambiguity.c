// SPDX-License-Identifier: Apache-2.0
#include "agent/twin/ambiguity.h"

gboolean ferry_ambiguity_arises(const GError *error, gint64 switchover_us, gboolean post_copy) {
  return error && switchover_us > 0 && !post_copy &&
         (error->code == FERRY_HOST_ERROR_NO_CONNECTION ||
          (error->code >= FERRY_HOST_ERROR_PEER_NAME && error->code <= FERRY_HOST_ERROR_PEER_LOST));
}

static gboolean ambiguity_runs(const FerryDomainState *peer) {
  return peer->active && peer->state != FERRY_VM_PAUSED;
}

/* Since when something holds, without a break; 0: it does not. */
static gint64 ambiguity_since(gint64 before, gboolean holds, gint64 now_us) {
  if (!holds)
    return 0;
  return before ? before : now_us;
}

FerryAmbiguityAnswer ferry_ambiguity_hear(FerryAmbiguity *a, const FerryDomainState *peer,
                                          gint64 now_us) {
  a->asked = a->asked || peer;
  a->runs_us = ambiguity_since(a->runs_us, peer && ambiguity_runs(peer), now_us);
  a->absent_us = ambiguity_since(a->absent_us, peer && !peer->active, now_us);
  if (a->runs_us && a->ran_ms >= 0 &&
      now_us - a->runs_us >= (a->ran_ms + FERRY_AMBIGUITY_CERTAIN_MS) * 1000)
    return FERRY_AMBIGUITY_MOVED;
  if (a->absent_us && now_us - a->absent_us >= FERRY_AMBIGUITY_ABSENT_MS * 1000)
    return FERRY_AMBIGUITY_STAYED;
  return FERRY_AMBIGUITY_OPEN;
}

gboolean ferry_ambiguity_went_on(const json_t *migration, FerrySide side) {
  const char *outcome = ferry_json_str(migration, "status.migrationState.outcome");
  return ferry_doubt_of(migration, ferry_side_other(side)) == FERRY_DOUBT_GOES_ON ||
         g_strcmp0(outcome, "both") == 0 ||
         (side == FERRY_SIDE_TARGET && g_strcmp0(outcome, "stayed") == 0);
}

/* A person's word: the other copy goes first, where it can be seen to run. */
static FerryAmbiguityAnswer by_person(const char *kept, const char *own,
                                      const FerryDomainState *peer) {
  if (g_strcmp0(kept, own) != 0) /* the only copy that there is is destroyed by no word */
    return peer && !peer->active ? FERRY_AMBIGUITY_OPEN : FERRY_AMBIGUITY_MOVED;
  return peer && ambiguity_runs(peer) ? FERRY_AMBIGUITY_OPEN : FERRY_AMBIGUITY_STAYED;
}

/* The source's agent has handed in that it moved, and that no copy is left there. */
static gboolean source_gave_it_up(const json_t *migration) {
  const json_t *result = ferry_json_get(migration, "status.migrationState.agentResult");
  FerryVmState state = ferry_vm_state_of(result, "sourceState");
  const char *error = ferry_json_str(result, "error");
  return ferry_json_bool(result, "returned", FALSE) && !(error && *error) &&
         ferry_json_int(result, "attempt", 0) ==
             ferry_json_int(migration, "status.migrationState.attempt", 0) &&
         (state == FERRY_VM_NOSTATE || state == FERRY_VM_GONE || state == FERRY_VM_SHUTOFF);
}

FerryAmbiguityAnswer ferry_ambiguity_read(const json_t *migration, FerrySide side, gint64 ran_ms,
                                          const FerryDomainState *peer) {
  const char *kept = ferry_doubt_kept(migration);
  FerrySide other = ferry_side_other(side);
  if (kept)
    return by_person(kept, ferry_side_node(migration, side), peer);
  if (ferry_doubt_of(migration, other) == FERRY_DOUBT_GONE ||
      (side == FERRY_SIDE_TARGET && source_gave_it_up(migration)))
    return FERRY_AMBIGUITY_STAYED;
  gint64 longer = ferry_doubt_ran_ms(migration, other) - FERRY_AMBIGUITY_CERTAIN_MS;
  if (ferry_doubt_of(migration, other) == FERRY_DOUBT_SUSPENDED && ran_ms >= 0 && longer >= ran_ms)
    return FERRY_AMBIGUITY_MOVED;
  FerryOnAmbiguity rule = ferry_on_ambiguity(migration);
  if (side == FERRY_SIDE_TARGET && rule != FERRY_ON_AMBIGUITY_SOURCE &&
      ferry_doubt_source_is_held(migration) && !(peer && ambiguity_runs(peer)))
    return FERRY_AMBIGUITY_STAYED;
  gboolean named =
      rule == (side == FERRY_SIDE_SOURCE ? FERRY_ON_AMBIGUITY_SOURCE : FERRY_ON_AMBIGUITY_TARGET);
  return named && !(peer && ambiguity_runs(peer)) ? FERRY_AMBIGUITY_STAYED : FERRY_AMBIGUITY_OPEN;
}

char *ferry_ambiguity_locked_text(const GError *error, const char *other) {
  if (!g_error_matches(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_LOCKED))
    return NULL;
  return g_strdup_printf(
      "the locks of the VM's disks do not let it go on here, as another process holds them, most "
      "likely its copy on %s (%s): the copy here stays suspended, and is tried again. Look where "
      "the VM runs, and there for a QEMU that libvirt has forgotten (pgrep -af guest=); ferry "
      "resolve VM --keep HOST ends the doubt",
      other ? other : "the migration's other one", error->message);
}
