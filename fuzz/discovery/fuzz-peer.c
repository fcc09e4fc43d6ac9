// SPDX-License-Identifier: Apache-2.0
// What a stranger announces by DNS-SD: name, host, address and TXT lines, one a line.
#include "discovery/peer.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  g_autofree char *text = g_strndup((const char *)data, size);
  g_auto(GStrv) lines = g_strsplit(text, "\n", 40);
  guint n = g_strv_length(lines);
  if (n < 3)
    return 0;
  g_autoptr(FerryPeer) peer = ferry_peer_new(lines[0], lines[1], lines[2], (guint16)(size * 977),
                                             (const char *const *)lines + 3);
  if (!peer)
    return 0;
  g_autofree char *url = ferry_peer_url(peer);
  g_auto(GStrv) urls = ferry_peer_urls(&peer, 1, NULL);
  g_auto(GStrv) servers = ferry_peer_servers(&peer, 1, peer->ca);
  g_autofree char *print = ferry_peer_fingerprint(text);
  return 0;
}
