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

/** PUT of `body` on a subresource of `migration`; the answer, a new reference. */
json_t *ferry_migration_put(FerryCli *cli, const json_t *migration, const char *subresource,
                            const json_t *body, GError **error);
/** Asks for the migration anew until `done` holds, at most `ms`; `*migration` is replaced by what
 * was seen last. FALSE: it could not be asked for. */
gboolean ferry_migration_await(FerryCli *cli, json_t **migration, gint64 ms,
                               gboolean (*done)(const json_t *migration, gconstpointer data),
                               gconstpointer data, GError **error);

G_END_DECLS
