// SPDX-License-Identifier: Apache-2.0
// Which VMs move: of libvirt's own test driver none, of a libvirtd that is not there nobody knows.
// That a migration's job says its direction is seen on real hosts by tests/lab/test_migration.py.
#include "host/libvirt/libvirt_moving.h"
#include <libvirt/virterror.h>

static void drop_error(void *data, virErrorPtr error) {
}

static void none_and_unknown(void) {
  g_autofree char *none = ferry_libvirt_moving("test:///default");
  g_assert_cmpstr(none, ==, "");
  virSetErrorFunc(NULL, drop_error);
  g_assert_null(ferry_libvirt_moving("qemu+unix:///system?socket=/nonexistent/libvirt"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/libvirt_moving/none-and-unknown", none_and_unknown);
  return g_test_run();
}
