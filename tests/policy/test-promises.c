// SPDX-License-Identifier: Apache-2.0
#include "policy/promises.h"
#include "policy/choice.h"
#include <string.h>

#define GIB (1LL << 30)

static json_t *vmi(const char *uid, gint64 memory) {
  return json_pack("{s{ss},s{ss,sI}}", "metadata", "uid", uid, "status", "nodeName", "h1",
                   "guestMemoryBytes", (json_int_t)memory);
}

/* Scheduled, to h2. */
static json_t *move(const char *name, const char *vm) {
  return json_pack("{s{ss,ss},s{},s{ss,s{ss,ss}}}", "metadata", "name", name, "uid", name, "spec",
                   "status", "phase", "Scheduled", "migrationState", "vmiUID", vm, "targetNode",
                   "h2");
}

static gint64 promised(json_t *m, json_t *vm, const char *except) {
  g_autoptr(FerryPromises) p = ferry_promises_new(&m, 1, &vm, 1, except);
  return ferry_promises_bytes(p, "h2");
}

/* What is on its way needs memory until the target reports it itself: never none, never twice. */
static void test_what_counts(void) {
  g_autoptr(json_t) vm = vmi("u1", GIB);
  g_autoptr(json_t) m = move("m", "u1");
  g_assert_cmpint(promised(m, vm, NULL), ==, GIB);
  g_assert_cmpint(promised(m, vm, "m"), ==, 0); /* the one that is asked about */
  ferry_json_set(vm, "status.domains", json_pack("[{ss,sb}]", "nodeName", "h2", "active", 0));
  g_assert_cmpint(promised(m, vm, NULL), ==, GIB); /* only defined there */
  ferry_json_set(vm, "status.domains", json_pack("[{ss,sb}]", "nodeName", "h2", "active", 1));
  g_assert_cmpint(promised(m, vm, NULL), ==, 0); /* received already: the host counts it */
  ferry_json_set(vm, "status.domains", NULL);
  ferry_json_set_bool(m, "spec.forecastOnly", TRUE);
  g_assert_cmpint(promised(m, vm, NULL), ==, 0);
  ferry_json_set(m, "spec", json_pack("{sb}", "offline", 1));
  g_assert_cmpint(promised(m, vm, NULL), ==, 0);
  ferry_json_set(m, "spec", json_object());
  ferry_json_set_str(m, "status.phase", "Failed");
  g_assert_cmpint(promised(m, vm, NULL), ==, 0);
  g_assert_cmpint(ferry_promises_bytes(NULL, "h2"), ==, 0);
}

static void test_names(void) {
  json_t *vms[7], *ms[7];
  for (int i = 0; i < 7; i++) {
    g_autofree char *uid = g_strdup_printf("u%d", i), *name = g_strdup_printf("m%d", i);
    vms[i] = vmi(uid, GIB);
    ms[i] = move(name, uid);
  }
  g_autoptr(FerryPromises) p = ferry_promises_new(ms, 7, vms, 7, NULL);
  g_assert_cmpint(ferry_promises_bytes(p, "h2"), ==, 7 * GIB);
  g_assert_cmpstr(ferry_promises_names(p, "h2"), ==, "m0, m1, m2, m3, m4, ...");
  g_assert_null(ferry_promises_names(p, "h3"));
  for (int i = 0; i < 7; i++) {
    json_decref(vms[i]);
    json_decref(ms[i]);
  }
}

static json_t *node(const char *name, gint64 memory) {
  json_t *n = json_object();
  ferry_json_set_str(n, "metadata.name", name);
  ferry_json_set_int(n, "status.capacity.memory", memory);
  ferry_json_set(n, "status.hypervisor.peer",
                 json_pack("{ss,ss}", "scheme", "tls", "host", ferry_json_str(n, "metadata.name")));
  ferry_json_set(n, "status.conditions", json_pack("[{ss,ss}]", "type", "Ready", "status", "True"));
  return n;
}

/* The second of two VMs goes where there is room for it beside the first, or waits. */
static void test_placement(void) {
  json_t *nodes[] = {node("h2", 68 * GIB / 10), node("h3", 6 * GIB)};
  json_t *vms[] = {vmi("u1", 59 * GIB / 10), vmi("u2", 59 * GIB / 10)};
  json_t *first = move("first", "u1");
  g_autoptr(json_t) second = json_pack("{s{ss}}", "metadata", "uid", "second");
  g_autoptr(FerryPromises) promises = ferry_promises_new(&first, 1, vms, 2, "second");
  FerryPlacementInput in = {
      .vmi = vms[1], .migration = second, .nodes = nodes, .n_nodes = 2, .promises = promises};
  json_t *refusals = NULL;
  gboolean transient;
  const json_t *chosen = ferry_placement_choose(&in, &refusals, &transient);
  g_assert_cmpstr(ferry_json_str(chosen, "metadata.name"), ==, "h3");
  json_decref(refusals);
  in.n_nodes = 1;
  g_assert_null(ferry_placement_choose(&in, &refusals, &transient));
  g_assert_true(transient);
  const json_t *reasons = json_object_get(json_array_get(refusals, 0), "reasons");
  g_assert_cmpstr(ferry_json_str(ferry_json_find(reasons, "reason", "Memory"), "message"), ==,
                  "node h2 has 6.8 GiB of memory free, of which 5.9 GiB is promised to migrations "
                  "on the way there (first), the VM needs 5.9 GiB");
  json_decref(refusals);
  for (int i = 0; i < 2; i++) {
    json_decref(nodes[i]);
    json_decref(vms[i]);
  }
  json_decref(first);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/promises/what-counts", test_what_counts);
  g_test_add_func("/promises/names", test_names);
  g_test_add_func("/promises/placement", test_placement);
  return g_test_run();
}
