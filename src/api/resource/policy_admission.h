// SPDX-License-Identifier: Apache-2.0
// Admission of MigrationPolicy and KubeVirt objects, and the policies that Ferry ships.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** Rules of a new MigrationPolicy; a row of the table in admission.c. FALSE with INVALID and a
 * cause for each field. */
gboolean ferry_admit_policy_create(FerryRequest *req, json_t *object, GError **error);
/** The same of one that changes from `old`. */
gboolean ferry_admit_policy_update(FerryRequest *req, const json_t *old, json_t *object,
                                   GError **error);

/** Where the deleted `object` is a preset, adds the write that makes it anew to `writes`; `keep`
 * gets an array that owns what that points at. req->write.told says so. */
void ferry_policy_restore(FerryRequest *req, const json_t *object, GArray *writes, GPtrArray *keep);

/** Makes the presets MigrationPolicy objects, and renews those of an older Ferry. A policy of
 * somebody's own by the same name is left alone. */
gboolean ferry_api_make_presets(FerryApi *api, GError **error);

G_END_DECLS
