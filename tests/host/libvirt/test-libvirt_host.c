// SPDX-License-Identifier: Apache-2.0
// The libvirt driver on libvirt's own test hypervisor, which has domains and events but cannot
// migrate.
#include "../seen.h"
#include "host/libvirt/libvirt_host.h"
#include "host/libvirt/libvirt_ask.h"
#include "host/libvirt/libvirt_base.h"
#include "host/libvirt/libvirt_connect.h"
#include "host/libvirt/libvirt_events.h"
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void test_inventory_and_jobs(void) {
  Seen seen = {0};
  g_autoptr(GError) error = NULL;
  FerryHost *host = ferry_host_libvirt_new("test:///default");
  g_assert_true(host->local);
  g_assert_null(ferry_host_list(host, &error));
  g_assert_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_CONNECTION);
  g_clear_error(&error);
  ferry_host_start(host, seen_event, &seen);
  seen_wait(&seen, &seen.connected, 1);

  g_autoptr(json_t) info = ferry_host_info(host, &error);
  g_assert_no_error(error);
  g_assert_nonnull(ferry_json_str(info, "hypervisor.libvirtVersion"));
  g_assert_cmpstr(ferry_json_str(info, "capacity.cpu"), ==, "16");

  g_assert_true(json_is_array(ferry_json_get(info, "sharedFileSystems"))); /* it is this machine */

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
  seen_wait(&seen, &seen.changed, 1);
  g_assert_true(ferry_host_job_state(job, &state, &error));
  g_assert_cmpint(state.state, ==, FERRY_VM_PAUSED);
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
  ferry_host_start(host, seen_event, &seen);
  seen_wait(&seen, &seen.disconnected, 1);
  ferry_host_free(host);
}

/* A libvirtd that hangs: the kernel takes connections for it, and nobody reads them. */
static char *hung_socket(int *listener) {
  g_autofree char *dir = g_dir_make_tmp("ferry-hung-XXXXXX", NULL);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  g_snprintf(address.sun_path, sizeof address.sun_path, "%s/sock", dir);
  *listener = socket(AF_UNIX, SOCK_STREAM, 0);
  g_assert_cmpint(bind(*listener, (struct sockaddr *)&address, sizeof address), ==, 0);
  g_assert_cmpint(listen(*listener, 64), ==, 0);
  return g_strdup(address.sun_path);
}

static void test_hangs(void) {
  Seen seen = {0};
  g_autoptr(GError) error = NULL;
  int listener;
  g_autofree char *path = hung_socket(&listener);
  g_autofree char *uri = g_strdup_printf("qemu+unix:///system?socket=%s", path);
  FerryHost *host = ferry_host_libvirt_new(uri);
  ferry_host_start(host, seen_event, &seen);
  gint64 began = g_get_monotonic_time();
  ferry_host_hurry(host);
  seen_wait(&seen, &seen.disconnected, 1); /* and it is said */
  g_assert_null(ferry_host_job_open(host, "00000000-0000-4000-8000-000000000000", &error));
  g_assert_true(ferry_host_error_is_away(error));
  g_clear_error(&error);
  g_assert_null(ferry_host_list(host, &error));
  g_assert_nonnull(strstr(error->message, "has not answered"));
  g_clear_error(&error);
  for (guint i = 0; i < 3; i++) { /* one question, however often it is asked */
    FerryDomainState state;
    g_assert_false(
        ferry_host_peer_state(host, uri, "00000000-0000-4000-8000-000000000000", &state, &error));
    g_assert_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_PEER_UNREACHABLE);
    g_clear_error(&error);
  }
  FerryPatience *peers = ((FerryLibvirtHost *)host)->peers;
  guint late = ferry_patience_late(peers);
  for (guint i = 0; i < 3; i++) { /* nor do connections that are opened to it add up */
    g_assert_null(ferry_libvirt_open_peer((FerryLibvirtHost *)host, uri, &error));
    g_assert_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_PEER_UNREACHABLE);
    g_clear_error(&error);
  }
  g_assert_cmpuint(ferry_patience_late(peers), ==, late + 1);
  ferry_host_free(host);
  g_assert_cmpint(g_get_monotonic_time() - began, <, 5 * G_USEC_PER_SEC);
  close(listener); /* what hangs comes back */
  g_autofree char *dir = g_path_get_dirname(path);
  g_unlink(path);
  g_rmdir(dir);
}

