// SPDX-License-Identifier: Apache-2.0
// Waits until this machine's avahi-daemon knows of no announcement of Ferry's any more, its own and
// those its cache keeps for a second after their goodbye (RFC 6762, 10.1): browse-tool SECONDS.
// Ends with 0 then; with 1, and the names that are left, where that takes longer.
#include "discovery/peer.h"
#include <avahi-client/client.h>
#include <avahi-client/lookup.h>
#include <avahi-common/error.h>
#include <avahi-common/simple-watch.h>
#include <stdio.h>
#include <stdlib.h>

static AvahiSimplePoll *loop;
static GHashTable *names; /* "INTERFACE/PROTOCOL/NAME" */
static gboolean answered; /* whoever else announces had the time to say so */

static void on_browse(AvahiServiceBrowser *browser, AvahiIfIndex interface, AvahiProtocol protocol,
                      AvahiBrowserEvent event, const char *name, const char *type,
                      const char *domain, AvahiLookupResultFlags flags, void *data) {
  g_autofree char *key = name ? g_strdup_printf("%d/%d/%s", interface, protocol, name) : NULL;
  if (event == AVAHI_BROWSER_NEW)
    g_hash_table_add(names, g_steal_pointer(&key));
  else if (event == AVAHI_BROWSER_REMOVE)
    g_hash_table_remove(names, key);
  else if (event == AVAHI_BROWSER_ALL_FOR_NOW || event == AVAHI_BROWSER_FAILURE)
    answered = event == AVAHI_BROWSER_ALL_FOR_NOW;
  if (answered && g_hash_table_size(names) == 0)
    avahi_simple_poll_quit(loop);
}

static void on_client(AvahiClient *client, AvahiClientState state, void *data) {
  AvahiServiceBrowser **browser = data;
  if (state == AVAHI_CLIENT_S_RUNNING && !*browser)
    *browser = avahi_service_browser_new(client, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC,
                                         FERRY_SERVICE_TYPE, NULL, 0, on_browse, NULL);
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: %s SECONDS\n", argv[0]);
    return 2;
  }
  const gint64 until = g_get_monotonic_time() + atoi(argv[1]) * G_USEC_PER_SEC;
  names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  loop = avahi_simple_poll_new();
  AvahiServiceBrowser *browser = NULL;
  int rc = 0, step = 0;
  AvahiClient *client =
      avahi_client_new(avahi_simple_poll_get(loop), AVAHI_CLIENT_NO_FAIL, on_client, &browser, &rc);
  while (client && step == 0 && g_get_monotonic_time() < until)
    step = avahi_simple_poll_iterate(loop, 100);
  if (!client || step < 0)
    fprintf(stderr, "%s: %s\n", argv[0], client ? "the loop failed" : avahi_strerror(rc));
  else if (step == 0 && !answered)
    fprintf(stderr, "%s: avahi-daemon does not answer\n", argv[0]);
  GHashTableIter iter;
  gpointer name;
  g_hash_table_iter_init(&iter, names);
  while (g_hash_table_iter_next(&iter, &name, NULL))
    fprintf(stderr, "%s: still announced: %s\n", argv[0], (char *)name);
  if (client)
    avahi_client_free(client);
  avahi_simple_poll_free(loop);
  g_hash_table_unref(names);
  return step > 0 ? 0 : 1;
}
