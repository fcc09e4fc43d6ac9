// SPDX-License-Identifier: Apache-2.0
// Which VMs move: of libvirt's own test driver none, of a libvirtd that is not there nobody knows.
// That a migration's job says its direction is seen on real hosts by tests/lab/test_migration.py.
#include "host/libvirt/libvirt_moving.h"
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

static void drop_error(void *data, virErrorPtr error) {
}

static void none_and_unknown(void) {
  g_autofree char *none = ferry_libvirt_moving("test:///default");
  g_assert_cmpstr(none, ==, "");
  virSetErrorFunc(NULL, drop_error);
  g_assert_null(ferry_libvirt_moving("qemu+unix:///system?socket=/nonexistent/libvirt"));
}

/* A target's libvirtd refuses to tell of the job, and a job may end before its VM runs. */
static void by_state_and_job(void) {
  const FerryJobStats out = {.migration_out = TRUE}, in = {.migration_in = TRUE}, save = {0};
  const struct {
    int state, reason;
    gboolean known;
    const FerryJobStats *job;
    gboolean moves;
  } all[] = {
      {VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED, TRUE, NULL, FALSE},
      {VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED, TRUE, &save, FALSE},
      {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER, TRUE, NULL, FALSE},
      {VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED, TRUE, &out, TRUE},
      {VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED, TRUE, &in, TRUE},
      {VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED, FALSE, NULL, TRUE},
      {VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_POSTCOPY, TRUE, NULL, TRUE},
      {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_MIGRATION, TRUE, NULL, TRUE},
      {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_STARTING_UP, TRUE, NULL, TRUE},
      {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_POSTCOPY, TRUE, NULL, TRUE},
      {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_POSTCOPY_FAILED, TRUE, NULL, TRUE},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
    g_assert_cmpint(ferry_libvirt_moves(all[i].state, all[i].reason, all[i].known, all[i].job), ==,
                    all[i].moves);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/libvirt_moving/none-and-unknown", none_and_unknown);
  g_test_add_func("/libvirt_moving/by-state-and-job", by_state_and_job);
  return g_test_run();
}
