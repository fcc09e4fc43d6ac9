// SPDX-License-Identifier: Apache-2.0
// What a migration's data go over, as its status and events tell; and what keeps one from
// beginning: a time that has not come, a freeze, a source that is not ready, a host that was not
// heard. A store in memory is stepped by hand on a clock of the test's own.
#include "world.h"
#include <string.h>

#define STATE "status.migrationState."

static json_t *network(const char *fallback) {
  return json_pack("{ss,ss,s{ss},s{s[s],s[s],ss}}", "apiVersion", "ferry.migration/v1", "kind",
                   "Network", "metadata", "name", "fast", "spec", "roles", "migration", "subnets",
                   "10.9.0.0/24", "fallback", fallback);
}

static void join(FerryStore *store, const char *node, const char *address) {
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  g_autoptr(json_t) n = ferry_store_get(store, &ferry_kind_node, "", node);
  json_t *copy = json_deep_copy(n);
  ferry_json_set(
      copy, "status.interfaces",
      json_pack("[{ss,si,s[s]}]", "name", "migr", "speedMbps", 1000, "addresses", address));
  ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_node, copy, FALSE);
  world_commit(store, plan);
}

/* The migration once it was given a host, with one field of its spec (taken). */
static json_t *placed(FerryStore *store, const char *field, json_t *value) {
  world_migrate(store, "m", "h2");
  if (field) {
    g_autofree char *path = g_strconcat("spec.", field, NULL);
    world_set(store, "m", path, value);
  }
  json_t *m = world_step(store, "m", WORLD_NOW);
  if (g_strcmp0(ferry_json_str(m, "status.reason"), "Waiting") == 0) { /* for a report, as yet */
    json_decref(m);
    m = world_step(store, "m", WORLD_NOW + 600);
  }
  g_assert_cmpstr(ferry_json_str(m, "status.phase"), ==, "Scheduled");
  return m;
}

static gboolean has_event(FerryStore *store, const char *reason) {
  g_autoptr(GPtrArray) all = ferry_store_list(store, &ferry_kind_event, NULL, NULL);
  gboolean found = FALSE;
  for (guint i = 0; i < all->len; i++)
    found |= g_strcmp0(ferry_json_str(g_ptr_array_index(all, i), "reason"), reason) == 0;
  return found;
}

static void test_network(void) {
  g_autoptr(FerryStore) store = world_new();
  world_add(store, &ferry_kind_network, network("deny"));
  join(store, "h1", "10.9.0.1/24");
  join(store, "h2", "10.9.0.2/24");
  g_autoptr(json_t) m = placed(store, NULL, NULL);
  g_assert_cmpstr(ferry_json_str(m, STATE "network"), ==, "fast");
  g_assert_cmpstr(ferry_json_str(m, STATE "targetNodeAddress"), ==, "10.9.0.2");
  g_assert_nonnull(ferry_json_get(m, STATE "migrationConfiguration.networkSubnets"));
  g_assert_false(has_event(store, "NetworkFallback"));
}

/* Both hosts have told of themselves again before data goes past the network. */
static void test_asked_before_a_fallback(void) {
  g_autoptr(FerryStore) store = world_new();
  world_add(store, &ferry_kind_network, network("allow"));
  join(store, "h1", "10.9.0.1/24");
  world_migrate(store, "m", "h2");
  g_autoptr(json_t) early = world_step(store, "m", WORLD_NOW + 1000);
  g_assert_cmpstr(ferry_json_str(early, "status.phase"), ==, "Scheduling");
  g_assert_nonnull(strstr(ferry_json_str(early, "status.message"), "asked again"));
  g_autoptr(json_t) still = world_step(store, "m", WORLD_NOW + 3000);
  g_assert_cmpstr(ferry_json_str(still, "status.phase"), ==, "Scheduling");
  world_report(store, "h1", "running", "booted", WORLD_NOW + 3500);
  g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW + 4500);
  g_assert_cmpstr(ferry_json_str(m, "status.phase"), ==, "Scheduled");
}

static void test_fallback(void) {
  g_autoptr(FerryStore) store = world_new();
  world_add(store, &ferry_kind_network, network("warn"));
  join(store, "h1", "10.9.0.1/24");
  g_autoptr(json_t) m = placed(store, NULL, NULL);
  g_assert_null(ferry_json_get(m, STATE "network"));
  g_assert_cmpstr(ferry_json_str(m, STATE "targetNodeAddress"), ==, "10.0.0.2");
  g_assert_true(has_event(store, "NetworkFallback"));
}

/* What goes another way than libvirt is told of is carried by the network that its address is in.
 */
