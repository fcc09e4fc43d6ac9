// SPDX-License-Identifier: Apache-2.0
#include "world.h"

static json_t *vmi(FerryStore *store) {
  return ferry_store_get_by_uid(store, &ferry_kind_vmi, WORLD_UUID);
}

static void test_found_and_gone(void) {
  g_autoptr(FerryStore) store = world_new();
  g_autoptr(json_t) v = vmi(store);
  g_assert_cmpstr(ferry_json_str(v, "metadata.name"), ==, "db");
  g_assert_cmpstr(ferry_json_str(v, "status.phase"), ==, "Running");
  g_assert_cmpstr(ferry_json_str(v, "status.nodeName"), ==, "h1");
  g_assert_cmpstr(ferry_json_str(v, "spec.domain.memory.guest"), ==, "256Mi");
  g_assert_cmpstr(ferry_json_str(v, "metadata.labels.app"), ==, "web");
  gint64 before = ferry_store_revision(store);
  world_report(store, "h1", "running", "booted", WORLD_NOW + 5000);
  /* the same again: only the node's heartbeat */
  g_autoptr(json_t) same = vmi(store);
  g_assert_cmpstr(ferry_json_str(same, "metadata.resourceVersion"), ==,
                  ferry_json_str(v, "metadata.resourceVersion"));
  g_assert_cmpint(ferry_store_revision(store) - before, <=, 1);
  world_report(store, "h1", NULL, NULL, WORLD_NOW);
  g_assert_null(vmi(store));
}

static void test_two_hosts(void) {
  g_autoptr(FerryStore) store = world_new();
  world_report(store, "h2", "running", "booted", WORLD_NOW);
  g_autoptr(json_t) both = vmi(store);
  g_assert_cmpstr(ferry_condition_status(both, FERRY_CONDITION_RUNNING_ON_TWO_HOSTS), ==, "True");
  world_report(store, "h1", "shutoff", "destroyed", WORLD_NOW);
  g_autoptr(json_t) one = vmi(store);
  g_assert_null(ferry_condition_status(one, FERRY_CONDITION_RUNNING_ON_TWO_HOSTS));
  g_assert_cmpstr(ferry_json_str(one, "status.nodeName"), ==, "h2");
}

static void report_numbered(FerryStore *store, gint64 sequence, const char *state) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) body =
      state ? json_pack("{sI,s[{ss,ss,ss,ss,sb}]}", "sequence", (json_int_t)sequence, "domains",
                        "uuid", WORLD_UUID, "name", "db", "state", state, "reason", "unknown",
                        "active", 1)
            : json_pack("{sI,sb,s[]}", "sequence", (json_int_t)sequence, "full", 1, "domains");
  g_assert_true(ferry_inventory_report(store, "h1", body, WORLD_NOW, &error));
  g_assert_no_error(error);
}

/* Its sender gave it up and sent another one, to which the server came first. */
static void test_overtaken(void) {
  g_autoptr(FerryStore) store = world_new();
  report_numbered(store, 8, "paused");
  report_numbered(store, 7, "running");
  report_numbered(store, 6, NULL);
  g_autoptr(json_t) v = vmi(store);
  g_assert_cmpstr(ferry_json_str(v, "status.phase"), ==, "Paused");
  report_numbered(store, 9, "running");
  g_autoptr(json_t) newer = vmi(store);
  g_assert_cmpstr(ferry_json_str(newer, "status.phase"), ==, "Running");
}

/* a VM between two hosts is not gone while its migration is not final */
static void test_kept_while_migrating(void) {
  g_autoptr(FerryStore) store = world_new();
  world_migrate(store, "m", NULL);
  world_report(store, "h1", NULL, NULL, WORLD_NOW);
  g_autoptr(json_t) v = vmi(store);
  g_assert_nonnull(v);
  g_assert_cmpstr(ferry_json_str(v, "status.phase"), ==, "Unknown");
}

