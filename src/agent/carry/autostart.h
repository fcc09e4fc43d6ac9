// SPDX-License-Identifier: Apache-2.0
// Whether a host starts the VM when it boots. libvirt leaves it on at the source and off at the
// target: the VM would not start where it is, and a source that dies and boots would start an old
// copy of it beside the one that has moved. So it is taken off before the call (during a migration
// libvirt makes such a change wait), and given to whoever has the VM in the end.
//
// What the migration's record says (migrationState.autostart) comes first, so that an agent that
// takes over gives it, too. A worker's thread's own; no lock.
#pragma once
#include "host/port/host.h"

G_BEGIN_DECLS

typedef struct {
  gboolean on; /* it had it before the migration began */
} FerryAutostart;

/** From the record: an earlier agent may have taken it off. */
void ferry_autostart_recall(FerryAutostart *autostart, const json_t *migration);
/** Looks whether the job's domain has it. */
void ferry_autostart_look(FerryAutostart *autostart, FerryHostJob *job);
/** Takes it off the source. What the hypervisor refuses is no reason not to move: FALSE then. */
gboolean ferry_autostart_take(const FerryAutostart *autostart, FerryHostJob *job, GError **error);

/** Where the VM is in the end, as far as hosts can be asked. */
typedef struct {
  FerryHost *host;
  FerryHostJob *job; /* may be NULL: the source has no such domain any more */
  const char *uuid;
  const char *peer_uri; /* the target's hypervisor */
  const char *target;   /* its name, for words; may be NULL */
} FerryAutostartPlace;
/** Gives it to the host that has the VM now: to the target where it is active there and not merely
 * being received beside one that goes on here, else back to the source, but never to a copy there
 * that was handed over. NULL: done, or there is nothing to give; else what a person should know and
 * do (free with g_free). */
char *ferry_autostart_give(FerryAutostart *autostart, const FerryAutostartPlace *place);

G_END_DECLS
