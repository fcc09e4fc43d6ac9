// SPDX-License-Identifier: Apache-2.0
#include "policy/choice.h"
#include "model/migration/migration.h"
#include "policy/network/data_way.h"

/* Where the migration names a node that is there, the others are no matter of its. */
static gboolean is_the_target(const FerryPlacementInput *in, const char *wanted) {
  for (gsize i = 0; wanted && i < in->n_nodes; i++)
    if (g_strcmp0(ferry_json_str(in->nodes[i], "metadata.name"), wanted) == 0)
      return TRUE;
  return FALSE;
}

/* The way to `node`; FALSE: none is needed, or there is none. */
static gboolean way_to(const FerryPlacementInput *in, const json_t *node, FerryRoute *route) {
  const json_t *source = ferry_placement_source(in);
  g_autofree char *problem = NULL;
  return source && source != node &&
         ferry_data_way(in->networks, in->n_networks, in->config, source, node, route, &problem);
}

static void add_preference(gboolean of_vms, gboolean apart, const char *text, gpointer data) {
  json_array_append_new(data, ferry_json_text(text));
}

json_t *ferry_placement_drawbacks(const FerryPlacementInput *in, const json_t *node) {
  g_auto(FerryRoute) route = {0};
  json_t *list = json_array();
  gsize i;
  json_t *taint;
  if (in->n_networks > 0 && (!way_to(in, node, &route) || !route.network))
    json_array_append_new(list, json_string("data would take no Network"));
  json_array_foreach(ferry_json_get(node, "spec.taints"), i, taint) {
    const char *key = ferry_json_str(taint, "key");
    if (g_strcmp0(ferry_json_str(taint, "effect"), "PreferNoSchedule") == 0)
      json_array_append_new(list,
                            json_sprintf("it has the taint %s:PreferNoSchedule", key ? key : "?"));
  }
  ferry_affinity_against(in->affinity, node, FALSE, add_preference, list);
  return list;
}

gint64 ferry_placement_inbound(const FerryPlacementInput *in, const char *node) {
  gint64 count = 0;
  const char *own = ferry_json_str(in->migration, "metadata.uid");
  for (gsize i = 0; i < in->n_migrations; i++) {
    const json_t *m = in->migrations[i];
    if (own && g_strcmp0(ferry_json_str(m, "metadata.uid"), own) == 0)
      continue; /* its own earlier attempt */
    count += !ferry_migration_is_final(m) && !ferry_migration_is_forecast(m) &&
             g_strcmp0(ferry_json_str(m, "status.migrationState.targetNode"), node) == 0;
  }
  return count;
}

static FerryHostFacts facts_of(const FerryPlacementInput *in, const json_t *node) {
  gint64 free = ferry_placement_free_memory(in, node);
  gint64 used = ferry_json_int(node, "status.processorsUsed", -1);
  g_auto(FerryRoute) route = {0};
  gboolean known = way_to(in, node, &route);
  return (FerryHostFacts){
      .memory_after =
          free < 0 ? -1 : MAX(0, free - ferry_json_int(in->vmi, "status.guestMemoryBytes", 0)),
      .memory = ferry_placement_memory_capacity(node),
      .processors_used = used < 0 ? -1 : used + ferry_json_int(in->vmi, "spec.domain.cpu.cores", 1),
      .processors = ferry_placement_processors(node),
      .speed_mbps =
          known ? ferry_network_path_mbps(ferry_placement_source(in), node, route.address) : -1,
      .inbound = ferry_placement_inbound(in, ferry_json_str(node, "metadata.name"))};
}

void ferry_placement_scores(const FerryPlacementInput *in, const json_t *const *nodes, gsize n,
                            FerryHostScore *out) {
  g_autofree FerryHostFacts *facts = g_new0(FerryHostFacts, n + 1);
  for (gsize i = 0; i < n; i++)
    facts[i] = facts_of(in, nodes[i]);
  ferry_score_hosts(facts, n, g_strcmp0(ferry_json_str(in->config, "placement"), "pack") == 0, out);
}

typedef struct {
  const json_t *node; /* NULL: none yet */
  gsize drawbacks;
  gint score;
  gint64 memory;
} Choice;

static gboolean goes_before(const Choice *a, const Choice *b) {
  if (!b->node)
    return TRUE;
  if (a->drawbacks != b->drawbacks)
    return a->drawbacks < b->drawbacks;
  if (a->score != b->score)
    return a->score > b->score;
  if (a->memory != b->memory)
    return a->memory > b->memory;
  return g_strcmp0(ferry_json_str(a->node, "metadata.name"),
                   ferry_json_str(b->node, "metadata.name")) < 0;
}

static const json_t *best_of(const FerryPlacementInput *in, const GPtrArray *fit) {
  g_autofree FerryHostScore *scores = g_new0(FerryHostScore, fit->len + 1);
  Choice best = {0};
  if (fit->len == 0)
    return NULL;
  ferry_placement_scores(in, (const json_t *const *)fit->pdata, fit->len, scores);
  for (guint i = 0; i < fit->len; i++) {
    g_autoptr(json_t) drawbacks = ferry_placement_drawbacks(in, fit->pdata[i]);
    Choice this = {fit->pdata[i], json_array_size(drawbacks), scores[i].total,
                   ferry_placement_free_memory(in, fit->pdata[i])};
    if (goes_before(&this, &best))
      best = this;
  }
  return best.node;
}

const json_t *ferry_placement_choose(const FerryPlacementInput *in, json_t **refusals,
                                     gboolean *transient) {
  g_autoptr(GPtrArray) fit = g_ptr_array_new();
  json_t *refused = json_array();
  const char *wanted = ferry_json_str(in->migration, "spec.targetNode");
  gboolean named = is_the_target(in, wanted);
  *transient = FALSE;
  for (gsize i = 0; i < in->n_nodes; i++) {
    json_t *node = in->nodes[i];
    gboolean passing;
    if (named && g_strcmp0(ferry_json_str(node, "metadata.name"), wanted) != 0)
      continue;
    g_autoptr(json_t) reasons = ferry_placement_reasons(in, node, &passing);
    if (json_array_size(reasons) == 0) {
      g_ptr_array_add(fit, node);
      continue;
    }
    *transient |= passing;
    json_array_append_new(refused,
                          json_pack("{ss?,sO}", "nodeName", ferry_json_str(node, "metadata.name"),
                                    "reasons", reasons));
  }
  *refusals = refused;
  return best_of(in, fit);
}
