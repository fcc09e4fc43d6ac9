// SPDX-License-Identifier: Apache-2.0
// Run by the build: fails where a route, verb or subresource has no rule, or a field of a
// migration's status that an agent could write.
#include "api/routes.h"
#include "model/agents/agent_rules.h"

#include <stdio.h>

int main(int argc, char **argv) {
  g_autoptr(GString) missing = g_string_new(NULL);
  gboolean routes = ferry_routes_check(missing);
  if (ferry_agent_rules_complete(missing) && routes) {
    printf("every route and every field of an agent's has its rule\n");
    return 0;
  }
  fputs(missing->str, stderr);
  return 1;
}