static void other_way(const char *field, json_t *value, const char *carried, gint64 link) {
  g_autoptr(FerryStore) store = world_new();
  world_add(store, &ferry_kind_network, network("warn"));
  join(store, "h1", "10.9.0.1/24");
  join(store, "h2", "10.9.0.2/24");
  g_autoptr(json_t) m = placed(store, field, json_incref(value));
  g_assert_cmpstr(ferry_json_str(m, STATE "network"), ==, carried);
  g_assert_null(ferry_json_get(m, STATE "targetNodeAddress"));
  g_assert_cmpint(ferry_json_int(m, STATE "migrationConfiguration.linkRateBytesPerSecond", 0), ==,
                  link);
  g_autoptr(FerryStore) without = world_new();
  world_add(without, &ferry_kind_network, network("warn"));
  g_autoptr(json_t) same = placed(without, field, value);
  g_assert_null(ferry_json_get(same, STATE "targetNodeAddress"));
  /* a name is for the source's agent to resolve */
  gboolean known = json_is_string(value) && strstr(json_string_value(value), "10.");
  g_assert_cmpint(has_event(without, "NetworkFallback"), ==, known);
}

static void test_other_ways(void) {
  other_way("tunnelled", json_true(), NULL, 0);
  other_way("migrateURI", json_string("tcp://elsewhere"), NULL, 0);
  other_way("migrateURI", json_string("tcp://10.9.0.2:49152"), "fast",
            62500000); /* half of its link */
}

/* A disk that the target sees as well is not copied onto itself, nor counted. */
static void test_shared_disk(void) {
  g_autoptr(FerryStore) store = world_new();
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) body =
      json_pack("{s[{ss,ss,ss,sb,s[{ss,ss,ss,sb,si},{ss,ss,ss,sb,si}]}]}", "domains", "uuid",
                WORLD_UUID, "name", "db", "state", "running", "active", 1, "disks", "name", "vda",
                "type", "file", "source", "/data/a", "shared", 0, "sizeBytes", 1000, "name", "vdb",
                "type", "file", "source", "/nfs/b", "shared", 1, "sizeBytes", 20);
  ferry_inventory_report(store, "h1", body, WORLD_NOW, &error);
  g_assert_no_error(error);
  g_autoptr(json_t) m = placed(store, "copyStorageAll", json_true());
  g_autofree char *disks =
      ferry_json_dump(ferry_json_get(m, STATE "migrationConfiguration.migrateDisks"));
  g_assert_cmpstr(disks, ==, "[\"vda\"]");
  g_assert_cmpint(ferry_json_int(m, STATE "migrationConfiguration.copiedDiskBytes", 0), ==, 1000);
}

static guint count_events(FerryStore *store, const char *reason) {
  g_autoptr(GPtrArray) all = ferry_store_list(store, &ferry_kind_event, NULL, NULL);
  guint n = 0;
  for (guint i = 0; i < all->len; i++)
    n += g_strcmp0(ferry_json_str(g_ptr_array_index(all, i), "reason"), reason) == 0;
  return n;
}

static void freeze(FerryStore *store, gboolean on) {
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  json_t *kubevirt =
      json_pack("{ss,ss,s{ss,ss,ss},s{}}", "apiVersion", "kubevirt.io/v1", "kind", "KubeVirt",
                "metadata", "name", "kubevirt", "namespace", "kubevirt", "uid", "kv", "spec");
  g_autoptr(json_t) there = ferry_store_get(store, &ferry_kind_kubevirt, "kubevirt", "kubevirt");
  if (there)
    ferry_json_set(kubevirt, "metadata", json_deep_copy(json_object_get(there, "metadata")));
  if (on)
    ferry_json_set(kubevirt, "spec.freeze", json_pack("{ss,ss}", "by", "ann", "reason", "odd"));
  ferry_plan_write(plan, there ? FERRY_WRITE_UPDATE : FERRY_WRITE_CREATE, &ferry_kind_kubevirt,
                   kubevirt, FALSE);
  world_commit(store, plan);
}

