// SPDX-License-Identifier: Apache-2.0
// Whose VM it is: the grid below says it by hand for every state of the owner and of a claim; the
// stories after it go through reports.
#include "control/vmi_owner.h"
#include "world.h"

typedef enum { NO_MOVE, UNDER_WAY, SUCCEEDED, ELSEWHERE, NOT_YET, FORECAST, LONG_AGO } Move;

static json_t *record(const char *node, const char *text) {
  g_auto(GStrv) words = g_strsplit(text, " ", 3); /* state, reason, job */
  gboolean off = g_str_equal(words[0], "shutoff") || g_str_equal(words[0], "crashed");
  json_t *d = json_pack("{ss,ss,ss,sb,ss}", "nodeName", node, "state", words[0], "reason", words[1],
                        "active", !off, "since", "2026-01-01T00:00:00Z");
  if (words[2])
    ferry_json_set_str(d, "job.operation", words[2]);
  return d;
}

static const char *const claims[] = {"running booted", "paused user", "paused migration",
                                     "shutoff destroyed"};

/* A row: the owner's record, and for each claim above K (keeps), P (passes) or C (conflict): where
 * the owner's host speaks, is silent, and where ferryd moves the VM to there. */
static const struct {
  const char *owner, *speaks, *silent, *moves;
} grid[] = {
    {"running booted", "CCKK", "CCKK", "KKKK"},
    {"blocked booted", "CCKK", "CCKK", "KKKK"},
    {"running booted migration-out", "KKKK", "CCKK", "KKKK"},
    {"running booted backup", "CCKK", "CCKK", "KKKK"},
    {"paused user", "CCKK", "CCKK", "PKKK"},
    {"paused ioerror", "CCKK", "CCKK", "PKKK"},
    {"paused migration", "KKKK", "CCKK", "PPKK"},
    {"paused postcopy", "CCKK", "CCKK", "PKKK"}, /* who did not receive it has not got it */
    {"paused postcopy-failed", "CCKK", "CCKK", "PKKK"},
    {"pmsuspended disk", "CCKK", "CCKK", "PKKK"},
    {"shutdown user", "CCKK", "CCKK", "PKKK"},
    {"shutoff migrated", "PPPK", "CCCK", "PPPK"},
    {"shutoff saved", "PPPK", "CCCK", "PPPK"},
    {"shutoff destroyed", "PPPK", "CCCK", "PPPK"},
    {"crashed panicked", "PPPK", "CCCK", "PPPK"},
};

static char letter_of(const char *owner, const char *claim, FerryHostWord word, Move move) {
  static const char *const phases[] = {[UNDER_WAY] = "Running",
                                       [NOT_YET] = "TargetReady",
                                       [FORECAST] = "Running",
                                       [ELSEWHERE] = "Running"};
  g_autoptr(json_t) vmi = json_pack("{s{ss,s[o,o]}}", "status", "nodeName", "h1", "domains",
                                    record("h1", owner), record("h2", claim));
  g_autoptr(json_t) m = NULL;
  json_t *state =
      json_pack("{ss,ss}", "sourceNode", "h1", "targetNode", move == ELSEWHERE ? "h3" : "h2");
  if (move == SUCCEEDED || move == LONG_AGO) {
    json_object_update_new(
        state, json_pack("{sb,sb,ss}", "completed", 1, "failed", 0, "endTimestamp",
                         move == SUCCEEDED ? "2026-01-01T00:00:01Z" : "2025-12-31T00:00:00Z"));
    ferry_json_set(vmi, "status.migrationState", state);
  } else if (move != NO_MOVE) {
    m = json_pack("{s{sb},s{ss,so}}", "spec", "forecastOnly", move == FORECAST, "status", "phase",
                  phases[move], "migrationState", state);
  } else {
    json_decref(state);
  }
  g_autoptr(GPtrArray) conflicts = g_ptr_array_new();
  FerryVmiContext context = {m, word};
  const char *who = ferry_json_str(ferry_vmi_owner(vmi, &context, conflicts), "nodeName");
  if (g_str_equal(who, "h2")) {
    g_assert_cmpuint(conflicts->len, ==, 0);
    return 'P';
  }
  g_assert_cmpuint(conflicts->len, <=, 1);
  return conflicts->len ? 'C' : 'K';
}

