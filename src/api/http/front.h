// SPDX-License-Identifier: Apache-2.0
// What a request passes on its way in: the connection's budget, its user's allowance, the queue of
// its level. One for all listeners of a server.
#pragma once
#include "api/http/request.h"
#include "api/http/connections.h"
#include "api/http/flow.h"

G_BEGIN_DECLS

/** Gives a connection to the `listener` that ferry_front_listen named; FALSE: it takes none. */
typedef gboolean (*FerryHandFunc)(gpointer listener, int fd, const struct sockaddr *peer,
                                  socklen_t peer_len);

/** `proxies`: NULL-ended texts ADDR[/PREFIX], may be NULL; BAD_REQUEST names one that is wrong. */
FerryFront *ferry_front_new(FerryApi *api, const FerryHttpLimits *limits,
                            const char *const *proxies, FerryHandFunc hand, GError **error);
/** Hands connections on from now on; all listeners have been made. */
void ferry_front_start(FerryFront *front);
/** Takes no new connections any more. */
void ferry_front_stop(FerryFront *front);
/** After ferry_front_stop and the end of all listeners. NULL is allowed. */
void ferry_front_free(FerryFront *front);
/** One more listening socket, taken over; its connections go to `hand` with `listener`. */
void ferry_front_listen(FerryFront *front, int fd, gpointer listener);
/** Its connections; as long as the front lives. */
FerryConnections *ferry_front_connections(FerryFront *front);
/** With the defaults in place; as long as the front lives. */
const FerryHttpLimits *ferry_front_limits(const FerryFront *front);
/** Connections that the HTTP library has to be ready for. */
guint ferry_front_most_connections(const FerryFront *front);

/** Decides on a request whose user (or that there is none) is known: chooses its level and takes
 * its allowance. FALSE: it was answered with 429. */
gboolean ferry_front_admit(FerryRequest *req);
/** Charges the client's address for a request that named a credential that isn't good. */
gboolean ferry_front_admit_stranger(FerryRequest *req);
/** Gives the allowance back, if it was taken; can be called again. */
void ferry_front_release(FerryRequest *req);
/** Answers an admitted request: on the spot, where that is quick (TRUE), or on a thread of its
 * level, with the connection suspended (FALSE). */
gboolean ferry_front_answer(FerryRequest *req);
/** Prometheus text. */
void ferry_front_put_metrics(FerryFront *front, GString *out);

G_END_DECLS
