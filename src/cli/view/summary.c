// SPDX-License-Identifier: Apache-2.0
#include "cli/view/summary.h"
#include "model/migration/reasons.h"
#include "base/json.h"
#include "base/quantity.h"
#include "base/rfc3339.h"
#include "cli/view/text.h"
#include "model/domain/domain_states.h"
#include "model/migration/phase.h"
#include <string.h>

static const char *summary_text(const json_t *object, const char *path) {
  const char *value = ferry_json_str(object, path);
  return value != NULL && *value != '\0' ? value : NULL;
}

static const char *text_or(const json_t *object, const char *path, const char *fallback) {
  const char *value = summary_text(object, path);
  return value != NULL ? value : fallback;
}

gboolean ferry_migration_succeeded(const json_t *object) {
  return ferry_phase_of(object) == FERRY_PHASE_SUCCEEDED;
}

gboolean ferry_migration_cancelled(const json_t *object) {
  return ferry_reason_is(object, FERRY_REASON_CANCELLED);
}

static void summary_row(GString *out, const char *label, const char *value) {
  g_autofree char *clean = ferry_text_clean(value);
  g_string_append_printf(out, "  %-11s %s\n", label, clean);
}

/* Total time: libvirt's own where it is known, else between the object's timestamps (one clock). */
static gint64 total_ms(const json_t *object) {
  gint64 ms = ferry_json_int(object, "status.summary.totalMs", -1);
  if (ms >= 0)
    return ms;
  gint64 start = ferry_rfc3339_parse(summary_text(object, "status.migrationState.startTimestamp"));
  gint64 end = ferry_rfc3339_parse(summary_text(object, "status.migrationState.endTimestamp"));
  return start >= 0 && end >= start ? end - start : -1;
}

static char *data_text(const json_t *object) {
  gint64 bytes = ferry_json_int(object, "status.summary.dataTransferredBytes", -1);
  if (bytes < 0)
    return NULL;
  g_autofree char *size = ferry_bytes_format((double)bytes);
  GString *out = g_string_new(size);
  gint64 n = ferry_json_int(object, "status.summary.iterations", -1);
  if (n > 0)
    g_string_append_printf(out, " in %d %s", (int)n, n == 1 ? "iteration" : "iterations");
  gint64 rate = ferry_json_int(object, "status.summary.averageRateBytesPerSecond", -1);
  if (rate >= 0) {
    g_autofree char *per_second = ferry_rate_format(rate);
    g_string_append_printf(out, ", %s on average", per_second);
  }
  return g_string_free(out, FALSE);
}

/* What carries the data. */
static char *network_text(const json_t *object) {
  const json_t *config = ferry_json_get(object, "status.migrationState.migrationConfiguration");
  if (ferry_json_bool(config, "tunnelled", FALSE))
    return g_strdup("libvirtd's connection");
  const char *uri = summary_text(config, "migrateURI");
  if (uri != NULL)
    return g_strdup(uri);
  const char *network = summary_text(object, "status.migrationState.network");
  const char *address = summary_text(object, "status.migrationState.targetNodeAddress");
  if (network == NULL && address == NULL)
    return NULL;
  return g_strdup_printf("%s%s%s%s", network != NULL ? network : "address ",
                         network != NULL && address != NULL ? " (" : "",
                         address != NULL ? address : "",
                         network != NULL && address != NULL ? ")" : "");
}

