// SPDX-License-Identifier: Apache-2.0
// Watching one migration to its end.
#pragma once
#include "cli/core/resource.h"

G_BEGIN_DECLS

typedef enum {
  FERRY_FOLLOW_ENDED,       /* Succeeded or Failed: look at the object */
  FERRY_FOLLOW_LEFT,        /* the person chose to leave it running */
  FERRY_FOLLOW_INTERRUPTED, /* Ctrl-C without a terminal to ask on */
  FERRY_FOLLOW_GONE,        /* the object was deleted before it ended */
  FERRY_FOLLOW_ERROR,       /* the server could not be reached for too long, or refused */
} FerryFollowEnd;

/** Watches the migration `*object` (a new reference each time it changes; the caller's reference is
 * consumed and replaced) from its resourceVersion until it ends. Unless `quiet`, prints a live line
 * on a terminal, else a line at each transition and every 2 s. A server that goes away is tried
 * again for 60 s. While it runs SIGINT is caught. */
FerryFollowEnd ferry_follow(FerryCli *cli, json_t **object, gboolean quiet, GError **error);

/** PUTs the cancel of a migration; returns the object after it (new reference), or NULL. */
json_t *ferry_follow_cancel(FerryCli *cli, const json_t *object, GError **error);

G_END_DECLS
