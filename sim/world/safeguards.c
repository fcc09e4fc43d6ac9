// SPDX-License-Identifier: Apache-2.0
#include "sim/world/safeguards.h"
#include "agent/migration/run/doubt.h"
#include "agent/path/guard.h"
#include "agent/twin/ambiguity.h"
#include "control/inventory.h"
#include "control/migration_step.h"
#include "control/node.h"
#include "model/agents/agent_rules.h"
#include "model/domain/domain_states.h"
#include "policy/migration_admission.h"
#include "policy/outcome.h"
#include "policy/placement.h"

/* What the linker calls production's own, and what it gives to those who call these. */
#define BETWEEN(type, name, ...)                                                                   \
  type __real_##name(__VA_ARGS__);                                                                 \
  type __wrap_##name(__VA_ARGS__);                                                                 \
  type __wrap_##name(__VA_ARGS__)
#define OFF(which) (safeguards_off[FERRY_SAFEGUARD_##which])

static gboolean safeguards_off[FERRY_SAFEGUARDS];

/* `near`: a world that misses it soon, as of when this was written; any other would do. */
static const struct {
  const char *name, *text;
  guint64 near;
} safeguard_rows[FERRY_SAFEGUARDS] = {
    [FERRY_SAFEGUARD_SOURCE_GUARD] =
        {"source-guard", "a copy that libvirt resumes after the switch-over is suspended again"},
    [FERRY_SAFEGUARD_ASK_TARGET] =
        {"ask-target", "a paused source goes on only where the target says that it has no copy"},
    [FERRY_SAFEGUARD_PATH_GUARD] =
        {"path-guard", "a connection that leads nowhere is closed, so that a frozen guest goes on",
         364},
    [FERRY_SAFEGUARD_WRITTEN_FIRST] =
        {"written-first", "libvirt is called only once ferryd has taken the word Running"},
    [FERRY_SAFEGUARD_EPOCHS] =
        {"epochs", "an agent whose place another one has taken writes nothing any more", 6},
    [FERRY_SAFEGUARD_AGENT_RULES] =
        {"agent-rules", "an agent writes its fields in their phases, and a result once", 95},
    [FERRY_SAFEGUARD_REVISIONS] = {"revisions",
                                   "a write is refused where the object changed since it was read",
                                   122},
    [FERRY_SAFEGUARD_NEVER_TWO] = {"never-two", "a VM has one active migration at most"},
    [FERRY_SAFEGUARD_LIMITS] = {"limits", "so many migrations run at once, and no more", 2},
    [FERRY_SAFEGUARD_SETTLE] = {"settle",
                                "both hosts get time to agree before an outcome is called bad"},
    [FERRY_SAFEGUARD_FRESH_EVIDENCE] =
        {"fresh-evidence",
         "what a host said before it fell silent, or before the end, is no evidence", 1041},
    [FERRY_SAFEGUARD_SEQUENCE] = {"sequence",
                                  "a report that a newer one has overtaken is not taken", 1091},
    [FERRY_SAFEGUARD_DURABLE] = {"durable", "what is acknowledged is on the disk"},
};

const char *ferry_safeguard_name(FerrySafeguard safeguard) {
  return safeguard_rows[safeguard].name;
}

const char *ferry_safeguard_text(FerrySafeguard safeguard) {
  return safeguard_rows[safeguard].text;
}

guint64 ferry_safeguard_near(FerrySafeguard safeguard) {
  return MAX(safeguard_rows[safeguard].near, 1);
}

FerrySafeguard ferry_safeguard_find(const char *name) {
  guint i = 0;
  while (i < FERRY_SAFEGUARDS && g_strcmp0(safeguard_rows[i].name, name) != 0)
    i++;
  return (FerrySafeguard)i;
}

void ferry_safeguard_set(FerrySafeguard safeguard, gboolean on) {
  safeguards_off[safeguard] = !on;
}

gboolean ferry_safeguard_is_off(FerrySafeguard safeguard) {
  return safeguards_off[safeguard];
}

/* ---- the agent's ---- */

BETWEEN(void, ferry_doubt_guard, FerryRunning *run) {
  if (!OFF(SOURCE_GUARD))
    __real_ferry_doubt_guard(run);
}

