// SPDX-License-Identifier: Apache-2.0
#include "cli/core/watching.h"
#include <signal.h>

static volatile sig_atomic_t reached_before;

static void on_before(int signo) {
  reached_before++;
}

static void test_interrupt(void) {
  struct sigaction act = {.sa_handler = on_before};
  sigaction(SIGINT, &act, NULL);
  ferry_watching_begin();
  g_assert_false(ferry_watching_interrupted());
  raise(SIGINT);
  g_assert_true(ferry_watching_interrupted());
  ferry_watching_forget();
  g_assert_false(ferry_watching_interrupted());
  raise(SIGINT);
  g_assert_cmpint(reached_before, ==, 0);
  ferry_watching_end();
  g_assert_true(ferry_watching_interrupted()); /* who waited asks afterwards */
  raise(SIGINT);
  g_assert_cmpint(reached_before, ==, 1);
  ferry_watching_begin();
  g_assert_false(ferry_watching_interrupted());
  ferry_watching_end();
}

static void test_passes(void) {
  g_autoptr(GError) away = g_error_new_literal(FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, "away");
  g_autoptr(GError) late = g_error_new_literal(FERRY_ERROR, FERRY_ERROR_TIMEOUT, "late");
  g_autoptr(GError) refused = g_error_new_literal(FERRY_ERROR, FERRY_ERROR_FORBIDDEN, "no");
  gint64 lost_us = 0;
  g_assert_false(ferry_watching_passes(&lost_us, refused));
  g_assert_cmpint(lost_us, ==, 0);
  g_assert_true(ferry_watching_passes(&lost_us, away));
  gint64 since = lost_us;
  g_assert_cmpint(since, >, 0);
  g_assert_true(ferry_watching_passes(&lost_us, late));
  g_assert_cmpint(lost_us, ==, since); /* since the first time */
  lost_us = g_get_monotonic_time() - (FERRY_CLI_RETRY_LIMIT_MS + 1) * 1000LL;
  g_assert_false(ferry_watching_passes(&lost_us, away));
}

static void test_path(void) {
  g_autoptr(json_t) object = json_pack("{s:{s:s, s:s, s:s}}", "metadata", "name", "db-1",
                                       "namespace", "shop", "resourceVersion", "7");
  g_autofree char *path = ferry_watching_path(&ferry_kind_vmim, object);
  g_assert_cmpstr(path, ==,
                  "/apis/kubevirt.io/v1/namespaces/shop/virtualmachineinstancemigrations?watch=1&"
                  "fieldSelector=metadata.name%3Ddb-1&resourceVersion=7");
  g_autofree char *bare = ferry_watching_path(&ferry_kind_evacuation, object);
  g_assert_true(g_str_has_prefix(bare, "/apis/ferry.migration/v1/evacuations?watch=1&"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/cli/watching/interrupt", test_interrupt);
  g_test_add_func("/cli/watching/passes", test_passes);
  g_test_add_func("/cli/watching/path", test_path);
  return g_test_run();
}
