// SPDX-License-Identifier: Apache-2.0
// Which level of priority each request has.
#include "api/http/level.h"

#include <string.h>

/* Kubernetes' words for it: which row a request falls into. */
static void test_levels(void) {
  static const struct {
    const char *method, *path;
    FerryAsker asker;
    FerryLevel level;
    gboolean quick;
  } cases[] = {
#define C "apis/kubevirt.io/v1/"
      {"GET", "livez", FERRY_ASKER_UNKNOWN, FERRY_LEVEL_EXEMPT, TRUE},
      {"GET", "readyz/store", FERRY_ASKER_USER, FERRY_LEVEL_EXEMPT, TRUE},
      {"POST", "livez", FERRY_ASKER_UNKNOWN, FERRY_LEVEL_ANONYMOUS, FALSE},
      {"POST", "apis/ferry.migration/v1/join", FERRY_ASKER_UNKNOWN, FERRY_LEVEL_ANONYMOUS, FALSE},
      {"GET", C "virtualmachineinstances", FERRY_ASKER_UNKNOWN, FERRY_LEVEL_ANONYMOUS, FALSE},
      {"POST", "apis/ferry.migration/v1/nodes/h1/report", FERRY_ASKER_AGENT, FERRY_LEVEL_AGENTS,
       FALSE},
      {"PATCH", C "namespaces/a/virtualmachineinstancemigrations/m/status", FERRY_ASKER_AGENT,
       FERRY_LEVEL_AGENTS, FALSE},
      {"GET", C "virtualmachineinstancemigrations", FERRY_ASKER_AGENT, FERRY_LEVEL_AGENTS, FALSE},
      {"GET", "api/v1/nodes/h1", FERRY_ASKER_AGENT, FERRY_LEVEL_AGENTS, TRUE},
      {"PUT", "apis/subresources.kubevirt.io/v1/namespaces/a/x/m/cancel", FERRY_ASKER_USER,
       FERRY_LEVEL_CONTROL, FALSE},
      {"PUT", C "namespaces/a/virtualmachineinstancemigrations/m/change", FERRY_ASKER_USER,
       FERRY_LEVEL_CONTROL, FALSE},
      {"PUT", C "namespaces/a/virtualmachineinstancemigrations/m/resolve", FERRY_ASKER_USER,
       FERRY_LEVEL_CONTROL, FALSE},
      {"DELETE", C "namespaces/a/virtualmachineinstancemigrations/m", FERRY_ASKER_USER,
       FERRY_LEVEL_CONTROL, FALSE},
      {"DELETE", "apis/ferry.migration/v1/evacuations/e", FERRY_ASKER_USER, FERRY_LEVEL_CONTROL,
       FALSE},
      {"DELETE", C "namespaces/a/virtualmachineinstancemigrations", FERRY_ASKER_USER,
       FERRY_LEVEL_HEAVY, FALSE},
      {"GET", C "namespaces/a/virtualmachineinstances", FERRY_ASKER_USER, FERRY_LEVEL_HEAVY, FALSE},
      {"GET", "api/v1/namespaces", FERRY_ASKER_USER, FERRY_LEVEL_HEAVY, FALSE},
      {"GET", "api/v1/namespaces/a/pods", FERRY_ASKER_USER, FERRY_LEVEL_HEAVY, FALSE},
      {"GET", "api/v1/namespaces/a/pods/p", FERRY_ASKER_USER, FERRY_LEVEL_WORK, FALSE},
      {"GET", "api/v1/nodes/", FERRY_ASKER_USER, FERRY_LEVEL_HEAVY, FALSE},
      {"GET", "openapi/v3/apis/kubevirt.io/v1", FERRY_ASKER_USER, FERRY_LEVEL_HEAVY, FALSE},
      {"GET", "metrics", FERRY_ASKER_USER, FERRY_LEVEL_HEAVY, FALSE},
      {"GET", "plugins/kimchi/vms", FERRY_ASKER_USER, FERRY_LEVEL_HEAVY, FALSE},
      {"GET", "api/v1/events/stream", FERRY_ASKER_USER, FERRY_LEVEL_HEAVY, FALSE},
      {"GET", "api/v1/namespaces/a", FERRY_ASKER_USER, FERRY_LEVEL_WORK, TRUE},
      {"GET", "apis", FERRY_ASKER_USER, FERRY_LEVEL_WORK, TRUE},
      {"POST", C "namespaces/a/virtualmachineinstancemigrations", FERRY_ASKER_USER,
       FERRY_LEVEL_WORK, FALSE},
      {"BREW", "", FERRY_ASKER_USER, FERRY_LEVEL_WORK, FALSE},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_auto(GStrv) segments = g_strsplit(cases[i].path, "/", -1);
    FerryLevelChoice c = ferry_level_choose(cases[i].method, segments, FALSE, cases[i].asker);
    g_test_message("%s %s", cases[i].method, cases[i].path);
    g_assert_cmpint(c.level, ==, cases[i].level);
    g_assert_cmpint(c.quick, ==, cases[i].quick);
  }
  g_auto(GStrv) one = g_strsplit("api/v1/nodes/h1", "/", -1);
  g_assert_false(ferry_level_choose("GET", one, TRUE, FERRY_ASKER_USER).quick);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/level/rows", test_levels);
  return g_test_run();
}
