// SPDX-License-Identifier: Apache-2.0
#include "policy/place/eviction.h"
#include <string.h>

static char *of(const char *strategy, gboolean *external) {
  g_autoptr(json_t) config =
      strategy ? json_pack("{ss}", "evictionStrategy", strategy) : json_object();
  return ferry_eviction_obstacle(config, external);
}

static void test_strategies(void) {
  gboolean external = TRUE;
  g_assert_null(of(NULL, &external));
  g_assert_null(of("LiveMigrate", &external));
  g_assert_null(of("LiveMigrateIfPossible", &external));
  g_assert_false(external);
  g_autofree char *none = of("None", &external);
  g_assert_nonnull(strstr(none, "None"));
  g_assert_false(external);
  g_autofree char *other = of("External", &external);
  g_assert_nonnull(strstr(other, "External"));
  g_assert_true(external);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/eviction/strategies", test_strategies);
  return g_test_run();
}
