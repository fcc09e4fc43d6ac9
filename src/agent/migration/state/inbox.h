// SPDX-License-Identifier: Apache-2.0
// What other threads have for a migration's worker: the watch thread its object's changes, the
// driver's threads events and the call's return; and what they ask of it.
//
// Order of locks: the inbox's own is taken inside the table's of workers; inside it none is.
#pragma once
#include "base/json.h"
#include "host/port/host.h"

G_BEGIN_DECLS

typedef struct _FerryInbox FerryInbox;

/** Empty; freed when no other thread knows it any more. */
FerryInbox *ferry_inbox_new(void);
void ferry_inbox_free(FerryInbox *inbox);

/* By others. */
/** The object changed: a cancel, changes, or where to measure may be in it. */
void ferry_inbox_update(FerryInbox *inbox, const json_t *object);
/** An event of the hypervisor about the migration's domain; it is copied as far as it matters. */
void ferry_inbox_event(FerryInbox *inbox, const FerryHostEvent *event);
/** libvirt's call has returned; `inbox` is a FerryInbox (FerryMigrateDone). */
void ferry_inbox_return(const GError *error, gpointer inbox);
/** How far the migration is: when the guest was paused for the switch-over (monotonic; 0: not yet),
 * and whether post-copy has begun or was asked for. */
void ferry_inbox_stage(FerryInbox *inbox, gint64 *switchover_us, gboolean *post_copy);
/** Why the migration is about to end: a reason (static) and words (copied). The first counts. */
void ferry_inbox_blame(FerryInbox *inbox, const char *reason, const char *text);
/** The target's hypervisor acknowledges nothing of what this host's sends it (its words, copied),
 * or does again (NULL). */
void ferry_inbox_control(FerryInbox *inbox, const char *text);
/** The domain's UUID, good until the inbox is freed; NULL: not known yet. */
const char *ferry_inbox_domain(FerryInbox *inbox);
/** Whether ferry_inbox_set_done was called: nothing more is to be given to it. */
gboolean ferry_inbox_is_done(FerryInbox *inbox);
/** Whether ferry_inbox_set_called said so. */
gboolean ferry_inbox_has_called(FerryInbox *inbox);

/* By the worker. */
/** Once. */
void ferry_inbox_set_domain(FerryInbox *inbox, const char *uuid);
/** The worker has handed its result in. */
void ferry_inbox_set_done(FerryInbox *inbox);
/** It is about to call libvirt, or has, or goes on with what another agent began; or it does not.
 */
void ferry_inbox_set_called(FerryInbox *inbox, gboolean called);
/** Whether the object asks for a cancel, as far as it was seen here. */
gboolean ferry_inbox_is_cancelled(FerryInbox *inbox);
/** Sleeps until something happened, at most `ms`. TRUE: the call has returned. A cancel is news
 * only where it was not `cancel_seen`. */
gboolean ferry_inbox_wait(FerryInbox *inbox, gint64 ms, gboolean cancel_seen);
/** The next change that is to be carried out; a new reference, NULL: none. */
json_t *ferry_inbox_take_change(FerryInbox *inbox);
/** The memory pass that was last told of; 0: none. */
int ferry_inbox_iteration(FerryInbox *inbox);
/** Where the target's agent measures the path; a new reference. NULL: not said within
 * `patience_ms`, cancelled, or `ended` (asked every 100 ms) said so. */
json_t *ferry_inbox_wait_probe(FerryInbox *inbox, gint64 patience_ms,
                               gboolean (*ended)(gpointer data), gpointer data);
/** Whether libvirt's call has returned and was not taken or forgotten since. */
gboolean ferry_inbox_has_returned(FerryInbox *inbox);
/** The same, with the call's error, which is the caller's from now on. */
gboolean ferry_inbox_take_call(FerryInbox *inbox, GError **error);
/** When the guest was resumed here after it was paused for the switch-over, monotonic; 0: it was
 * not. */
gint64 ferry_inbox_resumed_us(FerryInbox *inbox);
/** How often the hypervisor went away or came back so far: what happened in between nobody told. */
guint ferry_inbox_missed(FerryInbox *inbox);
/** What the migration's record says of copies in doubt: an object with that part of its status
 * (model/migration/doubt.h), the caller's. */
json_t *ferry_inbox_doubt(FerryInbox *inbox);
/** libvirt's word for why the domain stopped here, NULL: it did not, or was moved. Static. */
const char *ferry_inbox_stopped(FerryInbox *inbox);
/** Whether somebody has stored a definition of the domain here since this was last asked. */
gboolean ferry_inbox_take_defined(FerryInbox *inbox);
/** Post-copy is about to be asked for. */
void ferry_inbox_set_post_copy(FerryInbox *inbox);
/** What ferry_inbox_blame was told: the reason, and its words in `text`, good until the inbox is
 * freed. NULL: nothing. */
const char *ferry_inbox_blamed(FerryInbox *inbox, const char **text);
/** Whether ferry_inbox_control was called since this was last asked: `text` gets its words, NULL:
 * it answers again. Free with g_free. */
gboolean ferry_inbox_take_control(FerryInbox *inbox, char **text);
/** The call that returned was not the migration's end. */
void ferry_inbox_forget_call(FerryInbox *inbox);
/** The job's last numbers, waiting at most `ms` for them. FALSE: none came. */
gboolean ferry_inbox_completed(FerryInbox *inbox, gint64 ms, FerryJobStats *stats);

G_END_DECLS
