// SPDX-License-Identifier: Apache-2.0
// The program that writes what stands in a daemon's table of settings.
#pragma once
#include "base/settings/settings.h"

G_BEGIN_DECLS

/** `conf` prints the configuration file to start from; `man TEMPLATE` the manual, with the list of
 * options in place of the line `.\" @options@`; `conf-man FILE` the manual FILE(5) of that file.
 * Returns the exit code. */
int ferry_settings_doc(const FerrySetting *table, const char *program, int argc, char **argv);

G_END_DECLS
