// SPDX-License-Identifier: Apache-2.0
// How often a node may try: some at once, then one each six seconds, and telling is counted apart.
#include "api/nodes/trust_limit.h"

static gint64 now_us = 1000;

static gint64 fake_now(gpointer data) {
  return now_us;
}

static guint tries(FerryTrustLimit *limit, const char *node, gboolean tells) {
  guint n = 0;
  while (ferry_trust_limit_take(limit, node, tells, NULL))
    n++;
  return n;
}

static void each_apart(void) {
  const FerryClock clock = {.monotonic_us = fake_now, .wall_ms = fake_now};
  FerryTrustLimit *limit = ferry_trust_limit_new(&clock);
  g_autoptr(GError) error = NULL;
  g_assert_cmpuint(tries(limit, "h1", FALSE), ==, 20);
  g_assert_false(ferry_trust_limit_take(limit, "h1", FALSE, &error));
  g_assert_true(g_error_matches(error, FERRY_ERROR, FERRY_ERROR_TOO_MANY_REQUESTS));
  g_assert_cmpuint(tries(limit, "h1", TRUE), ==, 20);
  g_assert_cmpuint(tries(limit, "h2", FALSE), ==, 20);
  now_us += 6 * G_USEC_PER_SEC;
  g_assert_cmpuint(tries(limit, "h1", FALSE), ==, 1);
  now_us += (gint64)3600 * G_USEC_PER_SEC;
  g_assert_cmpuint(tries(limit, "h1", FALSE), ==, 20);
  ferry_trust_limit_free(limit);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/trust_limit/each-apart", each_apart);
  return g_test_run();
}
