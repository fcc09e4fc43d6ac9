// SPDX-License-Identifier: Apache-2.0
// Which way a migration's data takes from this host, as its kernel says at this moment, and whether
// that is the network which the migration's status names. Any thread.
#pragma once
#include "base/json.h"
#include "host/machine/interfaces.h"
#include "host/port/host.h"

G_BEGIN_DECLS

/** The way from this host to the IP address `to`. FALSE: there is none, or it does not go over the
 * network that the status of `migration` (NULL: none) names; the error names the route that is
 * missing, and what would be taken instead (CONFLICT; UNAVAILABLE: nothing would). */
gboolean ferry_ways_to(const json_t *migration, const char *to, FerryHostWay *way, GError **error);

/** The ways of all of the migration's connections, for status.migrationState.ways: a new list of
 * {carries, address, interface, source, gateway}. A name in a URI is resolved, which may take its
 * time; one that nobody knows is left out, as is what goes over no network (offline, unix).
 * NULL: one of them is as ferry_ways_to says. */
json_t *ferry_ways_look(const json_t *migration, const FerryMigrateRequest *request,
                        GError **error);

G_END_DECLS
