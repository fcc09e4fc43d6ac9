// SPDX-License-Identifier: Apache-2.0
// Pure predicates: each adds a cause, so that a person sees all that is wrong in one answer.
//
// What a request's words mean is found first (the VM by object name, domain name or UUID, which
// may be ambiguous), then the VM, its source, a named target, the network, the policy and the
// flags are judged one after the other, each only as far as what it needs is there. A cause that
// another check has said in its own words is not said twice. `check`, a dry run and the real
// request all come through here, so that they answer alike.
#include "policy/migration_admission.h"
#include "base/edit_distance.h"
#include "base/rfc3339.h"
#include "model/migration/reasons.h"
#include "model/migration/migration.h"
#include "policy/config.h"
#include "policy/match.h"
#include "policy/flags/migratable.h"
#include "policy/flags/migration_flags_rules.h"
#include "policy/layers.h"
#include "policy/choice.h"
#include "policy/policy_check.h"
#include "policy/candidates.h"
#include "policy/target/needs_rules.h"
#include "model/migration/condition.h"

#include <string.h>

#define PUT_OFF_DAYS_MAX 30

/* What a word means in a namespace. A name that an object kept while its domain was renamed may be
 * another domain's by now. */
typedef struct {
  const json_t *named,
      *of_domain; /* of_domain: the first whose domain has that name, but `named` */
  guint domains;
} Meaning;

static Meaning meaning_of(const FerryAdmissionState *state, const char *ns, const char *word) {
  Meaning m = {0};
  for (gsize i = 0; i < state->n_vmis; i++) {
    const json_t *vmi = state->vmis[i];
    if (g_strcmp0(ferry_json_str(vmi, "metadata.namespace"), ns) != 0)
      continue;
    if (g_strcmp0(ferry_json_str(vmi, "metadata.uid"), word) == 0)
      return (Meaning){.named = vmi};
    if (g_strcmp0(ferry_json_str(vmi, "metadata.name"), word) == 0) {
      m.named = vmi;
    } else if (g_strcmp0(ferry_json_str(vmi, "spec.domainName"), word) == 0) {
      m.of_domain = m.of_domain ? m.of_domain : vmi;
      m.domains++;
    }
  }
  if (g_strcmp0(ferry_json_str(m.named, "spec.domainName"), word) == 0)
    m.domains = 0;
  return m;
}

static gboolean is_ambiguous(const Meaning *m) {
  return m->domains + (m->named != NULL) > 1;
}

const json_t *ferry_admission_find_vmi(const FerryAdmissionState *state, const char *ns,
                                       const char *word) {
  Meaning m = meaning_of(state, ns, word);
  return is_ambiguous(&m) ? NULL : m.named ? m.named : m.domains ? m.of_domain : NULL;
}

const char *ferry_admission_nearest_vmi(const FerryAdmissionState *state, const char *ns,
                                        const char *word) {
  guint limit = (guint)CLAMP(strlen(word) / 3, 1, 3), best = limit + 1;
  const char *nearest = NULL;
  for (gsize i = 0; i < state->n_vmis; i++) {
    const char *name = ferry_json_str(state->vmis[i], "metadata.name");
    if (!name || g_strcmp0(ferry_json_str(state->vmis[i], "metadata.namespace"), ns) != 0)
      continue;
    guint d = ferry_edit_distance(word, name, limit);
    if (d < best) {
      best = d;
      nearest = name;
    }
  }
  return nearest;
}

static const json_t *find_node(const FerryAdmissionState *state, const char *name) {
  for (gsize i = 0; i < state->n_nodes; i++)
    if (g_strcmp0(ferry_json_str(state->nodes[i], "metadata.name"), name) == 0)
      return state->nodes[i];
  return NULL;
}

/* Another host's domain of that name which has the UUID of a VM that goes by another one; with its
 * node. */
static const json_t *find_claimed(const FerryAdmissionState *state, const char *ns,
                                  const char *word, const char **node) {
  for (gsize i = 0; i < state->n_vmis; i++) {
    gsize k;
    json_t *d;
    if (g_strcmp0(ferry_json_str(state->vmis[i], "metadata.namespace"), ns) != 0)
      continue;
    json_array_foreach(ferry_json_get(state->vmis[i], "status.domains"), k, d) {
      *node = ferry_json_str(d, "nodeName");
      if (*node && g_strcmp0(ferry_json_str(d, "claim.name"), word) == 0)
        return state->vmis[i];
    }
  }
  return NULL;
}

