// SPDX-License-Identifier: Apache-2.0
// What the end of a migration says of both hosts. Each test puts a migration at the end of its run
// (ended), lets the hosts report at times of its choosing, and steps the controller at others: what
// was last said, how old that is, and whether its host can speak are the input; phase, reason and
// outcome are looked at.
#include "control/node.h"
#include "world.h"
#include <string.h>

#define STATE "status.migrationState."

static void set_ready(FerryStore *store, const char *node, const char *status) {
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  g_autoptr(json_t) n = ferry_store_get(store, &ferry_kind_node, "", node);
  json_t *copy = json_deep_copy(n);
  ferry_condition_set(copy, FERRY_CONDITION_READY, status, "AgentSilent", "", WORLD_NOW);
  ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_node, copy, FALSE);
  world_commit(store, plan);
}

/* A migration to h2 that ended in an error, with this state on the source before and after. */
static json_t *failed(FerryStore *store, const char *before, const char *after) {
  world_report(store, "h1", before, "booted", WORLD_NOW);
  world_migrate(store, "m", "h2");
  g_autoptr(json_t) scheduled = world_step(store, "m", WORLD_NOW);
  g_assert_cmpstr(ferry_json_str(scheduled, STATE "sourceDomainStateBefore"), ==, before);
  world_set(store, "m", "status.phase", json_string("Running"));
  world_set(store, "m", STATE "agentResult",
            json_pack("{sb,ss,ss}", "returned", 1, "error", "out of luck", "sourceState", after));
  json_t *m = world_step(store, "m", WORLD_NOW + 10);
  g_assert_cmpstr(ferry_json_str(m, "status.phase"), ==, "Failed");
  return m;
}

static void test_kept(void) {
  static const struct {
    const char *before, *after, *says;
  } cases[] = {
      {"running", "running", "out of luck; the VM is running on h1 as before"},
      {"running", "blocked", "the VM is blocked on h1 as before"},
      {"paused", "paused", "the VM is paused on h1 as before"},
      {"running", "paused", "the VM is paused on h1 and was running before; look at"},
      {"paused", "running", "the VM is running on h1 and was paused before; look at"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(FerryStore) store = world_new();
    g_autoptr(json_t) m = failed(store, cases[i].before, cases[i].after);
    if (!strstr(ferry_json_str(m, "status.message"), cases[i].says))
      g_error("\"%s\" is not in \"%s\"", cases[i].says, ferry_json_str(m, "status.message"));
    g_assert_cmpstr(ferry_json_str(m, STATE "targetDomainState"), ==, "gone");
  }
}

/* Of a host whose agent is silent nobody knows what it has. */
static void test_silent_target(void) {
  g_autoptr(FerryStore) store = world_new();
  world_migrate(store, "m", "h2");
  json_decref(world_step(store, "m", WORLD_NOW));
  world_set(store, "m", "status.phase", json_string("Running"));
  set_ready(store, "h2", "Unknown");
  world_set(store, "m", STATE "agentResult",
            json_pack("{sb,ss,ss}", "returned", 1, "error", "cut", "sourceState", "running"));
  g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW + 10);
  g_assert_cmpstr(ferry_json_str(m, "status.phase"), ==, "Failed");
  g_assert_cmpstr(ferry_json_str(m, STATE "targetDomainState"), ==, "unknown");
}

static void test_silent_hosts(void) {
  g_autoptr(FerryStore) store = world_new();
  world_migrate(store, "m", "h2");
  json_decref(world_step(store, "m", WORLD_NOW));
  world_set(store, "m", "status.phase", json_string("Running"));
  set_ready(store, "h1", "Unknown");
  set_ready(store, "h2", "Unknown");
  g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW + FERRY_LOST_AGENT_TIMEOUT_MS + 10);
  g_assert_cmpstr(ferry_json_str(m, "status.reason"), ==, "SourceHostLost");
  g_assert_nonnull(strstr(ferry_json_str(m, "status.message"), "h2 does not answer either"));
  g_assert_cmpstr(ferry_json_str(m, STATE "targetDomainState"), ==, "unknown");
}

