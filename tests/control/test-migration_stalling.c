// SPDX-License-Identifier: Apache-2.0
// What ferryd does when the source's agent says that a migration stalls, and when it keeps still.
#include "model/migration/recovery.h"
#include "world.h"
#include <string.h>

#define CONFIG "status.migrationState.migrationConfiguration"
#define LIMIT_MS 10000

typedef struct {
  FerryStore *store;
  gint64 now;
} World;

static json_t *j(const char *text) {
  json_t *v = json_loads(text, 0, NULL);
  g_assert_nonnull(v);
  return v;
}

/* One that runs and stalls, at a limit of 100 ms, with at most 300. */
static void set_up(World *w, gconstpointer data) {
  w->store = world_new();
  w->now = WORLD_NOW;
  world_migrate(w->store, "m", NULL);
  world_set(w->store, "m", "spec.schedule",
            j("{\"stalling\":[{\"limit\":-1,\"action\":{\"name\":\"abort\"}}]}"));
  world_set(w->store, "m", "spec.onStalling", j("[\"raiseDowntime\",\"postCopy\",\"abort\"]"));
  world_set(w->store, "m", "spec.stallingLimit", json_integer(LIMIT_MS / 1000));
  world_set(w->store, "m", "spec.maxDowntimeMs", json_integer(300));
  world_set(w->store, "m", "spec.allowPostCopy", json_true());
  g_autoptr(json_t) m = world_step(w->store, "m", w->now);
  g_assert_cmpstr(ferry_json_str(m, "status.phase"), ==, "Scheduled");
  g_assert_cmpuint(json_array_size(ferry_json_get(m, CONFIG ".onStalling")), ==, 3);
  world_set(w->store, "m", "status.phase", json_string("Running"));
  world_set(w->store, "m", "status.decisions", j("[{\"limitMs\":100}]"));
  world_set(
      w->store, "m", "status.conditions",
      j("[{\"type\":\"Stalling\",\"status\":\"True\",\"message\":\"no progress for 10 s\"}]"));
}

static void tear_down(World *w, gconstpointer data) {
  ferry_store_free(w->store);
}

static json_t *step(World *w) {
  return world_step(w->store, "m", w->now);
}

static const json_t *last(const json_t *m) {
  const json_t *changes = ferry_json_get(m, "status.changes");
  gsize n = json_array_size(changes);
  return n ? json_array_get(changes, n - 1) : NULL;
}

/* The agent's answer to the last change. */
static void answer(World *w, const char *state, gint64 limit) {
  g_autoptr(json_t) m = world_get(w->store, "m");
  json_t *changes = json_deep_copy(ferry_json_get(m, "status.changes"));
  ferry_json_set_str(json_array_get(changes, json_array_size(changes) - 1), "state", state);
  world_set(w->store, "m", "status.changes", changes);
  json_t *decisions = json_pack("[{s:I}]", "limitMs", (json_int_t)limit);
  world_set(w->store, "m", "status.decisions", decisions);
}

static guint n_changes(World *w) {
  g_autoptr(json_t) m = step(w);
  return (guint)json_array_size(ferry_json_get(m, "status.changes"));
}

