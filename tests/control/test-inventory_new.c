// SPDX-License-Identifier: Apache-2.0
// What one host's reports may make: so many VMs, so many namespaces, none that is reserved, and
// figures whose sums stay within 64 bits.
#include "control/inventory_new.h"
#include "model/agents/domain_record.h"
#include "policy/choice.h"
#include "world.h"

/* `n` domains from the `first` on, each in namespace `ns` (with its number where that has %u). */
static json_t *domains(guint first, guint n, const char *ns, gboolean numbered) {
  json_t *list = json_array();
  for (guint i = first; i < first + n; i++) {
    g_autofree char *uuid = g_strdup_printf("%08x-2222-3333-4444-555555555555", i);
    g_autofree char *name = g_strdup_printf("vm%u", i);
    g_autofree char *own = numbered ? g_strdup_printf("%s%u", ns, i) : g_strdup(ns);
    json_array_append_new(list, json_pack("{ss,ss,ss,ss?}", "uuid", uuid, "name", name, "state",
                                          "shutoff", "namespace", own));
  }
  return list;
}

static gboolean tell(FerryStore *store, const char *node, json_t *list, gboolean full) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) body = json_pack("{sb,so}", "full", full, "domains", list);
  gboolean done = ferry_inventory_report(store, node, body, WORLD_NOW, &error);
  if (!done) {
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID);
    g_assert_cmpuint(ferry_error_n_causes(error), ==, 1);
    g_assert_cmpstr(ferry_error_cause(error, 0)->field, ==, "domains");
  }
  return done;
}

static guint count(FerryStore *store, const FerryKind *kind) {
  g_autoptr(GPtrArray) all = ferry_store_list(store, kind, NULL, NULL);
  return all->len;
}

/* In one report, in several, and instead of others. */
static void test_vms(void) {
  const guint most = FERRY_REPORT_MAX_DOMAINS;
  g_autoptr(FerryStore) store = world_new(); /* h1 has one */
  g_assert_false(tell(store, "h1", domains(0, most + 1, NULL, FALSE), TRUE));
  g_assert_false(tell(store, "h1", domains(0, most, NULL, FALSE), FALSE));
  g_assert_cmpuint(count(store, &ferry_kind_vmi), ==, 1);
  g_assert_true(tell(store, "h1", domains(0, most - 1, NULL, FALSE), FALSE));
  g_assert_cmpuint(count(store, &ferry_kind_vmi), ==, most);
  g_assert_false(tell(store, "h1", domains(most, 1, NULL, FALSE), FALSE));
  g_assert_true(tell(store, "h1", domains(0, 10, NULL, FALSE), FALSE)); /* known ones */
  g_assert_true(tell(store, "h2", domains(most, 1, NULL, FALSE), FALSE));
  g_assert_true(tell(store, "h1", domains(most - 3, 3, NULL, FALSE), TRUE));
  g_assert_cmpuint(count(store, &ferry_kind_vmi), ==, 4);
  g_assert_true(tell(store, "h1", domains(most + 1, 1, NULL, FALSE), FALSE));
}

static guint in_default(FerryStore *store) {
  g_autoptr(GPtrArray) all = ferry_store_list(store, &ferry_kind_vmi, "default", NULL);
  return all->len;
}

static void test_namespaces(void) {
  const guint most = FERRY_REPORT_MAX_NAMESPACES;
  g_autoptr(FerryStore) store = world_new();
  guint before = count(store, &ferry_kind_namespace), defaults = in_default(store);
  /* over several reports, and in one */
  g_assert_true(tell(store, "h1", domains(0, most / 2, "team", TRUE), FALSE));
  g_assert_cmpuint(count(store, &ferry_kind_namespace), ==, before + most / 2);
  g_assert_true(tell(store, "h1", domains(most / 2, most, "team", TRUE), FALSE));
  g_assert_cmpuint(count(store, &ferry_kind_namespace), ==, before + most);
  g_assert_cmpuint(in_default(store), ==, defaults + most / 2);
  /* a namespace that is there costs nothing, and each host has its own account */
  g_assert_true(tell(store, "h1", domains(2 * most, 3, "team1", FALSE), FALSE));
  g_assert_cmpuint(in_default(store), ==, defaults + most / 2);
  g_assert_true(tell(store, "h2", domains(3 * most, 2, "other", TRUE), FALSE));
  g_assert_cmpuint(count(store, &ferry_kind_namespace), ==, before + most + 2);
}