/* The source is silent, and nothing goes on by itself where the target says that post-copy broke.
 */
static void test_silent_source(void) {
  static const struct {
    const char *reason, *says;
  } cases[] = {{"postcopy", "libvirt goes on by itself"},
               {"postcopy-failed", "h2 says that post-copy broke"}};
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(FerryStore) store = world_new();
    world_migrate(store, "m", "h2");
    json_decref(world_step(store, "m", WORLD_NOW));
    world_set(store, "m", "status.phase", json_string("Running"));
    world_set(store, "m", STATE "mode", json_string("PostCopy"));
    world_report(store, "h2", "running", cases[i].reason, WORLD_NOW + 5);
    set_ready(store, "h1", "Unknown");
    g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW + 10);
    g_assert_cmpstr(ferry_json_str(m, "status.phase"), ==, "Running");
    g_assert_nonnull(strstr(ferry_json_str(m, "status.message"), cases[i].says));
  }
}

/* It vanished, or was stopped, while its migration waited. */
static void test_ended_before(void) {
  static const struct {
    const char *state, *says;
  } cases[] = {{NULL, "VM db does not run any more (no host has it)"},
               {"shutoff", "VM db does not run any more (Stopped)"}};
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(FerryStore) store = world_new();
    world_migrate(store, "m", "h2");
    world_report(store, "h1", cases[i].state, "destroyed", WORLD_NOW + 5);
    g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW + 10);
    g_assert_cmpstr(ferry_json_str(m, "status.reason"), ==, "VMNotRunning");
    g_assert_cmpstr(ferry_json_str(m, "status.message"), ==, cases[i].says);
  }
}

/* A migration in Running, switched to post-copy or not, whose call ended in an error. */
static FerryStore *ended(const char *mode, const char *state, const char *reason) {
  FerryStore *store = world_new();
  world_report(store, "h1", "running", "booted", WORLD_NOW);
  world_migrate(store, "m", "h2");
  json_decref(world_step(store, "m", WORLD_NOW));
  world_set(store, "m", "status.phase", json_string("Running"));
  world_set(store, "m", STATE "mode", json_string(mode));
  world_set(store, "m", STATE "agentResult",
            json_pack("{sb,ss,ss,ss}", "returned", 1, "error", "out of luck", "sourceState", state,
                      "sourceReason", reason));
  return store;
}

static void assert_ended(const json_t *m, const char *reason, const char *outcome,
                         const char *says) {
  g_assert_cmpstr(ferry_json_str(m, "status.phase"), ==, "Failed");
  g_assert_cmpstr(ferry_json_str(m, "status.reason"), ==, reason);
  g_assert_cmpstr(ferry_json_str(m, STATE "outcome"), ==, outcome);
  if (!strstr(ferry_json_str(m, "status.message"), says))
    g_error("\"%s\" is not in \"%s\"", says, ferry_json_str(m, "status.message"));
}

/* "running" is not alive where libvirt's reason is that post-copy failed. */
static void test_lost(void) {
  g_autoptr(FerryStore) store = ended("PostCopy", "shutoff", "failed");
  world_report(store, "h2", "running", "postcopy-failed", WORLD_NOW + 5);
  g_autoptr(json_t) not_yet = world_step(store, "m", WORLD_NOW + 10);
  g_assert_cmpstr(ferry_json_str(not_yet, "status.phase"), ==, "Running");
  world_report(store, "h2", "running", "postcopy-failed", WORLD_NOW + 1000);
  g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW + 2000);
  assert_ended(m, "VMLost", "lost", "start it again from its disks");
}

static void test_lost_with_the_target(void) {
  g_autoptr(FerryStore) store = ended("PostCopy", "paused", "postcopy-failed");
  g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW + 10);
  assert_ended(m, "VMLost", "lost", "h1 says paused (postcopy-failed), h2 says nothing");
}