/* Nothing new starts, for however long, and says who wants it so; what runs is left alone. */
static void test_frozen(void) {
  g_autoptr(FerryStore) store = world_new();
  world_vm(store, "other", 2, WORLD_NOW);
  world_migrate_vm(store, "runs", "other", "h2");
  json_decref(world_step(store, "runs", WORLD_NOW));
  world_set(store, "runs", "status.phase", json_string("PreparingTarget"));
  freeze(store, TRUE);
  world_migrate(store, "m", "h2");
  for (guint i = 0; i < 3; i++) {
    g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW + i * 3600 * 1000);
    g_assert_cmpstr(ferry_json_str(m, "status.phase"), ==, "Pending");
    g_assert_cmpstr(ferry_json_str(m, "status.queue.reason"), ==, "Frozen");
    g_assert_nonnull(strstr(ferry_json_str(m, "status.queue.message"), "by ann, because odd"));
  }
  g_assert_cmpuint(count_events(store, "Frozen"), ==, 1); /* said once */
  g_autoptr(json_t) still = world_step(store, "runs", WORLD_NOW + 1);
  g_assert_cmpstr(ferry_json_str(still, "status.phase"), ==, "PreparingTarget");
  freeze(store, FALSE);
  g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW + 9 * 3600 * 1000);
  g_assert_cmpstr(ferry_json_str(m, "status.phase"), ==, "Scheduled");
  g_assert_null(ferry_json_get(m, "status.queue"));
}

/* One that waits for a host does not start either, nor give up. */
static void test_frozen_in_scheduling(void) {
  g_autoptr(FerryStore) store = world_new();
  world_migrate(store, "m", "h2");
  world_set(store, "m", "status",
            json_pack("{ss,s[{ss,ss}]}", "phase", "Scheduling", "phaseTransitionTimestamps",
                      "phase", "Scheduling", "phaseTransitionTimestamp", "2026-01-01T00:00:00Z"));
  freeze(store, TRUE);
  g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW + FERRY_UNSCHEDULABLE_TIMEOUT_MS + 1000);
  g_assert_cmpstr(ferry_json_str(m, "status.phase"), ==, "Scheduling");
  g_assert_cmpstr(ferry_json_str(m, "status.reason"), ==, "Frozen");
  freeze(store, FALSE);
  g_autoptr(json_t) after =
      world_step(store, "m", WORLD_NOW + FERRY_UNSCHEDULABLE_TIMEOUT_MS + 2000);
  g_assert_cmpstr(ferry_json_str(after, "status.phase"), ==, "Scheduled");
  g_assert_null(ferry_json_get(after, "status.message"));
}

/* One that has its host, and that its agent has not come to yet, does not start either. */
static void test_frozen_in_scheduled(void) {
  g_autoptr(FerryStore) store = world_new();
  world_migrate(store, "m", "h2");
  g_autoptr(json_t) before = world_step(store, "m", WORLD_NOW);
  g_assert_cmpstr(ferry_json_str(before, "status.phase"), ==, "Scheduled");
  freeze(store, TRUE);
  g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW + 1000);
  g_assert_cmpstr(ferry_json_str(m, "status.phase"), ==, "Scheduling");
  g_assert_cmpstr(ferry_json_str(m, "status.reason"), ==, "Frozen");
  g_assert_nonnull(strstr(ferry_json_str(m, "status.message"), "by ann, because odd"));
  g_assert_null(ferry_json_get(m, STATE "targetNode"));
  g_assert_cmpint(ferry_json_int(m, STATE "attempt", 0), ==, 1);
  freeze(store, FALSE);
  g_autoptr(json_t) after = world_step(store, "m", WORLD_NOW + 2000);
  g_assert_cmpstr(ferry_json_str(after, "status.phase"), ==, "Scheduled");
  g_assert_cmpstr(ferry_json_str(after, STATE "targetNode"), ==, "h2");
}

/* A source that is not ready says in its own words why. */
static void test_source_not_ready(void) {
  g_autoptr(FerryStore) store = world_new();
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) body = json_pack("{s{sb,ss}}", "node", "connected", 0, "connectionError",
                                     "libvirtd has not answered for 4.0 s");
  ferry_inventory_report(store, "h1", body, WORLD_NOW, &error);
  g_assert_no_error(error);
  world_migrate(store, "m", "h2");
  g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW);
  g_assert_cmpstr(ferry_json_str(m, "status.queue.reason"), ==, "SourceNotReady");
  g_assert_nonnull(
      strstr(ferry_json_str(m, "status.queue.message"), "libvirtd has not answered for 4.0 s"));
  g_assert_cmpuint(count_events(store, "SourceNotReady"), ==, 1);
}

