// SPDX-License-Identifier: Apache-2.0
// A scrape of a server whose store holds one migration in each state.
#include "../http.h"

#define T "2026-01-01T00:00:0"

static void put_migration(Server *s, const char *name, const char *phase, const char *vmi,
                          json_t *status) {
  ferry_json_set_str(status, "phase", phase);
  seed_put(s->store, &ferry_kind_vmim, "default", name,
           json_pack("{s:{s:s}, s:o}", "spec", "vmiName", vmi, "status", status));
}

static void world(Server *s, gconstpointer data) {
  server_up(s, data);
  put_migration(s, "waits", "Pending", "db", json_object());
  put_migration(s, "tonight", "Pending", "web",
                json_pack("{s:{s:s}}", "queue", "reason", "NotYet"));
  put_migration(s, "moves", "Running", "db",
                json_pack("{s:{s:s, s:s}, s:{s:i, s:I, s:i, s:i, s:i, s:i}}", "migrationState",
                          "sourceNode", "h1", "targetNode", "h2", "progress", "percent", 43,
                          "dataTotalBytes", (json_int_t)G_GINT64_CONSTANT(8589934592),
                          "dataProcessedBytes", 1000, "dataRemainingBytes", 500,
                          "dirtyRateBytesPerSecond", 7, "memoryTransferRateBytesPerSecond", 9));
  put_migration(s, "moved", "Succeeded", "db", json_object());
  put_migration(s, "broken", "Failed", "web",
                json_pack("{s:{s:i}}", "progress", "dataTotalBytes", 77));
  seed_put(s->store, &ferry_kind_evacuation, "", "drain",
           json_pack("{s:{s:s}, s:{s:s, s:i}}", "spec", "nodeName", "h1", "status", "phase",
                     "Running", "remaining", 7));
  seed_put(s->store, &ferry_kind_rollout, "", "all",
           json_pack("{s:{s:s, s:[{s:s, s:s}, {s:s, s:s}]}}", "status", "phase", "Running", "hosts",
                     "nodeName", "h1", "phase", "Blocked", "nodeName", "h2", "phase", "Queued"));
  seed_put(s->store, &ferry_kind_rollout, "", "ended",
           json_pack("{s:{s:s, s:[{s:s, s:s}]}}", "status", "phase", "Succeeded", "hosts",
                     "nodeName", "h1", "phase", "Succeeded"));
  g_autoptr(json_t) done = ferry_store_get(s->store, &ferry_kind_vmim, "default", "moved");
  g_autoptr(json_t) vmi = ferry_store_get(s->store, &ferry_kind_vmi, "default", "db");
  g_autoptr(json_t) changed = json_deep_copy(vmi);
  ferry_json_set(changed, "status.migrationState",
                 json_pack("{s:s, s:s, s:s, s:b}", "migrationUid",
                           ferry_json_str(done, "metadata.uid"), "startTimestamp", T "1Z",
                           "endTimestamp", T "3.5Z", "failed", 0));
  json_array_append_new(ferry_json_get(changed, "status.conditions"),
                        json_pack("{s:s, s:s}", "type", "RunningOnTwoHosts", "status", "True"));
  FerryWrite write = {.op = FERRY_WRITE_UPDATE,
                      .kind = &ferry_kind_vmi,
                      .ns = "default",
                      .name = "db",
                      .object = changed};
  g_assert_true(ferry_store_commit(s->store, &write, 1, NULL, NULL));
}

#define WHERE "{node=\"h1\",namespace=\"default\",name=\"db\"} "

