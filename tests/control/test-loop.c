// SPDX-License-Identifier: Apache-2.0
#include "control/loop.h"
#include "world.h"

static char *wait_phase(FerryStore *store, const char *name, const char *wanted) {
  gint64 until = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
  char *phase = NULL;
  while (g_get_monotonic_time() < until) {
    g_autoptr(json_t) m = world_get(store, name);
    g_free(phase);
    phase = g_strdup(ferry_json_str(m, "status.phase"));
    if (g_strcmp0(phase, wanted) == 0)
      break;
    g_usleep(1000);
  }
  return phase;
}

/* With two at a time from h1, the third waits until one of them has ended. */
static void test_loop(void) {
  g_autoptr(FerryStore) store = world_new();
  g_autoptr(GError) error = NULL;
  FerryControl *control = ferry_control_start(store, ferry_clock_system());
  world_migrate(store, "m1", NULL);
  g_autofree char *a = wait_phase(store, "m1", "Scheduled");
  g_assert_cmpstr(a, ==, "Scheduled");
  world_vm(store, "two", 2, WORLD_NOW);
  world_migrate_vm(store, "m2", "two", NULL);
  g_autofree char *b = wait_phase(store, "m2", "Scheduled");
  g_assert_cmpstr(b, ==, "Scheduled");
  world_vm(store, "three", 3, WORLD_NOW);
  world_migrate_vm(store, "m3", "three", NULL);
  g_autofree char *c = wait_phase(store, "m3", "Pending");
  g_assert_cmpstr(c, ==, "Pending");
  world_set(store, "m1", "status.phase", json_string("Failed"));
  g_autofree char *d = wait_phase(store, "m3", "Scheduled");
  g_assert_cmpstr(d, ==, "Scheduled");
  ferry_control_stop(control);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  /* A migration that fails is a warning in the log; here it is meant to. */
  g_log_set_always_fatal(G_LOG_FATAL_MASK);
  g_log_set_always_fatal(G_LOG_FATAL_MASK); /* a failed migration is logged as a warning */
  g_test_add_func("/loop/queue-moves", test_loop);
  return g_test_run();
}
