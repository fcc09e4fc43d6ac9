// SPDX-License-Identifier: Apache-2.0
// Reports of one node that are merged at once, and one whose domains cannot be stored. The linker
// leads the look-up of a VM through here, so that the other report comes at that very moment.
#include "policy/placement.h"
#include "store/open_backend.h"
#include "store/state.h"
#include "world.h"

static void (*meanwhile)(FerryStore *store);
static gboolean after;

json_t *__real_ferry_store_get_by_uid(FerryStore *store, const FerryKind *kind, const char *uid);
json_t *__wrap_ferry_store_get_by_uid(FerryStore *store, const FerryKind *kind, const char *uid);

json_t *__wrap_ferry_store_get_by_uid(FerryStore *store, const FerryKind *kind, const char *uid) {
  void (*now)(FerryStore *) = meanwhile;
  meanwhile = NULL;
  json_t *found = after ? __real_ferry_store_get_by_uid(store, kind, uid) : NULL;
  if (now)
    now(store);
  return after ? found : __real_ferry_store_get_by_uid(store, kind, uid);
}

static gboolean report_state(FerryStore *store, gint64 sequence, const char *state, gint64 now) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) body =
      json_pack("{sI,s[{ss,ss,ss,ss,sb}]}", "sequence", (json_int_t)sequence, "domains", "uuid",
                WORLD_UUID, "name", "db", "state", state, "reason", "unknown", "active", 1);
  return ferry_inventory_report(store, "h1", body, now, &error);
}

static void newer_report(FerryStore *store) {
  g_assert_true(report_state(store, 8, "paused", WORLD_NOW + 20));
}

static void assert_phase(FerryStore *store, const char *phase) {
  g_autoptr(json_t) v = ferry_store_get_by_uid(store, &ferry_kind_vmi, WORLD_UUID);
  g_assert_cmpstr(ferry_json_str(v, "status.phase"), ==, phase);
}

/* The newer one is merged whole between the older one's Node and its domain. */
static void test_newer_meanwhile(gconstpointer when) {
  g_autoptr(FerryStore) store = world_new();
  after = GPOINTER_TO_INT(when);
  meanwhile = newer_report;
  g_assert_true(report_state(store, 7, "running", WORLD_NOW + 10));
  g_assert_null(meanwhile);
  assert_phase(store, "Paused");
  g_assert_true(report_state(store, 9, "running", WORLD_NOW + 30));
  assert_phase(store, "Running");
}

/* ---- a disk that is full ---- */

static gboolean disk_is_full;

static gboolean disk_load(FerryBackend *backend, FerryBackendLoadFunc func, gpointer user,
                          gint64 *high_water, GError **error) {
  *high_water = 0;
  return TRUE;
}

static gboolean disk_apply(FerryBackend *backend, const FerryBackendRow *rows, gsize n,
                           gint64 high_water, GError **error) {
  if (disk_is_full && n > 0)
    g_set_error_literal(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, "the disk is full");
  return !(disk_is_full && n > 0);
}

static gint64 last_heard(FerryStore *store) {
  g_autoptr(json_t) node = ferry_store_get(store, &ferry_kind_node, "", "h1");
  return ferry_rfc3339_parse(ferry_json_str(node, "status.agent.lastReportTime"));
}

/* A heartbeat needs no disk, so the Node of such a report is written: its time must not vouch for
 * domains that were not. */
static void test_not_stored(void) {
  g_autoptr(GError) error = NULL;
  FerryBackend *disk = g_new0(FerryBackend, 1);
  *disk = (FerryBackend){.keeps_data = TRUE,
                         .load = disk_load,
                         .apply = disk_apply,
                         .close = (void (*)(FerryBackend *))g_free};
  g_autoptr(FerryStore) store = ferry_store_open_backend(disk, NULL, &error);
  g_assert_no_error(error);
  world_fill(store);
  gint64 before = last_heard(store);
  disk_is_full = TRUE;
  g_assert_false(report_state(store, 7, "paused", WORLD_NOW + 40000));
  g_assert_cmpint(last_heard(store), ==, before);
  assert_phase(store, "Running");
  world_heartbeat(store, "h1", WORLD_NOW + 41000); /* this one brings nothing that is not stored */
  g_assert_cmpint(last_heard(store), ==, WORLD_NOW + 41000);
  disk_is_full = FALSE;
}

