// SPDX-License-Identifier: Apache-2.0
// `ferry-agentd join URL`: what somebody types on a host, once.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** Runs the subcommand (argv[0] is "join"); returns the exit code, or does not return where systemd
 * takes over. */
int ferry_agent_join_main(int argc, char **argv);

G_END_DECLS
