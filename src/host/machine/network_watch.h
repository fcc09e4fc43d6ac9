// SPDX-License-Identifier: Apache-2.0
// Changes of this machine's network, as the kernel tells of them.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** How soon after a change it is told at the latest, while more come. */
#define FERRY_NETWORK_WATCH_MS 200

typedef struct _FerryNetworkWatch FerryNetworkWatch;
/** In the watch's own thread; must return quickly. */
typedef void (*FerryNetworkWatchFunc)(gpointer data);

/** Calls `func` after each change of a link, an address, a route or a rule of the network namespace
 * of this process; many in one go are one. Whoever is called reads everything anew. Errors: the
 * kernel gives no socket. */
FerryNetworkWatch *ferry_network_watch_new(FerryNetworkWatchFunc func, gpointer data,
                                           GError **error);
/** Ends its thread. NULL is fine. */
void ferry_network_watch_free(FerryNetworkWatch *watch);

G_END_DECLS
