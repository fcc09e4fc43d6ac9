// SPDX-License-Identifier: Apache-2.0
// What the source's agent does while it is not known who has the VM (agent/twin/ambiguity.h).
#pragma once
#include "agent/migration/state/running.h"
#include "agent/twin/ambiguity.h"

G_BEGIN_DECLS

/** The hypervisor resumed the guest after the switch-over had begun: suspends it until it is known
 * why. Does nothing where it did not. */
void ferry_doubt_guard(FerryRunning *run);
/** It is not known yet which host has it, as settle.c finds and finish.c waits for; or it is. */
void ferry_doubt_set_open(FerryRunning *run, gboolean open);
/** The copy here may run: it is guarded no more. */
void ferry_doubt_unguard(FerryRunning *run);
/** Whether this host has suspended the guest, which is in `state`, in doubt: also by a call that
 * was given up and was carried out later, or by an agent that this one has replaced. */
gboolean ferry_doubt_holds(const FerryRunning *run, const FerryDomainState *state);
/** Whether a call to suspend it was given up and may be carried out yet. */
gboolean ferry_doubt_is_late(const FerryRunning *run);
/** After the call has failed with `error`, with the domain in `state` here: makes sure that the
 * guest does not run here if it may run there. TRUE: it is in doubt. */
gboolean ferry_doubt_arises(FerryRunning *run, const GError *error, FerryDomainState *state);
/** Whether the VM is in post-copy, or was when the call ended with the domain in `state` here:
 * post-copy that was asked for came too late where libvirt has resumed the guest, which in
 * post-copy it never does, or left it as the switch-over had paused it. */
gboolean ferry_doubt_is_post_copy(FerryRunning *run, const FerryDomainState *state);
/** One look at a migration that an agent before this one began, which goes on: `stats`, then
 * `state` were read. libvirt's word that it resumed the guest stays the domain's reason, so it may
 * be about an earlier migration's switch-over: that is so once memory has been sent after it was
 * seen. */
void ferry_doubt_see(FerryRunning *run, const FerryJobStats *stats, const FerryDomainState *state);
/** After a migration of which no agent heard the end, as it was adopted or its call was lost with
 * the connection: libvirt has resumed the guest here after its switch-over, and the target's copy
 * may run, or go on yet where it waits. TRUE: the one here is suspended now, or will be by a call
 * that is late, until that is known. */
gboolean ferry_doubt_may_run_twice(FerryRunning *run, const FerryDomainState *state);
/** The guest was suspended in doubt of which nothing is left: it goes on. Waits for a call to
 * suspend it that is late. */
void ferry_doubt_withdraw(FerryRunning *run);
/** Goes on with the doubt of an agent before this one, if it left one: by the migration's record or
 * by this host's own. */
gboolean ferry_doubt_recall(FerryRunning *run);
/** Asks the target and reads the migration's record, for at most `patience_ms` (-1: until the agent
 * ends), and does what follows: resumes the guest here, or destroys the copy here.
 * FERRY_AMBIGUITY_OPEN: not answered yet; FERRY_AMBIGUITY_LET_GO: not answered, and somebody else
 * has let the copy here go on, which is no business of this migration any more. */
FerryAmbiguityAnswer ferry_doubt_resolve(FerryRunning *run, gint64 patience_ms);
/** After the job was opened for a doubt that was recalled: whether it is over, since this host's
 * own book has forgotten it and the copy runs. ferryd may say otherwise for as long as the last
 * word is on its way, and meanwhile a later migration may have suspended the copy for reasons of
 * its own. Says so, then. */
gboolean ferry_doubt_is_stale(FerryRunning *run);

G_END_DECLS
