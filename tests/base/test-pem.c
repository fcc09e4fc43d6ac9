// SPDX-License-Identifier: Apache-2.0
#include "base/pem.h"

static void test_certificate(void) {
  const char *text = "a\n-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
  g_assert_true(ferry_pem_certificate(text) == text + 2);
  g_assert_null(ferry_pem_certificate("-----BEGIN CERTIFICATE REQUEST-----\n"));
  g_assert_null(ferry_pem_certificate(""));
  g_assert_null(ferry_pem_certificate(NULL));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/base/pem/certificate", test_certificate);
  return g_test_run();
}