static void test_scrape(Server *s, gconstpointer data) {
  static const char *const lines[] = {
      "kubevirt_vmi_migration_data_bytes_total" WHERE "8589934592",
      "kubevirt_vmi_migration_data_processed_bytes" WHERE "1000",
      "kubevirt_vmi_migration_data_remaining_bytes" WHERE "500",
      "kubevirt_vmi_migration_dirty_memory_rate_bytes" WHERE "7",
      "kubevirt_vmi_migration_memory_transfer_rate_bytes" WHERE "9",
      "ferry_migration_progress_percent" WHERE "43",
      "kubevirt_vmi_migrations_in_pending_phase 2",
      "kubevirt_vmi_migrations_in_scheduling_phase 0",
      "kubevirt_vmi_migrations_in_running_phase 1",
      "kubevirt_vmi_migrations_in_unset_phase 0",
      "kubevirt_vmi_migration_succeeded{vmi=\"db\",vmim=\"moved\",namespace=\"default\"} 1",
      "kubevirt_vmi_migration_failed{vmi=\"web\",vmim=\"broken\",namespace=\"default\"} 1",
      "kubevirt_vmi_migration_start_time_seconds{node=\"h1\",namespace=\"default\",name=\"db\","
      "migration_name=\"moved\"} 1767225601",
      "kubevirt_vmi_migration_end_time_seconds{node=\"h1\",namespace=\"default\",name=\"db\","
      "migration_name=\"moved\",status=\"succeeded\"} 1767225603.5",
      "ferry_migration_queue_length{priority=\"unset\"} 1",
      "ferry_migration_queue_length{priority=\"system-critical\"} 0",
      "ferry_migrations_put_off 1",
      "ferry_migration_limit{scope=\"cluster\"} 5",
      "ferry_migrations_active 1",
      "ferry_node_migrations{node=\"h1\",direction=\"outbound\"} 1",
      "ferry_node_migrations{node=\"h2\",direction=\"inbound\"} 1",
      "ferry_node_migrations{node=\"h2\",direction=\"outbound\"} 0",
      "ferry_evacuations{phase=\"Running\"} 1",
      "ferry_evacuations{phase=\"Failed\"} 0",
      "ferry_evacuation_remaining_vms{node=\"h1\"} 7",
      "ferry_rollout_hosts{phase=\"Blocked\"} 1",
      "ferry_rollout_hosts{phase=\"Queued\"} 1",
      "ferry_rollout_hosts{phase=\"Succeeded\"} 0",
      "ferry_nodes{state=\"Ready\"} 2",
      "ferry_nodes{state=\"Unknown\"} 1",
      "ferry_node_ready{node=\"h3\"} 0",
      "ferry_node_memory_bytes{node=\"h1\"} 17179869184",
      "ferry_vms{node=\"h1\",phase=\"Running\"} 1",
      "ferry_vm_problem{namespace=\"default\",name=\"db\",condition=\"RunningOnTwoHosts\"} 1",
      "ferry_build_info{version=\"" FERRY_VERSION "\"} 1",
      "ferry_api_watches 0",
  };
  g_autoptr(Answer) a = http(s, "GET", "/metrics", NULL);
  expect(a, 200);
  g_assert_nonnull(strstr(a->headers, "Content-Type: text/plain; version=0.0.4"));
  for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
    g_autofree char *line = g_strdup_printf("\n%s\n", lines[i]);
    if (!strstr(a->body, line))
      g_test_message("missing: %s", lines[i]);
    g_assert_nonnull(strstr(a->body, line));
  }
  g_assert_null(strstr(a->body, "} 77")); /* what has ended has no progress */
}

/* A sample stands below its family's header, and no family comes twice. */
static void test_format(Server *s, gconstpointer data) {
  g_autoptr(Answer) a = http(s, "GET", "/metrics", NULL);
  g_auto(GStrv) lines = g_strsplit(a->body, "\n", -1);
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *family = g_strdup("");
  for (gsize i = 0; lines[i] && *lines[i]; i++) {
    g_auto(GStrv) word = g_strsplit_set(lines[i], " {", -1);
    if (g_str_has_prefix(lines[i], "# HELP ")) {
      g_free(family);
      family = g_strdup(word[2]);
      g_assert_true(g_hash_table_add(seen, g_strdup(family)));
      g_autofree char *type = g_strdup_printf("# TYPE %s ", family);
      g_assert_true(g_str_has_prefix(lines[i + 1], type));
    } else if (lines[i][0] != '#') {
      g_assert_true(g_str_has_prefix(word[0], family));
    }
  }
  g_assert_cmpuint(g_hash_table_size(seen), >, 40);
}

static void test_requests_are_counted(Server *s, gconstpointer data) {
  g_autoptr(Answer) list = http(s, "GET", VMI, NULL);
  g_autoptr(Answer) none = http(s, "GET", VMI "/nobody", NULL);
  expect(list, 200);
  expect(none, 404);
  g_autoptr(Answer) made = http(s, "POST", VMIM, MIGRATION("m9", "web"));
  expect(made, 201);
  g_autoptr(Answer) a = http(s, "GET", "/metrics", NULL);
  g_assert_nonnull(strstr(a->body, "ferry_api_requests_total{verb=\"get\",resource=\""
                                   "virtualmachineinstances\",code=\"404\"} 1\n"));
  g_assert_nonnull(strstr(a->body, "ferry_api_request_duration_seconds_count{verb=\"list\","
                                   "resource=\"virtualmachineinstances\"} 1\n"));
  /* ... and so are transitions and commits. */
  g_assert_nonnull(strstr(a->body,
                          "kubevirt_vmi_migration_phase_transition_time_from_creation_seconds_count"
                          "{phase=\"Pending\"} 1\n"));
  g_assert_null(strstr(a->body, "ferry_store_commit_duration_seconds_count 0\n"));
}

static void test_who_may(Server *s, gconstpointer data) {
  g_autoptr(Answer) nobody = http_full(s, NULL, "GET", "/metrics", NULL, NULL, 0);
  expect(nobody, 401);
  g_autoptr(Answer) post = http(s, "POST", "/metrics", "{}");
  expect(post, 405);
  g_assert_nonnull(strstr(post->headers, "Allow: GET"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add("/metrics/scrape", Server, NULL, world, test_scrape, server_down);
  g_test_add("/metrics/format", Server, NULL, world, test_format, server_down);
  g_test_add("/metrics/requests", Server, NULL, server_up, test_requests_are_counted, server_down);
  g_test_add("/metrics/who-may", Server, NULL, server_up, test_who_may, server_down);
  return g_test_run();
}
