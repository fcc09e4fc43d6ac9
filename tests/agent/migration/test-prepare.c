// SPDX-License-Identifier: Apache-2.0
// From "Scheduled" to libvirt's call, on simulated hosts: what is refused before anything is done,
// and what is written before it is done.
//
// Theory of operation: a whole worker runs there; a test reads what it wrote and in which order.
// What comes in between (a doubt, another agent) is led in at the call that takes autostart, and
// libvirt's word for the domain's state at the one that asks for it.
#include "agent/carry/autostart.h"
#include "agent/sim_bed.h"
#include "agent/twin/doubt_book.h"

/* What happens between ferryd's yes and the call: in place of the last thing that may take long. */
static void (*meanwhile)(Bed *b);
static Bed *meanwhile_bed;

gboolean __wrap_ferry_autostart_take(const FerryAutostart *a, FerryHostJob *job, GError **error);
gboolean __wrap_ferry_autostart_take(const FerryAutostart *a, FerryHostJob *job, GError **error) {
  if (meanwhile)
    meanwhile(meanwhile_bed);
  return TRUE;
}

static void test_written_in_order(void) {
  static const char *const wanted[] = {"PreparingTarget", "TargetReady", "Running"};
  Bed *b = bed_new(LINK);
  g_autofree char *uuid = add_guest(b, "vm", 256, 16, 5, FERRY_SIM_UNIFORM);
  Move *it = move(b, uuid, json_pack("{s:i}", "maxDowntimeMs", 300));
  assert_moved(b, it);
  gsize at = 0, i;
  json_t *phase;
  json_array_foreach(it->phases, i, phase) {
    while (at < G_N_ELEMENTS(wanted) && !g_str_equal(wanted[at], json_string_value(phase)))
      at++;
    g_assert_cmpuint(at, <, G_N_ELEMENTS(wanted)); /* none out of turn */
  }
  g_assert_cmpuint(at, ==, G_N_ELEMENTS(wanted) - 1);
  bed_free(b);
}

static void test_unknown_vm(void) {
  Bed *b = bed_new(LINK);
  g_autofree char *uuid = ferry_sim_uuid("nobody");
  Move *it = move(b, uuid, json_pack("{s:i}", "maxDowntimeMs", 300));
  wait_done(it);
  g_assert_cmpstr(text(it, "migrationState.agentResult.reason"), ==, "HypervisorError");
  g_assert_false(ferry_json_bool(it->status, "migrationState.agentResult.returned", TRUE));
  g_assert_cmpstr(text(it, "migrationState.agentResult.sourceState"), ==, "nostate");
  g_assert_false(it->went_on);
  bed_free(b);
}

/* libvirt refuses post-copy of a paused guest: it moves without, and stays paused. */
static void test_paused_vm(void) {
  Bed *b = bed_new(LINK);
  g_autoptr(GError) error = NULL;
  g_autofree char *uuid = add_guest(b, "vm", 256, 16, 5, FERRY_SIM_UNIFORM);
  BedJob job = job_open(b, uuid);
  g_assert_true(ferry_host_job_suspend(job.job, &error));
  job_close(&job);
  Move *it = move(b, uuid, json_pack("{s:i, s:b}", "maxDowntimeMs", 300, "allowPostCopy", 1));
  wait_done(it);
  g_assert_cmpstr(text(it, "migrationState.agentResult.error"), ==, "");
  FerrySimMoved moved;
  g_assert_true(ferry_sim_world_last(b->world, uuid, &moved));
  g_assert_false(moved.post_copy);
  bed_free(b);
}

/* The guest is measured before it moves, where that is asked for. */
static void test_measured(void) {
  Bed *b = bed_new(LINK);
  g_autofree char *uuid = add_guest(b, "vm", 256, 64, 20, FERRY_SIM_UNIFORM);
  Move *it = move(b, uuid, json_pack("{s:i, s:i}", "maxDowntimeMs", 300, "dirtyRateSeconds", 1));
  assert_moved(b, it);
  g_assert_cmpint(ferry_json_int(it->status, "forecast.totalMs", 0), >, 0);
  g_assert_cmpstr(text(it, "forecast.time"), !=, "");
  bed_free(b);
}

