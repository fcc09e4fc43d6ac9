// SPDX-License-Identifier: Apache-2.0
// --announce: tells the local network by DNS-SD where this ferryd serves.
#pragma once
#include "api/server.h"
#include "discovery/discovery.h"
#include "ferryd/options.h"

G_BEGIN_DECLS

typedef struct {
  FerryDiscovery *discovery; /* NULL: not announced */
  char *ca;                  /* of this control plane, whose own announcements are no peers */
} FerrydAnnounce;

/** Announces the first address of `api` that others can reach: `fds` are the inherited sockets, as
 * the API got them. INVALID where it serves on loopback addresses only. */
gboolean ferryd_announce_start(FerrydAnnounce *announce, const FerrydOptions *options,
                               const char *const *listen, const int *fds, gsize n_fds,
                               const FerryApi *api, GError **error);
/** "https://HOST:PORT" of other control planes that were discovered; any thread. Free with
 * g_strfreev. */
char **ferryd_announce_peers(const FerrydAnnounce *announce);
/** Takes the announcement back and clears what `announce` holds. */
void ferryd_announce_stop(FerrydAnnounce *announce);

G_END_DECLS
