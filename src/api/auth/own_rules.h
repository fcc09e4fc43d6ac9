// SPDX-License-Identifier: Apache-2.0
// What one may do, as a list.
#pragma once
#include "api/http/api.h"

G_BEGIN_DECLS

/** The rules of a user in a namespace (NULL: everywhere) for SelfSubjectRulesReview: a new list of
 * resourceRules, or of nonResourceRules. */
json_t *ferry_authz_rules(FerryApi *api, const FerryUser *user, const char *ns, gboolean urls);
/** Whether such a resource is in a namespace (a Namespace is in itself); TRUE where nobody knows
 * it: what is not is asked for everywhere, whatever namespace is named with it. */
gboolean ferry_authz_in_namespaces(FerryApi *api, const char *group, const char *resource);

G_END_DECLS
