// SPDX-License-Identifier: Apache-2.0
// Sees to it that the network keeps a VM that arrives on this host: its connections, where hosts
// filter by their state (flow_gate.h), and its place (place_notice.h). What was not as it should be
// is told by an Event.
//
// Nothing depends on it: where it can do nothing, the VM arrives all the same.
#pragma once
#include "agent/link/arrival_ports.h"

G_BEGIN_DECLS

typedef struct _FerryLanding FerryLanding;

/** `ports` is copied; before any thread of the agent starts. */
FerryLanding *ferry_landing_new(const FerryArrivalPorts *ports);
/** After the context was stopped: joins its threads. Events may come still. NULL is fine. */
void ferry_landing_stop(FerryLanding *landing);
/** The same, once no event comes any more. */
void ferry_landing_free(FerryLanding *landing);

/** A migration that names this node was seen (the type of the watch's event, and the object). One
 * thread alone. */
void ferry_landing_see(FerryLanding *landing, const char *type, const json_t *migration);
/** Joins threads that have ended; by the same thread. */
void ferry_landing_sweep(FerryLanding *landing);
/** Something happened to a domain here; any thread, quick. */
void ferry_landing_event(FerryLanding *landing, const FerryHostEvent *event);

G_END_DECLS