/* However many VMs another host is asked about, what hangs there has a bound. */
static void test_hanging_peer(void) {
  g_autoptr(GError) error = NULL;
  int listener;
  g_autofree char *path = hung_socket(&listener);
  g_autofree char *uri = g_strdup_printf("qemu+unix:///system?socket=%s", path);
  FerryHost *host = ferry_host_libvirt_new("test:///default");
  FerryPatience *peers = ((FerryLibvirtHost *)host)->peers;
  ferry_patience_hurry(peers, 50);
  for (guint i = 0; i < FERRY_ASK_PEER_MOST + 4; i++) {
    FerryDomainState state;
    g_autofree char *uuid = g_strdup_printf("00000000-0000-4000-8000-0000000000%02u", i);
    g_assert_false(ferry_host_peer_state(host, uri, uuid, &state, &error));
    g_assert_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_PEER_UNREACHABLE);
    g_clear_error(&error);
  }
  g_assert_cmpuint(ferry_patience_late(peers), ==, FERRY_ASK_PEER_MOST);
  ferry_host_free(host);
  close(listener); /* what hangs comes back */
  g_autofree char *dir = g_path_get_dirname(path);
  g_unlink(path);
  g_rmdir(dir);
}

/* A question that hangs is begun anew beside it once it has had its time, and so often at most. */
static void test_places(void) {
  static const struct {
    gint64 late_s[3];
    int place;
  } cases[] = {{{0, 0, 0}, 0},          {{1000, 0, 0}, 1},     {{1000, 0, 1085}, 1},
               {{0, 1000, 0}, 0},       {{1000, 1095, 0}, -1}, {{1095, 0, 0}, -1},
               {{1000, 1020, 1040}, -1}};
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    gint64 late[3];
    for (guint k = 0; k < 3; k++)
      late[k] = cases[i].late_s[k] * G_USEC_PER_SEC;
    g_assert_cmpint(ferry_libvirt_ask_place(late, 3, 1100 * (gint64)G_USEC_PER_SEC), ==,
                    cases[i].place);
  }
}

/* Whoever may still be called back holds the host. */
static void test_events_hold_the_host(void) {
  g_autoptr(GError) error = NULL;
  int ids[FERRY_LIBVIRT_EVENTS], n = 0;
  FerryHost *base = ferry_host_libvirt_new("test:///default");
  FerryLibvirtHost *host = (FerryLibvirtHost *)base;
  virConnectPtr conn = ferry_libvirt_open("test:///default", &error);
  g_assert_no_error(error);
  ferry_libvirt_events_register(host, conn, ids);
  for (guint i = 0; i < FERRY_LIBVIRT_EVENTS; i++)
    n += ids[i] >= 0;
  g_assert_cmpint(n, >, 0);
  g_assert_true(g_atomic_ref_count_compare(&host->refs, n + 1));
  ferry_host_free(base);
  g_assert_true(g_atomic_ref_count_compare(&host->refs, n));
  ferry_libvirt_events_unregister(conn, ids);
  virConnectClose(conn);
}

static void silence(const char *domain, GLogLevelFlags level, const char *text, gpointer data) {
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_log_set_always_fatal(G_LOG_FATAL_MASK);
  g_log_set_default_handler(silence, NULL);
  g_test_add_func("/libvirt-host/inventory", test_inventory_and_jobs);
  g_test_add_func("/libvirt-host/unreachable", test_unreachable_says_so);
  g_test_add_func("/libvirt-host/hangs", test_hangs);
  g_test_add_func("/libvirt-host/hanging-peer", test_hanging_peer);
  g_test_add_func("/libvirt-host/places", test_places);
  g_test_add_func("/libvirt-host/events-hold-the-host", test_events_hold_the_host);
  return g_test_run();
}
