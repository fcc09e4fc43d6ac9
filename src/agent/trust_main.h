// SPDX-License-Identifier: Apache-2.0
// ferry-agentd trust: libvirt's TLS on this host.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** `ferry-agentd trust`; argv[0] is "trust". What main returns. */
int ferry_agent_trust_main(int argc, char **argv);
/** The same right after a host has joined as `node`: sets TLS up where that is wanted and nobody
 * has done it before, and tells what came of it on standard output and standard error. */
void ferry_agent_trust_joined(const char *state_dir, const char *server, const char *node);

G_END_DECLS
