// SPDX-License-Identifier: Apache-2.0
// Nobody gives more than he has.
#pragma once
#include "api/http/api.h"

G_BEGIN_DECLS

/** Whether `granter` holds every right that a user of that name and groups has: nobody hands out a
 * credential that can do more than he can. FORBIDDEN naming what is missing. Any thread. */
gboolean ferry_rbac_user_covered(FerryApi *api, const FerryUser *granter, const char *name,
                                 const char *const *groups, GError **error);

G_END_DECLS
