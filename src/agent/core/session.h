// SPDX-License-Identifier: Apache-2.0
// The session with ferryd: its epoch, the certificate that is in use, and connections to share.
//
// Order of locks: the context's is taken inside the session's; no other is.
#pragma once
#include "agent/core/context.h"
#include "client/client.h"

G_BEGIN_DECLS

typedef struct _FerryAgentSession FerryAgentSession;

/** `config` is copied; NULL: there is no ferryd, and the epoch is 1. */
FerryAgentSession *ferry_session_new(FerryAgentContext *context, const FerryClientConfig *config);
/** When no thread uses it any more. */
void ferry_session_free(FerryAgentSession *session);

/** How ferryd is reached at present, good until the session is freed; NULL: there is none. */
const FerryClientConfig *ferry_session_config(FerryAgentSession *session);
/** Uses `config` (taken) from now on; who has a client goes on with it until it is refreshed. */
void ferry_session_set_config(FerryAgentSession *session, FerryClientConfig *config);

/** A session was begun with that epoch. */
void ferry_session_begin(FerryAgentSession *session, gint64 epoch);
/** The session's epoch, waiting for one; 0 when the agent stops. */
gint64 ferry_session_epoch(FerryAgentSession *session);
/** The same without waiting; 0: no session was begun yet. */
gint64 ferry_session_epoch_now(FerryAgentSession *session);

/** A client for this thread's use, with its connection where one is idle. */
FerryClient *ferry_session_take_client(FerryAgentSession *session);
/** Gives a client back that ferry_session_take_client gave (taken): the next who wants one gets
 * its connection. */
void ferry_session_give_client(FerryAgentSession *session, FerryClient *client);
/** Replaces `*client` where the agent's certificate, or its server, is another one by now. */
void ferry_session_refresh_client(FerryAgentSession *session, FerryClient **client);

G_END_DECLS
