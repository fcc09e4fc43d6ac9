// SPDX-License-Identifier: Apache-2.0
// What a local migration needs to outlive the agent, one file a VM in state_dir/local.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** Writes what the next agent has to know of a VM's migration into the state directory, or removes
 * it. A failure is logged: the migration goes on without. */
void ferry_local_keep(const char *state_dir, const char *vm, const json_t *record);
/** Removes what was written of that VM; nothing where there is nothing. */
void ferry_local_forget(const char *state_dir, const char *vm);
/** Calls `func` for each that is kept; those that cannot be read are left alone, and said. */
void ferry_local_kept(const char *state_dir,
                      void (*func)(const char *vm, const json_t *record, gpointer data),
                      gpointer data);

G_END_DECLS
