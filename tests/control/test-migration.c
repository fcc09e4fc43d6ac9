// SPDX-License-Identifier: Apache-2.0
// A migration's table on a store in memory, stepped by hand with the time as an argument. The test
// plays the agents (world.h): each way through the phases, each end, and each timeout.
#include "world.h"
#include <string.h>

static const char *phase(const json_t *m) {
  return ferry_json_str(m, "status.phase");
}

static void run(FerryStore *store, const char *name, const char *target, gint64 now) {
  world_migrate(store, name, target);
  g_autoptr(json_t) m = world_step(store, name, now);
  g_assert_cmpstr(phase(m), ==, "Scheduled");
  world_set(store, name, "status.phase", json_string("Running"));
}

static void result(FerryStore *store, const char *name, gboolean returned, const char *error,
                   const char *source_state) {
  world_set(
      store, name, "status.migrationState.agentResult",
      json_pack("{sb,ss?,ss}", "returned", returned, "error", error, "sourceState", source_state));
}

static void assert_agents(const json_t *m, const char *expected) {
  g_autofree char *agents = ferry_json_dump(ferry_json_get(m, "status.migrationState.agents"));
  g_assert_cmpstr(agents, ==, expected);
}

static void test_success(void) {
  g_autoptr(FerryStore) store = world_new();
  world_migrate(store, "m", NULL);
  g_autoptr(json_t) s = world_step(store, "m", WORLD_NOW);
  g_assert_cmpstr(phase(s), ==, "Scheduled");
  g_assert_cmpuint(json_array_size(ferry_json_get(s, "status.phaseTransitionTimestamps")), ==, 3);
  g_assert_cmpstr(ferry_json_str(s, "status.migrationState.sourceNode"), ==, "h1");
  g_assert_cmpstr(ferry_json_str(s, "status.migrationState.targetNode"), ==, "h2");
  g_assert_cmpstr(ferry_json_str(s, "status.migrationState.targetNodeAddress"), ==, "10.0.0.2");
  assert_agents(s, "[\"h1\",\"h2\"]"); /* the target's watches over the copy that arrives */
  g_assert_cmpint(
      ferry_json_int(s, "status.migrationState.migrationConfiguration.maxDowntimeMs", 0), ==, 900);
  /* every field of it says where it came from */
  const char *field;
  json_t *value;
  json_object_foreach(ferry_json_get(s, "status.migrationState.migrationConfiguration"), field,
                      value) {
    const char *origin = ferry_json_str(ferry_json_get(s, "status.configurationOrigins"), field);
    if (!origin)
      g_error("nothing says where %s came from", field);
  }
  g_autoptr(json_t) vmi = ferry_store_get(store, &ferry_kind_vmi, "default", "db");
  g_assert_cmpstr(ferry_json_str(vmi, "status.migrationState.targetNode"), ==, "h2");
  g_assert_cmpstr(ferry_condition_status(vmi, FERRY_CONDITION_MIGRATING), ==, "True");

  world_set(store, "m", "status.phase", json_string("Running"));
  world_report(store, "h2", "paused", "migration", WORLD_NOW + 100);
  g_autoptr(json_t) there = ferry_store_get(store, &ferry_kind_vmi, "default", "db");
  g_assert_cmpstr(ferry_json_str(there, "status.nodeName"), ==, "h1");
  world_set(store, "m", "status.progress.diskRemainingBytes", json_integer(7));
  world_set(store, "m", "status.summary", json_pack("{s:{s:i}}", "lesson", "switchoverMs", 40));
  result(store, "m", TRUE, NULL, "gone");
  /* the target has not said yet that it runs: not decided */
  g_autoptr(json_t) waiting = world_step(store, "m", WORLD_NOW + 200);
  g_assert_cmpstr(phase(waiting), ==, "Running");
  world_report(store, "h1", NULL, NULL, WORLD_NOW + 300);
  world_report(store, "h2", "running", "migrated", WORLD_NOW + 300);
  g_autoptr(json_t) done = world_step(store, "m", WORLD_NOW + 400);
  g_assert_cmpstr(phase(done), ==, "Succeeded");
  g_assert_true(ferry_json_bool(done, "status.migrationState.completed", FALSE));
  g_assert_false(ferry_json_bool(done, "status.migrationState.failed", TRUE));
  g_assert_null(ferry_json_get(waiting, "status.migrationState.targetNodeDomainDetected"));
  g_assert_true(ferry_json_bool(done, "status.migrationState.targetNodeDomainDetected", FALSE));
  g_assert_cmpint(ferry_json_int(done, "status.progress.percent", 0), ==, 100);
  g_assert_cmpint(ferry_json_int(done, "status.progress.diskRemainingBytes", -1), ==, 0);
  g_autoptr(json_t) moved = ferry_store_get(store, &ferry_kind_vmi, "default", "db");
  g_assert_cmpstr(ferry_json_str(moved, "status.nodeName"), ==, "h2");
  g_assert_null(ferry_condition_status(moved, FERRY_CONDITION_MIGRATING));
  const json_t *lessons = ferry_json_get(moved, "status.lessons"); /* what it taught stays */
  g_assert_cmpuint(json_array_size(lessons), ==, 1);
  g_assert_cmpint(ferry_json_int(json_array_get(lessons, 0), "switchoverMs", 0), ==, 40);
  g_assert_cmpstr(ferry_json_str(json_array_get(lessons, 0), "migrationUid"), ==,
                  ferry_json_str(done, "metadata.uid"));
}

