// SPDX-License-Identifier: Apache-2.0
// A report can't take over a VM.
//
// Theory of operation: the first host that reports a VM has it (status.nodeName). Another host that
// reports the same UUID gets it only by the word of the one that has it: its own fresh report says
// that the VM is stopped, gone (then it has no record any more) or handed over in post-copy; or its
// Node was deleted; or ferryd itself moves the VM from the one to the other. A move by plain virsh
// looks like the first of these. In every other case that makes two active domains of one VM the
// owner stays the owner, and the claim is shown. A host that can't speak is unknown: its last word
// that the VM was stopped may be old, so a claim against it is a conflict, too, until a person
// deletes the Node.
#include "control/vmi_owner.h"
#include "base/rfc3339.h"
#include "model/migration/phase.h"
#include "model/domain/domain_states.h"

static gboolean is_active(const json_t *d) {
  return ferry_json_bool(d, "active", FALSE);
}

gboolean ferry_vmi_record_runs(const json_t *d) {
  return is_active(d) && ferry_domain_state_runs(ferry_vm_state_of(d, "state"));
}

static gboolean is_paused_by(const json_t *d, const char *reason) {
  return ferry_vm_state_of(d, "state") == FERRY_VM_PAUSED &&
         g_strcmp0(ferry_json_str(d, "reason"), reason) == 0;
}

/* It was seen to receive the VM, and runs it since. */
static gboolean came_by_migration(const json_t *d) {
  const char *reason = ferry_json_str(d, "reason");
  return ferry_vmi_record_runs(d) && ferry_json_bool(d, "received", FALSE) &&
         (g_strcmp0(reason, FERRY_VM_REASON_POST_COPY) == 0 ||
          g_strcmp0(reason, FERRY_VM_REASON_MIGRATED) == 0);
}

gboolean ferry_vmi_record_receives(const json_t *d) {
  return is_active(d) && is_paused_by(d, "migration");
}

/* 3 runs, 2 active but not running (a target that receives, a paused VM), 1 defined only; among
 * equals what is in the middle of a migration comes last. */
static int vmi_owner_rank(const json_t *d) {
  int presence = !is_active(d) ? 1 : ferry_vmi_record_runs(d) ? 3 : 2;
  return presence * 2 + !is_paused_by(d, "migration");
}

FerryClaim ferry_vmi_claim_judge(const json_t *owner, FerryHostWord word, const json_t *claim,
                                 gboolean moves) {
  if (!is_active(claim))
    return FERRY_CLAIM_NONE;
  if (word == FERRY_HOST_GONE)
    return FERRY_CLAIM_PASSES;
  if (moves)
    return vmi_owner_rank(claim) > vmi_owner_rank(owner) ? FERRY_CLAIM_PASSES : FERRY_CLAIM_NONE;
  if (!is_active(owner))
    return word == FERRY_HOST_SPEAKS ? FERRY_CLAIM_PASSES : FERRY_CLAIM_CONFLICT;
  if (is_paused_by(claim, "migration"))
    return FERRY_CLAIM_NONE; /* it receives, or waits for the owner's last word */
  if (is_paused_by(claim, "postcopy") && came_by_migration(owner))
    return FERRY_CLAIM_NONE; /* it hands over to the owner */
  if (word == FERRY_HOST_SILENT)
    return FERRY_CLAIM_CONFLICT;
  if (is_paused_by(owner, "postcopy") && came_by_migration(claim))
    return FERRY_CLAIM_PASSES;
  /* somebody else's migration: the owner says soon how it ended */
  const char *job = ferry_json_str(owner, "job.operation");
  if (is_paused_by(owner, "migration") || g_strcmp0(job, "migration-out") == 0)
    return FERRY_CLAIM_NONE;
  return FERRY_CLAIM_CONFLICT;
}

static gboolean vmi_owner_joins(const json_t *state, const char *from, const char *to) {
  return g_strcmp0(ferry_json_str(state, "sourceNode"), from) == 0 &&
         g_strcmp0(ferry_json_str(state, "targetNode"), to) == 0;
}

