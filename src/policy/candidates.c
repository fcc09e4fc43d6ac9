// SPDX-License-Identifier: Apache-2.0
#include "policy/candidates.h"
#include "model/migration/migration.h"
#include "policy/network/data_way.h"
#include "policy/target/version_defects.h"

static const json_t *candidates_source(const FerryPlacementInput *in) {
  const char *name = ferry_json_str(in->vmi, "status.nodeName");
  for (gsize i = 0; name && i < in->n_nodes; i++)
    if (g_strcmp0(ferry_json_str(in->nodes[i], "metadata.name"), name) == 0)
      return in->nodes[i];
  return NULL;
}

static gint64 inbound_of(const char *node, json_t *const *migrations, gsize n) {
  gint64 count = 0;
  for (gsize i = 0; i < n; i++)
    count +=
        !ferry_migration_is_final(migrations[i]) && !ferry_migration_is_forecast(migrations[i]) &&
        g_strcmp0(ferry_json_str(migrations[i], "status.migrationState.targetNode"), node) == 0;
  return count;
}

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

/* How the one that is taken is ahead of the others, by placement's own order. */
static const char *why_chosen(const FerryPlacementInput *in, const json_t *list,
                              const json_t *taken) {
  gint64 most = -1;
  gsize i;
  json_t *one;
  if (ferry_json_str(in->migration, "spec.targetNode"))
    return "it is named";
  if (json_array_size(list) == 1)
    return "it is the only one";
  json_array_foreach((json_t *)list, i, one) {
    if (one != taken)
      most = MAX(most, ferry_json_int(one, "memoryAfterBytes", -1));
  }
  gint64 own = ferry_json_int(taken, "memoryAfterBytes", -1);
  return own > most    ? "it has the most memory free"
         : own == most ? "tied with another host, chosen by name"
                       : "the others have drawbacks (taints, a way past the network)";
}

json_t *ferry_candidates(const FerryPlacementInput *in, const json_t *chosen,
                         json_t *const *migrations, gsize n_migrations) {
  const json_t *source = candidates_source(in);
  json_t *list = json_array(), *taken = NULL;
  for (gsize i = 0; i < in->n_nodes; i++) {
    const char *name = ferry_json_str(in->nodes[i], "metadata.name");
    g_autoptr(json_t) against = ferry_placement_reasons(in, in->nodes[i], NULL);
    if (json_array_size(against) > 0)
      continue;
    json_t *entry = candidate_entry(in, source, in->nodes[i]);
    ferry_json_set_int(entry, "inbound", inbound_of(name, migrations, n_migrations));
    ferry_json_set_bool(entry, "chosen", in->nodes[i] == chosen);
    json_array_append_new(list, entry);
    taken = in->nodes[i] == chosen ? entry : taken;
  }
  if (taken)
    ferry_json_set_str(taken, "why", why_chosen(in, list, taken));
  return list;
}