/* libvirt says error, but the VM runs on the target: it has arrived */
static void test_error_but_arrived(void) {
  g_autoptr(FerryStore) store = world_new();
  run(store, "m", "h2", WORLD_NOW);
  world_report(store, "h1", NULL, NULL, WORLD_NOW);
  world_report(store, "h2", "running", "migrated", WORLD_NOW);
  result(store, "m", TRUE, "connection lost", "gone");
  g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW + 10);
  g_assert_cmpstr(phase(m), ==, "Succeeded");
}

static void test_failure_keeps_reason(void) {
  g_autoptr(FerryStore) store = world_new();
  run(store, "m", "h2", WORLD_NOW);
  result(store, "m", TRUE, "No route to host", "running");
  g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW + 10);
  g_assert_cmpstr(phase(m), ==, "Failed");
  g_assert_nonnull(strstr(ferry_json_str(m, "status.message"), "No route to host"));
  g_assert_nonnull(strstr(ferry_json_str(m, "status.message"), "h1"));
  /* final: nothing changes it any more */
  world_report(store, "h2", "running", "migrated", WORLD_NOW + 20);
  g_autoptr(json_t) still = world_step(store, "m", WORLD_NOW + 30);
  g_assert_cmpstr(phase(still), ==, "Failed");
}

static void test_cancel(void) {
  g_autoptr(FerryStore) store = world_new();
  world_migrate(store, "early", NULL);
  world_set(store, "early", "status.migrationState.abortRequested", json_true());
  g_autoptr(json_t) e1 = world_step(store, "early", WORLD_NOW);
  g_assert_cmpstr(phase(e1), ==, "Failed");
  g_assert_cmpstr(ferry_json_str(e1, "status.reason"), ==, "Cancelled");
  run(store, "late", NULL, WORLD_NOW);
  world_set(store, "late", "status.migrationState.abortRequested", json_true());
  g_autoptr(json_t) l1 = world_step(store, "late", WORLD_NOW);
  g_assert_cmpstr(phase(l1), ==, "Running"); /* the agent's to stop */
  result(store, "late", TRUE, "operation aborted", "running");
  g_autoptr(json_t) l2 = world_step(store, "late", WORLD_NOW);
  g_assert_cmpstr(phase(l2), ==, "Failed");
  g_assert_cmpstr(ferry_json_str(l2, "status.reason"), ==, "Cancelled");
  g_assert_cmpstr(ferry_json_str(l2, "status.migrationState.abortStatus"), ==, "Succeeded");
  /* the migration was faster than the cancel: its result wins */
  run(store, "lost", NULL, WORLD_NOW);
  world_set(store, "lost", "status.migrationState.abortRequested", json_true());
  world_report(store, "h1", NULL, NULL, WORLD_NOW);
  world_report(store, "h2", "running", "migrated", WORLD_NOW);
  result(store, "lost", TRUE, NULL, "gone");
  g_autoptr(json_t) l3 = world_step(store, "lost", WORLD_NOW);
  g_assert_cmpstr(phase(l3), ==, "Succeeded");
  g_assert_cmpstr(ferry_json_str(l3, "status.migrationState.abortStatus"), ==, "Failed");
}

