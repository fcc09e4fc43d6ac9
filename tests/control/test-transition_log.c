// SPDX-License-Identifier: Apache-2.0
#include "control/transition_log.h"
#include "world.h"
#include "base/log.h"
#include "base/trace.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"

static json_t *migration(const char *phase) {
  json_t *m = json_pack("{s{ss,ss,s{ss}},s{ss},s{s{ss,ss}}}", "metadata", "name", "m1", "namespace",
                        "team", "annotations", FERRY_TRACE_ANNOTATION, TRACE, "spec", "vmiName",
                        "db", "status", "migrationState", "sourceNode", "h1", "targetNode", "h2");
  if (phase)
    ferry_json_set_str(m, "status.phase", phase);
  return m;
}

static FerryStore *store;

static void say(const json_t *previous, const json_t *object, FerryChangeType type) {
  FerrySeen change = {.revision = 5,
                      .type = type,
                      .kind = &ferry_kind_vmim,
                      .ns = "team",
                      .name = "m1",
                      .object = (json_t *)object,
                      .previous = (json_t *)previous};
  ferry_transition_log(store, &change);
}

static void child(void) {
  g_assert_true(ferry_log_init("test", "info"));
  g_log_set_always_fatal(G_LOG_FATAL_MASK);
  store = world_new();
  g_autoptr(json_t) pending = migration("Pending");
  g_autoptr(json_t) fresh = migration("Pending");
  ferry_json_set(fresh, "status.migrationState", NULL);
  ferry_json_set_str(fresh, "metadata.namespace", "default"); /* where the world has its VM */
  g_autoptr(json_t) running = migration("Running");
  g_autoptr(json_t) progress = migration("Running");
  g_autoptr(json_t) asked = migration("Running");
  g_autoptr(json_t) failed = migration("Failed");
  ferry_json_set_int(progress, "status.progress.percent", 50);
  ferry_json_set_bool(asked, "status.migrationState.abortRequested", TRUE);
  ferry_json_set_str(asked, "status.migrationState.abortRequestedBy", "ann");
  ferry_json_set_str(failed, "status.reason", "TargetUnreachable");
  ferry_json_set_str(failed, "status.message", "no route");
  say(NULL, fresh, FERRY_ADDED);
  say(NULL, pending, FERRY_ADDED);
  say(pending, running, FERRY_MODIFIED);
  say(running, progress, FERRY_MODIFIED);
  say(progress, asked, FERRY_MODIFIED);
  say(asked, failed, FERRY_MODIFIED);
  say(failed, failed, FERRY_DELETED);
  ferry_store_free(store);
}

#define ABOUT "migration=team/m1 vm=team/db node=h1 trace=" TRACE "\n"

static void test_lines(void) {
  if (g_test_subprocess()) {
    child();
    return;
  }
  g_test_trap_subprocess(NULL, 0, 0);
  g_test_trap_assert_passed();
  /* In this order and nothing between: progress is not worth a line. */
  g_test_trap_assert_stderr(
      "*info: migration created *migration=default/m1 vm=default/db node=h1 trace=" TRACE "\n"
      "*20*T*info: migration created *" ABOUT "*20*T*info: migration Running phase=Running "
      "previous_phase=Pending *source=h1 target=h2 *" ABOUT
      "*20*T*info: migration: cancel requested user=ann " ABOUT
      "*20*T*warning: migration Failed: no route phase=Failed previous_phase=Running "
      "reason=TargetUnreachable *" ABOUT "*20*T*info: migration deleted phase=Failed " ABOUT);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/transition-log/lines", test_lines);
  return g_test_run();
}
