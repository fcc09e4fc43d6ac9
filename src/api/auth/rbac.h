// SPDX-License-Identifier: Apache-2.0
// The authoriser made of the stored roles and bindings. rbac.c judges, rbac_shipped.c writes the
// roles that come with Ferry, rbac_grant.c keeps people from granting what they do not have.
#pragma once
#include "api/auth/access.h"
#include "api/http/api.h"
#include "api/auth/rbac_rules.h"

G_BEGIN_DECLS

/** Prepares the authoriser of `api`; the store must be open. */
void ferry_rbac_start(FerryApi *api);
/** Frees what ferry_rbac_start made, when no request is served any more. */
void ferry_rbac_stop(FerryApi *api);

/** Whether a binding gives this to the user. Any thread; what was committed before is seen. */
gboolean ferry_rbac_allows(FerryApi *api, const FerryUser *user, const FerryAccess *access);

/** A number that changes with the roles and bindings, as they are now. Any thread. */
guint64 ferry_rbac_generation(FerryApi *api);

/** The rules that hold for the user in `ns` (NULL: those that hold everywhere only); their elements
 * are references that the array owns. */
GPtrArray *ferry_rbac_rules_of(FerryApi *api, const FerryUser *user, const char *ns);

/** Makes the roles and bindings that Ferry ships, or puts them right, at start. */
gboolean ferry_rbac_ship(FerryApi *api, GError **error);

/** Admission of a new role or binding: nobody grants what he lacks. FALSE with FORBIDDEN. */
gboolean ferry_rbac_admit_create(FerryRequest *req, json_t *object, GError **error);
/** The same of one that changes from `old`. */
gboolean ferry_rbac_admit_update(FerryRequest *req, const json_t *old, json_t *object,
                                 GError **error);

G_END_DECLS
