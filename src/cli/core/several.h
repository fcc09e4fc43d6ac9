// SPDX-License-Identifier: Apache-2.0
// Verbs that do the same with several VMs.
#pragma once
#include "cli/core/resource.h"

G_BEGIN_DECLS

/** Names of the VMs that the verb's words name; without words of all, or by -l and --from HOST
 * (where the verb has those options) of some. `active`: of the latter only those that run or are
 * paused. Elements char*; NULL with an error. */
GPtrArray *ferry_several_vms(FerryCli *cli, gboolean active, GError **error);
/** Whether each of the names is a VM's (its object's, its domain's or its UUID): NOT_FOUND names
 * the first that names no VM. */
gboolean ferry_several_check(FerryCli *cli, const GPtrArray *names, GError **error);
/** Of exit codes of several the worst: what failed, then what is refused. */
int ferry_several_worst(int worst, int code);
/** Looks at the `migrations` (elements json_t*, replaced by what they become) until all have ended
 * or Ctrl-C, and prints a line for each that has. A server that goes away is tried again for 60 s.
 * Returns the exit code; `moved` gets how many have succeeded. */
int ferry_several_follow(FerryCli *cli, GPtrArray *migrations, guint *moved);

G_END_DECLS
