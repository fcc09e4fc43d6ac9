// SPDX-License-Identifier: Apache-2.0
// Who this agent is, and whether it goes on: every thread of it sleeps here and asks here.
//
// Order of locks: the context's is the innermost; nothing is called while it is held. What others
// wait for under a lock of their own is woken through ferry_context_add_waker.
#pragma once
#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _FerryAgentContext FerryAgentContext;

/** For the agent of `node`; what outlives it is kept in `state_dir`. `notify` is called in a thread
 * of the agent, see ferry_agent_new. */
FerryAgentContext *ferry_context_new(const char *node, const char *state_dir,
                                     void (*notify)(const char *what, gpointer data),
                                     gpointer data);
/** When no thread uses it any more. */
void ferry_context_free(FerryAgentContext *context);

/** The node's name. The context's own; it never changes. */
const char *ferry_context_node(const FerryAgentContext *context);
/** The folder for what outlives the agent. The context's own; it never changes. */
const char *ferry_context_state_dir(const FerryAgentContext *context);
/** Ends every request at shutdown. */
GCancellable *ferry_context_cancellable(FerryAgentContext *context);
/** Passes `what` on to the `notify` of ferry_context_new. Any thread. */
void ferry_context_notify(FerryAgentContext *context, const char *what);

/** `wake` is called, without the context's lock, each time the agent stops or becomes stale. Before
 * any thread of the agent starts. */
void ferry_context_add_waker(FerryAgentContext *context, void (*wake)(gpointer data),
                             gpointer data);
/** Ends all sleep and all requests, for good. */
void ferry_context_stop(FerryAgentContext *context);
/** Another agent has this node: nothing may be written any more. */
void ferry_context_set_stale(FerryAgentContext *context);
/** Whether the agent was told to stop. Any thread. */
gboolean ferry_context_is_stopped(FerryAgentContext *context);
/** Whether another agent has this node, also once this one is stopped. */
gboolean ferry_context_is_stale(FerryAgentContext *context);
/** Whether it is stopped or stale: nothing new may be begun. */
gboolean ferry_context_has_ended(FerryAgentContext *context);

/** Waits `ms` or until the agent stops; FALSE when it stops. */
gboolean ferry_context_sleep(FerryAgentContext *context, gint64 ms);
/** A pause in ms that doubles from 100 ms to 5 s with jitter; *backoff starts at 0. */
gint64 ferry_backoff_next(gint64 *backoff);
/** The same after `error` (may be NULL): who was refused asks less and less often, down to once a
 * minute. */
gint64 ferry_backoff_after(gint64 *backoff, const GError *error);

G_END_DECLS
