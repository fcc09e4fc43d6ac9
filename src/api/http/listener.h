// SPDX-License-Identifier: Apache-2.0
// One listening address and the HTTPS daemon behind it.
#pragma once
#include "api/http/api.h"

#include <sys/socket.h>

G_BEGIN_DECLS

/** Serves `fd`, which it takes, for connections that the front hands on. */
FerryListener *ferry_listener_new(FerryApi *api, int fd, GError **error);
void ferry_listener_free(FerryListener *listener); /* NULL is allowed */
/** The TCP port that it serves; 0 where its socket has none. */
guint16 ferry_listener_port(const FerryListener *listener);
/** Takes a connection for a FerryListener (front.h). */
gboolean ferry_listener_hand(gpointer listener, int fd, const struct sockaddr *peer,
                             socklen_t peer_len);

G_END_DECLS
