// SPDX-License-Identifier: Apache-2.0
// What left a host when it was drained, and its way home.
#pragma once
#include "cli/core/resource.h"

G_BEGIN_DECLS

/** Asks for a migration to `host` of each VM that an Evacuation of that host (or kubectl drain) has
 * moved away and that still runs where it was moved to; one that somebody moved on since, that has
 * stopped or that moves now is left alone. In all namespaces. What is refused is told on stderr,
 * with the VM's name; `refused` gets how many are. Elements json_t*; NULL with an error. */
GPtrArray *ferry_bring_back(FerryCli *cli, const char *host, guint *refused, GError **error);

G_END_DECLS
