// SPDX-License-Identifier: Apache-2.0
// Prints docs/outcomes.md.
#include "policy/outcome.h"
#include <stdio.h>

int main(void) {
  g_autofree char *text = ferry_outcome_markdown();
  fputs(text, stdout);
  return 0;
}
