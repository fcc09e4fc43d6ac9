// SPDX-License-Identifier: Apache-2.0
// Users of an OpenID Connect provider, by its tokens.
#pragma once
#include "api/oidc/jwks.h"
#include "api/oidc/oidc_config.h"
#include "api/http/user.h"
#include "base/error.h"

G_BEGIN_DECLS

typedef struct FerryOidc FerryOidc;

/** Bounds on what a token says: how many groups, and the bytes of each name with its prefix. */
#define FERRY_OIDC_MAX_GROUPS 64
#define FERRY_OIDC_MAX_NAME 256

/** Checks the configuration, copies it, and begins to hold the provider's keys. BAD_REQUEST naming
 * the option that is wrong; where keys come by URL, that they can't be had now is no error. */
FerryOidc *ferry_oidc_new(const FerryOidcConfig *config, GError **error);
void ferry_oidc_free(FerryOidc *oidc);
/** The user of `token`, whose credential is "oidc ISSUER SUBJECT". Never waits for the provider:
 * where the token's key is not known yet, it is asked for in the background. UNAUTHORIZED saying
 * why. Any thread. */
FerryUser *ferry_oidc_user(FerryOidc *oidc, const char *token, gint64 now_ms, GError **error);
/** The user that verified claims tell of; pure. UNAUTHORIZED. */
FerryUser *ferry_oidc_user_of_claims(const FerryOidcConfig *config, const json_t *claims,
                                     gint64 now_ms, GError **error);

G_END_DECLS
