// SPDX-License-Identifier: Apache-2.0
// Watches over the copies of VMs that arrive on this host, the target's half of what
// twin/ambiguity.h says: one that libvirtd resumes though its right to run is not known (arrival.h)
// is suspended at once, that is told, and it is found out whether it goes on or ends here. A
// person's word (migrationState.keepNode) is carried out, too.
//
// Nothing is asked of the hypervisor for a hand-over that both agents are heard of.
#pragma once
#include "agent/link/arrival_ports.h"

G_BEGIN_DECLS

typedef struct _FerryTwinGuard FerryTwinGuard;

/** Watches over nothing yet. `ports` is copied; before any thread of the agent starts. */
FerryTwinGuard *ferry_twin_guard_new(const FerryArrivalPorts *ports);
/** After the context was stopped: joins its threads. A copy that is in doubt stays suspended, for
 * the next agent. Events may come still. NULL is fine. */
void ferry_twin_guard_stop(FerryTwinGuard *guard);
/** The same, once no event comes any more. */
void ferry_twin_guard_free(FerryTwinGuard *guard);

/** A migration that names this node was seen (the type of the watch's event, and the object). One
 * thread alone. */
void ferry_twin_guard_see(FerryTwinGuard *guard, const char *type, const json_t *migration);
/** Joins threads that have ended; by the same thread. */
void ferry_twin_guard_sweep(FerryTwinGuard *guard);
/** Something happened to a domain here; any thread, quick. */
void ferry_twin_guard_event(FerryTwinGuard *guard, const FerryHostEvent *event);
/** The driver has its connection (again): events may have been missed meanwhile. Any thread. */
void ferry_twin_guard_connected(FerryTwinGuard *guard);

G_END_DECLS
