// SPDX-License-Identifier: Apache-2.0
#include "model/domain/domain_states.h"

#define REPORTED                                                                                   \
  "running", "blocked", "paused", "shutdown", "shutoff", "crashed", "pmsuspended", "nostate"

const char *const ferry_domain_states_reported[] = {REPORTED, NULL};
const char *const ferry_domain_states[] = {REPORTED, "gone", "unknown", NULL}; /* as the enum */

const char *ferry_vm_state_name(FerryVmState state) {
  return ferry_domain_states[state == FERRY_VM_UNKNOWN ? FERRY_VM_LAST - 1 : state - 1];
}

FerryVmState ferry_vm_state_parse(const char *word) {
  for (int i = FERRY_VM_RUNNING; word && i < FERRY_VM_LAST; i++)
    if (g_str_equal(word, ferry_domain_states[i - 1]))
      return (FerryVmState)i;
  return FERRY_VM_UNKNOWN;
}

FerryVmState ferry_vm_state_of(const json_t *object, const char *path) {
  return ferry_vm_state_parse(ferry_json_str(object, path));
}

gboolean ferry_domain_state_runs(FerryVmState state) {
  return state == FERRY_VM_RUNNING || state == FERRY_VM_BLOCKED;
}

gboolean ferry_domain_state_is_alive(FerryVmState state) {
  return ferry_domain_state_runs(state) || state == FERRY_VM_PAUSED ||
         state == FERRY_VM_PMSUSPENDED;
}

gboolean ferry_vm_reason_is_post_copy(const char *reason) {
  return g_strcmp0(reason, FERRY_VM_REASON_POST_COPY) == 0 ||
         g_strcmp0(reason, FERRY_VM_REASON_POST_COPY_FAILED) == 0;
}
