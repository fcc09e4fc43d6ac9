// SPDX-License-Identifier: Apache-2.0
// Rules of roles against a request and against each other. Pure; a rule is an element of `rules` of
// a Role or ClusterRole, as it is stored.
#pragma once
#include "api/auth/access.h"
#include "api/http/api.h"

G_BEGIN_DECLS

/** Whether one rule allows the request, as Kubernetes defines it. `access->ns` is not looked at:
 * where a rule holds is the binding's business. */
gboolean ferry_rbac_rule_covers(const json_t *rule, const FerryAccess *access);

/** Whether `owned` (rules, json_t *) hold everything that `wanted` (a list of rules) says, each of
 * its combinations by one rule. `missing` gets the first one that is lacking, as a rule's text;
 * free with g_free. A list of more than FERRY_RBAC_MAX_RIGHTS combinations is never covered. */
gboolean ferry_rbac_rules_cover(const GPtrArray *owned, const json_t *wanted, char **missing);
#define FERRY_RBAC_MAX_RIGHTS 20000

G_END_DECLS
