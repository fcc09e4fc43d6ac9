// SPDX-License-Identifier: Apache-2.0
// Which of several hosts is taken: rules about labels and other VMs, room that is to stay free, and
// the score.
#include "policy/choice.h"
#include <string.h>

static json_t *host(const char *name, gint64 used_gib, int processors) {
  return json_pack("{s{ss,s{ss}},s{s{ss,ss},sI,si,s[{ss,ss}],s{s{ss,ss}}}}", "metadata", "name",
                   name, "labels", "host", name, "status", "capacity", "memory", "8Gi", "cpu", "4",
                   "memoryUsedBytes", (json_int_t)used_gib << 30, "processorsUsed", processors,
                   "conditions", "type", "Ready", "status", "True", "hypervisor", "peer", "scheme",
                   "tls", "host", name);
}

typedef struct {
  json_t *nodes[3], *vmi, *migration, *config;
  FerryPlacementInput in;
} World;

static void world_init(World *w) {
  *w = (World){.nodes = {host("h1", 0, 0), host("h2", 1, 2), host("h3", 4, 6)}};
  w->vmi = json_pack("{s{ss,ss,ss},s{s{s{si}}},s{ss,sI}}", "metadata", "uid", "u", "name", "db",
                     "namespace", "default", "spec", "domain", "cpu", "cores", 2, "status",
                     "nodeName", "h1", "guestMemoryBytes", (json_int_t)1 << 30);
  w->migration = json_object();
  w->config = json_object();
  w->in = (FerryPlacementInput){.vmi = w->vmi,
                                .migration = w->migration,
                                .nodes = w->nodes,
                                .n_nodes = 3,
                                .config = w->config};
}

static void world_clear(World *w) {
  for (gsize i = 0; i < G_N_ELEMENTS(w->nodes); i++)
    json_decref(w->nodes[i]);
  json_decref(w->vmi);
  json_decref(w->migration);
  json_decref(w->config);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(World, world_clear)

/* Of the one that is taken; `word`: a reason that is given against `refused`. */
static void expect(World *w, const char *taken, const char *refused, const char *word) {
  g_autoptr(FerryAffinity) affinity = ferry_affinity_new(w->config, w->vmi, NULL, 0, NULL, 0);
  gboolean transient;
  json_t *list = NULL;
  w->in.affinity = affinity;
  const json_t *node = ferry_placement_choose(&w->in, &list, &transient);
  g_autoptr(json_t) refusals = list;
  g_assert_cmpstr(ferry_json_str(node, "metadata.name"), ==, taken);
  if (refused) {
    const json_t *of = ferry_json_find(refusals, "nodeName", refused);
    g_assert_nonnull(ferry_json_find(json_object_get(of, "reasons"), "reason", word));
  }
  w->in.affinity = NULL;
}

static void test_spread_and_pack(void) {
  g_auto(World) w;
  world_init(&w);
  expect(&w, "h2", NULL, NULL);
  ferry_json_set_str(w.config, "placement", "pack");
  expect(&w, "h3", NULL, NULL);
}

static void test_labels(void) {
  g_auto(World) w;
  world_init(&w);
  ferry_json_set(w.config, "preferredNodeAffinity", json_pack("[s]", "host=h3"));
  expect(&w, "h3", NULL, NULL);
  ferry_json_set(w.config, "nodeAffinity", json_pack("[s]", "host!=h3"));
  expect(&w, "h2", "h3", "Affinity");
  ferry_json_set_str(w.migration, "spec.targetNode", "h3"); /* hard is hard */
  expect(&w, NULL, "h3", "Affinity");
}

static void test_headroom(void) {
  g_auto(World) w;
  world_init(&w);
  ferry_json_set_str(w.config, "placement", "pack");
  ferry_json_set_int(w.config, "memoryReservePercent", 50); /* h3 would have 3 of 8 GiB */
  expect(&w, "h2", "h3", "Headroom");
  ferry_json_set_int(w.config, "memoryReservePercent", 37);
  expect(&w, "h3", NULL, NULL);
  ferry_json_set_int(w.config, "maxProcessorOvercommit", 2); /* 8 of 8 */
  expect(&w, "h3", NULL, NULL);
  ferry_json_set_int(w.config, "maxProcessorOvercommit", 1);
  expect(&w, "h2", "h3", "Headroom");
  ferry_json_set_str(w.migration, "spec.targetNode", "h3"); /* a person's word */
  expect(&w, "h3", NULL, NULL);
}

static void test_inbound(void) {
  g_auto(World) w;
  world_init(&w);
  ferry_json_set_int(w.nodes[2], "status.memoryUsedBytes", 1LL << 30);
  ferry_json_set_int(w.nodes[2], "status.processorsUsed", 2);
  expect(&w, "h2", NULL, NULL); /* by name */
  g_autoptr(json_t) coming = json_pack("{s{ss,s{ss}}}", "status", "phase", "Running",
                                       "migrationState", "targetNode", "h2");
  json_t *list[] = {coming};
  w.in.migrations = list;
  w.in.n_migrations = 1;
  expect(&w, "h3", NULL, NULL);
  g_assert_cmpint(ferry_placement_inbound(&w.in, "h2"), ==, 1);
  ferry_json_set_str(coming, "metadata.uid", "m1");
  ferry_json_set_str(w.migration, "metadata.uid", "m1"); /* its own first attempt */
  g_assert_cmpint(ferry_placement_inbound(&w.in, "h2"), ==, 0);
}

/* A network that is in use keeps one waiting where limits count; a question is about where. */
static void test_network_in_use(void) {
  g_auto(World) w;
  world_init(&w);
  for (gsize i = 0; i < G_N_ELEMENTS(w.nodes); i++) {
    g_autofree char *address = g_strdup_printf("10.0.0.%zu/24", i + 1);
    ferry_json_set(w.nodes[i], "status.interfaces",
                   json_pack("[{ss,sb,si,s[s]}]", "name", "eth0", "up", 1, "speedMbps", 1000,
                             "addresses", address));
  }
  g_autoptr(json_t) network =
      json_pack("{s{ss},s{s[s],s[s],si}}", "metadata", "name", "fast", "spec", "roles", "migration",
                "subnets", "10.0.0.0/24", "parallelInboundPerNode", 1);
  g_autoptr(json_t) coming =
      json_pack("{s{ss,s{ss,ss,ss}}}", "status", "phase", "Running", "migrationState", "targetNode",
                "h2", "sourceNode", "h3", "network", "fast");
  json_t *list[] = {coming};
  g_autoptr(FerryLimits) limits = ferry_limits_new(list, 1, w.config);
  w.in.networks = &network;
  w.in.n_networks = 1;
  w.in.migrations = list;
  w.in.n_migrations = 1;
  expect(&w, "h2", NULL, NULL);
  w.in.limits = limits;
  expect(&w, "h3", "h2", "InboundLimit");
  ferry_json_set_str(network, "spec.leastRate", "100M");
  ferry_json_set_str(coming, "status.migrationState.sourceNode", "h1");
  expect(&w, NULL, "h3", "LinkFull"); /* h1's link has 62 MB/s left */
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/choice/spread-and-pack", test_spread_and_pack);
  g_test_add_func("/choice/labels", test_labels);
  g_test_add_func("/choice/headroom", test_headroom);
  g_test_add_func("/choice/inbound", test_inbound);
  g_test_add_func("/choice/network-in-use", test_network_in_use);
  return g_test_run();
}
