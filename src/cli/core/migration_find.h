// SPDX-License-Identifier: Apache-2.0
// The migration that a word on the command line means.
#pragma once
#include "cli/core/cli.h"
#include <jansson.h>

G_BEGIN_DECLS

/** The migration named `word`, or of the VM `word` (object, domain or UUID), in the namespace by
 * -n; one that has not ended is preferred, then the newest. NOT_FOUND where there is none; for a VM
 * without any, `without` ("; there is nothing to cancel") is appended. New reference. */
json_t *ferry_migration_find(FerryCli *cli, const char *word, const char *without, GError **error);

G_END_DECLS
