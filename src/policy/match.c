// SPDX-License-Identifier: Apache-2.0
#include "policy/match.h"

/* Matched labels, or -1 where one does not fit. */
static int count_matches(const json_t *wanted, const json_t *labels) {
  int n = 0;
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)wanted, key, value) {
    const char *want = json_is_boolean(value) ? (json_is_true(value) ? "true" : "false")
                                              : json_string_value(value);
    const char *have = json_string_value(json_object_get(labels, key));
    if (!want || g_strcmp0(want, have) != 0)
      return -1;
    n++;
  }
  return n;
}

gboolean ferry_policy_selects(const json_t *selector, const json_t *labels) {
  return count_matches(selector, labels) >= 0;
}

const json_t *ferry_policy_match(json_t *const *policies, gsize n, const json_t *vm_labels,
                                 const json_t *namespace_labels) {
  const json_t *best = NULL;
  int best_score = -1, best_vm = -1;
  for (gsize i = 0; i < n; i++) {
    const json_t *selectors = ferry_json_get(policies[i], "spec.selectors");
    if (!json_is_object(selectors))
      continue;
    int vm = count_matches(json_object_get(selectors, "virtualMachineInstanceSelector"), vm_labels);
    int ns = count_matches(json_object_get(selectors, "namespaceSelector"), namespace_labels);
    if (vm < 0 || ns < 0)
      continue;
    gboolean better = vm + ns > best_score || (vm + ns == best_score && vm > best_vm) ||
                      (vm + ns == best_score && vm == best_vm &&
                       g_strcmp0(ferry_json_str(policies[i], "metadata.name"),
                                 ferry_json_str(best, "metadata.name")) < 0);
    if (better) {
      best = policies[i];
      best_score = vm + ns;
      best_vm = vm;
    }
  }
  return best;
}