/* What was stored of a host before its agent's session, or before it was silent, is no evidence: it
 * counts as heard by a report of all its domains, and by nothing less. */
static void test_less_than_all(void) {
  g_autoptr(FerryStore) store = ferry_store_open(NULL, NULL, NULL);
  world_fill(store);
  static const struct {
    gint64 epoch, known;
    const char *ready, *body;
    gboolean heard, is_ready, wants_all;
  } cases[] = {
      {4, 4, "True", "{\"epoch\":4}", TRUE, TRUE, FALSE},
      {5, 4, "True", "{\"epoch\":5}", FALSE, TRUE, TRUE},
      {5, 4, "Unknown", "{\"epoch\":5,\"node\":{\"runningVMs\":1}}", FALSE, FALSE, TRUE},
      {5, 5, "Unknown", "{\"epoch\":5}", FALSE, FALSE, TRUE},
      {5, 5, "False", "{\"epoch\":5,\"node\":{\"runningVMs\":1}}", TRUE, FALSE, FALSE},
      {5, 5, "Unknown", "{\"epoch\":5,\"node\":{\"connected\":false}}", TRUE, FALSE, FALSE},
      {5, 4, "Unknown", "{\"epoch\":5,\"full\":true,\"node\":{},\"domains\":[]}", TRUE, TRUE,
       FALSE},
      {5, 4, "False", "{\"epoch\":5,\"full\":true,\"node\":{},\"domains\":[]}", TRUE, TRUE, FALSE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) stored = ferry_store_get(store, &ferry_kind_node, "", "h1");
    json_t *node = json_deep_copy(stored);
    ferry_json_set_int(node, "status.agent.epoch", cases[i].epoch);
    ferry_json_set_int(node, "status.agent.inventoryEpoch", cases[i].known);
    ferry_json_set_str(node, "status.agent.lastReportTime", "2026-01-01T00:00:00.000Z");
    ferry_condition_set(node, FERRY_CONDITION_READY, cases[i].ready, "AgentReports", "", WORLD_NOW);
    g_autoptr(FerryPlan) plan = ferry_plan_new();
    ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_node, node, FALSE);
    world_commit(store, plan);
    g_autoptr(json_t) body = json_loads(cases[i].body, 0, NULL);
    g_assert_nonnull(body);
    g_assert_true(ferry_inventory_report(store, "h1", body, WORLD_NOW + 5000, &error));
    g_assert_no_error(error);
    g_test_message("case %u", i);
    g_autoptr(json_t) now = ferry_store_get(store, &ferry_kind_node, "", "h1");
    g_assert_cmpint(last_heard(store), ==, WORLD_NOW + (cases[i].heard ? 5000 : 0));
    g_assert_cmpint(ferry_node_is_ready(now), ==, cases[i].is_ready);
    g_assert_cmpint(ferry_inventory_wants_all(store, "h1"), ==, cases[i].wants_all);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK); /* the store warns */
  g_test_add_data_func("/inventory-order/newer-before-look-up", GINT_TO_POINTER(FALSE),
                       test_newer_meanwhile);
  g_test_add_data_func("/inventory-order/newer-after-look-up", GINT_TO_POINTER(TRUE),
                       test_newer_meanwhile);
  g_test_add_func("/inventory-order/not-stored", test_not_stored);
  g_test_add_func("/inventory-order/less-than-all", test_less_than_all);
  return g_test_run();
}