static void test_grid(void) {
  for (gsize i = 0; i < G_N_ELEMENTS(grid); i++)
    for (gsize k = 0; k < G_N_ELEMENTS(claims); k++)
      for (Move move = NO_MOVE; move <= LONG_AGO; move++)
        for (int word = FERRY_HOST_SPEAKS; word <= FERRY_HOST_GONE; word++) {
          gboolean moves = move == UNDER_WAY || move == SUCCEEDED;
          char wanted = word == FERRY_HOST_GONE     ? (k == 3 ? 'K' : 'P')
                        : moves                     ? grid[i].moves[k]
                        : word == FERRY_HOST_SPEAKS ? grid[i].speaks[k]
                                                    : grid[i].silent[k];
          char is = letter_of(grid[i].owner, claims[k], (FerryHostWord)word, move);
          if (is != wanted)
            g_error("h1 %s, h2 %s, word %d, move %d: %c, not %c", grid[i].owner, claims[k], word,
                    (int)move, is, wanted);
        }
}

/* ---- stories ---- */

static json_t *vm(FerryStore *store) {
  json_t *v = ferry_store_get_by_uid(store, &ferry_kind_vmi, WORLD_UUID);
  g_assert_nonnull(v);
  return v;
}

#define assert_on(store, node, claimed)                                                            \
  do {                                                                                             \
    g_autoptr(json_t) at = vm(store);                                                              \
    g_assert_cmpstr(ferry_json_str(at, "status.nodeName"), ==, node);                              \
    g_assert_cmpstr(ferry_condition_status(at, FERRY_CONDITION_CLAIMED_BY_ANOTHER_HOST), ==,       \
                    claimed);                                                                      \
  } while (0)

/* The same VM with another size and other labels. */
static void lie(FerryStore *store, const char *node, const char *state, const char *uuid) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) body =
      json_pack("{s[{ss,ss,ss,ss,sb,sI,si,s{ss}}]}", "domains", "uuid", uuid, "name", "mine",
                "state", state, "reason", "booted", "active", 1, "memoryBytes",
                (json_int_t)(1LL << 40), "vcpus", 99, "labels", "app", "evil");
  ferry_inventory_report(store, node, body, WORLD_NOW, &error);
  g_assert_no_error(error);
}

static guint events(FerryStore *store, const char *reason) {
  g_autoptr(GPtrArray) all = ferry_store_list(store, &ferry_kind_event, NULL, NULL);
  guint n = 0;
  for (guint i = 0; i < all->len; i++)
    n += g_strcmp0(ferry_json_str(g_ptr_array_index(all, i), "reason"), reason) == 0;
  return n;
}

/* A report of a paused VM by another host gives that host nothing, however it is spelt. */
static void test_report_takes_nothing(void) {
  static const char *const ways[] = {"running", "paused"};
  for (gsize i = 0; i < G_N_ELEMENTS(ways); i++)
    for (guint upper = 0; upper < 2; upper++) {
      g_autoptr(FerryStore) store = world_new();
      world_report(store, "h1", "paused", "user", WORLD_NOW);
      g_autofree char *uuid = upper ? g_ascii_strup(WORLD_UUID, -1) : g_strdup(WORLD_UUID);
      g_autoptr(json_t) before = vm(store);
      lie(store, "h2", ways[i], uuid);
      lie(store, "h2", ways[i], uuid);
      assert_on(store, "h1", "True");
      g_autoptr(json_t) after = vm(store);
      g_assert_true(json_equal(json_object_get(before, "spec"), json_object_get(after, "spec")));
      g_assert_cmpstr(ferry_json_str(after, "metadata.labels.app"), ==, "web");
      g_assert_cmpstr(ferry_json_str(after, "status.phase"), ==, "Paused");
      g_assert_cmpuint(events(store, "ClaimedByAnotherHost"), ==, 1);
      const char *said = ferry_json_str(ferry_json_find(ferry_json_get(after, "status.conditions"),
                                                        "type", "ClaimedByAnotherHost"),
                                        "message");
      g_assert_nonnull(strstr(said, "h1"));
      g_assert_nonnull(strstr(said, "h2"));
      world_report(store, "h2", NULL, NULL, WORLD_NOW); /* it takes it back */
      assert_on(store, "h1", NULL);
    }
}