static void test_delete_waits_for_the_end(void) {
  g_autoptr(FerryStore) store = world_new();
  run(store, "m", NULL, WORLD_NOW);
  world_set(store, "m", "metadata.deletionTimestamp", json_string("2026-01-01T00:00:01Z"));
  g_autoptr(json_t) running = world_step(store, "m", WORLD_NOW);
  g_assert_cmpstr(phase(running), ==, "Running");
  result(store, "m", TRUE, "aborted", "running");
  g_autoptr(json_t) gone = world_step(store, "m", WORLD_NOW);
  g_assert_null(gone);
}

/* A copy that waits for what its record says keeps it, as long as its host is one of the cluster.
 */
static void test_delete_waits_for_the_doubt(void) {
  static const char suspended[] = "Suspended";
  for (guint how = 0; how < 2; how++) {
    g_autoptr(FerryStore) store = world_new();
    run(store, "m", NULL, WORLD_NOW);
    world_set(store, "m", "metadata.deletionTimestamp", json_string("2026-01-01T00:00:01Z"));
    world_set(store, "m", "status.migrationState.doubt.source.state", json_string(suspended));
    result(store, "m", TRUE, "aborted", "running");
    g_autoptr(json_t) failed = world_step(store, "m", WORLD_NOW);
    g_assert_cmpstr(phase(failed), ==, "Failed");
    g_autoptr(json_t) waits = world_step(store, "m", WORLD_NOW + 1000);
    g_assert_nonnull(waits);
    if (how == 0) {
      world_set(store, "m", "status.migrationState.doubt.source.state", json_string("GoesOn"));
    } else { /* the other side's host is not there to wait for */
      world_set(store, "m", "status.migrationState.doubt.source.state", json_string("Destroyed"));
      world_set(store, "m", "status.migrationState.doubt.target.state", json_string(suspended));
      world_set(store, "m", "status.migrationState.targetNode", json_string("h9"));
    }
    g_autoptr(json_t) gone = world_step(store, "m", WORLD_NOW + 2000);
    g_assert_null(gone);
  }
}

static void test_limits_and_queue(void) {
  g_autoptr(FerryStore) store = world_new();
  json_t *kv =
      json_pack("{ss,ss,s{ss,ss},s{s{s{si}}}}", "apiVersion", "kubevirt.io/v1", "kind", "KubeVirt",
                "metadata", "name", "kubevirt", "namespace", "kubevirt", "spec", "configuration",
                "migrations", "parallelOutboundMigrationsPerNode", 1);
  world_add(store, &ferry_kind_kubevirt, kv);
  run(store, "first", NULL, WORLD_NOW);
  world_vm(store, "other", 2, WORLD_NOW);
  world_migrate_vm(store, "second", "other", NULL);
  g_autoptr(json_t) m = world_step(store, "second", WORLD_NOW);
  g_assert_cmpstr(phase(m), ==, "Pending");
  g_assert_cmpint(ferry_json_int(m, "status.queue.position", 0), ==, 1);
  g_assert_nonnull(strstr(ferry_json_str(m, "status.queue.message"), "h1"));
}

/* a preset that allows one migration a host holds the second one back, and it is held by the first
 * whatever its own policy says */
static void test_limits_of_a_preset(void) {
  g_autoptr(FerryStore) store = world_new();
  world_vm(store, "other", 2, WORLD_NOW);
  world_vm(store, "third", 3, WORLD_NOW);
  world_migrate(store, "first", NULL);
  g_autoptr(json_t) a = world_step(store, "first", WORLD_NOW);
  g_assert_cmpstr(phase(a), ==, "Scheduled");
  world_migrate_vm(store, "second", "other", NULL);
  world_set(store, "second", "spec.preset", json_string("ovirt-very-large"));
  g_autoptr(json_t) b = world_step(store, "second", WORLD_NOW);
  g_assert_cmpstr(phase(b), ==, "Pending");
  g_assert_nonnull(strstr(ferry_json_str(b, "status.queue.message"), "the limit is 1"));
  world_set(store, "first", "status.phase", json_string("Failed"));
  g_autoptr(json_t) c = world_step(store, "second", WORLD_NOW);
  g_assert_cmpstr(phase(c), ==, "Scheduled");
  world_migrate_vm(store, "another", "third", NULL);
  g_autoptr(json_t) d = world_step(store, "another", WORLD_NOW);
  g_assert_cmpstr(phase(d), ==, "Pending");
  g_assert_nonnull(strstr(ferry_json_str(d, "status.queue.message"), "under way"));
}

