// SPDX-License-Identifier: Apache-2.0
#include "agent/migration/state/judge.h"
#include "model/domain/domain_states.h"
#include "model/migration/reasons.h"
#include "model/migration/phase.h"

#define ABORT_RETRY_US (200 * 1000)

void ferry_outcome_clear(FerryOutcome *outcome) {
  g_clear_pointer(&outcome->message, g_free);
}

static gboolean has_job(const FerryJobStats *stats) {
  return stats && stats->active && stats->migration_out;
}

gboolean ferry_judge_needs_state(const FerryLookInput *seen, gboolean may_be_post_copy) {
  if (has_job(seen->stats)) /* one that is not ours to end, or that may have changed over */
    return !seen->calling || may_be_post_copy;
  return !seen->stats &&
         !g_error_matches(seen->error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_CONNECTION) &&
         !g_error_matches(seen->error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_DOMAIN);
}

FerryLook ferry_judge_look(const FerryLookInput *seen) {
  if (has_job(seen->stats)) {
    /* a post-copy job that broke stays active for ever, with nobody to end it */
    gboolean broken = !seen->calling && seen->state &&
                      g_str_equal(seen->state->reason, FERRY_VM_REASON_POST_COPY_FAILED);
    return broken ? FERRY_LOOK_OVER : FERRY_LOOK_RUNNING;
  }
  if (seen->stats || g_error_matches(seen->error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_DOMAIN))
    return FERRY_LOOK_OVER;
  if (g_error_matches(seen->error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_CONNECTION))
    return FERRY_LOOK_LOST;
  return seen->state && !seen->state->active ? FERRY_LOOK_OVER : FERRY_LOOK_UNKNOWN;
}

gboolean ferry_judge_is_post_copy(const FerryDomainState *state) {
  return state->state == FERRY_VM_PAUSED && ferry_vm_reason_is_post_copy(state->reason);
}

FerryGivingUpPlan ferry_judge_giving_up(FerryGivingUp *s, gboolean cancel, gboolean gave_up,
                                        gboolean post_copy, gint64 now_us) {
  FerryGivingUpPlan plan = {FALSE, NULL};
  if ((!cancel && !gave_up) || now_us - s->tried_us < ABORT_RETRY_US)
    return plan;
  s->tried_us = now_us;
  plan.abort = !post_copy;
  if (cancel && !s->told)
    plan.status = ferry_abort_name(post_copy ? FERRY_ABORT_FAILED : FERRY_ABORT_ABORTING);
  s->told = s->told || cancel || post_copy;
  return plan;
}

static const char *judge_reason_of(const FerryJobEnd *end) {
  return end->cancelled    ? ferry_reason_name(FERRY_REASON_CANCELLED)
         : end->abort_code ? end->abort_code
                           : ferry_reason_name(FERRY_REASON_MIGRATION_FAILED);
}

/* Which connection to the target broke (host.h), as a reason and in words. */
static const struct {
  int code;
  FerryReason reason;
  const char *what, *advice;
} peer_errors[] = {
    {FERRY_HOST_ERROR_PEER_NAME, FERRY_REASON_TARGET_NAME_UNKNOWN,
     "this host's libvirtd cannot resolve the name of %s's",
     "add it to DNS or /etc/hosts here, or give that host's agent --peer-uri with an address"},
    {FERRY_HOST_ERROR_PEER_UNREACHABLE, FERRY_REASON_TARGET_LIBVIRT_UNREACHABLE,
     "this host's libvirtd cannot connect to that of %s",
     "look at libvirtd there, and at firewalls between both hosts"},
    {FERRY_HOST_ERROR_PEER_LOGIN, FERRY_REASON_TARGET_LOGIN_REFUSED,
     "the libvirtds of this host and of %s do not trust each other",
     "try here, as root, virsh -c with that host's peer URI, and correct certificates or keys; "
     "where this agent itself may log in to both, --no-p2p (peerToPeer: false in a policy) needs "
     "no trust between them"},
    {FERRY_HOST_ERROR_PEER_LOST, FERRY_REASON_TARGET_LIBVIRT_LOST,
     "the connection to the libvirtd of %s broke in the middle of the migration",
     "look at libvirtd there and at the network to it, then migrate again"},
    {FERRY_HOST_ERROR_PEER_PORT, FERRY_REASON_TARGET_PORT_CLOSED,
     "the port of %s at which its QEMU waits for the VM is closed to this host",
     "open ports 49152 to 49215 there (migration_port_min and _max of its qemu.conf)"},
};

static gboolean blame_peer(const FerryJobEnd *end, FerryOutcome *o) {
  for (gsize i = 0; i < G_N_ELEMENTS(peer_errors); i++)
    if (peer_errors[i].code == end->error->code) {
      const char *target = end->target ? end->target : "the target";
      char **around = g_strsplit(peer_errors[i].what, "%s", 2);
      o->reason = ferry_reason_name(peer_errors[i].reason);
      o->message = g_strdup_printf("%s%s%s (%s); %s", around[0], target, around[1],
                                   end->error->message, peer_errors[i].advice);
      g_strfreev(around);
      return TRUE;
    }
  return FALSE;
}

/* The call has failed: what it says, unless somebody had given the migration up before. */
static void judge_error(const FerryJobEnd *end, FerryOutcome *o) {
  o->code = end->error->code;
  if (end->error->code == FERRY_HOST_ERROR_NO_CONNECTION) {
    o->reason = ferry_reason_name(FERRY_REASON_HYPERVISOR_LOST);
    o->message = g_strdup_printf("libvirtd of this host went away in the middle of the migration, "
                                 "which ended it (%s); start it again once libvirtd is well",
                                 end->error->message);
    return;
  }
  gboolean gave_up = end->abort_code && !end->cancelled;
  if (!gave_up && !end->cancelled && blame_peer(end, o))
    return;
  o->reason = judge_reason_of(end);
  o->message = g_strdup(gave_up ? end->abort_reason : end->error->message);
  if (!gave_up)
    o->hint = ferry_host_error_hint(end->error);
}

/* An error that says nothing of the migration's own end, only that nobody heard of it. */
static gboolean is_of_a_connection(const GError *error) {
  return error->code == FERRY_HOST_ERROR_NO_CONNECTION || error->code == FERRY_HOST_ERROR_PEER_LOST;
}

void ferry_judge_end(const FerryJobEnd *end, FerryOutcome *o) {
  gboolean stayed = end->state.active;
  o->state = end->state;
  if (end->error && (stayed || !is_of_a_connection(end->error))) {
    judge_error(end, o);
  } else if (stayed && !end->calling) {
    o->code = FERRY_HOST_ERROR_ABORTED;
    o->reason = judge_reason_of(end);
    o->message = g_strdup(end->abort_reason ? end->abort_reason
                                            : "the migration ended without moving the VM while "
                                              "nobody was there to see why (the agent or libvirtd "
                                              "had been restarted); start it again");
  }
}

gboolean ferry_judge_lost_call(gboolean returned, const GError *error) {
  return returned && g_error_matches(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_CONNECTION);
}

gboolean ferry_judge_goes_on(const FerryDomainState *state, const FerryJobStats *stats) {
  return state->active && (!stats || has_job(stats));
}

gboolean ferry_judge_left_paused(const FerryDomainState *state, gboolean was_paused,
                                 gboolean suspended) {
  gboolean by_us = suspended && g_str_equal(state->reason, FERRY_VM_REASON_USER);
  gboolean by_migration = g_str_equal(state->reason, FERRY_VM_REASON_MIGRATION);
  return !was_paused && state->state == FERRY_VM_PAUSED && (by_us || by_migration);
}
