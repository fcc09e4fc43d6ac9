// SPDX-License-Identifier: Apache-2.0
// Agents that ferryd starts and supervises itself (--host).
#pragma once
#include "api/server.h"

G_BEGIN_DECLS

typedef struct FerrydHosts FerrydHosts;

/** Starts one ferry-agentd for each of `hosts` ("NAME=URI[,peer=URI]", NULL-ended) and restarts it
 * when it ends, after 1 s doubling to 30 s, unless its Node is deleted from `store`. Runs on
 * `context`, whose thread calls this and ferryd_hosts_stop. INVALID for a malformed host. */
FerrydHosts *ferryd_hosts_start(GMainContext *context, FerryApi *api, FerryStore *store,
                                const char *state_dir, const char *agent, const char *log_level,
                                const char *const *hosts, GError **error);
/** Whether `host` is written as ferryd_hosts_start takes it. Pure. */
gboolean ferryd_hosts_check(const char *host, GError **error);
/** From now on manages `hosts` (each checked): agents of others are ended, one that is managed at
 * another URI now is started anew, and those that are new are started. What was said of a host
 * whose Node was deleted holds until it has been left out once. */
void ferryd_hosts_reload(FerrydHosts *hosts, const char *const *wanted);
/** Ends the agents (SIGTERM, after 5 s SIGKILL) and waits for them. NULL is allowed. */
void ferryd_hosts_stop(FerrydHosts *hosts);

G_END_DECLS
