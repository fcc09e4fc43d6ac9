// SPDX-License-Identifier: Apache-2.0
// What an agent may do by itself, besides what bindings give to it.
#pragma once
#include "api/auth/access.h"
#include "api/http/api.h"

G_BEGIN_DECLS

/** Whether the agent of `node` may do it. Any thread. */
gboolean ferry_node_rules_allow(FerryApi *api, const char *node, const FerryAccess *access);
/** The same as rules of a role. New reference. */
json_t *ferry_node_rules_list(void);

G_END_DECLS