static void test_no_target(void) {
  g_autoptr(FerryStore) store = world_new();
  g_autoptr(json_t) h2 = ferry_store_get(store, &ferry_kind_node, "", "h2");
  json_t *cordoned = json_deep_copy(h2);
  ferry_json_set_bool(cordoned, "spec.unschedulable", TRUE);
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_node, cordoned, FALSE);
  world_commit(store, plan);
  world_migrate(store, "m", NULL);
  g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW);
  g_assert_cmpstr(phase(m), ==, "Failed");
  g_assert_nonnull(strstr(ferry_json_str(m, "status.message"), "h1"));
  g_assert_nonnull(strstr(ferry_json_str(m, "status.message"), "cordoned"));
  g_assert_cmpuint(json_array_size(ferry_json_get(m, "status.refusals")), ==, 2);
}

/* Takes `value`. */
static void set_at(FerryStore *store, const FerryKind *kind, const char *ns, const char *name,
                   const char *path, json_t *value) {
  g_autoptr(json_t) object = ferry_store_get(store, kind, ns, name);
  json_t *copy = json_deep_copy(object);
  ferry_json_set(copy, path, value);
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  ferry_plan_write(plan, FERRY_WRITE_UPDATE, kind, copy, FALSE);
  world_commit(store, plan);
}

/* Two VMs that fit one by one are not sent together; the target's own report of the first one takes
 * the place of the promise. */
static void test_memory_on_the_way(void) {
  g_autoptr(FerryStore) store = world_new();
  world_vm(store, "other", 2, WORLD_NOW);
  set_at(store, &ferry_kind_node, "", "h2", "status.capacity.memory", json_string("600Mi"));
  set_at(store, &ferry_kind_vmi, "default", "other", "status.guestMemoryBytes",
         json_integer(400 << 20));
  world_migrate(store, "first", NULL);
  world_migrate_vm(store, "second", "other", NULL);
  g_autoptr(json_t) a = world_step(store, "first", WORLD_NOW);
  g_assert_cmpstr(phase(a), ==, "Scheduled");
  g_autoptr(json_t) b = world_step(store, "second", WORLD_NOW);
  g_assert_cmpstr(phase(b), ==, "Scheduling");
  g_assert_cmpstr(ferry_json_str(b, "status.reason"), ==, "Waiting");
  g_autofree char *why = ferry_json_dump(ferry_json_get(b, "status.refusals"));
  g_assert_nonnull(strstr(why, "of which 256 MiB is promised to migrations on the way there "
                               "(first)"));
  world_report(store, "h2", "paused", "migration", WORLD_NOW + 10);
  set_at(store, &ferry_kind_node, "", "h2", "status.memoryUsedBytes", json_integer(256 << 20));
  g_autoptr(json_t) c = world_step(store, "second", WORLD_NOW + 20);
  g_assert_cmpstr(phase(c), ==, "Scheduling");
  set_at(store, &ferry_kind_node, "", "h2", "status.capacity.memory", json_string("656Mi"));
  g_autoptr(json_t) d = world_step(store, "second", WORLD_NOW + 30); /* counted once */
  g_assert_cmpstr(phase(d), ==, "Scheduled");
}

