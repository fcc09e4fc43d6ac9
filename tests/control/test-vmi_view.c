// SPDX-License-Identifier: Apache-2.0
#include "control/vmi_view.h"

static gboolean taken(const char *name, gpointer data) {
  return g_strcmp0(name, data) == 0;
}

static void named(const char *domain, const char *other, const char *wanted) {
  g_autofree char *name =
      ferry_vmi_name(domain, "abcdef01-0000-0000-0000-000000000000", taken, (gpointer)other);
  g_assert_cmpstr(name, ==, wanted);
}

static void test_names(void) {
  named("db", "x", "db");
  named("db", "db", "db-abcdef01");
  named("My VM (old)", "x", "my-vm-old-abcdef01");
  named("--", "x", "vm-abcdef01");
  named("ünï", "x", "n-abcdef01");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/vmi-view/names", test_names);
  return g_test_run();
}
