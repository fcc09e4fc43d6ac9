// SPDX-License-Identifier: Apache-2.0
#include "model/field/field.h"

static const FerryField inner[] = {{.name = "name", .type = FERRY_TYPE_STRING}, {0}};
static const FerryField fields[] = {
    {.name = "spec", .type = FERRY_TYPE_OBJECT, .fields = inner},
    {.name = "specs", .type = FERRY_TYPE_LIST, .fields = inner},
    {0},
};

static void test_find(void) {
  g_assert_true(ferry_field_find(fields, "spec") == &fields[0]);
  g_assert_true(ferry_field_find(fields, "specs") == &fields[1]);
  g_assert_true(ferry_field_find(fields, "spec.name") == &inner[0]);
  static const char *const none[] = {"", "spe", "specx", "spec.nam", "spec.name.x", "specs.name"};
  for (gsize i = 0; i < G_N_ELEMENTS(none); i++)
    g_assert_null(ferry_field_find(fields, none[i]));
  g_assert_null(ferry_field_find(NULL, "spec"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/field/find", test_find);
  return g_test_run();
}
