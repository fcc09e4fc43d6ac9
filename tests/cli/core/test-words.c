// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "cli/core/cli.h"
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

static void test_said(void) {
  static const struct {
    const char *group, *kind, *said;
  } cases[] = {
      {"kubevirt.io", "VirtualMachineInstanceMigration", "migration"},
      {"kubevirt.io", "virtualmachineinstances", "VM"},
      {NULL, "nodes", "host"},
      {"", "Node", "host"},
      {NULL, "nodesque", NULL},
      {"kubevirt.io", "nodes", NULL},
      {NULL, "namespaces", NULL},
      {NULL, NULL, NULL},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
    g_assert_cmpstr(ferry_words_said(cases[i].group, cases[i].kind), ==, cases[i].said);
}

static GError *about(int code, const char *message, const char *kind, const char *name) {
  GError *error = g_error_new_literal(FERRY_ERROR, code, message);
  ferry_error_set_about(error, "kubevirt.io", kind, name);
  return error;
}

/* An error is told from its data; what the server says in its own words stays as it is. */
static void test_errors(void) {
  static const char vms[] = "virtualmachineinstances", there[] = "already exists on h1";
  g_autoptr(GError) none = about(FERRY_ERROR_NOT_FOUND,
                                 "virtualmachineinstances.kubevirt.io \"db\" not found", vms, "db");
  g_autoptr(GError) other = about(FERRY_ERROR_NOT_FOUND, there, vms, "db");
  g_autoptr(GError) one = about(FERRY_ERROR_INVALID, "what the server makes of it", vms, "db");
  g_autoptr(GError) network = about(FERRY_ERROR_INVALID, "the same", "Network", "fast");
  g_autoptr(GError) plain = about(FERRY_ERROR_INVALID, "it is too late", vms, "db");
  ferry_error_add_cause(plain, "FieldValueInvalid", "request", "it is too late");
  g_autoptr(GError) made =
      about(FERRY_ERROR_INVALID, "the same", "VirtualMachineInstanceMigration", "db-*");
  ferry_error_add_cause(one, "FieldValueInvalid", "spec.a", "too long");
  ferry_error_add_cause(network, "FieldValueRequired", "spec.b", "needed");
  ferry_error_add_cause(made, "FieldValueInvalid", "spec.a", "too long");
  ferry_error_add_cause(made, "FieldValueInvalid", NULL, "too late");
  struct {
    const GError *error;
    const char *text;
  } cases[] = {{none, "error: VM \"db\" not found\n"},
               {other, "error: already exists on h1\n"},
               {network, "error: the Network fast is refused: spec.b: needed\n"},
               {plain, "error: it is too late\n"},
               {one, "error: the VM db is refused: spec.a: too long\n"},
               {made, "error: the migration is refused\n  * spec.a: too long\n  * too late\n"}};
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *text = ferry_error_text(cases[i].error, NULL);
    g_assert_cmpstr(text, ==, cases[i].text);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/cli/words/kinds", test_kinds);
  g_test_add_func("/cli/words/said", test_said);
  g_test_add_func("/cli/words/errors", test_errors);
  return g_test_run();
}
