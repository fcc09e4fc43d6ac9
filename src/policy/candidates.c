// SPDX-License-Identifier: Apache-2.0
#include "policy/candidates.h"
#include "model/migration/migration.h"
#include "policy/network/data_way.h"
#include "policy/target/version_defects.h"

static void candidates_add_way(json_t *entry, json_t *warnings, const FerryPlacementInput *in,
                               const json_t *source, const json_t *node) {
  g_auto(FerryRoute) route = {0};
  g_autofree char *problem = NULL;
  if (!source ||
      !ferry_data_way(in->networks, in->n_networks, in->config, source, node, &route, &problem))
    return;
  if (route.network)
    ferry_json_set_str(entry, "network", route.network);
  if (route.warning)
    json_array_append_new(warnings, ferry_json_text(route.warning));
  gint64 speed = ferry_network_path_mbps(source, node, route.address);
  if (speed > 0)
    ferry_json_set_int(entry, "speedMbps", speed);
}

static json_t *candidate_entry(const FerryPlacementInput *in, const json_t *source,
                               const json_t *node) {
  const char *name = ferry_json_str(node, "metadata.name");
  json_t *entry = json_pack("{ss}", "nodeName", name), *warnings = json_array(), *one;
  gint64 unused = ferry_placement_free_memory(in, node);
  if (unused >= 0)
    ferry_json_set_int(entry, "memoryAfterBytes",
                       MAX(0, unused - ferry_json_int(in->vmi, "status.guestMemoryBytes", 0)));
  candidates_add_way(entry, warnings, in, source, node);
  g_autoptr(json_t) defects = ferry_version_defects(in->vmi, in->config, source, node);
  gsize i;
  json_array_foreach(defects, i, one) json_array_append(warnings, json_object_get(one, "message"));
  ferry_json_set(entry, "warnings", warnings);
  return entry;
}

static gsize drawbacks_of(const json_t *entry) {
  return json_array_size(json_object_get(entry, "drawbacks"));
}

/* How the one that is taken is ahead of the others, by placement's own order. */
static char *why_chosen(const FerryPlacementInput *in, const json_t *list, const json_t *taken,
                        const FerryHostScore *score) {
  gboolean fewer = TRUE, better = TRUE;
  gsize i;
  json_t *one;
  if (ferry_json_str(in->migration, "spec.targetNode"))
    return g_strdup("it is named");
  if (json_array_size(list) == 1)
    return g_strdup("it is the only one");
  json_array_foreach((json_t *)list, i, one) {
    fewer &= one == taken || drawbacks_of(one) > drawbacks_of(taken);
    better &=
        one == taken || drawbacks_of(one) > drawbacks_of(taken) ||
        ferry_json_int(one, "score", 0) < score->total ||
        ferry_json_int(one, "memoryAfterBytes", -1) < ferry_json_int(taken, "memoryAfterBytes", -1);
  }
  if (fewer)
    return g_strdup("the others have drawbacks");
  g_autofree char *text = ferry_score_text(score);
  return better ? g_strdup_printf("it has the best score: %s", text)
                : g_strdup("tied with another host, chosen by name");
}

json_t *ferry_candidates(const FerryPlacementInput *in, const json_t *chosen) {
  const json_t *source = ferry_placement_source(in);
  g_autoptr(GPtrArray) fit = g_ptr_array_new();
  json_t *list = json_array();
  for (gsize i = 0; i < in->n_nodes; i++) {
    g_autoptr(json_t) against = ferry_placement_reasons(in, in->nodes[i], NULL);
    if (json_array_size(against) == 0)
      g_ptr_array_add(fit, in->nodes[i]);
  }
  g_autofree FerryHostScore *scores = g_new0(FerryHostScore, fit->len + 1);
  ferry_placement_scores(in, (const json_t *const *)fit->pdata, fit->len, scores);
  for (guint i = 0; i < fit->len; i++) {
    const json_t *node = fit->pdata[i];
    json_t *entry = candidate_entry(in, source, node);
    ferry_json_set_int(entry, "inbound",
                       ferry_placement_inbound(in, ferry_json_str(node, "metadata.name")));
    ferry_json_set_int(entry, "score", scores[i].total);
    g_autofree char *text = ferry_score_text(&scores[i]);
    ferry_json_set_str(entry, "scores", text);
    ferry_json_set(entry, "drawbacks", ferry_placement_drawbacks(in, node));
    ferry_json_set_bool(entry, "chosen", node == chosen);
    json_array_append_new(list, entry);
  }
  for (guint i = 0; i < fit->len; i++) {
    if (fit->pdata[i] != chosen)
      continue;
    json_t *taken = json_array_get(list, i);
    g_autofree char *why = why_chosen(in, list, taken, &scores[i]);
    ferry_json_set_str(taken, "why", why);
  }
  return list;
}