static gboolean check_claimed(const FerryAdmissionState *state, const char *ns, const char *word,
                              GError *causes) {
  const char *node;
  const json_t *vmi = find_claimed(state, ns, word, &node);
  if (!vmi)
    return FALSE;
  const char *owner = ferry_json_str(vmi, "status.nodeName");
  ferry_error_add_cause(
      causes, "FieldValueInvalid", "spec.vmiName",
      "Invalid value: \"%s\": the domain of that name on %s has the UUID of the "
      "VM %s, which is on %s: look at both hosts with virsh, and stop the one that "
      "is not meant",
      word, node, ferry_json_str(vmi, "metadata.name"), owner ? owner : "another host");
  return TRUE;
}

static void check_unknown_vmi(const FerryAdmissionState *state, const char *ns, const char *word,
                              GError *causes) {
  const char *nearest = ferry_admission_nearest_vmi(state, ns, word);
  g_autoptr(GString) hint = g_string_new(NULL);
  if (nearest)
    g_string_append_printf(hint, "; did you mean \"%s\"?", nearest);
  for (gsize i = 0; !nearest && state->sees_all && i < state->n_vmis; i++) {
    const char *other = ferry_json_str(state->vmis[i], "metadata.namespace");
    if (g_strcmp0(ferry_json_str(state->vmis[i], "metadata.name"), word) == 0) {
      g_string_append_printf(hint, "; there is one in namespace \"%s\"", other);
      break;
    }
  }
  if (!hint->len)
    g_string_append(hint, "; `kubectl get vmi -A` lists what there is");
  ferry_error_add_cause(causes, "FieldValueInvalid", "spec.vmiName",
                        "Invalid value: \"%s\": there is no VM of that name, domain name or UUID "
                        "in namespace \"%s\"%s",
                        word, ns, hint->str);
}

static void add_meaning(GString *text, const json_t *vmi) {
  const char *domain = ferry_json_str(vmi, "spec.domainName");
  const char *node = ferry_json_str(vmi, "status.nodeName");
  g_string_append_printf(text, "%s%s (domain %s, UUID %s%s%s)", text->len ? ", " : "",
                         ferry_json_str(vmi, "metadata.name"), domain ? domain : "unknown",
                         ferry_json_str(vmi, "metadata.uid"), node ? ", on " : "",
                         node ? node : "");
}

static void check_ambiguous_vmi(const FerryAdmissionState *state, const char *ns, const char *word,
                                const Meaning *m, GError *causes) {
  g_autoptr(GString) text = g_string_new(NULL);
  if (m->named)
    add_meaning(text, m->named);
  for (gsize i = 0; i < state->n_vmis; i++) {
    const json_t *vmi = state->vmis[i];
    if (vmi != m->named && g_strcmp0(ferry_json_str(vmi, "metadata.namespace"), ns) == 0 &&
        g_strcmp0(ferry_json_str(vmi, "spec.domainName"), word) == 0)
      add_meaning(text, vmi);
  }
  ferry_error_add_cause(
      causes, "FieldValueInvalid", "spec.vmiName",
      "Invalid value: \"%s\": it is the name of more than one VM: %s; name it by its UUID", word,
      text->str);
}

static void check_running(const json_t *vmi, const json_t *migration, const char *word,
                          GError *causes) {
  const char *phase = ferry_json_str(vmi, "status.phase");
  if (ferry_json_bool(migration, "spec.offline", FALSE) || ferry_vmi_is_active(vmi))
    return;
  ferry_error_add_cause(causes, "FieldValueInvalid", "spec.vmiName",
                        "Invalid value: \"%s\": the VM is not running (it is %s); only a running "
                        "VM can be migrated live: start it first, or move its definition with "
                        "offline: true (--offline)",
                        word, phase ? phase : "in an unknown state");
}