/* A copy that an earlier migration left suspended in doubt is moved by none. */
static void test_in_doubt(void) {
  static const char earlier[] = "11111111-aaaa-4000-8000-000000000000";
  Bed *b = bed_new(LINK);
  g_autoptr(GError) error = NULL;
  g_autofree char *uuid = add_guest(b, "vm", 256, 16, 5, FERRY_SIM_UNIFORM);
  BedJob job = job_open(b, uuid);
  g_assert_true(ferry_host_job_suspend(job.job, &error));
  ferry_doubt_book_note(b->dir, earlier, uuid, 0);
  Move *it = move(b, uuid, json_pack("{s:i}", "maxDowntimeMs", 300));
  g_usleep(500000); /* in which it would go on, if it did not wait */
  cancel(it);
  wait_done(it);
  g_assert_false(it->went_on);
  g_assert_cmpstr(text(it, "migrationState.agentResult.reason"), ==, "Cancelled");
  /* what ends the doubt resumes it first: then it is one that runs */
  g_assert_true(ferry_host_job_resume(job.job, &error));
  assert_moved(b, move(b, uuid, json_pack("{s:i}", "maxDowntimeMs", 300)));
  gint64 ran_ms; /* and the note of it is no longer true */
  g_assert_false(ferry_doubt_book_find(b->dir, earlier, &ran_ms));
  job_close(&job);
  g_autofree char *folder = g_build_filename(b->dir, "doubts", NULL);
  g_rmdir(folder);
  bed_free(b);
}

static gboolean as_resumed; /* by libvirt, after a switch-over */

gboolean __wrap_ferry_host_job_state(FerryHostJob *job, FerryDomainState *out, GError **error);
gboolean __real_ferry_host_job_state(FerryHostJob *job, FerryDomainState *out, GError **error);
gboolean __wrap_ferry_host_job_state(FerryHostJob *job, FerryDomainState *out, GError **error) {
  gboolean ok = __real_ferry_host_job_state(job, out, error);
  if (ok && as_resumed && out->state == FERRY_VM_RUNNING)
    out->reason = "migration-canceled";
  return ok;
}

/* One that is noted, which comes first, and runs yet by libvirt's own resume: the agent was killed
 * before it had suspended it. */
static void test_in_doubt_running(void) {
  static const char earlier[] = "11111111-aaaa-4000-8000-000000000000";
  Bed *b = bed_new(LINK);
  gint64 ran_ms;
  g_autofree char *uuid = add_guest(b, "vm", 256, 16, 5, FERRY_SIM_UNIFORM);
  as_resumed = TRUE;
  ferry_doubt_book_note(b->dir, earlier, uuid, 0);
  Move *it = move(b, uuid, json_pack("{s:i}", "maxDowntimeMs", 300));
  g_usleep(500000); /* in which it would go on, if it did not wait */
  cancel(it);
  wait_done(it);
  g_assert_false(it->went_on);
  g_assert_cmpstr(text(it, "migrationState.agentResult.reason"), ==, "Cancelled");
  g_assert_true(ferry_doubt_book_find(b->dir, earlier, &ran_ms));
  ferry_doubt_book_forget(b->dir, earlier); /* without a note it is as any that runs */
  assert_moved(b, move(b, uuid, json_pack("{s:i}", "maxDowntimeMs", 300)));
  as_resumed = FALSE;
  g_autofree char *folder = g_build_filename(b->dir, "doubts", NULL);
  g_rmdir(folder);
  bed_free(b);
}

/* A server whose answer to "Running" takes its time, or an agent that stands still then. */
static void slow_sink(const json_t *item, gboolean event, gpointer data) {
  Move *it = data;
  sink(item, event, data);
  if (!event && !it->slowed && g_strcmp0(ferry_json_str(item, "phase"), "Running") == 0) {
    it->slowed = TRUE;
    g_usleep(1100000);
  }
}

/* libvirt is called by a yes that is fresh, as another agent may have the node since. */
static void test_late_yes(void) {
  Bed *b = bed_new(LINK);
  guint yes = 0;
  gsize i;
  json_t *phase;
  g_autofree char *uuid = add_guest(b, "vm", 256, 16, 5, FERRY_SIM_UNIFORM);
  json_t *config = json_pack("{s:i}", "maxDowntimeMs", 300);
  Move *it = move_to(b, migration_of(uuid, config), FALSE, slow_sink);
  assert_moved(b, it);
  json_array_foreach(it->phases, i, phase) {
    yes += g_str_equal(json_string_value(phase), "Running");
  }
  g_assert_cmpuint(yes, >=, 2);
  bed_free(b);
}

