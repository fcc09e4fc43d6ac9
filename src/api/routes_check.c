// SPDX-License-Identifier: Apache-2.0
// Run by the build: fails where a route, verb or subresource has no rule.
#include "api/routes.h"

#include <stdio.h>

int main(int argc, char **argv) {
  g_autoptr(GString) missing = g_string_new(NULL);
  if (ferry_routes_check(missing)) {
    printf("every route has its rule\n");
    return 0;
  }
  fputs(missing->str, stderr);
  return 1;
}