static void test_one_after_the_other(World *w, gconstpointer data) {
  g_autoptr(json_t) first = step(w);
  g_assert_cmpstr(ferry_json_str(last(first), "by"), ==, "system:ferry");
  g_assert_cmpstr(ferry_json_str(last(first), "id"), ==, "1");
  g_assert_cmpstr(ferry_json_str(last(first), "state"), ==, "Requested");
  g_assert_cmpint(ferry_json_int(last(first), "fields.downtimeMs", 0), ==, 200);
  g_assert_nonnull(strstr(ferry_json_str(last(first), "reason"), "no progress for 10 s"));
  /* not again before it is answered, nor before another stallingLimit */
  w->now += 3 * LIMIT_MS;
  g_assert_cmpuint(n_changes(w), ==, 1);
  answer(w, "Applied", 200);
  w->now -= 2 * LIMIT_MS + 1;
  g_assert_cmpuint(n_changes(w), ==, 1);
  w->now += 1;
  g_autoptr(json_t) second = step(w);
  g_assert_cmpint(ferry_json_int(last(second), "fields.downtimeMs", 0), ==, 300); /* the most */
  answer(w, "Applied", 300);
  w->now += LIMIT_MS;
  g_autoptr(json_t) third = step(w);
  g_assert_cmpstr(ferry_json_str(last(third), "fields.technique"), ==, "post-copy");
  answer(w, "Refused", 300);
  w->now += LIMIT_MS;
  g_autoptr(json_t) fourth = step(w);
  g_assert_true(ferry_json_bool(fourth, "status.migrationState.abortRequested", FALSE));
  g_assert_cmpstr(ferry_json_str(fourth, "status.migrationState.abortRequestedBy"), ==,
                  "system:ferry");
  /* and it ends with that reason, on its host, without another try */
  world_set(w->store, "m", "status.migrationState.agentResult",
            j("{\"returned\":true,\"error\":\"aborted\",\"sourceState\":\"running\"}"));
  g_autoptr(json_t) end = step(w);
  g_assert_cmpstr(ferry_json_str(end, "status.phase"), ==, "Failed");
  g_assert_cmpstr(ferry_json_str(end, "status.reason"), ==, "Stalled");
  g_assert_nonnull(strstr(ferry_json_str(end, "status.message"), "no progress for 10 s"));
  g_assert_cmpstr(ferry_condition_status(end, FERRY_CONDITION_STALLING), ==, "False");
  g_autoptr(GPtrArray) events = ferry_store_list(w->store, &ferry_kind_event, NULL, NULL);
  guint told = 0;
  for (guint i = 0; i < events->len; i++)
    told += g_strcmp0(ferry_json_str(g_ptr_array_index(events, i), "reason"),
                      "MigrationStallingHandled") == 0;
  g_assert_cmpuint(told, ==, 4);
}

/* What was asked for and applied counts, though the progress that shows it is still on its way. */
static void test_progress_comes_late(World *w, gconstpointer data) {
  g_autoptr(json_t) first = step(w);
  g_assert_cmpint(ferry_json_int(last(first), "fields.downtimeMs", 0), ==, 200);
  answer(w, "Applied", 100);
  w->now += LIMIT_MS;
  g_autoptr(json_t) second = step(w);
  g_assert_cmpint(ferry_json_int(last(second), "fields.downtimeMs", 0), ==, 300);
}

static void test_keeps_still(World *w, gconstpointer data) {
  world_set(w->store, "m", "status.conditions",
            j("[{\"type\":\"Stalling\",\"status\":\"False\",\"message\":\"it moves again\"}]"));
  g_assert_cmpuint(n_changes(w), ==, 0);
  world_set(w->store, "m", "status.conditions", j("[{\"type\":\"Stalling\",\"status\":\"True\"}]"));
  world_set(w->store, "m", "status.migrationState.mode", json_string("PostCopy"));
  g_assert_cmpuint(n_changes(w), ==, 0);
  world_set(w->store, "m", "status.migrationState.mode", json_string("PreCopy"));
  world_set(w->store, "m", "status.migrationState.abortRequested", json_true());
  g_assert_cmpuint(n_changes(w), ==, 0);
  world_set(w->store, "m", "status.migrationState.abortRequested", json_false());
  world_set(w->store, "m", CONFIG ".onStalling", NULL);
  g_assert_cmpuint(n_changes(w), ==, 0);
}

/* a person's word has its time, and staying in pre-copy is obeyed */
static void test_after_a_person(World *w, gconstpointer data) {
  world_set(w->store, "m", "status.changes",
            j("[{\"id\":\"7\",\"by\":\"ann\",\"time\":\"2026-01-01T00:00:00Z\",\"state\":"
              "\"Applied\",\"fields\":{\"technique\":\"pre-copy\",\"stallingLimitSeconds\":20}}]"));
  world_set(w->store, "m", "status.decisions", j("[{\"limitMs\":300}]"));
  w->now += 2 * LIMIT_MS - 1;
  g_autoptr(json_t) early = step(w);
  g_assert_false(ferry_json_bool(early, "status.migrationState.abortRequested", FALSE));
  w->now += 1;
  g_autoptr(json_t) m = step(w);
  g_assert_cmpuint(json_array_size(ferry_json_get(m, "status.changes")), ==, 1);
  g_assert_true(ferry_json_bool(m, "status.migrationState.abortRequested", FALSE));
}

/* where an intent drives it, its own controller acts: nothing of onStalling is resolved */
static void test_not_with_an_intent(World *w, gconstpointer data) {
  world_vm(w->store, "other", 2, WORLD_NOW);
  world_migrate_vm(w->store, "i", "other", NULL);
  world_set(w->store, "i", "spec.onStalling", j("[\"abort\"]"));
  g_autoptr(json_t) m = world_step(w->store, "i", w->now);
  g_assert_cmpstr(ferry_json_str(m, CONFIG ".preset"), ==, "intent");
  g_assert_null(ferry_json_get(m, CONFIG ".onStalling"));
}

