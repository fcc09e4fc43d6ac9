// SPDX-License-Identifier: Apache-2.0
// What does not come about is tried more and more seldom, and at once where it is asked for anew.
#include "agent/link/trust_pace.h"
#include "base/limits.h"

static void backs_off(void) {
  static const gint64 pauses_s[] = {60, 600, FERRY_DAY_S, FERRY_DAY_S};
  FerryTrustPace pace = {0};
  gint64 now = 5;
  for (gsize i = 0; i < G_N_ELEMENTS(pauses_s); i++) {
    g_assert_true(ferry_trust_pace_due(&pace, "", now));
    g_assert_false(ferry_trust_pace_due(&pace, "", now + pauses_s[i] * G_USEC_PER_SEC - 1));
    now += pauses_s[i] * G_USEC_PER_SEC;
  }
  g_assert_true(ferry_trust_pace_due(&pace, "2026-01-01T00:00:00Z", now - 1));
  g_assert_false(ferry_trust_pace_due(&pace, "2026-01-01T00:00:00Z", now));
  g_free(pace.said);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/trust/pace", backs_off);
  return g_test_run();
}
