// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

static gint64 system_monotonic(gpointer data) {
  return g_get_monotonic_time();
}

static gint64 system_wall(gpointer data) {
  return g_get_real_time() / 1000;
}

const FerryClock *ferry_clock_system(void) {
  static const FerryClock clock = {system_monotonic, system_wall, NULL};
  return &clock;
}

gint64 ferry_clock_monotonic_us(const FerryClock *clock) {
  return clock->monotonic_us(clock->data);
}

gint64 ferry_clock_wall_ms(const FerryClock *clock) {
  return clock->wall_ms(clock->data);
}
