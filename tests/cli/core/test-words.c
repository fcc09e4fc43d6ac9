// SPDX-License-Identifier: Apache-2.0
#include "cli/core/words.h"

static void test_kinds(void) {
  g_assert_true(ferry_words_kind("host") == &ferry_kind_node);
  g_assert_true(ferry_words_kind("Hosts") == &ferry_kind_node);
  g_assert_true(ferry_words_kind("vm") == &ferry_kind_vmi);
  g_assert_true(ferry_words_kind("VMs") == &ferry_kind_vmi);
  g_assert_true(ferry_words_kind("migration") == &ferry_kind_vmim);
  g_assert_true(ferry_words_kind("policies") == &ferry_kind_migration_policy);
  for (gsize i = 0; ferry_words_nth(i); i++)
    g_assert_nonnull(ferry_words_kind(ferry_words_nth(i)));
  g_assert_null(ferry_words_kind("pods"));
  g_assert_null(ferry_words_kind(""));
}

static void test_messages(void) {
  static const struct {
    const char *message, *told;
  } cases[] = {
      {"VirtualMachineInstanceMigration.kubevirt.io \"a1-*\" is invalid: spec.targetNode: no",
       "the migration is refused: spec.targetNode: no"},
      {"VirtualMachineInstanceMigration.kubevirt.io \"a1\" is invalid: x",
       "migration \"a1\" is invalid: x"},
      {"virtualmachineinstances.kubevirt.io \"db\" not found", "VM \"db\" not found"},
      {"nodes \"h9\" not found", "host \"h9\" not found"},
      {"Node \"h9\" is invalid: x", "host \"h9\" is invalid: x"},
      {"nodesque \"h9\" not found", "nodesque \"h9\" not found"},
      {"namespaces \"a\" not found", "namespaces \"a\" not found"},
      {"nodes h9", "nodes h9"},
      {"nodes \"", "host \""},
      {"", ""},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *told = ferry_words_message(cases[i].message);
    g_assert_cmpstr(told, ==, cases[i].told);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/cli/words/kinds", test_kinds);
  g_test_add_func("/cli/words/messages", test_messages);
  return g_test_run();
}
