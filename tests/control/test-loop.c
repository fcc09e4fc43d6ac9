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

/* Each that ends moves all that wait; where they stand now is told every two seconds at most, and
 * is told. */
static void test_places(void) {
  g_autoptr(FerryStore) store = world_new();
  FerryControl *control = ferry_control_start(store, ferry_clock_system());
  for (guint i = 0; i < 8; i++) {
    g_autofree char *vm = g_strdup_printf("vm%u", i), *name = g_strdup_printf("m%u", i);
    world_vm(store, vm, i + 2, WORLD_NOW);
    world_migrate_vm(store, name, vm, NULL);
    g_autofree char *phase = wait_phase(store, name, i < 2 ? "Scheduled" : "Pending");
  }
  gint64 until = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
  for (gint64 place = 0; place != 6 && g_get_monotonic_time() < until; g_usleep(1000)) {
    g_autoptr(json_t) last = world_get(store, "m7");
    place = ferry_json_int(last, "status.queue.position", 0);
  }
  gint64 began = g_get_monotonic_time();
  g_autoptr(FerryWatch) watch = ferry_store_watch_now(store, &ferry_kind_vmim, NULL, NULL, NULL);
  for (guint i = 0; i < 4; i++) {
    g_autofree char *name = g_strdup_printf("m%u", i), *next = g_strdup_printf("m%u", i + 2);
    world_set(store, name, "status.phase", json_string("Failed"));
    g_autofree char *phase = wait_phase(store, next, "Scheduled");
    g_assert_cmpstr(phase, ==, "Scheduled");
  }
  guint told = 0;
  gint64 place = 0;
  until = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
  while (place != 2 && g_get_monotonic_time() < until) {
    g_autoptr(FerryChange) change = ferry_watch_next(watch, NULL);
    if (!change) {
      g_usleep(1000);
      continue;
    }
    g_auto(FerrySeen) seen = ferry_change_see(change);
    told += g_str_equal(change->name, "m7");
    place = g_str_equal(change->name, "m7")
                ? ferry_json_int(seen.object, "status.queue.position", 0)
                : place;
  }
  g_assert_cmpint(place, ==, 2);
  g_assert_cmpuint(told, <=, 1 + (guint)((g_get_monotonic_time() - began) / (2 * G_USEC_PER_SEC)));
  ferry_control_stop(control);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  /* A migration that fails is a warning in the log; here it is meant to. */
  g_log_set_always_fatal(G_LOG_FATAL_MASK);
  g_log_set_always_fatal(G_LOG_FATAL_MASK); /* a failed migration is logged as a warning */
  g_test_add_func("/loop/queue-moves", test_loop);
  g_test_add_func("/loop/places", test_places);
  return g_test_run();
}
