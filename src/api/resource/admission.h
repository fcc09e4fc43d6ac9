// SPDX-License-Identifier: Apache-2.0
// Rules of single kinds that need more than the object itself.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** One lock a kind that needs one; any thread. */
FerryAdmission *ferry_admission_new(void);
void ferry_admission_free(FerryAdmission *admission); /* NULL is allowed */
/** What a write of req's kind holds from its admission to its commit, where that looks at other
 * objects and both are one step; `creates`: of a new object. NULL: nothing. */
GMutex *ferry_admit_lock(const FerryRequest *req, gboolean creates);
/** Kind-specific rules for a create; may change `object`. */
gboolean ferry_admit_create(FerryRequest *req, json_t *object, GError **error);
/** The same for an update of what is stored as `old`. */
gboolean ferry_admit_update(FerryRequest *req, const json_t *old, json_t *object, GError **error);
/** Before a delete; may give a changed object to store instead (in `*instead`, a new reference). */
gboolean ferry_admit_delete(FerryRequest *req, const json_t *object, json_t **instead,
                            GError **error);

G_END_DECLS
