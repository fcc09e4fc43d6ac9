// SPDX-License-Identifier: Apache-2.0
#include "cli/program.h"

int main(int argc, char **argv) {
  return ferry_cli_main(argc, argv);
}
