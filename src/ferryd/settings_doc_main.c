// SPDX-License-Identifier: Apache-2.0
// Prints ferryd.conf, or ferryd(8) of its template; the build calls it.
#include "base/settings/settings_doc.h"
#include "ferryd/options.h"

int main(int argc, char **argv) {
  return ferry_settings_doc(ferryd_settings, "ferryd", argc, argv);
}