/* virsh migrate h1 h2: the target first, then the source's last words; and what the target said
 * meanwhile holds from then on. */
static void test_plain_virsh(void) {
  static const char *const ends[][2] = {{"shutoff", "migrated"}, {NULL, NULL}};
  for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
    g_autoptr(FerryStore) store = world_new();
    world_report(store, "h2", "paused", "migration", WORLD_NOW);
    assert_on(store, "h1", NULL);
    world_report(store, "h1", "paused", "migration", WORLD_NOW);
    lie(store, "h2", "running", WORLD_UUID);
    assert_on(store, "h1", NULL);
    world_report(store, "h1", ends[i][0], ends[i][1], WORLD_NOW);
    assert_on(store, "h2", NULL);
    g_autoptr(json_t) v = vm(store);
    g_assert_cmpint(ferry_json_int(v, "spec.domain.cpu.cores", 0), ==, 99);
    g_assert_cmpstr(ferry_json_str(v, "metadata.labels.app"), ==, "evil");
    world_report(store, "h1", "shutoff", "destroyed", WORLD_NOW); /* a copy that was left */
    assert_on(store, "h2", NULL);
    g_autoptr(json_t) kept = vm(store);
    g_assert_cmpint(ferry_json_int(kept, "spec.domain.cpu.cores", 0), ==, 99);
  }
}

/* h1 is dead: unknown is not stopped, until a person deletes its Node. */
static void test_dead_host(void) {
  static const char *const last[][2] = {{"running", "booted"}, {"shutoff", "destroyed"}};
  for (gsize i = 0; i < G_N_ELEMENTS(last); i++) {
    g_autoptr(FerryStore) store = world_new();
    world_report(store, "h1", last[i][0], last[i][1], WORLD_NOW);
    world_report(store, "h2", "running", "booted", WORLD_NOW + 3600000);
    assert_on(store, "h1", "True");
    g_autoptr(json_t) v = vm(store);
    const char *said = ferry_json_str(
        ferry_json_find(ferry_json_get(v, "status.conditions"), "type", "ClaimedByAnotherHost"),
        "message");
    g_assert_nonnull(strstr(said, "ferry delete node h1 --force"));
    g_autoptr(FerryPlan) plan = ferry_plan_new();
    g_autoptr(json_t) node = ferry_store_get(store, &ferry_kind_node, "", "h1");
    ferry_plan_write(plan, FERRY_WRITE_DELETE, &ferry_kind_node, json_incref(node), FALSE);
    world_commit(store, plan);
    g_assert_true(ferry_inventory_forget_node(store, "h1", WORLD_NOW + 3600000, NULL));
    assert_on(store, "h2", NULL);
  }
}

/* It comes back by a heartbeat, with the VM stopped as it last said: then the other one has it. */
static void test_host_comes_back(void) {
  g_autoptr(FerryStore) store = world_new();
  world_report(store, "h1", "shutoff", "destroyed", WORLD_NOW);
  world_report(store, "h2", "running", "booted", WORLD_NOW + 3600000);
  assert_on(store, "h1", "True");
  g_autoptr(json_t) heartbeat = json_object();
  g_assert_true(ferry_inventory_report(store, "h1", heartbeat, WORLD_NOW + 3601000, NULL));
  assert_on(store, "h2", NULL);
}

