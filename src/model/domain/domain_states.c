// SPDX-License-Identifier: Apache-2.0
#include "model/domain/domain_states.h"

#define REPORTED                                                                                   \
  "running", "blocked", "paused", "shutdown", "shutoff", "crashed", "pmsuspended", "nostate"

const char *const ferry_domain_states_reported[] = {REPORTED, NULL};
const char *const ferry_domain_states[] = {REPORTED, "gone", "unknown", NULL};

gboolean ferry_domain_state_runs(const char *state) {
  static const char *const words[] = {"running", "blocked", NULL};
  return state && g_strv_contains(words, state);
}

gboolean ferry_domain_state_is_alive(const char *state) {
  static const char *const words[] = {"paused", "pmsuspended", NULL};
  return ferry_domain_state_runs(state) || (state && g_strv_contains(words, state));
}
