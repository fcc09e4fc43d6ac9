// SPDX-License-Identifier: Apache-2.0
// Every TCP connection of the server: whose it is, what it is doing, how long it may. Any thread.
#pragma once
#include "api/http/limits.h"

#include <sys/socket.h>

G_BEGIN_DECLS

typedef enum {
  FERRY_CONN_SILENT,    /* not one byte yet: held by the acceptor, not by the HTTP library */
  FERRY_CONN_HANDSHAKE, /* TLS */
  FERRY_CONN_HEADER,
  FERRY_CONN_BODY,
  FERRY_CONN_WORK,   /* ours to answer */
  FERRY_CONN_ANSWER, /* theirs to read */
  FERRY_CONN_STREAM, /* the same, of an answer without an end */
  FERRY_CONN_IDLE,   /* between two requests */
} FerryConnPhase;
#define FERRY_CONN_PHASES (FERRY_CONN_IDLE + 1)

/** Why a connection was ended. */
typedef enum {
  FERRY_END_HANDSHAKE, /* deadlines */
  FERRY_END_HEADER,
  FERRY_END_BODY,
  FERRY_END_ANSWER,
  FERRY_END_STREAM,
  FERRY_END_IDLE,
  FERRY_END_CROWDED_ADDRESS, /* gave way to a newer one of its address */
  FERRY_END_CROWDED,         /* gave way to any newer one */
  FERRY_END_CROWDED_USERS,   /* of the user with most: gave way to one of a user with fewer */
  FERRY_END_IDENTITY,        /* its user has too many */
  FERRY_END_FULL,            /* all users together have */
  FERRY_END_MALFORMED,       /* no HTTP, or not to be understood in one way only */
  FERRY_END_PROXY,           /* a PROXY header that is not good */
} FerryEnd;
#define FERRY_ENDS (FERRY_END_PROXY + 1)

typedef struct FerryConnections FerryConnections;
typedef struct FerryConn FerryConn;

/** None yet. `limits` is copied. */
FerryConnections *ferry_connections_new(const FerryHttpLimits *limits);
/** All must have been removed. */
void ferry_connections_free(FerryConnections *all);

/** A connection that was just accepted. Where strangers' share is used up, the oldest of those that
 * have done least gives way. Never NULL; borrowed until ferry_connections_remove. `fd` stays the
 * caller's, who closes it only after the removal: until then it may be shut down at any time. */
FerryConn *ferry_connections_add(FerryConnections *all, int fd, const struct sockaddr *peer,
                                 gint64 now_us);
/** The connection is another's than it seemed (PROXY protocol). */
void ferry_connections_set_peer(FerryConnections *all, FerryConn *c, const struct sockaddr *peer);
/** The connection with this descriptor; NULL: none. */
FerryConn *ferry_connections_find(FerryConnections *all, int fd);
/** The connection is closed by who added it, and `c` is freed. */
void ferry_connections_remove(FerryConnections *all, FerryConn *c);

/** `c` is about to be given to the HTTP library, which may fail, close it and say nothing: its
 * entry goes then by itself, and `c` is not to be used any more. FALSE: no descriptor is free to
 * watch over that; `c` is still the caller's, to remove and close. */
gboolean ferry_connections_hand(FerryConnections *all, FerryConn *c, gint64 now_us);
/** The HTTP library has taken the connection with this descriptor, and will have it removed before
 * it closes it. NULL: none is known. */
FerryConn *ferry_connections_take(FerryConnections *all, int fd);

/** What it does now. */
void ferry_connections_phase(FerryConnections *all, FerryConn *c, FerryConnPhase phase,
                             gint64 now_us);
/** Whose it is, once that is known; FALSE: there is no room for another one of this user. Where all
 * users' share is used up, one of the user who has most gives way to a user who has fewer. */
gboolean ferry_connections_identify(FerryConnections *all, FerryConn *c, const char *identity);
/** Ends those whose time is over. */
void ferry_connections_reap(FerryConnections *all, gint64 now_us);
/** Counts an end that somebody else brings about. */
void ferry_connections_count_end(FerryConnections *all, FerryEnd end);
/** Prometheus text. */
void ferry_connections_put_metrics(FerryConnections *all, GString *out);

/** "ADDR:PORT". It changes only before the connection's first request; owned by `c`. */
const char *ferry_conn_peer(const FerryConn *c);
/** The name under which budgets count that address ("address:..."). As ferry_conn_peer. */
const char *ferry_conn_address(const FerryConn *c);

G_END_DECLS
