// SPDX-License-Identifier: Apache-2.0
// Announces whatever it is told, for tests: announce-tool ROLE NAME PORT [SERVER [CA]]. Prints the
// peers it knows, a JSON list of URLs on a line, whenever they change; ends with its stdin.
#include "discovery/discovery.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 4 || argc > 6) {
    fprintf(stderr, "usage: %s ROLE NAME PORT [SERVER [CA]]\n", argv[0]);
    return 2;
  }
  FerryAnnouncement own = {.role = argv[1],
                           .name = argv[2],
                           .port = (guint16)atoi(argv[3]),
                           .server = argc > 4 && *argv[4] ? argv[4] : NULL,
                           .ca = argc > 5 ? argv[5] : NULL};
  g_autoptr(GError) error = NULL;
  FerryDiscovery *discovery = ferry_discovery_start(&own, &error);
  if (!discovery) {
    fprintf(stderr, "%s: %s\n", argv[0], error->message);
    return 1;
  }
  g_autofree char *before = NULL;
  for (;;) {
    struct pollfd in = {.fd = 0, .events = POLLIN};
    char c;
    if (poll(&in, 1, 100) > 0 && read(0, &c, 1) <= 0)
      break;
    g_autoptr(GPtrArray) peers = ferry_discovery_peers(discovery);
    g_auto(GStrv) urls = ferry_peer_urls((FerryPeer *const *)peers->pdata, peers->len, NULL);
    g_autofree char *list = g_strjoinv("\", \"", urls);
    if (g_strcmp0(list, before) != 0)
      printf("[%s%s%s]\n", *list ? "\"" : "", list, *list ? "\"" : "");
    fflush(stdout);
    g_free(before);
    before = g_steal_pointer(&list);
  }
  ferry_discovery_stop(discovery);
  return 0;
}
