// SPDX-License-Identifier: Apache-2.0
// Theory of operation: each term of each list is a rule of its own, so that a refusal names the one
// that it is about. The rules about VMs are held against all others once, at the beginning: from
// then on a node costs one look-up a rule. A VM that moves counts on both of its hosts, since it
// may end on either.
#include "policy/place/affinity.h"
#include "model/listing/selector.h"
#include "model/migration/migration.h"
#include "policy/place/emptied.h"

/* A list of terms in the configuration. */
typedef struct {
  const char *field;
  gboolean of_vms, apart, hard;
} AffinityKind;

static const AffinityKind affinity_kinds[] = {
    {"nodeAffinity", FALSE, FALSE, TRUE}, {"preferredNodeAffinity", FALSE, FALSE, FALSE},
    {"vmAffinity", TRUE, FALSE, TRUE},    {"preferredVMAffinity", TRUE, FALSE, FALSE},
    {"vmAntiAffinity", TRUE, TRUE, TRUE}, {"preferredVMAntiAffinity", TRUE, TRUE, FALSE},
};

/* Who of them is on one node. */
typedef struct {
  guint n;
  const char *first;
} Found;

typedef struct {
  const AffinityKind *kind;
  const char *term;
  FerrySelector *selector;
  GHashTable *at; /* of VMs: node -> Found */
} AffinityRule;

struct FerryAffinity {
  GArray *rules;
  const char *drain_key;
  GHashTable *emptied; /* names of nodes whose VMs are to leave */
};

static void rule_clear(gpointer data) {
  AffinityRule *rule = data;
  ferry_selector_free(rule->selector);
  g_clear_pointer(&rule->at, g_hash_table_unref);
}

gboolean ferry_affinity_is_of_vms(const json_t *config) {
  for (gsize i = 0; i < G_N_ELEMENTS(affinity_kinds); i++)
    if (affinity_kinds[i].of_vms &&
        json_array_size(json_object_get(config, affinity_kinds[i].field)) > 0)
      return TRUE;
  return FALSE;
}

/* ---- where the others are ---- */

static void rule_note(const AffinityRule *rule, const char *node, const json_t *other) {
  if (!node)
    return;
  Found *found = g_hash_table_lookup(rule->at, node);
  if (!found)
    g_hash_table_insert(rule->at, (gpointer)node, found = g_new0(Found, 1));
  const char *name = ferry_json_str(other, "metadata.name");
  found->n++;
  if (!found->first || g_strcmp0(name, found->first) < 0)
    found->first = name;
}

/* uid of a VM -> the node that it is on its way to. */
static GHashTable *targets_of(json_t *const *migrations, gsize n) {
  GHashTable *targets = g_hash_table_new(g_str_hash, g_str_equal);
  for (gsize i = 0; i < n; i++) {
    const char *uid = ferry_json_str(migrations[i], "status.migrationState.vmiUID");
    const char *target = ferry_json_str(migrations[i], "status.migrationState.targetNode");
    if (uid && target && !ferry_migration_is_final(migrations[i]) &&
        !ferry_migration_is_forecast(migrations[i]))
      g_hash_table_insert(targets, (gpointer)uid, (gpointer)target);
  }
  return targets;
}

static void take_other(const FerryAffinity *a, const json_t *other, GHashTable *targets) {
  const char *uid = ferry_json_str(other, "metadata.uid");
  const char *node = ferry_json_str(other, "status.nodeName");
  const char *target = uid ? g_hash_table_lookup(targets, uid) : NULL;
  if (!ferry_vmi_is_active(other))
    return;
  for (guint i = 0; i < a->rules->len; i++) {
    const AffinityRule *rule = &g_array_index(a->rules, AffinityRule, i);
    if (!rule->at || !ferry_selector_matches(rule->selector, other))
      continue;
    rule_note(rule, node, other);
    if (g_strcmp0(node, target) != 0)
      rule_note(rule, target, other);
  }
}

static void take_kind(FerryAffinity *a, const AffinityKind *kind, const json_t *config) {
  gsize i;
  json_t *term;
  json_array_foreach(json_object_get(config, kind->field), i, term) {
    const char *text = json_string_value(term);
    FerrySelector *selector = text && *text ? ferry_selector_parse_labels(text, NULL) : NULL;
    if (!selector)
      continue;
    AffinityRule rule = {kind, text, selector,
                         kind->of_vms ? g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free)
                                      : NULL};
    g_array_append_val(a->rules, rule);
  }
}