char *ferry_summary_success(const json_t *object, gboolean utf8, gboolean color) {
  g_autofree char *vm = ferry_text_clean(text_or(object, "spec.vmiName", "?"));
  g_autofree char *from =
      ferry_text_clean(text_or(object, "status.migrationState.sourceNode", "?"));
  g_autofree char *to = ferry_text_clean(text_or(object, "status.migrationState.targetNode", "?"));
  gint64 total = total_ms(object);
  g_autofree char *time = ferry_duration_format(total);
  GString *out = g_string_new(NULL);
  g_string_append_printf(out, "%s%s moved%s: %s %s %s", color ? "\033[32m" : "", vm,
                         color ? "\033[0m" : "", from, utf8 ? "→" : "->", to);
  g_string_append(out, "\n");
  if (total >= 0)
    summary_row(out, "total time", time);
  gint64 pause = ferry_json_int(object, "status.summary.downtimeMs", -1);
  if (pause >= 0) {
    g_autofree char *ms = ferry_duration_format(pause);
    g_autofree char *value = g_strdup_printf("%s, as libvirt measured it", ms);
    summary_row(out, "pause", value);
  }
  g_autofree char *data = data_text(object);
  if (data != NULL)
    summary_row(out, "data", data);
  g_autofree char *network = network_text(object);
  if (network != NULL)
    summary_row(out, "network", network);
  const char *mode = summary_text(object, "status.migrationState.mode");
  if (mode != NULL && ferry_mode_of(object) != FERRY_MODE_PRE_COPY)
    summary_row(out, "mode", mode);
  const char *policy = summary_text(object, "status.migrationState.migrationPolicyName");
  if (policy != NULL)
    summary_row(out, "policy", policy);
  summary_row(out, "migration", text_or(object, "metadata.name", "?"));
  return g_string_free(out, FALSE);
}

static void summary_bullet(GString *out, const char *where, const char *message) {
  g_autofree char *clean = ferry_text_clean(message);
  g_string_append_printf(out, "  * %s%s%s\n", where != NULL ? where : "", where != NULL ? ": " : "",
                         clean);
}

static void add_refusals(GString *out, const json_t *object) {
  size_t i, j;
  json_t *refusal, *reason;
  json_array_foreach(ferry_json_get(object, "status.refusals"), i, refusal) {
    g_autofree char *node = ferry_text_clean(text_or(refusal, "nodeName", "?"));
    json_array_foreach(ferry_json_get(refusal, "reasons"), j, reason)
        summary_bullet(out, node, text_or(reason, "message", text_or(reason, "reason", "?")));
  }
}

/* Why, in words: where each host's refusals follow, the message has nothing beside them; and where
 * ferryd has a message, that has the agent's in it. */
static void add_why(GString *out, const json_t *object) {
  const char *message = summary_text(object, "status.message");
  if (ferry_reason_is(object, FERRY_REASON_UNSCHEDULABLE) &&
      json_array_size(ferry_json_get(object, "status.refusals")) > 0)
    message = "no host can take the VM";
  if (message == NULL)
    message = summary_text(object, "status.migrationState.agentResult.error");
  if (message != NULL && *message != '\0')
    summary_bullet(out, NULL, message);
  add_refusals(out, object);
}

/* Where the VM is now; NULL where nobody knows, or the message says what is known. A copy that runs
 * is the VM only where the outcome says so: in post-copy each host has a part of it, and what the
 * target said last may be old. */
static char *summary_whereabouts(const json_t *object) {
  const char *outcome = summary_text(object, "status.migrationState.outcome");
  gboolean moved = g_strcmp0(outcome, "moved") == 0;
  gboolean post_copy = ferry_mode_of(object) == FERRY_MODE_POST_COPY;
  if (outcome != NULL ? !moved && g_strcmp0(outcome, "stayed") != 0 : post_copy)
    return NULL;
  const char *source = summary_text(object, "status.migrationState.sourceNode");
  const char *target = summary_text(object, "status.migrationState.targetNode");
  const char *at_source = summary_text(object, "status.migrationState.sourceDomainState");
  const char *at_target = summary_text(object, "status.migrationState.targetDomainState");
  if (at_source == NULL)
    at_source = summary_text(object, "status.migrationState.agentResult.sourceState");
  if (!moved && source != NULL && ferry_vm_state_parse(at_source) == FERRY_VM_RUNNING)
    return g_strdup_printf("It runs on %s as before.", source);
  if (moved && target != NULL && ferry_vm_state_parse(at_target) == FERRY_VM_RUNNING)
    return g_strdup_printf("It runs on %s.", target);
  if (!moved && source != NULL && at_source != NULL)
    return g_strdup_printf("On %s it is %s.", source, at_source);
  if (source == NULL)
    return g_strdup("Nothing was started; it runs where it was.");
  return NULL;
}