/* Said at once, by libvirt's reason; the target is not waited for. */
static void test_stopped(void) {
  static const struct {
    const char *reason, *says;
  } cases[] = {{"destroyed", "db was destroyed on h1"},
               {"shutdown", "db was shut down on h1"},
               {"crashed", "db was stopped by a crash"}};
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(FerryStore) store = ended("PreCopy", "shutoff", cases[i].reason);
    world_report(store, "h2", "paused", "migration", WORLD_NOW + 5);
    g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW + 10);
    assert_ended(m, "StoppedMeanwhile", "stopped", cases[i].says);
  }
}

/* While libvirtds go on with post-copy nothing is over, however long it takes. */
static void test_waits_for_post_copy(void) {
  g_autoptr(FerryStore) store = ended("PostCopy", "paused", "postcopy");
  world_report(store, "h1", "paused", "postcopy", WORLD_NOW + 5);
  world_report(store, "h2", "running", "postcopy", WORLD_NOW + 5);
  json_decref(world_step(store, "m", WORLD_NOW + 10));
  g_autoptr(json_t) later = world_step(store, "m", WORLD_NOW + 100 * FERRY_OUTCOME_TIMEOUT_MS);
  g_assert_cmpstr(ferry_json_str(later, "status.phase"), ==, "Running");
  world_report(store, "h1", "shutoff", "migrated", WORLD_NOW + 101 * FERRY_OUTCOME_TIMEOUT_MS);
  world_report(store, "h2", "running", "unpaused", WORLD_NOW + 101 * FERRY_OUTCOME_TIMEOUT_MS);
  g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW + 102 * FERRY_OUTCOME_TIMEOUT_MS);
  g_assert_cmpstr(ferry_json_str(m, "status.phase"), ==, "Succeeded");
  g_assert_cmpstr(ferry_json_str(m, STATE "outcome"), ==, "moved");
}

/* The source's libvirtd lost the target's and called it broken; both QEMUs finished all the same.
 */
static void test_finished_without_libvirtd(void) {
  static const struct {
    const char *there, *reason, *phase;
  } cases[] = {{"running", "migrated", "Succeeded"},
               {"running", "postcopy-failed", "VMLost"},
               {"running", "postcopy-failed", "Succeeded"}};
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(FerryStore) store = ended("PostCopy", "paused", "postcopy-failed");
    world_report(store, "h2", "running", "postcopy", WORLD_NOW + 5);
    world_report(store, "h1", "paused", "postcopy-failed", WORLD_NOW + 5);
    g_autoptr(json_t) soon = world_step(store, "m", WORLD_NOW + 10);
    g_assert_cmpstr(ferry_json_str(soon, "status.phase"), ==, "Running");
    world_report(store, "h1", NULL, NULL, WORLD_NOW + 6000);
    world_report(store, "h2", cases[i].there, cases[i].reason, WORLD_NOW + 6000);
    if (i > 0) { /* what the target said before is no evidence */
      g_autoptr(json_t) not_yet = world_step(store, "m", WORLD_NOW + 6001);
      g_assert_cmpstr(ferry_json_str(not_yet, "status.phase"), ==, "Running");
      world_report(store, "h2", "running", i == 1 ? "postcopy-failed" : "migrated",
                   WORLD_NOW + 7000);
    }
    g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW + 9000);
    g_assert_cmpstr(ferry_json_str(m, i == 1 ? "status.reason" : "status.phase"), ==,
                    cases[i].phase);
  }
}

static guint count_events(FerryStore *store) {
  g_autoptr(GPtrArray) all = ferry_store_list(store, &ferry_kind_event, NULL, NULL);
  return all->len;
}