static void check_ready(const json_t *node, const char *name, GError *causes) {
  const json_t *ready = ferry_condition_find(node, FERRY_CONDITION_READY);
  if (ferry_condition_entry_holds(ready))
    return;
  const char *message = ferry_json_str(ready, "message");
  ferry_error_add_cause(causes, "FieldValueInvalid", "spec.targetNode",
                        "Invalid value: \"%s\": the node is not ready%s%s; choose another or wait "
                        "until `kubectl get nodes` shows it Ready",
                        name, message && *message ? ": " : "", message ? message : "");
}

/* A domain of that name at the target belongs to another VM. */
static void check_name_free(const FerryAdmissionState *state, const json_t *vmi,
                            const json_t *migration, const char *node, GError *causes) {
  const char *domain = ferry_json_str(migration, "spec.destinationName");
  if (!domain)
    domain = ferry_json_str(vmi, "spec.domainName");
  const char *uid = ferry_json_str(vmi, "metadata.uid");
  for (gsize i = 0; domain && i < state->n_vmis; i++) {
    const json_t *other = state->vmis[i];
    if (g_strcmp0(ferry_json_str(other, "spec.domainName"), domain) != 0 ||
        g_strcmp0(ferry_json_str(other, "metadata.uid"), uid) == 0)
      continue;
    if (!ferry_json_find(ferry_json_get(other, "status.domains"), "nodeName", node))
      continue;
    ferry_error_add_cause(causes, "FieldValueInvalid", "spec.targetNode",
                          "Invalid value: \"%s\": it has another domain named \"%s\" (UUID %s); "
                          "rename or undefine that one, or choose another node",
                          node, domain, ferry_json_str(other, "metadata.uid"));
    return;
  }
}

static void check_target(const FerryAdmissionState *state, const json_t *vmi,
                         const json_t *migration, const char *name, GError *causes) {
  const json_t *node = find_node(state, name);
  if (!node) {
    g_autoptr(GString) list = g_string_new(NULL);
    for (gsize i = 0; i < state->n_nodes && i < 20; i++)
      g_string_append_printf(list, "%s%s", i ? ", " : "",
                             ferry_json_str(state->nodes[i], "metadata.name"));
    ferry_error_add_cause(causes, "FieldValueInvalid", "spec.targetNode",
                          "Invalid value: \"%s\": there is no such node; the nodes are: %s", name,
                          list->len ? list->str : "none");
    return;
  }
  check_ready(node, name, causes);
  if (!vmi)
    return;
  if (ferry_json_bool(migration, "spec.postCopyResume", FALSE))
    return; /* both hosts hold a part of it */
  if (g_strcmp0(ferry_json_str(vmi, "status.nodeName"), name) == 0)
    ferry_error_add_cause(causes, "FieldValueInvalid", "spec.targetNode",
                          "Invalid value: \"%s\": the VM already runs there; choose another node",
                          name);
  else
    check_name_free(state, vmi, migration, name, causes);
}

/* A machine that the named target cannot be. */
static void check_machine(const FerryAdmissionState *state, const json_t *vmi,
                          const json_t *migration, const char *target, json_t *told,
                          GError *causes) {
  const json_t *node = find_node(state, target);
  g_autoptr(json_t) reasons =
      ferry_placement_machine_reasons(vmi, ferry_json_get(migration, "spec"), node);
  json_array_extend(told, reasons);
  gsize i;
  json_t *reason;
  json_array_foreach(reasons, i, reason)
      ferry_error_add_cause(causes, "FieldValueInvalid", "spec.targetNode",
                            "Invalid value: \"%s\": %s", target, ferry_json_str(reason, "message"));
}

/* What the named target lacks of what the VM needs: nobody is told so only after minutes. */
static void check_lacks(const FerryAdmissionState *state, const json_t *vmi,
                        const json_t *migration, const char *target, json_t *told, GError *causes) {
  g_autoptr(json_t) config = ferry_admission_config(state, migration, vmi, NULL);
  const json_t *node = find_node(state, target);
  const char *source = ferry_json_str(vmi, "status.nodeName");
  if (!node || g_strcmp0(source, target) == 0 || ferry_json_bool(config, "offline", FALSE) ||
      ferry_json_bool(config, "postCopyResume", FALSE))
    return;
  g_autoptr(json_t) reasons = ferry_needs_reasons(vmi, config, node);
  json_array_extend(told, reasons);
  gsize i;
  json_t *reason;
  json_array_foreach(reasons, i, reason) {
    const char *word = ferry_json_str(reason, "reason");
    ferry_error_add_cause(causes, word, "spec.targetNode", "Invalid value: \"%s\": %s (%s)", target,
                          ferry_json_str(reason, "message"), word);
  }
}