BETWEEN(gboolean, ferry_ambiguity_arises, const GError *error, gint64 switchover_us,
        gboolean post_copy) {
  return !OFF(SOURCE_GUARD) && __real_ferry_ambiguity_arises(error, switchover_us, post_copy);
}

BETWEEN(gboolean, ferry_host_peer_state, FerryHost *host, const char *uri, const char *uuid,
        FerryDomainState *out, GError **error) {
  if (!OFF(ASK_TARGET))
    return __real_ferry_host_peer_state(host, uri, uuid, out, error);
  *out = (FerryDomainState){.state = FERRY_VM_GONE, .reason = FERRY_VM_REASON_UNKNOWN, .id = -1};
  return TRUE;
}

BETWEEN(FerryPathVerdict, ferry_path_guard_judge, FerryPathGuard *guard, const FerryPathSeen *seen,
        gint64 now_us, FerryHostConnection *of) {
  return OFF(PATH_GUARD) ? FERRY_PATH_GOOD : __real_ferry_path_guard_judge(guard, seen, now_us, of);
}

BETWEEN(FerryDeliveryResult, ferry_shown_await, FerryShown *shown, FerryAgentContext *context) {
  return OFF(WRITTEN_FIRST) ? FERRY_DELIVERED : __real_ferry_shown_await(shown, context);
}

/* ---- ferryd's ---- */

BETWEEN(gboolean, ferry_agent_rules_check, const FerryAgentWrite *write, GError **error) {
  return OFF(AGENT_RULES) || __real_ferry_agent_rules_check(write, error);
}

BETWEEN(gboolean, ferry_store_commit, FerryStore *store, const FerryWrite *writes, gsize n,
        json_t **results, GError **error) {
  if (!OFF(REVISIONS))
    return __real_ferry_store_commit(store, writes, n, results, error);
  g_autofree FerryWrite *blind = g_memdup2(writes, n * sizeof *writes);
  for (gsize i = 0; i < n; i++)
    blind[i].revision = 0;
  return __real_ferry_store_commit(store, blind, n, results, error);
}

BETWEEN(gboolean, ferry_admission_check, const FerryAdmissionState *state, const json_t *migration,
        GError **error) {
  g_autoptr(GError) refused = NULL;
  if (__real_ferry_admission_check(state, migration, &refused))
    return TRUE;
  if (OFF(NEVER_TWO) && g_error_matches(refused, FERRY_ERROR, FERRY_ERROR_CONFLICT))
    return TRUE;
  g_propagate_error(error, g_steal_pointer(&refused));
  return FALSE;
}

BETWEEN(const json_t *, ferry_step_goes_first, const FerryStep *step, const GPtrArray *all) {
  return OFF(NEVER_TWO) ? NULL : __real_ferry_step_goes_first(step, all);
}

BETWEEN(gboolean, ferry_limits_admit, const FerryLimits *limits, const char *uid,
        const char *source, char **reason) {
  return OFF(LIMITS) || __real_ferry_limits_admit(limits, uid, source, reason);
}

BETWEEN(gboolean, ferry_limits_inbound_ok, const FerryLimits *limits, const char *target,
        char **reason) {
  return OFF(LIMITS) || __real_ferry_limits_inbound_ok(limits, target, reason);
}

BETWEEN(FerryOutcomeAnswer, ferry_outcome_decide, const FerryOutcomeQuestion *question) {
  FerryOutcomeAnswer answer = __real_ferry_outcome_decide(question);
  answer.settles = answer.settles && !OFF(SETTLE);
  return answer;
}

BETWEEN(gboolean, ferry_node_is_ready, const json_t *node) {
  return (OFF(FRESH_EVIDENCE) && node) || __real_ferry_node_is_ready(node);
}

BETWEEN(gboolean, ferry_node_was_heard, const json_t *node, gint64 since_ms, gint64 now_ms) {
  return OFF(FRESH_EVIDENCE) || __real_ferry_node_was_heard(node, since_ms, now_ms);
}

BETWEEN(gboolean, ferry_inventory_report, FerryStore *store, const char *node, const json_t *report,
        gint64 now_ms, GError **error) {
  if (!OFF(SEQUENCE))
    return __real_ferry_inventory_report(store, node, report, now_ms, error);
  g_autoptr(json_t) blank = json_copy((json_t *)report);
  json_object_del(blank, "sequence");
  return __real_ferry_inventory_report(store, node, blank, now_ms, error);
}
