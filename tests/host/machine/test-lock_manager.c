// SPDX-License-Identifier: Apache-2.0
#include "host/machine/lock_manager.h"

static void test_names(void) {
  static const struct {
    const char *conf, *name;
  } cases[] = {
      {"", "none"},
      {"#lock_manager = \"lockd\"\n", "none"},
      {"user = \"root\"\nlock_manager = \"lockd\"\n", "virtlockd"},
      {"  lock_manager='sanlock'", "sanlock"},
      {"lock_manager = \"nop\"\n", "none"},
      {"lock_manager = \"our-own\"\n", "our-own"},
      {"other_lock_manager = \"lockd\"\n", "none"},
      {"lock_manager = lockd\n", "none"}, /* libvirt wants quotes, and would not start */
      {"lock_manager = \"../evil\"\n", "none"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *name = ferry_lock_manager_of(cases[i].conf);
    g_test_message("%s", cases[i].conf);
    g_assert_cmpstr(name, ==, cases[i].name);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/lock_manager/names", test_names);
  return g_test_run();
}
