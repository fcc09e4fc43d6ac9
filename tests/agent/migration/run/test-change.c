// SPDX-License-Identifier: Apache-2.0
// What people change while a migration runs on simulated hosts: in force at once, or refused with
// the reason; each is answered, and told once.
#include "agent/sim_bed.h"

static void ask(Move *move, const char *id, json_t *fields) {
  g_autoptr(json_t) object =
      json_pack("{s:{s:[{s:s, s:s, s:s, s:s, s:o}]}}", "status", "changes", "id", id, "state",
                "Requested", "by", "kim", "reason", "it is late", "fields", fields);
  g_assert_true(ferry_workers_update(ferry_agent_workers(move->agent), move->uuid, object));
}

static const char *wanted_id;

static const json_t *answer_of(const json_t *status) {
  return ferry_json_find(ferry_json_get(status, "changes"), "id", wanted_id);
}

static gboolean is_answered(const json_t *status) {
  return ferry_json_str(answer_of(status), "state") != NULL; /* the worker writes no other */
}

static void expect_answer(Move *move, const char *id, const char *state, const char *part) {
  wanted_id = id;
  wait_status(move, is_answered);
  g_mutex_lock(&move->lock);
  const char *message = ferry_json_str(answer_of(move->status), "message");
  g_assert_cmpstr(ferry_json_str(answer_of(move->status), "state"), ==, state);
  if (!message || !strstr(message, part))
    g_error("%s: \"%s\" is not in \"%s\"", id, part, message);
  g_mutex_unlock(&move->lock);
}

/* It would not end by itself. */
static Move *endless(Bed *b, char **uuid, gboolean post_copy) {
  *uuid = add_guest(b, "vm", 1024, 800, 400, FERRY_SIM_UNIFORM);
  Move *it = move(b, *uuid,
                  json_pack("{s:i, s:s, s:b, s:i, s:i}", "maxDowntimeMs", 1, "preset", "proxmox",
                            "allowPostCopy", post_copy, "progressTimeout", 0,
                            "completionTimeoutPerGiB", 0));
  wait_sending(b, it);
  return it;
}

static void test_limits(void) {
  Bed *b = bed_new(LINK);
  g_autofree char *uuid = NULL;
  Move *it = endless(b, &uuid, FALSE);
  ask(it, "1", json_pack("{s:i}", "bandwidthMiBps", 100));
  expect_answer(it, "1", "Applied", "bandwidth limit 100 MiB/s");
  ask(it, "2", json_pack("{s:i}", "stallingLimitSeconds", 77));
  expect_answer(it, "2", "Applied", "stalling limit 77 s");
  ask(it, "3", json_pack("{s:s}", "technique", "post-copy"));
  expect_answer(it, "3", "Refused", "post-copy was not enabled when it began (allowPostCopy)");
  ask(it, "4", json_pack("{s:i}", "downtimeMs", 2000000));
  expect_answer(it, "4", "Applied", "downtime limit 2000000 ms");
  assert_moved(b, it); /* as a pause of that length lets it */
  g_assert_cmpuint(told(it, "MigrationChanged"), ==, 3);
  g_assert_cmpuint(told(it, "MigrationChangeRefused"), ==, 1);
  g_assert_cmpstr(ferry_json_str(json_array_get(it->events, 0), "message"), !=, NULL);
  bed_free(b);
}

/* A part that is in force stays so, and is said. */
static void test_in_part(void) {
  Bed *b = bed_new(LINK);
  g_autofree char *uuid = NULL;
  Move *it = endless(b, &uuid, FALSE);
  ask(it, "1", json_pack("{s:i, s:s}", "stallingLimitSeconds", 50, "technique", "post-copy"));
  expect_answer(it, "1", "Refused", "stalling limit 50 s; post-copy was not enabled");
  g_mutex_lock(&it->lock);
  g_assert_cmpint(ferry_json_int(answer_of(it->status), "inForce.stallingLimitSeconds", 0), ==, 50);
  g_assert_null(ferry_json_get(answer_of(it->status), "inForce.technique"));
  g_mutex_unlock(&it->lock);
  cancel(it);
  assert_stayed(b, it, "Cancelled");
  bed_free(b);
}

static void test_post_copy(void) {
  Bed *b = bed_new(LINK);
  g_autofree char *uuid = NULL;
  Move *it = endless(b, &uuid, TRUE);
  ask(it, "1", json_pack("{s:s}", "technique", "post-copy"));
  expect_answer(it, "1", "Applied", "switched to post-copy");
  ask(it, "2", json_pack("{s:i}", "downtimeMs", 100));
  expect_answer(it, "2", "Refused", "already in post-copy");
  assert_moved(b, it);
  FerrySimMoved moved;
  g_assert_true(ferry_sim_world_last(b->world, uuid, &moved));
  g_assert_true(moved.post_copy);
  bed_free(b);
}

int main(int argc, char **argv) {
  bed_init(&argc, &argv);
  g_test_add_func("/agent/change/limits", test_limits);
  g_test_add_func("/agent/change/in-part", test_in_part);
  g_test_add_func("/agent/change/post-copy", test_post_copy);
  return g_test_run();
}
