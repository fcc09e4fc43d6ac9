// SPDX-License-Identifier: Apache-2.0
#include "model/migration/node_address.h"

static void test_internal(void) {
  g_autoptr(json_t) own = json_pack("{s:s, s:s}", "type", "InternalIP", "address", "10.1.0.1");
  g_autoptr(json_t) name = json_pack("{s:s, s:s}", "type", "Hostname", "address", "h1");
  g_autoptr(json_t) bare = json_pack("{s:s}", "type", "InternalIP");
  g_assert_cmpstr(ferry_internal_address(own), ==, "10.1.0.1");
  g_assert_null(ferry_internal_address(name));
  g_assert_null(ferry_internal_address(bare));
  g_assert_null(ferry_internal_address(NULL));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/model/migration/node_address/internal", test_internal);
  return g_test_run();
}
