// SPDX-License-Identifier: Apache-2.0
// The result that is handed in: of what went on, and of what never began; and what a person is told
// to do about errors of libvirt's.
#include "agent/migration/finish.h"
#include "agent/sim_bed.h"

static void test_advice(void) {
  static const struct {
    FerryHostHint hint;
    const char *advice;
  } cases[] = {
      {FERRY_HOST_HINT_DISKS_ARE_NOT_SHARED, "--copy-storage-all"},
      {FERRY_HOST_HINT_DISKS_ARE_CACHED, "cache='none'"},
      {FERRY_HOST_HINT_NO_CERTIFICATES, "/etc/pki/qemu"},
      {FERRY_HOST_HINT_HANDSHAKE, "--no-tls"},
      {FERRY_HOST_HINT_NO_MEMORY_LIMIT, "<hard_limit>"},
      {FERRY_HOST_HINT_TARGET_IS_BUSY, "ss -K"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    FerryOutcome o = {.message = g_strdup("it failed"), .hint = cases[i].hint};
    ferry_finish_advise(&o);
    g_assert_true(g_str_has_prefix(o.message, "it failed; "));
    g_assert_nonnull(strstr(o.message, cases[i].advice));
    ferry_outcome_clear(&o);
  }
  FerryOutcome other = {.message = g_strdup("the disk is on fire")}, none = {0};
  ferry_finish_advise(&other);
  g_assert_cmpstr(other.message, ==, "the disk is on fire");
  ferry_outcome_clear(&other);
  ferry_finish_advise(&none);
  g_assert_null(none.message);
}

static void test_moved(void) {
  Bed *b = bed_new(LINK);
  g_autofree char *uuid = add_guest(b, "vm", 256, 64, 30, FERRY_SIM_UNIFORM);
  json_t *object = migration_of(uuid, json_pack("{s:i}", "maxDowntimeMs", 300));
  ferry_json_set_int(object, "status.migrationState.attempt", 2);
  Move *it = move_object(b, object, FALSE);
  assert_moved(b, it);
#define RESULT "migrationState.agentResult."
  g_assert_true(ferry_json_bool(it->status, RESULT "returned", FALSE));
  g_assert_cmpint(ferry_json_int(it->status, RESULT "errorCode", -1), ==, 0);
  g_assert_cmpint(ferry_json_int(it->status, RESULT "attempt", 0), ==, 2);
  g_assert_cmpstr(text(it, RESULT "endedAt"), !=, "");
  g_assert_null(ferry_json_get(it->status, RESULT "reason"));
  g_assert_null(ferry_json_get(it->status, "migrationState.abortStatus"));
  g_assert_cmpint(ferry_json_int(it->status, "summary.totalMs", 0), >, 0);
  g_assert_cmpint(ferry_json_int(it->status, "summary.dataTransferredBytes", 0), >, 0);
  g_assert_cmpuint(json_array_size(ferry_json_get(it->status, "course")), >, 0);
  g_assert_cmpuint(json_array_size(ferry_json_get(it->status, "decisions")), >, 0);
  bed_free(b);
}

/* Of one that never began there is nothing to sum up; the controller gets a phase that it ends. */
static void test_not_begun(void) {
  Bed *b = bed_new(LINK);
  g_autofree char *uuid = ferry_sim_uuid("nobody");
  Move *it = move(b, uuid, json_pack("{s:i}", "maxDowntimeMs", 300));
  wait_done(it);
  g_assert_false(ferry_json_bool(it->status, RESULT "returned", TRUE));
  g_assert_cmpstr(text(it, RESULT "error"), !=, "");
  g_assert_null(ferry_json_get(it->status, "summary"));
  g_assert_cmpstr(json_string_value(json_array_get(it->phases, 0)), ==, "PreparingTarget");
  bed_free(b);
}

/* A cancel that came too late is said to have failed. */
static void test_cancel_too_late(void) {
  Bed *b = bed_new(LINK);
  g_autofree char *uuid = add_guest(b, "vm", 1024, 800, 400, FERRY_SIM_UNIFORM);
  Move *it = move(b, uuid,
                  json_pack("{s:i, s:b, s:b}", "maxDowntimeMs", 50, "allowPostCopy", 1,
                            "allowWorkloadDisruption", 1));
  g_autofree char *where = NULL;
  gint64 until = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
  while (g_strcmp0(where, "h2") != 0) { /* post-copy */
    g_assert_cmpint(g_get_monotonic_time(), <, until);
    g_clear_pointer(&where, g_free);
    ferry_sim_world_running(b->world, uuid, &where);
    g_usleep(200);
  }
  cancel(it);
  assert_moved(b, it);
  g_assert_cmpstr(text(it, "migrationState.abortStatus"), ==, "Failed");
  bed_free(b);
}

int main(int argc, char **argv) {
  bed_init(&argc, &argv);
  g_test_add_func("/agent/finish/advice", test_advice);
  g_test_add_func("/agent/finish/moved", test_moved);
  g_test_add_func("/agent/finish/not-begun", test_not_begun);
  g_test_add_func("/agent/finish/cancel-too-late", test_cancel_too_late);
  return g_test_run();
}
