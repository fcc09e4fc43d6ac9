// SPDX-License-Identifier: Apache-2.0
// The libvirt driver on libvirt's own test hypervisor, which has domains and events but cannot
// migrate.
#include "host/host.h"
#include <string.h>

typedef struct {
  GMutex lock;
  GCond cond;
  guint connected, disconnected, changed;
} Seen;

static void on_event(const FerryHostEvent *event, gpointer data) {
  Seen *seen = data;
  g_mutex_lock(&seen->lock);
  seen->connected += event->type == FERRY_HOST_EVENT_CONNECTED;
  seen->disconnected += event->type == FERRY_HOST_EVENT_DISCONNECTED;
  seen->changed += event->type == FERRY_HOST_EVENT_STATE;
  g_cond_broadcast(&seen->cond);
  g_mutex_unlock(&seen->lock);
}

static void wait_for(Seen *seen, const guint *what) {
  gint64 until = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
  g_mutex_lock(&seen->lock);
  while (*what == 0)
    g_assert_true(g_cond_wait_until(&seen->cond, &seen->lock, until));
  g_mutex_unlock(&seen->lock);
}

static void test_inventory_and_jobs(void) {
  Seen seen = {0};
  g_autoptr(GError) error = NULL;
  FerryHost *host = ferry_host_libvirt_new("test:///default");
  g_assert_true(host->local);
  g_assert_null(ferry_host_list(host, &error));
  g_assert_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_CONNECTION);
  g_clear_error(&error);
  ferry_host_start(host, on_event, &seen);
  wait_for(&seen, &seen.connected);

  g_autoptr(json_t) info = ferry_host_info(host, &error);
  g_assert_no_error(error);
  g_assert_nonnull(ferry_json_str(info, "hypervisor.libvirtVersion"));
  g_assert_cmpstr(ferry_json_str(info, "capacity.cpu"), ==, "16");

  g_autoptr(json_t) list = ferry_host_list(host, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(json_array_size(list), ==, 1);
  const char *uuid = ferry_json_str(json_array_get(list, 0), "uuid");
  g_assert_cmpstr(ferry_json_str(json_array_get(list, 0), "state"), ==, "running");

  g_assert_null(ferry_host_record(host, "00000000-0000-4000-8000-000000000000", &error));
  g_assert_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_DOMAIN);
  g_clear_error(&error);

  FerryHostJob *job = ferry_host_job_open(host, uuid, &error);
  g_assert_no_error(error);
  FerryDomainState state;
  g_assert_true(ferry_host_job_state(job, &state, &error));
  g_assert_true(state.active);
  g_assert_true(ferry_host_job_suspend(job, &error));
  wait_for(&seen, &seen.changed);
  g_assert_true(ferry_host_job_state(job, &state, &error));
  g_assert_cmpstr(state.state, ==, "paused");
  g_assert_true(ferry_host_job_resume(job, &error));
  FerryMigrateRequest request = {.dest_uri = "nowhere"};
  g_assert_false(ferry_host_job_start(job, &request, NULL, NULL, &error));
  g_assert_nonnull(strstr(error->message, "--peer-uri"));
  ferry_host_job_close(job);
  ferry_host_free(host);
}

static void test_unreachable_says_so(void) {
  Seen seen = {0};
  FerryHost *host = ferry_host_libvirt_new("qemu+unix:///system?socket=/nonexistent/sock");
  g_assert_true(host->local);
  ferry_host_start(host, on_event, &seen);
  wait_for(&seen, &seen.disconnected);
  ferry_host_free(host);
}

static void silence(const char *domain, GLogLevelFlags level, const char *text, gpointer data) {
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_log_set_always_fatal(G_LOG_FATAL_MASK);
  g_log_set_default_handler(silence, NULL);
  g_test_add_func("/libvirt-host/inventory", test_inventory_and_jobs);
  g_test_add_func("/libvirt-host/unreachable", test_unreachable_says_so);
  return g_test_run();
}
