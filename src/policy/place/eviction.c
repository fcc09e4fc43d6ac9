// SPDX-License-Identifier: Apache-2.0
#include "policy/place/eviction.h"

char *ferry_eviction_obstacle(const json_t *config, gboolean *external) {
  const char *strategy = ferry_json_str(config, "evictionStrategy");
  *external = g_strcmp0(strategy, "External") == 0;
  if (*external)
    return g_strdup("its evictionStrategy is External: it is waited for until somebody else has "
                    "moved it or shut it down");
  if (g_strcmp0(strategy, "None") == 0)
    return g_strdup("its evictionStrategy is None: it is not moved; shut it down, or move it with "
                    "ferry migrate");
  return NULL;
}