static void test_reserved(void) {
  static const char *const reserved[] = {"kube-system",
                                         "kube-public",
                                         "kube-node-lease",
                                         "kube-anything",
                                         "kubevirt",
                                         "ferry-system",
                                         "ferry-x",
                                         "Upper",
                                         "a.b",
                                         "-a",
                                         "",
                                         "../default"};
  g_autoptr(FerryStore) store = world_new();
  guint before = count(store, &ferry_kind_namespace), defaults = in_default(store);
  for (guint i = 0; i < G_N_ELEMENTS(reserved); i++)
    g_assert_true(tell(store, "h1", domains(i, 1, reserved[i], FALSE), FALSE));
  g_assert_cmpuint(count(store, &ferry_kind_namespace), ==, before);
  g_assert_cmpuint(in_default(store), ==, defaults + G_N_ELEMENTS(reserved));
}

/* The largest figures that are taken add up without leaving 64 bits; larger ones are not taken. */
static void test_sums(void) {
  gint64 sum;
  g_assert_false(__builtin_mul_overflow((gint64)FERRY_RECORD_MAX_MEMORY,
                                        (gint64)FERRY_REPORT_MAX_DOMAINS, &sum));
  g_assert_false(__builtin_mul_overflow((gint64)FERRY_RECORD_MAX_DISK_SIZE,
                                        (gint64)FERRY_RECORD_MAX_DEVICES, &sum));
  g_autoptr(FerryStore) store = world_new();
  for (guint more = 0; more < 2; more++) {
    json_t *list = domains(more, 1, NULL, FALSE);
    ferry_json_set_int(json_array_get(list, 0), "memoryBytes", FERRY_RECORD_MAX_MEMORY + more);
    g_assert_true(tell(store, "h1", list, FALSE));
  }
  g_autoptr(json_t) most = ferry_store_get(store, &ferry_kind_vmi, "default", "vm0");
  g_assert_cmpint(ferry_json_int(most, "status.guestMemoryBytes", 0), ==, FERRY_RECORD_MAX_MEMORY);
  g_autoptr(json_t) over = ferry_store_get(store, &ferry_kind_vmi, "default", "vm1");
  g_assert_null(over);
}

/* What an agent says its VMs use may be anything that is a number. */
static void test_memory_used(void) {
  static const char *const refused[] = {"-1", "1e19", "9223372036854775808.0", "\"1\""};
  g_autoptr(FerryStore) store = world_new();
  for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
    g_autofree char *text = g_strdup_printf("{\"node\":{\"memoryUsedBytes\":%s}}", refused[i]);
    g_autoptr(json_t) body = json_loads(text, 0, NULL);
    g_assert_nonnull(body);
    g_assert_false(ferry_inventory_report(store, "h1", body, WORLD_NOW, NULL));
  }
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) body = json_pack("{s{sI,s{ss}}}", "node", "memoryUsedBytes",
                                     (json_int_t)G_MAXINT64, "capacity", "memory", "8Gi");
  ferry_inventory_report(store, "h1", body, WORLD_NOW, &error);
  g_assert_no_error(error);
  g_autoptr(json_t) node = ferry_store_get(store, &ferry_kind_node, "", "h1");
  g_autoptr(json_t) vmi = json_pack("{s{si}}", "status", "guestMemoryBytes", 1);
  FerryPlacementInput in = {.vmi = vmi};
  g_autoptr(json_t) reasons = ferry_placement_reasons(&in, node, NULL);
  g_assert_nonnull(ferry_json_find(reasons, "reason", "Memory"));
}

/* One that is being deleted takes none. */
static void test_ending_namespace(void) {
  g_autoptr(FerryStore) store = world_new();
  world_add(store, &ferry_kind_namespace,
            json_pack("{s{ss,ss}}", "metadata", "name", "team", "deletionTimestamp", "x"));
  guint before = in_default(store);
  g_assert_true(tell(store, "h1", domains(1, 2, "team", FALSE), FALSE));
  g_assert_cmpuint(in_default(store), ==, before + 2);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/inventory_new/vms", test_vms);
  g_test_add_func("/inventory_new/namespaces", test_namespaces);
  g_test_add_func("/inventory_new/reserved", test_reserved);
  g_test_add_func("/inventory_new/sums", test_sums);
  g_test_add_func("/inventory_new/memory-used", test_memory_used);
  g_test_add_func("/inventory_new/ending-namespace", test_ending_namespace);
  return g_test_run();
}
