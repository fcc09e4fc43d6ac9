// SPDX-License-Identifier: Apache-2.0
// Tokens that an administrator wrote: STATE/tokens.json.
#pragma once
#include "api/http/api.h"

G_BEGIN_DECLS

/** Reads it where it is there; the error names it and the entry. */
FerryTokenFile *ferry_token_file_open(const char *state_dir, GError **error);
void ferry_token_file_free(FerryTokenFile *file);
/** The user of the token with this SHA-256 (hexadecimal), by what the file says now, to half a
 * second. NULL: none. New reference; any thread. */
FerryUser *ferry_token_file_find(FerryTokenFile *file, const char *hash);

G_END_DECLS