/* Handed over to a host that fell silent: unknown until it speaks, and one event, not many. */
static void test_unknown(void) {
  g_autoptr(FerryStore) store = ended("PreCopy", "paused", "migration");
  world_report(store, "h1", "paused", "migration", WORLD_NOW + 5);
  set_ready(store, "h2", "Unknown");
  g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW + 10 * FERRY_OUTCOME_TIMEOUT_MS);
  g_assert_cmpstr(ferry_json_str(m, "status.phase"), ==, "Running");
  g_assert_cmpstr(ferry_json_str(m, "status.reason"), ==, "OutcomeUnknown");
  g_assert_cmpstr(ferry_json_str(m, STATE "outcome"), ==, "unknown");
  g_assert_nonnull(strstr(ferry_json_str(m, "status.message"), "h2 cannot be heard"));
  guint before = count_events(store);
  json_decref(world_step(store, "m", WORLD_NOW + 11 * FERRY_OUTCOME_TIMEOUT_MS));
  g_assert_cmpuint(count_events(store), ==, before);
  set_ready(store, "h2", "True");
  world_report(store, "h1", "shutoff", "migrated", WORLD_NOW + 12 * FERRY_OUTCOME_TIMEOUT_MS);
  world_report(store, "h2", "running", "migrated", WORLD_NOW + 12 * FERRY_OUTCOME_TIMEOUT_MS);
  g_autoptr(json_t) known = world_step(store, "m", WORLD_NOW + 13 * FERRY_OUTCOME_TIMEOUT_MS);
  g_assert_cmpstr(ferry_json_str(known, "status.phase"), ==, "Succeeded");
}

/* What a host last said before it fell silent is no evidence of two copies. */
static void test_silent_target_is_not_a_second_copy(void) {
  g_autoptr(FerryStore) store = ended("PreCopy", "running", "migration-canceled");
  world_report(store, "h2", "paused", "migration", WORLD_NOW + 5);
  set_ready(store, "h2", "Unknown");
  g_autoptr(json_t) m = world_step(store, "m", WORLD_NOW + 10);
  assert_ended(m, ferry_json_str(m, "status.reason"), "stayed",
               "the VM is running on h1 as before");
}

/* A copy that its agent suspended is none that a person paused: neither goes on, and that is said.
 */
static void test_both_wait(void) {
  gint64 late = WORLD_NOW + 5 * FERRY_OUTCOME_TIMEOUT_MS;
  g_autoptr(FerryStore) store = ended("PreCopy", "paused", "migration");
  world_report(store, "h1", "paused", "user", WORLD_NOW + 5);
  world_set(store, "m", STATE "doubt.source.state", json_string("Suspended"));
  set_ready(store, "h2", "Unknown");
  json_decref(world_step(store, "m", WORLD_NOW + 10));
  set_ready(store, "h2", "True");
  world_report(store, "h2", "paused", "user", late);
  world_set(store, "m", STATE "doubt.target.state", json_string("Suspended"));
  /* their agents have a moment to agree, from when both could be heard */
  g_autoptr(json_t) soon = world_step(store, "m", late + FERRY_OUTCOME_TIMEOUT_MS - 1);
  g_assert_cmpstr(ferry_json_str(soon, "status.phase"), ==, "Running");
  /* what nobody could say or store for a while is no evidence */
  g_autoptr(json_t) unheard = world_step(store, "m", late + FERRY_OUTCOME_TIMEOUT_MS);
  g_assert_cmpstr(ferry_json_str(unheard, "status.phase"), ==, "Running");
  world_heartbeat(store, "h2", late + FERRY_OUTCOME_TIMEOUT_MS - FERRY_NODE_GRACE_MS / 3);
  g_autoptr(json_t) m = world_step(store, "m", late + FERRY_OUTCOME_TIMEOUT_MS);
  assert_ended(m, "SuspendedOnBothHosts", "suspended", "ferry resolve VM --keep HOST");
}

