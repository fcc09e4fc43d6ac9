// SPDX-License-Identifier: Apache-2.0
// The agent of one host: reports its domains, moves them when ferryd says so.
#pragma once
#include "agent/core/options.h"
#include "agent/core/workers.h"
#include "agent/migration/state/ports.h"
#include "client/client.h"
#include "host/port/host.h"

G_BEGIN_DECLS

typedef struct _FerryAgent FerryAgent;

/** An agent for `host` (taken over). `notify` is called in a thread of the agent: "ready" after the
 * first full report was accepted, "fatal" when it can't go on (a newer agent has this node).
 * `config` NULL: there is no ferryd. */
FerryAgent *ferry_agent_new(const FerryAgentOptions *options, const FerryClientConfig *config,
                            FerryHost *host, void (*notify)(const char *what, gpointer data),
                            gpointer data);
/** Starts its threads. Once. */
void ferry_agent_start(FerryAgent *agent);
/** Whether its threads were alive lately; what the watchdog is fed from. Any thread. */
gboolean ferry_agent_alive(FerryAgent *agent);
/** Ends its threads. Running migrations go on in libvirt; the next agent adopts them. */
void ferry_agent_free(FerryAgent *agent);

/** What its migrations are made of, and the table they stand in: for whoever starts one by hand, as
 * simulations do. Both are the agent's. */
const FerryMigrationPorts *ferry_agent_ports(const FerryAgent *agent);
/** The table that its migrations stand in; the agent's own. */
FerryWorkers *ferry_agent_workers(const FerryAgent *agent);

G_END_DECLS
