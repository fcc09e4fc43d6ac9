// SPDX-License-Identifier: Apache-2.0
// The program `ferry`, from its command line to its exit code.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** The whole program but exit(): returns the exit code. */
int ferry_cli_main(int argc, char **argv);

G_END_DECLS