/* It waits for its time, in nobody's way, and then goes as any other. */
static void test_put_off(void) {
  g_autoptr(FerryStore) store = world_new();
  world_migrate(store, "m", "h2");
  g_autofree char *when = ferry_rfc3339_format(WORLD_NOW + 60000);
  world_set(store, "m", "spec.notBefore", json_string(when));
  g_autoptr(json_t) waits = world_step(store, "m", WORLD_NOW);
  g_assert_cmpstr(ferry_json_str(waits, "status.phase"), ==, "Pending");
  g_assert_cmpstr(ferry_json_str(waits, "status.queue.reason"), ==, "NotYet");
  g_assert_true(ferry_migration_is_put_off(waits));
  world_migrate(store, "now", "h2"); /* made later, of the same VM */
  g_autoptr(json_t) other = world_step(store, "now", WORLD_NOW + 600);
  g_assert_cmpstr(ferry_json_str(other, "status.queue.reason"), ==, NULL);
  world_set(store, "now", "status.phase", json_string("Failed"));
  g_autoptr(json_t) still = world_step(store, "m", WORLD_NOW + 59000);
  g_assert_true(ferry_migration_is_put_off(still));
  json_decref(world_step(store, "m", WORLD_NOW + 60000));
  g_autoptr(json_t) goes = world_step(store, "m", WORLD_NOW + 60000);
  g_assert_false(ferry_migration_is_put_off(goes));
  g_assert_cmpint(ferry_phase_of(goes), >, FERRY_PHASE_PENDING);
}

/* A VM that is off in between is no reason; one that is off when its time comes is. */
static void test_put_off_vm_off(void) {
  g_autoptr(FerryStore) store = world_new();
  world_migrate(store, "m", "h2");
  g_autofree char *when = ferry_rfc3339_format(WORLD_NOW + 60000);
  world_set(store, "m", "spec.notBefore", json_string(when));
  world_report(store, "h1", "shutoff", "shutdown", WORLD_NOW);
  g_autoptr(json_t) waits = world_step(store, "m", WORLD_NOW);
  g_assert_cmpstr(ferry_json_str(waits, "status.phase"), ==, "Pending");
  g_assert_true(ferry_migration_is_put_off(waits));
  json_decref(world_step(store, "m", WORLD_NOW + 60000));
  g_autoptr(json_t) ends = world_step(store, "m", WORLD_NOW + 60000);
  g_assert_cmpstr(ferry_json_str(ends, "status.reason"), ==, "VMNotRunning");
}

/* A limit of the way there is a queue, which takes as long as those before it. */
static void test_waits_for_room(void) {
  g_autoptr(FerryStore) store = world_new();
  json_t *fast = network("deny");
  ferry_json_set_int(fast, "spec.parallelInboundPerNode", 1);
  world_add(store, &ferry_kind_network, fast);
  join(store, "h1", "10.9.0.1/24");
  join(store, "h2", "10.9.0.2/24");
  world_vm(store, "other", 2, WORLD_NOW);
  world_migrate_vm(store, "before", "other", "h2");
  json_decref(world_step(store, "before", WORLD_NOW));
  world_set(store, "before", "status.phase", json_string("Running"));
  world_migrate(store, "m", "h2");
  g_autoptr(json_t) waits = world_step(store, "m", WORLD_NOW);
  g_assert_cmpstr(ferry_json_str(waits, "status.phase"), ==, "Scheduling");
  g_assert_nonnull(strstr(ferry_json_str(waits, "status.message"), "parallelInboundPerNode"));
  gint64 late = WORLD_NOW + FERRY_UNSCHEDULABLE_TIMEOUT_MS + 1000;
  g_autoptr(json_t) still = world_step(store, "m", late);
  g_assert_cmpstr(ferry_json_str(still, "status.phase"), ==, "Scheduling");
  world_set(store, "before", "status.phase", json_string("Succeeded"));
  g_autoptr(json_t) goes = world_step(store, "m", late + 1);
  g_assert_cmpstr(ferry_json_str(goes, "status.phase"), ==, "Scheduled");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/migration-actions/asked-before-fallback", test_asked_before_a_fallback);
  g_test_add_func("/migration-actions/network", test_network);
  g_test_add_func("/migration-actions/fallback", test_fallback);
  g_test_add_func("/migration-actions/other-ways", test_other_ways);
  g_test_add_func("/migration-actions/frozen", test_frozen);
  g_test_add_func("/migration-actions/frozen-in-scheduling", test_frozen_in_scheduling);
  g_test_add_func("/migration-actions/frozen-in-scheduled", test_frozen_in_scheduled);
  g_test_add_func("/migration-actions/source-not-ready", test_source_not_ready);
  g_test_add_func("/migration-actions/shared-disk", test_shared_disk);
  g_test_add_func("/migration-actions/put-off", test_put_off);
  g_test_add_func("/migration-actions/waits-for-room", test_waits_for_room);
  g_test_add_func("/migration-actions/put-off-vm-off", test_put_off_vm_off);
  return g_test_run();
}
