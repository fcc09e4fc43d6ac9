// SPDX-License-Identifier: Apache-2.0
// Accepts connections and hands them over once they say something.
#pragma once
#include "api/http/connections.h"
#include "api/http/proxy_protocol.h"

G_BEGIN_DECLS

typedef struct FerryAcceptor FerryAcceptor;

typedef struct {
  /** Takes a connection over with its descriptor, whose registration (ferry_connections_find) goes
   * on; FALSE: it could not, and has closed the descriptor. In the acceptor's thread. */
  gboolean (*hand)(gpointer listener, int fd, const struct sockaddr *peer, socklen_t peer_len);
  /** Called again and again, at least every `tick_ms`. In the acceptor's thread. */
  void (*tick)(gpointer data, gint64 now_us);
  gpointer data;
  guint tick_ms;
} FerryAcceptorHooks;

/** `proxies` (copied): who may begin a connection with a PROXY header. */
FerryAcceptor *ferry_acceptor_new(FerryConnections *connections, const FerryProxyNet *proxies,
                                  gsize n_proxies, const FerryAcceptorHooks *hooks);
/** One more listening socket, taken over; before the start. */
void ferry_acceptor_listen(FerryAcceptor *acceptor, int fd, gpointer listener);
/** Starts its thread. Once, after all ferry_acceptor_listen. */
void ferry_acceptor_start(FerryAcceptor *acceptor);
/** Ends the thread, closes the listening sockets and what was not handed over. NULL is allowed. */
void ferry_acceptor_free(FerryAcceptor *acceptor);

G_END_DECLS
