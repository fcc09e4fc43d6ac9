// SPDX-License-Identifier: Apache-2.0
// The source's half of what becomes of a VM's connections where hosts filter by their state: while
// it moves, a thread of its own reads which connections of the VM this host tracks, and writes them
// into the migration's record (status.migrationState.flows) for the target's agent
// (flow_gate.h): at the beginning, whenever they change, and once more when the guest was paused
// for the switch-over.
//
// Which addresses are the VM's nobody has to say: those that this host tracks are asked for at the
// VM's own port of the bridge (ARP), and those that are answered by the VM's MAC address are.
#pragma once
#include "agent/link/delivery.h"
#include "host/port/host.h"

G_BEGIN_DECLS

typedef struct FerryFlowSource FerryFlowSource;

/** For the domain `uuid`, which runs here, and the migration `object` (read now). `host` and
 * `delivery` are borrowed until ferry_flow_source_stop. NULL: the host can't be looked into from
 * here. */
FerryFlowSource *ferry_flow_source_start(FerryHost *host, FerryDelivery *delivery, const char *uuid,
                                         const json_t *object);
/** The guest is paused for the switch-over: what there is now is the last. Once is enough. */
void ferry_flow_source_switch(FerryFlowSource *flows);
/** Joins its thread. NULL is fine. */
void ferry_flow_source_stop(FerryFlowSource *flows);

G_END_DECLS