static Move *move_meanwhile(Bed *b, const char *uuid, void (*what)(Bed *b)) {
  meanwhile_bed = b;
  meanwhile = what;
  return move(b, uuid, json_pack("{s:i}", "maxDowntimeMs", 300));
}

static void take_long(Bed *b) {
  g_usleep(1100000);
}

/* A yes that was fresh once and is not any more when the call is due. */
static void test_old_yes(void) {
  Bed *b = bed_new(LINK);
  guint yes = 0;
  gsize i;
  json_t *phase;
  g_autofree char *uuid = add_guest(b, "vm", 256, 16, 5, FERRY_SIM_UNIFORM);
  Move *it = move_meanwhile(b, uuid, take_long);
  assert_moved(b, it);
  meanwhile = NULL;
  json_array_foreach(it->phases, i, phase) {
    yes += g_str_equal(json_string_value(phase), "Running");
  }
  g_assert_cmpuint(yes, >=, 2);
  bed_free(b);
}

static void be_replaced(Bed *b) {
  ferry_context_set_stale(ferry_agent_ports(b->agent)->context);
}

/* An agent that another one has replaced calls nobody. */
static void test_replaced(void) {
  Bed *b = bed_new(LINK);
  g_autofree char *where = NULL;
  g_autofree char *uuid = add_guest(b, "vm", 256, 16, 5, FERRY_SIM_UNIFORM);
  Move *it = move_meanwhile(b, uuid, be_replaced);
  gint64 until = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
  for (; !is_done(it); g_usleep(1000))
    g_assert_cmpint(g_get_monotonic_time(), <, until);
  meanwhile = NULL;
  FerryJobStats stats = {0};
  BedJob job = job_open(b, uuid);
  g_assert_true(!ferry_host_job_stats(job.job, &stats, NULL) || !stats.active);
  job_close(&job);
  g_assert_cmpint(ferry_sim_world_running(b->world, uuid, &where), ==, 1);
  g_assert_cmpstr(where, ==, "h1");
  bed_free(b);
}

#define EARLIER "11111111-aaaa-4000-8000-000000000000"

static void come_into_doubt(Bed *b) {
  g_autoptr(GError) error = NULL;
  g_autofree char *uuid = ferry_sim_uuid("vm");
  BedJob job = job_open(b, uuid);
  ferry_doubt_book_note(b->dir, EARLIER, uuid, 0);
  g_assert_true(ferry_host_job_suspend(job.job, &error));
  job_close(&job);
}

/* A doubt that an earlier migration came to after the domain was looked at. */
static void test_in_doubt_since(void) {
  Bed *b = bed_new(LINK);
  g_autofree char *uuid = add_guest(b, "vm", 256, 16, 5, FERRY_SIM_UNIFORM);
  Move *it = move_meanwhile(b, uuid, come_into_doubt);
  g_usleep(500000); /* in which it would be called, if it did not wait */
  cancel(it);
  wait_done(it);
  meanwhile = NULL;
  g_assert_cmpstr(text(it, "migrationState.agentResult.reason"), ==, "Cancelled");
  g_assert_false(ferry_json_bool(it->status, "migrationState.agentResult.returned", TRUE));
  ferry_doubt_book_forget(b->dir, EARLIER);
  g_autofree char *folder = g_build_filename(b->dir, "doubts", NULL);
  g_rmdir(folder);
  bed_free(b);
}

int main(int argc, char **argv) {
  bed_init(&argc, &argv);
  g_test_add_func("/agent/prepare/written-in-order", test_written_in_order);
  g_test_add_func("/agent/prepare/unknown-vm", test_unknown_vm);
  g_test_add_func("/agent/prepare/paused-vm", test_paused_vm);
  g_test_add_func("/agent/prepare/measured", test_measured);
  g_test_add_func("/agent/prepare/in-doubt", test_in_doubt);
  g_test_add_func("/agent/prepare/in-doubt-running", test_in_doubt_running);
  g_test_add_func("/agent/prepare/late-yes", test_late_yes);
  g_test_add_func("/agent/prepare/old-yes", test_old_yes);
  g_test_add_func("/agent/prepare/replaced", test_replaced);
  g_test_add_func("/agent/prepare/in-doubt-since", test_in_doubt_since);
  return g_test_run();
}
