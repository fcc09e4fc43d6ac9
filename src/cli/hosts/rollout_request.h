// SPDX-License-Identifier: Apache-2.0
// Finding a Rollout, and what is asked of it.
#pragma once
#include "cli/core/resource.h"

G_BEGIN_DECLS

/** The one of that name; without one that of `host`, without that the one under way, else the
 * newest. New reference; NULL with an error (NOT_FOUND: there is none). */
json_t *ferry_rollout_find(FerryCli *cli, const char *name, const char *host, GError **error);
/** A new one of the hosts that `selector` (NULL: all) chooses. New reference; NULL with the
 * server's error. */
json_t *ferry_rollout_post(FerryCli *cli, gint64 max_unavailable, const char *selector,
                           GError **error);
/** Says that `host` is done. Returns the rollout after it (new reference), NULL with an error
 * (CONFLICT: the host is not empty). */
json_t *ferry_rollout_put_done(FerryCli *cli, const json_t *object, const char *host,
                               GError **error);
/** Stops it or lets it go on. Returns the rollout after it (new reference), NULL with an error. */
json_t *ferry_rollout_put_paused(FerryCli *cli, const json_t *object, gboolean paused,
                                 GError **error);

G_END_DECLS
