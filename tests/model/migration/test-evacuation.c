// SPDX-License-Identifier: Apache-2.0
#include "model/migration/evacuation.h"
#include <string.h>

static json_t *vmi(const char *name) {
  return json_pack("{s:{s:s, s:s}}", "metadata", "name", name, "namespace", "prod");
}

/* Whatever the VM is called, what is made of it is a good object. */
static void test_names(void) {
  g_autofree char *longest = g_strnfill(253, 'x');
  g_autofree char *dots = g_strnfill(253, 'y');
  memset(dots + 40, '.', 15);
  const char *names[] = {"db", "db-1", longest, dots};
  for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autoptr(json_t) vm = vmi(names[i]);
    g_autoptr(json_t) m = ferry_evacuation_migration(vm, "h1", 2);
    g_assert_cmpstr(ferry_json_str(m, "spec.vmiName"), ==, names[i]);
    const char *generate = ferry_json_str(m, "metadata.generateName");
    g_assert_true(g_str_has_suffix(generate, "-evacuation-"));
    g_assert_true(g_ascii_isalnum(generate[strlen(generate) - strlen("-evacuation-") - 1]));
    g_assert_cmpuint(strlen(generate), <=, 253 - 5);
  }
}

static void test_words(void) {
  g_autoptr(json_t) vm = vmi("db");
  g_autoptr(json_t) m = ferry_evacuation_migration(vm, "h1", 2);
  json_t *notes = ferry_json_get(m, "metadata.annotations");
  g_assert_cmpstr(json_string_value(json_object_get(notes, FERRY_EVACUATES_ANNOTATION)), ==, "h1");
  g_assert_cmpstr(json_string_value(json_object_get(notes, FERRY_ATTEMPT_ANNOTATION)), ==, "2");
  g_assert_cmpstr(ferry_json_str(m, "metadata.namespace"), ==, "prod");
  g_assert_cmpstr(ferry_json_str(m, "spec.priority"), ==, "system-critical");
  g_assert_null(ferry_json_get(m, "metadata.name"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/model/evacuation/names", test_names);
  g_test_add_func("/model/evacuation/words", test_words);
  return g_test_run();
}
