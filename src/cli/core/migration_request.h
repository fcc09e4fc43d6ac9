// SPDX-License-Identifier: Apache-2.0
// The VirtualMachineInstanceMigration that `migrate` and `check` ask for.
#pragma once
#include "cli/core/resource.h"

G_BEGIN_DECLS

/** The object by the verb's options (--to, --network, --policy, --preset, --max-downtime and those
 * of the table of migration flags; those that the verb lacks are absent). A bad value is an error
 * of G_OPTION_ERROR: usage. `host`: where to, instead of --to; may be NULL. New reference. */
json_t *ferry_migration_request_new(FerryCli *cli, const char *vm, const char *host,
                                    GError **error);
/** POSTs it (`dry_run`: only checks). NULL: the server refused or could not be reached. */
json_t *ferry_migration_request_post(FerryCli *cli, const json_t *request, gboolean dry_run,
                                     GError **error);
/** Tells an error of the POST on stderr; the exit code is 3 where a check refused it, else 1. */
int ferry_migration_request_fail(FerryCli *cli, const char *vm, GError *error);

G_END_DECLS
