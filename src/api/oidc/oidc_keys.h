// SPDX-License-Identifier: Apache-2.0
// Where a provider's keys come from: a file, or a URL that a thread of its own fetches.
#pragma once
#include "api/oidc/jwks.h"
#include "api/oidc/oidc_config.h"

G_BEGIN_DECLS

typedef struct FerryOidcKeys FerryOidcKeys;

/** Reads the file, or starts to fetch. `config` is borrowed until ferry_oidc_keys_stop. BAD_REQUEST
 * where the file holds no keys or a URL is not allowed. */
FerryOidcKeys *ferry_oidc_keys_start(const FerryOidcConfig *config, GError **error);
/** Ends a fetch under way. NULL is allowed. */
void ferry_oidc_keys_stop(FerryOidcKeys *keys);
/** A new reference to the keys that are known now; NULL: none yet. Reads a file that has changed,
 * at most twice a second; never waits for the network. Any thread. */
FerryJwks *ferry_oidc_keys_get(FerryOidcKeys *keys);
/** A key was missing: fetches again, in the background and not too often. TRUE where a fetch is
 * under way or about to begin. */
gboolean ferry_oidc_keys_want(FerryOidcKeys *keys);
/** Whether keys may be fetched from there: https, or http on this machine, and nobody's password.
 */
gboolean ferry_oidc_keys_url_is_safe(const char *url);

G_END_DECLS