/* The target's copy goes on as late as it likes: the source's agent is about to end its own. */
static void test_late_arrival(void) {
  gint64 late = WORLD_NOW + 5 * FERRY_OUTCOME_TIMEOUT_MS;
  g_autoptr(FerryStore) store = ended("PreCopy", "paused", "migration");
  world_report(store, "h1", "paused", "user", WORLD_NOW + 5);
  world_set(store, "m", STATE "doubt.source.state", json_string("Suspended"));
  world_report(store, "h2", "running", "migrated", late);
  g_autoptr(json_t) soon = world_step(store, "m", late + 1000);
  g_assert_cmpstr(ferry_json_str(soon, "status.phase"), ==, "Running");
  world_report(store, "h1", NULL, NULL, late + 2000);
  world_set(store, "m", STATE "doubt.source.state", json_string("Destroyed"));
  g_autoptr(json_t) m = world_step(store, "m", late + 2001);
  g_assert_cmpstr(ferry_json_str(m, "status.phase"), ==, "Succeeded");
}

/* The agent's word that its copy is gone may come before its host's report of that. */
static void test_word_before_report(void) {
  gint64 late = WORLD_NOW + 5 * FERRY_OUTCOME_TIMEOUT_MS;
  g_autoptr(FerryStore) store = ended("PreCopy", "paused", "migration");
  world_report(store, "h1", "paused", "user", WORLD_NOW + 5);
  world_set(store, "m", STATE "doubt.source.state", json_string("Suspended"));
  world_report(store, "h2", "running", "migrated", late);
  world_heartbeat(store, "h1", late + 1000);
  world_set(store, "m", STATE "doubt.source.state", json_string("Destroyed"));
  g_autoptr(json_t) m = world_step(store, "m", late + 2000);
  g_assert_cmpstr(ferry_json_str(m, "status.phase"), ==, "Succeeded");
}

/* The same where libvirt calls the source's copy one that the migration paused, and where the
 * result came so late that the host had reported the end of its copy before. */
static void test_word_after_report(void) {
  gint64 late = WORLD_NOW + 5 * FERRY_OUTCOME_TIMEOUT_MS;
  static const char *const last[][2] = {{"paused", "migration"}, {"shutoff", "destroyed"}};
  for (gsize i = 0; i < G_N_ELEMENTS(last); i++) {
    g_autoptr(FerryStore) store = ended("PreCopy", "paused", "migration");
    world_report(store, "h1", last[i][0], last[i][1], WORLD_NOW - 1000);
    world_report(store, "h2", "running", "migrated", WORLD_NOW + 5);
    world_heartbeat(store, "h1", late + 1000);
    world_heartbeat(store, "h2", late + 1000);
    world_set(store, "m", STATE "doubt.source.state", json_string("Destroyed"));
    g_autoptr(json_t) m = world_step(store, "m", late + 1000 + FERRY_NODE_MERGED_MS);
    g_assert_cmpstr(ferry_json_str(m, "status.phase"), ==, "Succeeded");
  }
}

/* That there are two copies is so only by what the source says after it had its time to end one. */
static void test_both_by_both(void) {
  gint64 late = WORLD_NOW + 2 * FERRY_OUTCOME_TIMEOUT_MS;
  g_autoptr(FerryStore) store = ended("PreCopy", "paused", "migration");
  world_report(store, "h1", "paused", "user", WORLD_NOW + 5);
  world_set(store, "m", STATE "doubt.source.state", json_string("Suspended"));
  world_report(store, "h2", "running", "migrated", WORLD_NOW + 5);
  json_decref(world_step(store, "m", WORLD_NOW + 10));
  world_heartbeat(store, "h2", late - 1000);
  g_autoptr(json_t) early = world_step(store, "m", late);
  g_assert_cmpstr(ferry_json_str(early, "status.phase"), ==, "Running");
  world_heartbeat(store, "h1", late);
  g_autoptr(json_t) m = world_step(store, "m", late + FERRY_NODE_MERGED_MS);
  assert_ended(m, "RunsOnBothHosts", "both", "h1 says paused");
}

