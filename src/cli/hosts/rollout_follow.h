// SPDX-License-Identifier: Apache-2.0
// Following a Rollout to its end, with a hook for each host that is empty.
#pragma once
#include "cli/core/resource.h"

G_BEGIN_DECLS

/** Looks at `*object` (its reference is taken and replaced) until it has ended or somebody presses
 * Ctrl-C (watching.h), prints the hosts whose phase changes unless `quiet`, and runs the shell
 * command `hook` (NULL: none) here for each host that is empty. FALSE with an error: the hook
 * failed, and the rollout is stopped, or the server was away for too long. */
gboolean ferry_rollout_follow(FerryCli *cli, json_t **object, const char *hook, gboolean quiet,
                              GError **error);

G_END_DECLS