/* Whether a named target was told this reason already. */
static gboolean admission_has_said(const json_t *told, const json_t *reason) {
  gsize i;
  json_t *before;
  json_array_foreach(told, i, before) {
    if (json_equal(before, reason))
      return TRUE;
  }
  return FALSE;
}

/* How long before it begins a migration was asked for; 0: it begins at once. */
static gint64 put_off_by_ms(const json_t *migration) {
  gint64 asked = ferry_rfc3339_parse(ferry_json_str(migration, "metadata.creationTimestamp"));
  gint64 begins = ferry_rfc3339_parse(ferry_json_str(migration, "spec.notBefore"));
  return asked >= 0 && begins > asked ? begins - asked : 0;
}

/* Who asks for a time that far has mistyped it, or will have forgotten. */
static void check_put_off(const json_t *migration, GError *causes) {
  if (put_off_by_ms(migration) > PUT_OFF_DAYS_MAX * G_TIME_SPAN_DAY / 1000)
    ferry_error_add_cause(causes, "FieldValueInvalid", "spec.notBefore",
                          "Invalid value: \"%s\": more than %d days ahead",
                          ferry_json_str(migration, "spec.notBefore"), PUT_OFF_DAYS_MAX);
}

static gboolean check_only_one(const FerryAdmissionState *state, const json_t *migration,
                               const json_t *vmi, GError **error) {
  const char *name = ferry_json_str(vmi, "metadata.name");
  const char *ns = ferry_json_str(vmi, "metadata.namespace");
  for (gsize i = 0; i < state->n_migrations; i++) {
    const json_t *other = state->migrations[i];
    gboolean later = ferry_migration_is_put_off(other);
    if (ferry_migration_is_final(other) || (later && put_off_by_ms(migration) == 0) ||
        g_strcmp0(ferry_json_str(other, "spec.vmiName"), name) != 0 ||
        g_strcmp0(ferry_json_str(other, "metadata.namespace"), ns) != 0)
      continue;
    if (later) {
      g_set_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT,
                  "VM \"%s\" has a migration that begins later already, at %s: "
                  "virtualmachineinstancemigrations \"%s\"; cancel it first",
                  name, ferry_json_str(other, "spec.notBefore"),
                  ferry_json_str(other, "metadata.name"));
      return FALSE;
    }
    if (ferry_migration_is_forecast(other) && !ferry_migration_is_forecast(migration)) {
      g_set_error(
          error, FERRY_ERROR, FERRY_ERROR_CONFLICT,
          "a forecast of VM \"%s\" is being made (virtualmachineinstancemigrations \"%s\"); "
          "it takes some seconds: try again then, or cancel it",
          name, ferry_json_str(other, "metadata.name"));
      return FALSE;
    }
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT,
                "VM \"%s\" is being migrated already by virtualmachineinstancemigrations \"%s\" "
                "(%s); wait for its end or cancel it first",
                name, ferry_json_str(other, "metadata.name"), ferry_phase_word(other));
    return FALSE;
  }
  return TRUE;
}

json_t *ferry_admission_config(const FerryAdmissionState *state, const json_t *migration,
                               const json_t *vmi, json_t **origins) {
  const json_t *policy =
      vmi ? ferry_policy_match(state->policies, state->n_policies,
                               ferry_json_get(vmi, "metadata.labels"), state->ns_labels)
          : NULL;
  FerryConfigSources sources = {state->kubevirt, policy,          vmi,
                                migration,       state->policies, state->n_policies};
  return ferry_config_resolve(&sources, origins);
}

static void check_flags(const FerryAdmissionState *state, const json_t *migration,
                        const json_t *vmi, GError *causes) {
  json_t *origins = NULL;
  g_autoptr(json_t) config = ferry_admission_config(state, migration, vmi, &origins);
  const char *source = ferry_json_str(vmi, "status.nodeName");
  const char *target = ferry_json_str(migration, "spec.targetNode");
  FerryFlagsContext context = {config, origins, vmi, source ? find_node(state, source) : NULL,
                               target ? find_node(state, target) : NULL};
  ferry_migration_flags_check(&context, causes);
  json_decref(origins);
}

