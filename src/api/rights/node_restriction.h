// SPDX-License-Identifier: Apache-2.0
// An agent's key is worth its host and no more.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** How much each node's agent may have logged and told; one for a server. Any thread. */
FerryNodeAccounts *ferry_node_accounts_new(void);
void ferry_node_accounts_free(FerryNodeAccounts *accounts); /* NULL is allowed */

/** Whether the agent that asks may change `old` into `object`: its epoch, and
 * model/agents/agent_rules.h. TRUE for everybody else. Puts the times that it gave into bounds, in
 * place. BAD_REQUEST, CONFLICT, FORBIDDEN, TOO_LARGE; what is refused is logged, at a limited rate.
 * The sessions' lock is held. */
gboolean ferry_node_restriction_check(FerryRequest *req, const json_t *old, json_t *object,
                                      GError **error);

/** Fits an Event of an agent (its host's name, one name for one story) and judges it: it must be
 * about the agent's Node, a VM on its host or a migration that names it. TRUE for everybody else.
 * FORBIDDEN, TOO_MANY_REQUESTS. */
gboolean ferry_node_restriction_event(FerryRequest *req, json_t *event, GError **error);
/** What is to be stored in place of another Event where this agent has told the same already: that
 * one with its count and lastTimestamp, a new object. NULL: it has not. `event` was judged. */
json_t *ferry_node_restriction_repeat(const FerryRequest *req, const json_t *event);

G_END_DECLS