/* Post-copy is no way out where it was not allowed: the next step is. */
static void test_post_copy_not_allowed(World *w, gconstpointer data) {
  world_set(w->store, "m", CONFIG ".allowPostCopy", json_false());
  world_set(w->store, "m", "status.decisions", j("[{\"limitMs\":300}]"));
  g_autoptr(json_t) m = step(w);
  g_assert_null(last(m));
  g_assert_true(ferry_json_bool(m, "status.migrationState.abortRequested", FALSE));
}

/* ---- post-copy that broke: while it is resumed the migration goes on and says so ---- */

static FerryStore *in_post_copy(void) {
  FerryStore *store = world_new();
  world_migrate(store, "m", NULL);
  json_decref(world_step(store, "m", WORLD_NOW));
  world_set(store, "m", "status.phase", json_string("Running"));
  world_set(store, "m", "status.migrationState.mode", json_string("PostCopy"));
  return store;
}

static json_t *say_recovery(FerryStore *store, FerryRecoveryState state, const char *message) {
  FerryRecoveryWord word = {state, message, "2026-01-01T00:00:00Z", 1, 0, 0};
  g_autoptr(json_t) patch = ferry_recovery_patch(&word);
  world_set(store, "m", "status.migrationState.recovery",
            json_deep_copy(ferry_json_get(patch, "migrationState.recovery")));
  return world_step(store, "m", WORLD_NOW + 1000);
}

static void test_is_said(void) {
  FerryStore *store = in_post_copy();
  for (guint state = FERRY_RECOVERY_STALLED; state <= FERRY_RECOVERY_RESUMING; state++) {
    g_autofree char *text = g_strdup_printf("word %u", state);
    g_autoptr(json_t) m = say_recovery(store, (FerryRecoveryState)state, text);
    g_assert_cmpstr(ferry_json_str(m, "status.phase"), ==, "Running");
    g_assert_cmpstr(ferry_json_str(m, "status.reason"), ==, "PostCopyBroken");
    g_assert_cmpstr(ferry_json_str(m, "status.message"), ==, text);
    g_autoptr(json_t) vmi = ferry_store_get(store, &ferry_kind_vmi, "default", "db");
    g_assert_cmpstr(ferry_json_str(vmi, "status.migrationState.recovery.message"), ==, text);
  }
  g_autoptr(json_t) m = say_recovery(store, FERRY_RECOVERY_RECOVERED, "well again");
  g_assert_null(ferry_json_get(m, "status.reason"));
  g_assert_null(ferry_json_get(m, "status.message"));
  ferry_store_free(store);
}

/* What the result says counts from then on. */
static void test_result_counts(void) {
  FerryStore *store = in_post_copy();
  world_set(store, "m", "status.migrationState.agentResult",
            json_pack("{s:b, s:i, s:s, s:s, s:s}", "returned", 1, "errorCode", 9, "error", "broke",
                      "sourceState", "paused", "sourceReason", "postcopy-failed"));
  world_report(store, "h1", "paused", "postcopy-failed", WORLD_NOW);
  world_report(store, "h2", "running", "postcopy-failed", WORLD_NOW);
  g_autoptr(json_t) m = say_recovery(store, FERRY_RECOVERY_GIVEN_UP, "no more");
  g_assert_cmpstr(ferry_json_str(m, "status.phase"), ==, "Failed");
  g_assert_cmpstr(ferry_json_str(m, "status.reason"), ==, "PostCopyFailed");
  g_assert_nonnull(strstr(ferry_json_str(m, "status.message"), "--postcopy-resume"));
  ferry_store_free(store);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
#define T(name, f) g_test_add("/migration-stalling/" name, World, NULL, set_up, f, tear_down)
  T("one-after-the-other", test_one_after_the_other);
  T("keeps-still", test_keeps_still);
  T("progress-comes-late", test_progress_comes_late);
  T("after-a-person", test_after_a_person);
  T("not-with-an-intent", test_not_with_an_intent);
  T("post-copy-not-allowed", test_post_copy_not_allowed);
  g_test_add_func("/control/migration_stalling/recovery-said", test_is_said);
  g_test_add_func("/control/migration_stalling/recovery-result", test_result_counts);
  return g_test_run();
}