const json_t *ferry_admission_place(const FerryAdmissionState *state, const json_t *vmi,
                                    const json_t *migration, json_t **refusals,
                                    json_t **candidates) {
  g_autoptr(json_t) config = ferry_admission_config(state, migration, vmi, NULL);
  g_autoptr(FerryPromises) promises =
      ferry_promises_new(state->migrations, state->n_migrations, state->vmis, state->n_vmis,
                         ferry_json_str(migration, "metadata.uid"));
  g_autoptr(FerryAffinity) affinity = ferry_affinity_new(
      config, vmi, state->others, state->n_others, state->migrations, state->n_migrations);
  ferry_affinity_take_nodes(affinity, state->nodes, state->n_nodes);
  FerryPlacementInput in = {.vmi = vmi,
                            .migration = migration,
                            .nodes = state->nodes,
                            .n_nodes = state->n_nodes,
                            .networks = state->networks,
                            .n_networks = state->n_networks,
                            .vmis = state->vmis,
                            .n_vmis = state->n_vmis,
                            .config = config,
                            .promises = promises,
                            .affinity = affinity,
                            .migrations = state->migrations,
                            .n_migrations = state->n_migrations};
  gboolean transient;
  const json_t *chosen = ferry_placement_choose(&in, refusals, &transient);
  if (candidates)
    *candidates = ferry_candidates(&in, chosen);
  return chosen;
}

/* What the checks of a named target say already, in words of their own. */
static gboolean is_said(const char *reason) {
  static const FerryReason said[] = {FERRY_REASON_SAME_NODE,    FERRY_REASON_NOT_READY,
                                     FERRY_REASON_NAME_TAKEN,   FERRY_REASON_UNSUPPORTED,
                                     FERRY_REASON_MACHINE_TYPE, FERRY_REASON_CPU_MODEL};
  for (gsize i = 0; i < G_N_ELEMENTS(said); i++)
    if (g_str_equal(ferry_reason_name(said[i]), reason))
      return TRUE;
  return FALSE;
}

/* One that is made would wait for its source. */
static void check_source(const FerryAdmissionState *state, const json_t *vmi, GError *causes) {
  const char *name = ferry_json_str(vmi, "status.nodeName");
  const json_t *node = name ? find_node(state, name) : NULL;
  const char *word = ferry_reason_name(FERRY_REASON_SOURCE_NOT_READY);
  if (!name || (node && ferry_node_is_ready(node)))
    return;
  const char *message =
      ferry_json_str(ferry_condition_find(node, FERRY_CONDITION_READY), "message");
  g_autofree char *field = g_strdup_printf("nodes[%s]", name);
  ferry_error_add_cause(causes, word, field,
                        "node %s, which the VM leaves, is not ready: %s; look at its ferry-agentd "
                        "and its libvirtd (%s)",
                        name, message ? message : "its agent has not reported", word);
}

static void check_placement(const FerryAdmissionState *state, const json_t *migration,
                            const json_t *vmi, const json_t *told, GError *causes) {
  const char *target = ferry_json_str(migration, "spec.targetNode");
  json_t *list = NULL;
  const json_t *node = ferry_admission_place(state, vmi, migration, &list, NULL);
  g_autoptr(json_t) refusals = list;
  if (node)
    return;
  if (json_array_size(refusals) == 0)
    ferry_error_add_cause(causes, "FieldValueInvalid", "nodes",
                          "there is no host at all; join one with ferry-agentd");
  gsize i, k;
  json_t *refusal, *reason;
  json_array_foreach(refusals, i, refusal) {
    const char *name = ferry_json_str(refusal, "nodeName");
    if (target && g_strcmp0(target, name) != 0)
      continue;
    g_autofree char *field = g_strdup_printf("nodes[%s]", name);
    json_array_foreach(json_object_get(refusal, "reasons"), k, reason) {
      const char *word = ferry_json_str(reason, "reason");
      const char *message = ferry_json_str(reason, "message");
      if (!target || (!is_said(word) && !admission_has_said(told, reason)))
        ferry_error_add_cause(causes, word, field, "%s (%s)", message, word);
    }
  }
}

