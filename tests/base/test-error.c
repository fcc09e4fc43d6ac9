// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

static void test_causes(void) {
  g_autoptr(GError) e = g_error_new(FERRY_ERROR, FERRY_ERROR_INVALID, "refused");
  ferry_error_add_cause(e, "FieldValueRequired", "spec.vmiName", "a VM's %s", "name");
  ferry_error_add_cause(e, "FieldValueInvalid", "spec.targetNode", "no such node");
  g_autoptr(GError) copy = g_error_copy(e);
  g_clear_error(&e);
  g_assert_cmpuint(ferry_error_n_causes(copy), ==, 2);
  g_assert_cmpstr(ferry_error_cause(copy, 0)->message, ==, "a VM's name");
  g_assert_cmpstr(ferry_error_cause(copy, 1)->field, ==, "spec.targetNode");
}

static void test_codes(void) {
  for (int c = FERRY_ERROR_INTERNAL; c <= FERRY_ERROR_TIMEOUT; c++)
    g_assert_cmpint(ferry_error_code_from_http(ferry_error_http_status(c), ferry_error_reason(c)),
                    ==, c);
  g_assert_cmpint(ferry_error_code_from_http(404, NULL), ==, FERRY_ERROR_NOT_FOUND);
  g_assert_cmpint(ferry_error_code_from_http(418, "Teapot"), ==, FERRY_ERROR_INTERNAL);
  g_assert_cmpuint(ferry_error_http_status(999), ==, 500);
}

static void test_came_between(void) {
  static const FerryErrorCode codes[] = {FERRY_ERROR_CONFLICT, FERRY_ERROR_ALREADY_EXISTS,
                                         FERRY_ERROR_NOT_FOUND, FERRY_ERROR_INVALID,
                                         FERRY_ERROR_FORBIDDEN};
  for (gsize i = 0; i < G_N_ELEMENTS(codes); i++) {
    g_autoptr(GError) error = g_error_new_literal(FERRY_ERROR, (gint)codes[i], "so");
    g_assert_cmpint(ferry_error_came_between(error), ==, i < 3);
  }
  g_assert_false(ferry_error_came_between(NULL));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/error/causes", test_causes);
  g_test_add_func("/error/codes", test_codes);
  g_test_add_func("/error/came-between", test_came_between);
  return g_test_run();
}
