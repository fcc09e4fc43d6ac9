// SPDX-License-Identifier: Apache-2.0
// Users, and the credentials that they are given.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** POST .../users/NAME/(token|certificate|revoke) */
gboolean ferry_serve_user_action(FerryRequest *req, GError **error);
/** The user of a bearer token that users/token made; NULL with UNAUTHORIZED, or without an error
 * where `token` has not the form of one. */
FerryUser *ferry_user_of_token(FerryApi *api, const char *token, GError **error);
/** Groups and User of a certificate's name, where its record says that it was given to a User. */
FerryUser *ferry_user_of_record(FerryApi *api, const json_t *record, GError **error);
/** Admission of a User that is created (`old` NULL) or changed: neither its name nor its groups are
 * Ferry's own. FALSE with INVALID and a cause for each field. */
gboolean ferry_admit_user(FerryRequest *req, const json_t *old, json_t *object, GError **error);

G_END_DECLS