static void test_timeouts(void) {
  g_autoptr(FerryStore) store = world_new();
  world_migrate(store, "m", NULL);
  g_autoptr(json_t) a = world_step(store, "m", WORLD_NOW);
  g_assert_cmpstr(phase(a), ==, "Scheduled");
  g_autoptr(json_t) b = world_step(store, "m", WORLD_NOW + FERRY_ACCEPT_TIMEOUT_MS - 1);
  g_assert_cmpstr(phase(b), ==, "Scheduled");
  g_autoptr(json_t) c = world_step(store, "m", WORLD_NOW + FERRY_ACCEPT_TIMEOUT_MS);
  g_assert_cmpstr(phase(c), ==, "Failed");
  g_assert_cmpstr(ferry_json_str(c, "status.reason"), ==, "SourceAgentNotAnswering");

  run(store, "lost", NULL, WORLD_NOW);
  result(store, "lost", TRUE, "gone", "gone");
  g_autoptr(json_t) d = world_step(store, "lost", WORLD_NOW);
  g_assert_cmpstr(phase(d), ==, "Running");
  g_autoptr(json_t) e = world_step(store, "lost", WORLD_NOW + FERRY_OUTCOME_TIMEOUT_MS);
  g_assert_cmpstr(phase(e), ==, "Failed");
  g_assert_cmpstr(ferry_json_str(e, "status.reason"), ==, "VMNotFound");
}

/* Nobody hears of the source's host any more: libvirt may go on, so it is given time. */
static void test_source_host_lost(void) {
  g_autoptr(FerryStore) store = world_new();
  run(store, "m", "h2", WORLD_NOW);
  g_autoptr(json_t) h1 = ferry_store_get(store, &ferry_kind_node, "", "h1");
  json_t *silent = json_deep_copy(h1);
  ferry_condition_set(silent, FERRY_CONDITION_READY, "Unknown", "AgentSilent", "", WORLD_NOW);
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_node, silent, FALSE);
  world_commit(store, plan);
  g_autoptr(json_t) a = world_step(store, "m", WORLD_NOW + FERRY_LOST_AGENT_TIMEOUT_MS - 1);
  g_assert_cmpstr(phase(a), ==, "Running");
  g_assert_nonnull(strstr(ferry_json_str(a, "status.message"), "libvirt goes on by itself"));
  g_autoptr(json_t) b = world_step(store, "m", WORLD_NOW + FERRY_LOST_AGENT_TIMEOUT_MS);
  g_assert_cmpstr(phase(b), ==, "Failed");
  g_assert_cmpstr(ferry_json_str(b, "status.reason"), ==, "SourceHostLost");
  g_assert_nonnull(strstr(ferry_json_str(b, "status.message"), "the agent of h1"));
  g_assert_nonnull(strstr(ferry_json_str(b, "status.message"), "h2 reports the VM as not running"));
}

/* A migration whose connection broke in post-copy, which the source has noticed. */
static FerryStore *broken_in_post_copy(const char *target_says) {
  FerryStore *store = world_new();
  run(store, "m", "h2", WORLD_NOW);
  world_report(store, "h1", "paused", "postcopy-failed", WORLD_NOW + 100);
  world_report(store, "h2", "running", target_says, WORLD_NOW + 100);
  result(store, "m", TRUE, "the link is gone", "paused");
  return store;
}

/* The target waits for a connection that is gone, and says nothing of it. */
static void test_half_open_post_copy(void) {
  g_autoptr(FerryStore) store = broken_in_post_copy("postcopy");
  g_autoptr(json_t) early = world_step(store, "m", WORLD_NOW + 200);
  g_assert_cmpstr(phase(early), ==, "Running"); /* it may notice yet */
  world_report(store, "h2", "running", "postcopy", WORLD_NOW + FERRY_OUTCOME_TIMEOUT_MS - 1000);
  g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW + 200 + FERRY_OUTCOME_TIMEOUT_MS);
  g_assert_cmpstr(phase(m), ==, "Failed");
  g_assert_cmpstr(ferry_json_str(m, "status.reason"), ==, "PostCopyFailed");
  g_assert_nonnull(strstr(ferry_json_str(m, "status.message"), "h2 has not noticed"));
  g_assert_nonnull(strstr(ferry_json_str(m, "status.message"), "--postcopy-resume"));
}