FerryAffinity *ferry_affinity_new(const json_t *config, const json_t *vmi, json_t *const *others,
                                  gsize n_others, json_t *const *migrations, gsize n_migrations) {
  FerryAffinity *a = g_new0(FerryAffinity, 1);
  a->rules = g_array_new(FALSE, FALSE, sizeof(AffinityRule));
  g_array_set_clear_func(a->rules, rule_clear);
  a->drain_key = ferry_placement_drain_key(config);
  a->emptied = g_hash_table_new(g_str_hash, g_str_equal);
  for (gsize i = 0; i < G_N_ELEMENTS(affinity_kinds); i++)
    take_kind(a, &affinity_kinds[i], config);
  if (!ferry_affinity_is_of_vms(config))
    return a;
  g_autoptr(GHashTable) targets = targets_of(migrations, n_migrations);
  const char *uid = ferry_json_str(vmi, "metadata.uid");
  const char *ns = ferry_json_str(vmi, "metadata.namespace");
  for (gsize i = 0; i < n_others; i++)
    if (g_strcmp0(ferry_json_str(others[i], "metadata.uid"), uid) != 0 &&
        g_strcmp0(ferry_json_str(others[i], "metadata.namespace"), ns) == 0)
      take_other(a, others[i], targets);
  return a;
}

void ferry_affinity_take_nodes(FerryAffinity *affinity, json_t *const *nodes, gsize n) {
  for (gsize i = 0; i < n; i++) {
    const char *name = ferry_json_str(nodes[i], "metadata.name");
    if (name && ferry_node_is_emptied(nodes[i], affinity->drain_key))
      g_hash_table_add(affinity->emptied, (gpointer)name);
  }
}

void ferry_affinity_free(FerryAffinity *affinity) {
  if (!affinity)
    return;
  g_array_unref(affinity->rules);
  g_hash_table_unref(affinity->emptied);
  g_free(affinity);
}

/* ---- one node ---- */

/* Whether nobody is to be followed: they are nowhere, or only where all VMs must leave. */
static gboolean goes_first(const FerryAffinity *a, const AffinityRule *rule) {
  GHashTableIter iter;
  gpointer name;
  g_hash_table_iter_init(&iter, rule->at);
  while (g_hash_table_iter_next(&iter, &name, NULL))
    if (!g_hash_table_contains(a->emptied, name))
      return FALSE;
  return TRUE;
}

/* New text; NULL: the node keeps it. */
static char *rule_against(const FerryAffinity *a, const AffinityRule *rule, const json_t *node) {
  const char *name = ferry_json_str(node, "metadata.name"), *field = rule->kind->field;
  if (!rule->at)
    return ferry_selector_matches(rule->selector, node)
               ? NULL
               : g_strdup_printf("node %s is not one with %s (%s)", name, rule->term, field);
  const Found *found = name ? g_hash_table_lookup(rule->at, name) : NULL;
  if (rule->kind->apart)
    return found ? g_strdup_printf("node %s has %u VM%s with %s, such as %s (%s)", name, found->n,
                                   found->n == 1 ? "" : "s", rule->term, found->first, field)
                 : NULL;
  if (found || goes_first(a, rule))
    return NULL;
  return g_strdup_printf("node %s has no VM with %s (%s)", name, rule->term, field);
}

void ferry_affinity_against(const FerryAffinity *affinity, const json_t *node, gboolean hard,
                            FerryAffinityFound found, gpointer data) {
  for (guint i = 0; affinity && i < affinity->rules->len; i++) {
    const AffinityRule *rule = &g_array_index(affinity->rules, AffinityRule, i);
    if (rule->kind->hard != hard)
      continue;
    g_autofree char *text = rule_against(affinity, rule, node);
    if (text)
      found(rule->kind->of_vms, rule->kind->apart, text, data);
  }
}

void ferry_affinity_check(const json_t *spec, const char *path, GError *causes) {
  for (gsize k = 0; k < G_N_ELEMENTS(affinity_kinds); k++) {
    gsize i;
    json_t *term;
    json_array_foreach(json_object_get(spec, affinity_kinds[k].field), i, term) {
      g_autoptr(GError) why = NULL;
      const char *text = json_string_value(term);
      g_autoptr(FerrySelector) selector =
          text && *text ? ferry_selector_parse_labels(text, &why) : NULL;
      if (selector || !text)
        continue;
      g_autofree char *at = g_strdup_printf("%s.%s[%zu]", path, affinity_kinds[k].field, i);
      ferry_error_add_cause(
          causes, "FieldValueInvalid", at,
          "Invalid value: \"%s\": not a term such as app=web, app!=web or !app%s%s", text,
          why ? ": " : "", why ? why->message : "");
    }
  }
}
