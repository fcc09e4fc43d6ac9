// SPDX-License-Identifier: Apache-2.0
// Prints docs/troubleshooting.md.
#include "model/migration/reasons.h"
#include <stdio.h>

int main(void) {
  g_autofree char *text = ferry_reasons_markdown();
  fputs(text, stdout);
  return 0;
}