/* Requests to move a VM that cannot be moved live are refused; of those that send its definition
 * alone, what would leave its memory behind. */
static void check_migratable(const FerryAdmissionState *state, const json_t *migration,
                             const json_t *vmi, const char *word, GError *causes) {
  g_autoptr(json_t) config = ferry_admission_config(state, migration, vmi, NULL);
  gboolean offline = ferry_json_bool(migration, "spec.offline", FALSE);
  const char *saved = ferry_reason_name(FERRY_REASON_MANAGED_SAVE_NOT_LIVE_MIGRATABLE);
  const char *parts = ferry_json_bool(config, "postCopyResume", FALSE)
                          ? ferry_reason_name(FERRY_REASON_POST_COPY_FAILED_NOT_LIVE_MIGRATABLE)
                          : NULL; /* this is what the resume repairs */
  if (ferry_json_bool(config, "unsafeMigrationOverride", FALSE))
    return;
  g_autoptr(json_t) reasons = ferry_migratable_reasons(vmi);
  gsize i;
  json_t *reason;
  json_array_foreach(reasons, i, reason) {
    const char *is = ferry_json_str(reason, "reason");
    if (g_strcmp0(is, parts) != 0 && (!offline || g_strcmp0(is, saved) == 0))
      ferry_error_add_cause(causes, "FieldValueInvalid", "spec.vmiName",
                            "Invalid value: \"%s\": %s (%s)", word,
                            ferry_json_str(reason, "message"), is);
  }
}

/* What the migration and its VM say of how to migrate. */
static void check_policies(const FerryAdmissionState *state, const json_t *migration,
                           const json_t *vmi, GError *causes) {
  ferry_policy_check(ferry_json_get(migration, "spec"), "spec", causes);
  ferry_policy_check_name(ferry_json_str(migration, "spec.policy"), "spec.policy", state->policies,
                          state->n_policies, causes);
  g_autoptr(json_t) vm = ferry_config_vm_settings(vmi);
  ferry_policy_check(vm, "vmi.spec.migration", causes);
  ferry_policy_check_name(ferry_config_vm_policy(vmi), "vmi.ferry.migration/policy",
                          state->policies, state->n_policies, causes);
}

gboolean ferry_admission_check(const FerryAdmissionState *state, const json_t *migration,
                               GError **error) {
  const char *ns = ferry_json_str(migration, "metadata.namespace");
  const char *word = ferry_json_str(migration, "spec.vmiName");
  const char *target = ferry_json_str(migration, "spec.targetNode");
  const char *name = ferry_json_str(migration, "metadata.name");
  const json_t *vmi = word ? ferry_admission_find_vmi(state, ns, word) : NULL;
  if (vmi && !check_only_one(state, migration, vmi, error))
    return FALSE;
  g_autoptr(GError) causes = g_error_new(FERRY_ERROR, FERRY_ERROR_INVALID, "invalid");
  g_autoptr(json_t) told = json_array(); /* reasons of placement that are causes already */
  Meaning meaning = meaning_of(state, ns, word);
  if (is_ambiguous(&meaning))
    check_ambiguous_vmi(state, ns ? ns : "", word, &meaning, causes);
  else if (!vmi && !check_claimed(state, ns ? ns : "", word ? word : "", causes))
    check_unknown_vmi(state, ns ? ns : "", word ? word : "", causes);
  else if (vmi)
    check_running(vmi, migration, word, causes);
  if (vmi)
    check_migratable(state, migration, vmi, word, causes);
  if (target)
    check_target(state, vmi, migration, target, causes);
  if (target && vmi)
    check_machine(state, vmi, migration, target, told, causes);
  if (target && vmi)
    check_lacks(state, vmi, migration, target, told, causes);
  check_flags(state, migration, vmi, causes);
  check_policies(state, migration, vmi, causes);
  check_put_off(migration, causes);
  if (vmi && state->placement)
    check_source(state, vmi, causes);
  if (vmi && state->placement)
    check_placement(state, migration, vmi, told, causes);
  return ferry_policy_answer(&ferry_kind_vmim, name, g_steal_pointer(&causes), error);
}