/* Never advised where it kills the target's libvirtd. */
static void test_resume_by_version(void) {
  static const struct {
    const char *version;
    gboolean kills;
  } cases[] = {{"11.1.0", FALSE}, {"11.2.0", TRUE}, {"11.3.0", TRUE}, {"11.4.0", FALSE}};
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(FerryStore) store = broken_in_post_copy("postcopy-failed");
    g_autoptr(json_t) node = ferry_store_get(store, &ferry_kind_node, "", "h2");
    json_t *copy = json_deep_copy(node);
    ferry_json_set_str(copy, "status.hypervisor.libvirtVersion", cases[i].version);
    g_autoptr(FerryPlan) plan = ferry_plan_new();
    ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_node, copy, FALSE);
    world_commit(store, plan);
    g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW + 200);
    const char *message = ferry_json_str(m, "status.message");
    g_assert_true((strstr(message, "Update it there to 11.4.0") != NULL) == cases[i].kills);
    g_assert_nonnull(strstr(message, "ferry migrate db --to h2 --post-copy --postcopy-resume"));
  }
}

/* Each host holds a part of the VM: said at once, with what to do; resuming goes the same way. */
static void test_broken_post_copy(void) {
  g_autoptr(FerryStore) store = broken_in_post_copy("postcopy-failed");
  g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW + 200);
  g_assert_cmpstr(phase(m), ==, "Failed");
  g_assert_cmpstr(ferry_json_str(m, "status.reason"), ==, "PostCopyFailed");
  g_assert_nonnull(strstr(ferry_json_str(m, "status.message"), "--postcopy-resume"));
  world_migrate(store, "again", NULL);
  world_set(store, "again", "spec.postCopyResume", json_true());
  world_set(store, "again", "spec.allowPostCopy", json_true());
  g_autoptr(json_t) r = world_step(store, "again", WORLD_NOW + 300);
  g_assert_cmpstr(phase(r), ==, "Scheduled");
  g_assert_cmpstr(ferry_json_str(r, "status.migrationState.sourceNode"), ==, "h1");
  g_assert_cmpstr(ferry_json_str(r, "status.migrationState.targetNode"), ==, "h2");
}

/* An offline migration has succeeded once the target has the definition. */
static void test_offline(void) {
  g_autoptr(FerryStore) store = world_new();
  world_report(store, "h1", "shutoff", "shutdown", WORLD_NOW);
  world_migrate(store, "m", "h2");
  world_set(store, "m", "spec.offline", json_true());
  g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW);
  g_assert_cmpstr(phase(m), ==, "Scheduled");
  world_set(store, "m", "status.phase", json_string("Running"));
  result(store, "m", TRUE, "no such thing", "shutoff");
  g_autoptr(json_t) failed = world_step(store, "m", WORLD_NOW + 100);
  g_assert_cmpstr(phase(failed), ==, "Failed");
}

/* As the API makes it: Pending already, with its timestamp. The VM's status names it. */
static void test_made_as_pending(void) {
  g_autoptr(FerryStore) store = world_new();
  world_migrate(store, "m", NULL);
  world_set(store, "m", "status",
            json_pack("{ss,s[{ss,ss}]}", "phase", "Pending", "phaseTransitionTimestamps", "phase",
                      "Pending", "phaseTransitionTimestamp", "2026-01-01T00:00:00Z"));
  g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW);
  g_autoptr(json_t) vmi = ferry_store_get_by_uid(store, &ferry_kind_vmi, WORLD_UUID);
  g_assert_cmpstr(phase(m), ==, "Scheduled");
  g_assert_cmpstr(ferry_json_str(m, "status.migrationState.migrationUid"), ==, "m");
  g_assert_cmpstr(ferry_json_str(vmi, "status.migrationState.migrationUid"), ==, "m");
}

/* One that waits is not what the VM's status is about: that is the one under way. */
static void test_waiting_hides_nothing(void) {
  g_autoptr(FerryStore) store = world_new();
  world_migrate(store, "m", NULL);
  g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW);
  g_assert_cmpstr(phase(m), ==, "Scheduled");
  world_migrate(store, "n", NULL);
  g_autoptr(json_t) n = world_step(store, "n", WORLD_NOW + 10);
  g_assert_cmpstr(phase(n), ==, "Pending");
  g_autoptr(json_t) vmi = ferry_store_get_by_uid(store, &ferry_kind_vmi, WORLD_UUID);
  g_assert_cmpstr(ferry_json_str(vmi, "status.migrationState.migrationUid"), ==, "m");
  const json_t *migrating =
      ferry_json_find(ferry_json_get(vmi, "status.conditions"), "type", "Migrating");
  g_assert_cmpstr(ferry_json_str(migrating, "message"), ==, "m");
  g_assert_cmpstr(ferry_json_str(migrating, "reason"), ==, "Scheduled");
}

