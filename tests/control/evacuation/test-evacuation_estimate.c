// SPDX-License-Identifier: Apache-2.0
// What a planned evacuation takes at least, and what it is expected to take: by the links of the
// hosts, the limits of the configuration, and what the VMs are.
#include "control/evacuation/evacuation_estimate.h"
#include <string.h>

#define MIB (1LL << 20)

static json_t *host(const char *name, const char *address, int mbps) {
  return json_pack("{s{ss},s{s[{ss,s[s],sb,si}],s[{ss,ss}]}}", "metadata", "name", name, "status",
                   "interfaces", "name", "eth0", "addresses", address, "up", 1, "speedMbps", mbps,
                   "addresses", "type", "InternalIP", "address",
                   strcmp(name, "h1") ? "10.0.0.2" : "10.0.0.1");
}

static json_t *vm(const char *name, gint64 mib) {
  return json_pack("{s{ss},s{sI}}", "metadata", "name", name, "status", "guestMemoryBytes",
                   (json_int_t)(mib * MIB));
}

static json_t *estimate(json_t *vms, const json_t *config, int mbps) {
  g_autoptr(json_t) h1 = host("h1", "10.0.0.1/24", mbps), h2 = host("h2", "10.0.0.2/24", mbps);
  g_autoptr(json_t) web = vm("web", 1000), db = vm("db", 250);
  g_autoptr(FerryEvacuationEstimate) e = ferry_evacuation_estimate_new();
  json_t *const all[] = {web, db};
  for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
    json_array_append_new(vms, json_pack("{ss}", "name", i ? "db" : "web"));
    ferry_evacuation_estimate_take(e, json_array_get(vms, i), all[i], config, h1, h2, NULL, 0);
  }
  return ferry_evacuation_estimate_end(e);
}

static void expect_late(json_t *plan, const json_t *vms, gint64 within, guint late,
                        const char *part) {
  g_autofree char *text = ferry_evacuation_deadline_text(plan, vms, within);
  g_test_message("%s", text);
  g_assert_nonnull(strstr(text, part));
  g_assert_cmpint(ferry_json_int(plan, "late", -1), ==, late);
}

static void test_links(void) {
  g_autoptr(json_t) vms = json_array();
  g_autoptr(json_t) config = json_pack("{si}", "parallelOutboundMigrationsPerNode", 1);
  g_autoptr(json_t) plan = estimate(vms, config, 1000);
  gint64 bound = 1250 * MIB * 8 / 1000000;
  g_assert_cmpint(ferry_json_int(plan, "bytes", 0), ==, 1250 * MIB);
  g_assert_cmpint(ferry_json_int(plan, "boundMs", 0), ==, bound);
  g_assert_nonnull(strstr(ferry_json_str(plan, "boundBy"), "h2"));
  gint64 web = ferry_json_int(json_array_get(vms, 0), "forecastMs", 0);
  gint64 db = ferry_json_int(json_array_get(vms, 1), "forecastMs", 0);
  g_assert_cmpint(web, >, 1000 * MIB * 8 / 1000000);
  g_assert_cmpint(db, >, bound); /* one after the other */
  g_assert_cmpint(ferry_json_int(plan, "forecastMs", 0), ==, db);
  expect_late(plan, vms, web, 1, ": db");
  expect_late(plan, vms, web - 1, 2, ": web, db");
  expect_late(plan, vms, bound - 1, 1, "no order of moves takes less than");
  g_assert_null(ferry_evacuation_deadline_text(plan, vms, db));
  json_array_append_new(vms, json_pack("{ss,ss}", "name", "old", "phase", "Queued"));
  expect_late(plan, vms, db, 0, "of 1 VM it is not known");
  json_array_append_new(vms, json_pack("{ss,ss}", "name", "pci", "phase", "Failed"));
  expect_late(plan, vms, db, 1, ": pci; of 1 more VM");
}

/* What can't be met is said where nobody's end is known, too. */
static void test_bound_only(void) {
  g_autoptr(json_t) vms = json_array(), plan = json_pack("{si}", "boundMs", 5000);
  expect_late(plan, vms, 4000, 0, "can't be met: no order of moves takes less than 5.0 s");
  g_assert_null(ferry_evacuation_deadline_text(plan, vms, 5000));
}

/* A limit of the migration's own is known even where the link's speed is not. */
static void test_limit(void) {
  g_autoptr(json_t) vms = json_array(), more = json_array();
  g_autoptr(json_t) none = json_object();
  g_autoptr(json_t) unknown = estimate(vms, none, 0);
  g_assert_null(json_object_get(unknown, "boundMs"));
  g_assert_null(json_object_get(unknown, "forecastMs"));
  g_assert_null(json_object_get(json_array_get(vms, 0), "forecastMs"));
  g_autoptr(json_t) capped = json_pack("{sI}", "bandwidthPerMigration", (json_int_t)(10 * MIB));
  g_autoptr(json_t) plan = estimate(more, capped, 0);
  g_assert_cmpint(ferry_json_int(plan, "boundMs", 0), ==, 100000);
  g_assert_cmpint(ferry_json_int(plan, "forecastMs", 0), ==, 101500);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/control/evacuation_estimate/links", test_links);
  g_test_add_func("/control/evacuation_estimate/bound-only", test_bound_only);
  g_test_add_func("/control/evacuation_estimate/limit", test_limit);
  return g_test_run();
}