static void test_labels(void) {
  g_autoptr(FerryStore) store = world_new();
  g_autoptr(json_t) v = vmi(store);
  json_t *edited = json_deep_copy(v);
  ferry_json_set_str(edited, "metadata.labels.app", "mine");
  ferry_json_set_str(edited, "metadata.labels.extra", "1");
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_vmi, edited, FALSE);
  world_commit(store, plan);
  world_report(store, "h1", "paused", "user", WORLD_NOW);
  g_autoptr(json_t) after = vmi(store);
  g_assert_cmpstr(ferry_json_str(after, "metadata.labels.app"), ==, "mine");
  g_assert_cmpstr(ferry_json_str(after, "metadata.labels.extra"), ==, "1");
  g_assert_cmpstr(ferry_json_str(after, "status.phase"), ==, "Paused");
}

static void test_full_report(void) {
  g_autoptr(FerryStore) store = world_new();
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) full = json_pack("{sb,s[]}", "full", 1, "domains");
  g_assert_true(ferry_inventory_report(store, "h2", full, WORLD_NOW, &error));
  g_autoptr(json_t) v = vmi(store);
  g_assert_nonnull(v);
  g_assert_true(ferry_inventory_report(store, "h1", full, WORLD_NOW, &error));
  g_assert_null(vmi(store));
}

static json_t *file_systems(FerryStore *store, const char *report) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) body = json_loads(report, 0, NULL);
  g_assert_true(ferry_inventory_report(store, "h1", body, WORLD_NOW, &error));
  g_assert_no_error(error);
  g_autoptr(json_t) node = ferry_store_get(store, &ferry_kind_node, "", "h1");
  return json_incref(ferry_json_get(node, "status.sharedFileSystems"));
}

/* What a host has mounted is known for as long as its agent says it; none is not unknown. */
static void test_file_systems(void) {
  g_autoptr(FerryStore) store = world_new();
  g_autoptr(json_t) one = file_systems(
      store, "{\"node\":{\"hypervisor\":{},\"sharedFileSystems\":[{\"path\":\"/mnt\"}]}}");
  g_assert_cmpuint(json_array_size(one), ==, 1);
  g_autoptr(json_t) totals = file_systems(store, "{\"node\":{\"runningVMs\":1}}");
  g_assert_cmpuint(json_array_size(totals), ==, 1);
  g_autoptr(json_t) none =
      file_systems(store, "{\"node\":{\"hypervisor\":{},\"sharedFileSystems\":[]}}");
  g_assert_true(json_is_array(none));
  g_assert_cmpuint(json_array_size(none), ==, 0);
  g_assert_null(file_systems(store, "{\"node\":{\"hypervisor\":{}}}")); /* an older agent */
}

/* What is no report at all; a single odd domain: test-inventory_left_out.c. */
static void test_malformed(void) {
  static const char *const bodies[] = {
      "[]",
      "{\"domains\":{}}",
      "{\"domains\":\"none\"}",
      "{\"removed\":[\"all\"]}",
      "{\"full\":true,\"present\":7}",
      "{\"node\":[]}",
      "{\"epoch\":-1}",
  };
  g_autoptr(FerryStore) store = world_new();
  gint64 before = ferry_store_revision(store);
  for (gsize i = 0; i < G_N_ELEMENTS(bodies); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) body = json_loads(bodies[i], 0, NULL);
    g_assert_false(ferry_inventory_report(store, "h1", body, WORLD_NOW, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID);
  }
  g_assert_cmpint(ferry_store_revision(store), ==, before);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/inventory/overtaken", test_overtaken);
  g_test_add_func("/inventory/found-and-gone", test_found_and_gone);
  g_test_add_func("/inventory/two-hosts", test_two_hosts);
  g_test_add_func("/inventory/kept-while-migrating", test_kept_while_migrating);
  g_test_add_func("/inventory/labels", test_labels);
  g_test_add_func("/inventory/full-report", test_full_report);
  g_test_add_func("/inventory/file-systems", test_file_systems);
  g_test_add_func("/inventory/malformed", test_malformed);
  return g_test_run();
}