/* A third host joins in while ferryd moves the VM from h1 to h2. */
static void test_third_host(void) {
  g_autoptr(FerryStore) store = world_new();
  world_add(store, &ferry_kind_node, world_node("h3", "10.0.0.3"));
  world_migrate(store, "m", "h2");
  g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW);
  g_assert_cmpstr(ferry_json_str(m, "status.phase"), ==, "Scheduled");
  lie(store, "h2", "running", WORLD_UUID); /* the target, before its time */
  assert_on(store, "h1", "True");
  world_report(store, "h2", NULL, NULL, WORLD_NOW);
  world_set(store, "m", "status.phase", json_string("Running"));
  world_report(store, "h1", "paused", "migration", WORLD_NOW);
  lie(store, "h3", "running", WORLD_UUID);
  g_autoptr(json_t) v = vm(store);
  g_assert_cmpstr(ferry_json_str(v, "status.nodeName"), ==, "h1");
  world_report(store, "h2", "running", "migrated", WORLD_NOW);
  g_autoptr(json_t) after = vm(store);
  g_assert_cmpstr(ferry_json_str(after, "status.nodeName"), ==, "h2");
  g_assert_cmpint(ferry_json_int(after, "spec.domain.cpu.cores", 0), ==, 1);
  g_assert_cmpstr(ferry_condition_status(after, FERRY_CONDITION_RUNNING_ON_TWO_HOSTS), ==, "True");
}

/* virsh migrate --postcopy h1 h2, with a third host that says that it runs the VM as well. */
static void test_plain_post_copy(void) {
  static const struct {
    const char *receives, *reason; /* of h3 */
    gboolean by_ferryd;            /* to h2 */
    const char *at, *claimed;
  } ways[] = {
      {NULL, NULL, FALSE, "h2", NULL},
      {NULL, "booted", FALSE, "h2", NULL},     /* it was never seen to receive it */
      {"user", "postcopy", FALSE, "h2", NULL}, /* nor was it where it was paused otherwise */
      {"migration", "booted", FALSE, "h2", NULL},
      {"migration", "postcopy", FALSE, "h1", "True"}, /* two that say the same */
      {"migration", "postcopy", TRUE, "h2", NULL},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(ways); i++) {
    g_autoptr(FerryStore) store = world_new();
    world_add(store, &ferry_kind_node, world_node("h3", "10.0.0.3"));
    if (ways[i].by_ferryd) {
      world_migrate(store, "m", "h2");
      g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW);
      world_set(store, "m", "status.phase", json_string("Running"));
    }
    world_report(store, "h2", "paused", "migration", WORLD_NOW);
    if (ways[i].receives)
      world_report(store, "h3", "paused", ways[i].receives, WORLD_NOW);
    world_report(store, "h1", "paused", "postcopy", WORLD_NOW);
    if (ways[i].reason)
      world_report(store, "h3", "running", ways[i].reason, WORLD_NOW);
    g_autoptr(json_t) before = vm(store);
    g_assert_cmpstr(ferry_json_str(before, "status.nodeName"), ==, "h1");
    world_report(store, "h2", "running", "postcopy", WORLD_NOW);
    g_autoptr(json_t) after = vm(store);
    if (g_strcmp0(ferry_json_str(after, "status.nodeName"), ways[i].at) != 0)
      g_error("row %zu: at %s", i, ferry_json_str(after, "status.nodeName"));
    world_report(store, "h3", NULL, NULL, WORLD_NOW); /* it takes it back */
    assert_on(store, "h2", NULL);
    world_report(store, "h1", "shutoff", "migrated", WORLD_NOW);
    assert_on(store, "h2", NULL);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/vmi-owner/grid", test_grid);
  g_test_add_func("/vmi-owner/report-takes-nothing", test_report_takes_nothing);
  g_test_add_func("/vmi-owner/plain-virsh", test_plain_virsh);
  g_test_add_func("/vmi-owner/dead-host", test_dead_host);
  g_test_add_func("/vmi-owner/host-comes-back", test_host_comes_back);
  g_test_add_func("/vmi-owner/third-host", test_third_host);
  g_test_add_func("/vmi-owner/plain-post-copy", test_plain_post_copy);
  return g_test_run();
}