/* a forecast is a migration that moves nothing: it ends well, and the VM knows nothing of it */
static void test_forecast(void) {
  g_autoptr(FerryStore) store = world_new();
  world_migrate(store, "m", NULL);
  world_set(store, "m", "spec.forecastOnly", json_true());
  g_autoptr(json_t) scheduled = world_step(store, "m", WORLD_NOW);
  g_assert_cmpstr(phase(scheduled), ==, "Scheduled");
  assert_agents(scheduled, "[\"h1\",\"h2\"]"); /* both measure the path */
  world_set(store, "m", "status.phase", json_string("PreparingTarget"));
  world_set(store, "m", "status.forecast", json_pack("{s:i}", "totalMs", 5));
  result(store, "m", FALSE, "nothing was moved", "running");
  g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW + 10);
  g_assert_cmpstr(phase(m), ==, "Succeeded");
  g_assert_cmpstr(ferry_json_str(m, "status.reason"), ==, "ForecastMade");
  g_autoptr(json_t) vmi = ferry_store_get(store, &ferry_kind_vmi, "default", "db");
  g_assert_null(ferry_json_get(vmi, "status.migrationState"));
  /* the measurement failed */
  world_migrate(store, "bad", NULL);
  world_set(store, "bad", "spec.forecastOnly", json_true());
  g_autoptr(json_t) again = world_step(store, "bad", WORLD_NOW + 20);
  world_set(store, "bad", "status.phase", json_string("PreparingTarget"));
  result(store, "bad", FALSE, "cannot measure", "running");
  g_autoptr(json_t) failed = world_step(store, "bad", WORLD_NOW + 30);
  g_assert_cmpstr(phase(failed), ==, "Failed");
  g_assert_nonnull(strstr(ferry_json_str(failed, "status.message"), "cannot measure"));
}

/* One that an earlier version began names no agents: its agent shall find it all the same. */
static void test_agents_of_old(void) {
  g_autoptr(FerryStore) store = world_new();
  run(store, "m", NULL, WORLD_NOW);
  world_set(store, "m", "status.migrationState.agents", NULL);
  g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW + 10);
  g_assert_cmpstr(phase(m), ==, "Running");
  assert_agents(m, "[\"h1\",\"h2\"]");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/migration/success", test_success);
  g_test_add_func("/migration/error-but-arrived", test_error_but_arrived);
  g_test_add_func("/migration/failure-keeps-reason", test_failure_keeps_reason);
  g_test_add_func("/migration/agents-of-old", test_agents_of_old);
  g_test_add_func("/migration/cancel", test_cancel);
  g_test_add_func("/migration/delete-waits", test_delete_waits_for_the_end);
  g_test_add_func("/migration/delete_waits_for_the_doubt", test_delete_waits_for_the_doubt);
  g_test_add_func("/migration/limits-and-queue", test_limits_and_queue);
  g_test_add_func("/migration/limits-of-a-preset", test_limits_of_a_preset);
  g_test_add_func("/migration/no-target", test_no_target);
  g_test_add_func("/migration/memory-on-the-way", test_memory_on_the_way);
  g_test_add_func("/migration/timeouts", test_timeouts);
  g_test_add_func("/migration/source-host-lost", test_source_host_lost);
  g_test_add_func("/migration/half-open-post-copy", test_half_open_post_copy);
  g_test_add_func("/migration/broken-post-copy", test_broken_post_copy);
  g_test_add_func("/migration/resume-by-version", test_resume_by_version);
  g_test_add_func("/migration/offline", test_offline);
  g_test_add_func("/migration/made-as-pending", test_made_as_pending);
  g_test_add_func("/migration/waiting-hides-nothing", test_waiting_hides_nothing);
  g_test_add_func("/migration/forecast", test_forecast);
  return g_test_run();
}