/* Of two of ferryd's own stamps. */
static gboolean is_not_after(const char *a, const char *b) {
  gint64 x = ferry_rfc3339_parse(a), y = ferry_rfc3339_parse(b);
  return x >= 0 && y >= 0 && x <= y;
}

static gboolean moves_to(const json_t *vmi, const json_t *migration, const json_t *owner,
                         const char *to) {
  const char *from = ferry_json_str(owner, "nodeName");
  const json_t *now = ferry_json_get(migration, "status.migrationState");
  if (vmi_owner_joins(now, from, to) && ferry_phase_of(migration) == FERRY_PHASE_RUNNING &&
      !ferry_json_bool(migration, "spec.forecastOnly", FALSE))
    return TRUE;
  /* one that has just succeeded: its source's agent has said so, the report of it is on its way */
  const json_t *last = ferry_json_get(vmi, "status.migrationState");
  return vmi_owner_joins(last, from, to) && ferry_json_bool(last, "completed", FALSE) &&
         !ferry_json_bool(last, "failed", TRUE) &&
         is_not_after(ferry_json_str(owner, "since"), ferry_json_str(last, "endTimestamp"));
}

/* Whether ferryd is moving the VM away from its owner, wherever to. */
static gboolean leaves_by_ferryd(const json_t *migration, const json_t *owner) {
  const char *from = ferry_json_str(migration, "status.migrationState.sourceNode");
  return from && g_strcmp0(from, ferry_json_str(owner, "nodeName")) == 0 &&
         ferry_phase_of(migration) == FERRY_PHASE_RUNNING &&
         !ferry_json_bool(migration, "spec.forecastOnly", FALSE);
}

/* How many say that they receive, or have received, a VM which its owner hands over. */
static guint n_receivers(const json_t *domains, const json_t *owner) {
  guint n = 0;
  gsize i;
  json_t *d;
  json_array_foreach((json_t *)domains, i, d) n +=
      d != owner && (ferry_vmi_record_receives(d) || came_by_migration(d));
  return n;
}

static FerryClaim vmi_owner_judge(const FerryVmiContext *context, const json_t *vmi,
                                  const json_t *owner, const json_t *claim) {
  const char *node = ferry_json_str(claim, "nodeName");
  gboolean moves = moves_to(vmi, context->migration, owner, node);
  FerryClaim found = ferry_vmi_claim_judge(owner, context->owner_word, claim, moves);
  gboolean handed_over = found == FERRY_CLAIM_PASSES && !moves && is_paused_by(owner, "postcopy") &&
                         context->owner_word == FERRY_HOST_SPEAKS;
  if (handed_over && (leaves_by_ferryd(context->migration, owner) ||
                      n_receivers(ferry_json_get(vmi, "status.domains"), owner) > 1))
    return FERRY_CLAIM_CONFLICT;
  return found;
}

json_t *ferry_vmi_owner(const json_t *vmi, const FerryVmiContext *context, GPtrArray *conflicts) {
  const json_t *domains = ferry_json_get(vmi, "status.domains");
  const char *now_at = ferry_json_str(vmi, "status.nodeName");
  json_t *owner = now_at ? ferry_json_find(domains, "nodeName", now_at) : NULL, *best = owner, *d;
  gsize i;
  json_array_foreach((json_t *)domains, i, d) {
    if (d == owner)
      continue;
    const char *node = ferry_json_str(d, "nodeName");
    FerryClaim claim = owner ? vmi_owner_judge(context, vmi, owner, d) : FERRY_CLAIM_PASSES;
    if (claim == FERRY_CLAIM_CONFLICT && conflicts)
      g_ptr_array_add(conflicts, (gpointer)node);
    if (claim == FERRY_CLAIM_PASSES &&
        (!best || best == owner || vmi_owner_rank(d) > vmi_owner_rank(best)))
      best = d;
  }
  if (best != owner && conflicts && owner)
    g_ptr_array_set_size(conflicts, 0); /* judged against the new owner at the next report */
  return best;
}
