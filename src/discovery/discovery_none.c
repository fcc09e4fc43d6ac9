// SPDX-License-Identifier: Apache-2.0
// Where Ferry is built without Avahi.
#include "base/error.h"
#include "discovery/discovery.h"

FerryDiscovery *ferry_discovery_start(const FerryAnnouncement *own, GError **error) {
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE,
              "this program was built without Avahi, which --announce needs: install "
              "libavahi-client-dev and build it again, or leave --announce out");
  return NULL;
}

GPtrArray *ferry_discovery_peers(FerryDiscovery *discovery) {
  return g_ptr_array_new_with_free_func((GDestroyNotify)ferry_peer_free);
}

void ferry_discovery_stop(FerryDiscovery *discovery) {
}
