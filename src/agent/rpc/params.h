// SPDX-License-Identifier: Apache-2.0
// The parameters of the local socket's verbs, under oVirt's names. Pure.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

#define FERRY_LOCAL_MAX_RUNNING 8

/** Whether `params` are such as `method` takes; INVALID names the first that is not. */
gboolean ferry_local_check(const char *method, const json_t *params, GError **error);
/** vmID, or vmId; borrowed. */
const char *ferry_local_vm_of(const json_t *params);
/** Whether migrate's parameters name a file to save the VM to in place of a host. */
gboolean ferry_local_is_file(const json_t *params);
/** migrateChangeParams' as the fields of an entry of status.changes. A new reference. */
json_t *ferry_local_change_fields(const json_t *params);
/** The object of a migration as the server would have made it, from migrate's parameters; where
 * these have no migrationProgressTimeout, `progress_timeout_s` holds (0: none). NULL with INVALID
 * naming what is wrong. */
json_t *ferry_local_object(const json_t *params, gint64 progress_timeout_s, GError **error);

G_END_DECLS