/* What to type where both libvirtds do not trust each other, but the agent may be trusted by both.
 */
static void summary_add_without_trust(GString *out, const json_t *object, const char *vm,
                                      const char *ns) {
  g_autofree char *from =
      ferry_text_clean(text_or(object, "status.migrationState.sourceNode", "the source"));
  const char *target = summary_text(object, "status.migrationState.targetNode");
  if (!ferry_reason_is(object, FERRY_REASON_TARGET_LOGIN_REFUSED) || !target)
    return;
  g_autofree char *to = ferry_text_clean(target);
  g_string_append_printf(out,
                         "ferry migrate %s %s -n %s --no-p2p goes without that trust, where the "
                         "agent of %s may log in to both; ferry host trust %s %s sets it up.\n",
                         vm, to, ns, from, from, to);
}

char *ferry_summary_failure(const json_t *object) {
  g_autofree char *vm = ferry_text_clean(text_or(object, "spec.vmiName", "?"));
  const char *name = text_or(object, "metadata.name", "?");
  const char *ns = text_or(object, "metadata.namespace", "default");
  const char *reason = summary_text(object, "status.reason");
  gboolean cancelled = ferry_migration_cancelled(object);
  GString *out = g_string_new("error: ");
  if (cancelled)
    g_string_append_printf(out, "the migration of %s was cancelled\n", vm);
  else
    g_string_append_printf(out, "%s did not move%s%s%s\n", vm, reason != NULL ? " (" : "",
                           reason != NULL ? reason : "", reason != NULL ? ")" : "");
  add_why(out, object);
  g_autofree char *where = summary_whereabouts(object);
  if (where != NULL)
    g_string_append_printf(out, "%s\n", where);
  summary_add_without_trust(out, object, vm, ns);
  if (!cancelled)
    g_string_append_printf(out,
                           "ferry describe vmim %s -n %s shows everything; ferry check %s -n %s "
                           "says whether it could move now.\n",
                           name, ns, vm, ns);
  return g_string_free(out, FALSE);
}

char *ferry_summary_transition(const json_t *object, gboolean route, gboolean utf8) {
  const char *phase = ferry_phase_word(object);
  GString *out = g_string_new(phase);
  const char *from = summary_text(object, "status.migrationState.sourceNode");
  const char *to = summary_text(object, "status.migrationState.targetNode");
  if (route && from != NULL && to != NULL) {
    g_string_append_printf(out, ": %s %s %s", from, utf8 ? "→" : "->", to);
    g_autofree char *network = network_text(object);
    if (network != NULL)
      g_string_append_printf(out, " over %s", network);
  } else if (ferry_phase_of(object) == FERRY_PHASE_FAILED &&
             summary_text(object, "status.reason") != NULL) {
    g_string_append_printf(out, ": %s", summary_text(object, "status.reason"));
  }
  g_autofree char *raw = g_string_free(out, FALSE);
  return ferry_text_clean(raw);
}

char *ferry_summary_decision(const json_t *decision) {
  const json_t *value = ferry_json_get(decision, "value");
  g_autofree char *number = NULL;
  if (json_is_string(value))
    number = g_strdup(json_string_value(value));
  else if (json_is_number(value))
    number = g_strdup_printf("%g", json_number_value(value));
  const char *reason = summary_text(decision, "reason");
  g_autofree char *raw = g_strdup_printf("%s%s%s%s%s", text_or(decision, "action", "?"),
                                         number != NULL ? " " : "", number != NULL ? number : "",
                                         reason != NULL ? ": " : "", reason != NULL ? reason : "");
  return ferry_text_clean(raw);
}