/* A source that fell silent may have ended its copy since: there are two by its word alone. */
static void test_both_silent_source(void) {
  gint64 late = WORLD_NOW + 2 * FERRY_OUTCOME_TIMEOUT_MS;
  g_autoptr(FerryStore) store = ended("PreCopy", "paused", "migration");
  world_report(store, "h1", "paused", "user", WORLD_NOW + 5);
  world_set(store, "m", STATE "doubt.source.state", json_string("Suspended"));
  world_report(store, "h2", "running", "migrated", WORLD_NOW + 5);
  json_decref(world_step(store, "m", WORLD_NOW + 10));
  world_heartbeat(store, "h1", late - FERRY_NODE_MERGED_MS);
  world_heartbeat(store, "h2", late - FERRY_NODE_MERGED_MS);
  set_ready(store, "h1", "Unknown");
  g_autoptr(json_t) silent = world_step(store, "m", late);
  g_assert_cmpstr(ferry_json_str(silent, "status.phase"), ==, "Running");
  g_assert_cmpstr(ferry_json_str(silent, "status.reason"), ==, "OutcomeUnknown");
  set_ready(store, "h1", "True");
  g_autoptr(json_t) m = world_step(store, "m", late + FERRY_NODE_MERGED_MS);
  assert_ended(m, "RunsOnBothHosts", "both", "h1 says paused");
}

/* A ferryd that was away while the time ran out counts the target as ready, though what it knows of
 * it is old; and a report becomes a Node before it becomes domains. Neither is evidence of a loss.
 */
static void test_old_word_of_the_target(void) {
  gint64 late = WORLD_NOW + 2 * FERRY_OUTCOME_TIMEOUT_MS;
  g_autoptr(FerryStore) store = ended("PreCopy", "nostate", "unknown");
  world_report(store, "h2", NULL, NULL, WORLD_NOW - 1000);
  json_decref(world_step(store, "m", WORLD_NOW + 10));
  g_autoptr(json_t) old = world_step(store, "m", late);
  g_assert_cmpstr(ferry_json_str(old, "status.phase"), ==, "Running");
  world_report(store, "h2", NULL, NULL, late + 10);
  g_autoptr(json_t) half = world_step(store, "m", late + 11);
  g_assert_cmpstr(ferry_json_str(half, "status.phase"), ==, "Running");
  g_autoptr(json_t) m = world_step(store, "m", late + 1000);
  assert_ended(m, "VMNotFound", "gone", "h2 says nothing");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/migration-outcome/kept", test_kept);
  g_test_add_func("/migration-outcome/silent-target", test_silent_target);
  g_test_add_func("/migration-outcome/silent-hosts", test_silent_hosts);
  g_test_add_func("/migration-outcome/silent-source", test_silent_source);
  g_test_add_func("/migration-outcome/ended-before", test_ended_before);
  g_test_add_func("/migration-outcome/both-by-both", test_both_by_both);
  g_test_add_func("/migration-outcome/lost", test_lost);
  g_test_add_func("/migration-outcome/lost-with-the-target", test_lost_with_the_target);
  g_test_add_func("/migration-outcome/stopped", test_stopped);
  g_test_add_func("/migration-outcome/waits-for-post-copy", test_waits_for_post_copy);
  g_test_add_func("/migration-outcome/finished-without-libvirtd", test_finished_without_libvirtd);
  g_test_add_func("/migration-outcome/unknown", test_unknown);
  g_test_add_func("/migration-outcome/old-word-of-the-target", test_old_word_of_the_target);
  g_test_add_func("/migration-outcome/silent-target-is-no-second-copy",
                  test_silent_target_is_not_a_second_copy);
  g_test_add_func("/migration-outcome/both-silent-source", test_both_silent_source);
  g_test_add_func("/migration-outcome/both-wait", test_both_wait);
  g_test_add_func("/migration-outcome/late-arrival", test_late_arrival);
  g_test_add_func("/migration-outcome/word-before-report", test_word_before_report);
  g_test_add_func("/migration-outcome/word_after_report", test_word_after_report);
  return g_test_run();
}
