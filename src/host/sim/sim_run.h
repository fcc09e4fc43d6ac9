// SPDX-License-Identifier: Apache-2.0
// Migrations of a world as time passes.
#pragma once
#include "host/sim/sim_base.h"

/** The world's thread: lets time pass for what is under way, gives out events. */
gpointer ferry_sim_world_thread(gpointer world);

/* In all below the world's lock is held. */

/** Brings one migration to now. May end (and free) it. */
void ferry_sim_transfer_run(FerrySimWorld *world, FerrySimTransfer *transfer);
/** Brings all migrations to now; any of them may end. */
void ferry_sim_world_run(FerrySimWorld *world);
/** Begins; the links are shared anew. */
void ferry_sim_transfer_begin(FerrySimWorld *world, FerrySimTransfer *transfer);
/** Ends it unfinished: CANCELLED, or FAILED out of post-copy. Takes `error`, which the call
 * returns. Frees it. */
void ferry_sim_transfer_break(FerrySimWorld *world, FerrySimTransfer *transfer, GError *error);
/** The call returns, and the transfer goes on without one. Takes `error`. */
void ferry_sim_transfer_return(FerrySimWorld *world, FerrySimTransfer *transfer, GError *error);
/** Gives each migration its share of both hosts' links. */
void ferry_sim_share_links(FerrySimWorld *world);
/** Numbers in the callers' time, as libvirt names them. */
void ferry_sim_transfer_stats(const FerrySimWorld *world, const FerrySimTransfer *transfer,
                              gboolean incoming, FerryJobStats *out);
