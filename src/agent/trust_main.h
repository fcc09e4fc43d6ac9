// SPDX-License-Identifier: Apache-2.0
// ferry-agentd trust: libvirt's TLS on this host.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** `ferry-agentd trust`; argv[0] is "trust". Sets TLS up where that is wanted and nobody else has
 * done it. What main returns. */
int ferry_agent_trust_main(int argc, char **argv);

G_END_DECLS
