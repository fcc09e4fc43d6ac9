// SPDX-License-Identifier: Apache-2.0
// DNS-SD through avahi-daemon.
//
// Theory of operation: libavahi-client talks to the daemon over D-Bus on a poll thread of its own;
// every callback below runs there. The table of peers is the only thing shared with other threads,
// under `lock`. A lost daemon is libavahi's to wait for (AVAHI_CLIENT_NO_FAIL); a lost bus ends the
// client, and a timer makes a new one. A service is resolved once, when it appears: a changed one
// goes and comes again. Numbers are bounded, as anyone on the network may announce anything.
#include "base/error.h"
#include "base/log.h"
#include "base/random.h"
#include "discovery/discovery.h"
#include <avahi-client/client.h>
#include <avahi-client/lookup.h>
#include <avahi-client/publish.h>
#include <avahi-common/alternative.h>
#include <avahi-common/error.h>
#include <avahi-common/malloc.h>
#include <avahi-common/thread-watch.h>
#include <string.h>

#define RETRY_MS 5000
#define MAX_NAME 63

struct FerryDiscovery {
  AvahiThreadedPoll *poll;
  char *name, *id; /* `name` changes on a collision */
  guint16 port;
  AvahiStringList *txt;
  gboolean complained;
  guint resolving;
  /* of the poll's thread */
  AvahiClient *client;
  AvahiEntryGroup *group;
  AvahiServiceBrowser *browser;
  AvahiTimeout *retry;
  GMutex lock;
  GHashTable *peers; /* "INTERFACE/PROTOCOL/NAME/DOMAIN" -> FerryPeer */
};

static void connect_daemon(FerryDiscovery *d);

static const AvahiPoll *poll_of(FerryDiscovery *d) {
  return avahi_threaded_poll_get(d->poll);
}

static char *discovery_avahi_key_of(AvahiIfIndex interface, AvahiProtocol protocol,
                                    const char *name, const char *domain) {
  return g_strdup_printf("%d/%d/%s/%s", interface, protocol, name, domain);
}

static void discovery_avahi_complain(FerryDiscovery *d, const char *what, int rc) {
  if (!d->complained)
    ferry_warning(what, "FERRY_ERROR", avahi_strerror(rc));
  d->complained = TRUE;
}

/* ---- to find ---- */

static char **lines_of(AvahiStringList *txt) {
  GPtrArray *lines = g_ptr_array_new();
  for (; txt && lines->len < 64; txt = avahi_string_list_get_next(txt))
    g_ptr_array_add(lines, g_strndup((const char *)avahi_string_list_get_text(txt),
                                     avahi_string_list_get_size(txt)));
  g_ptr_array_add(lines, NULL);
  return (char **)g_ptr_array_free(lines, FALSE);
}

static void on_resolved(AvahiServiceResolver *resolver, AvahiIfIndex interface,
                        AvahiProtocol protocol, AvahiResolverEvent event, const char *name,
                        const char *type, const char *domain, const char *host,
                        const AvahiAddress *address, uint16_t port, AvahiStringList *txt,
                        AvahiLookupResultFlags flags, void *data) {
  FerryDiscovery *d = data;
  d->resolving--;
  if (event == AVAHI_RESOLVER_FOUND) {
    char text[AVAHI_ADDRESS_STR_MAX] = "";
    if (address)
      avahi_address_snprint(text, sizeof text, address);
    g_auto(GStrv) lines = lines_of(txt);
    FerryPeer *peer =
        ferry_peer_new(name, host, *text ? text : NULL, port, (const char *const *)lines);
    if (peer && g_strcmp0(peer->id, d->id) == 0)
      g_clear_pointer(&peer, ferry_peer_free);
    g_mutex_lock(&d->lock);
    if (peer && g_hash_table_size(d->peers) < FERRY_MAX_PEERS) {
      ferry_debug("a peer was discovered", "FERRY_PEER", peer->name, "FERRY_HOST", peer->host,
                  "FERRY_ROLE", peer->role);
      g_hash_table_replace(d->peers, discovery_avahi_key_of(interface, protocol, name, domain),
                           peer);
    } else {
      ferry_peer_free(peer);
    }
    g_mutex_unlock(&d->lock);
  }
  avahi_service_resolver_free(resolver);
}

static void on_browse(AvahiServiceBrowser *browser, AvahiIfIndex interface, AvahiProtocol protocol,
                      AvahiBrowserEvent event, const char *name, const char *type,
                      const char *domain, AvahiLookupResultFlags flags, void *data) {
  FerryDiscovery *d = data;
  if (event == AVAHI_BROWSER_NEW && d->resolving < FERRY_MAX_PEERS) {
    AvahiClient *client = avahi_service_browser_get_client(browser);
    if (avahi_service_resolver_new(client, interface, protocol, name, type, domain,
                                   AVAHI_PROTO_UNSPEC, 0, on_resolved, d))
      d->resolving++;
  } else if (event == AVAHI_BROWSER_REMOVE) {
    g_autofree char *key = discovery_avahi_key_of(interface, protocol, name, domain);
    g_mutex_lock(&d->lock);
    g_hash_table_remove(d->peers, key);
    g_mutex_unlock(&d->lock);
  } else if (event == AVAHI_BROWSER_FAILURE) {
    discovery_avahi_complain(d, "cannot look for peers by DNS-SD",
                             avahi_client_errno(avahi_service_browser_get_client(browser)));
  }
}

/* ---- to announce ---- */

static void discovery_avahi_publish(FerryDiscovery *d, AvahiClient *client);

static void rename_service(FerryDiscovery *d) {
  char *other = avahi_alternative_service_name(d->name);
  g_free(d->name);
  d->name = g_strdup(other);
  avahi_free(other);
}

static void on_group(AvahiEntryGroup *group, AvahiEntryGroupState state, void *data) {
  FerryDiscovery *d = data;
  AvahiClient *client = avahi_entry_group_get_client(group);
  if (state == AVAHI_ENTRY_GROUP_COLLISION) {
    rename_service(d);
    discovery_avahi_publish(d, client);
  } else if (state == AVAHI_ENTRY_GROUP_ESTABLISHED) {
    ferry_info("announced by DNS-SD", "FERRY_PEER", d->name);
  } else if (state == AVAHI_ENTRY_GROUP_FAILURE) {
    discovery_avahi_complain(d, "cannot announce by DNS-SD", avahi_client_errno(client));
  }
}

static void discovery_avahi_publish(FerryDiscovery *d, AvahiClient *client) {
  int rc = 0;
  if (!d->group && !(d->group = avahi_entry_group_new(client, on_group, d)))
    rc = avahi_client_errno(client);
  for (int i = 0; rc == 0 && i < 100 && avahi_entry_group_is_empty(d->group); i++) {
    rc = avahi_entry_group_add_service_strlst(d->group, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC, 0,
                                              d->name, FERRY_SERVICE_TYPE, NULL, NULL, d->port,
                                              d->txt);
    if (rc == AVAHI_ERR_COLLISION) { /* another process of this machine */
      rename_service(d);
      avahi_entry_group_reset(d->group);
      rc = 0;
    } else if (rc == 0) {
      rc = avahi_entry_group_commit(d->group);
    }
  }
  if (rc < 0)
    discovery_avahi_complain(d, "cannot announce by DNS-SD", rc);
}

/* ---- the client ---- */

static void discovery_avahi_forget(FerryDiscovery *d) {
  g_mutex_lock(&d->lock);
  g_hash_table_remove_all(d->peers);
  g_mutex_unlock(&d->lock);
}

static void on_retry(AvahiTimeout *timeout, void *data) {
  FerryDiscovery *d = data;
  poll_of(d)->timeout_update(timeout, NULL);
  connect_daemon(d);
}

static void retry_later(FerryDiscovery *d) {
  struct timeval when;
  gint64 us = g_get_real_time() + RETRY_MS * 1000;
  when.tv_sec = us / G_USEC_PER_SEC;
  when.tv_usec = us % G_USEC_PER_SEC;
  if (d->retry)
    poll_of(d)->timeout_update(d->retry, &when);
  else
    d->retry = poll_of(d)->timeout_new(poll_of(d), &when, on_retry, d);
}

static void on_client(AvahiClient *client, AvahiClientState state, void *data) {
  FerryDiscovery *d = data;
  switch (state) {
  case AVAHI_CLIENT_S_RUNNING:
    d->complained = FALSE;
    discovery_avahi_publish(d, client);
    if (!d->browser)
      d->browser = avahi_service_browser_new(client, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC,
                                             FERRY_SERVICE_TYPE, NULL, 0, on_browse, d);
    if (!d->browser)
      discovery_avahi_complain(d, "cannot look for peers by DNS-SD", avahi_client_errno(client));
    break;
  case AVAHI_CLIENT_S_COLLISION: /* of the machine's own name: it will be another one */
  case AVAHI_CLIENT_S_REGISTERING:
    if (d->group)
      avahi_entry_group_reset(d->group);
    break;
  case AVAHI_CLIENT_CONNECTING:
    discovery_avahi_complain(d, "avahi-daemon is not there; it is waited for", AVAHI_ERR_NO_DAEMON);
    break;
  case AVAHI_CLIENT_FAILURE:
    discovery_avahi_complain(d, "the connection to avahi-daemon was lost; it is made again",
                             avahi_client_errno(client));
    discovery_avahi_forget(d);
    retry_later(d);
    break;
  }
}

/* Groups, browsers and resolvers go with their client. */
static void drop_client(FerryDiscovery *d) {
  if (d->client)
    avahi_client_free(d->client);
  d->client = NULL;
  d->group = NULL;
  d->browser = NULL;
  d->resolving = 0;
  discovery_avahi_forget(d);
}

static void connect_daemon(FerryDiscovery *d) {
  int rc = 0;
  drop_client(d);
  d->client = avahi_client_new(poll_of(d), AVAHI_CLIENT_NO_FAIL, on_client, d, &rc);
  if (d->client)
    return;
  d->group = NULL; /* what its first callback made went with it */
  d->browser = NULL;
  discovery_avahi_complain(d, "cannot reach avahi-daemon over D-Bus; it is tried again", rc);
  retry_later(d);
}

FerryDiscovery *ferry_discovery_start(const FerryAnnouncement *own, GError **error) {
  FerryDiscovery *d = g_new0(FerryDiscovery, 1);
  FerryAnnouncement mine = *own;
  d->id = own->id ? g_strdup(own->id) : ferry_random_hex(8);
  mine.id = d->id;
  d->name = g_utf8_make_valid(own->name, (gssize)strnlen(own->name, MAX_NAME));
  while (strlen(d->name) > MAX_NAME)
    *g_utf8_find_prev_char(d->name, d->name + strlen(d->name)) = '\0';
  d->port = own->port;
  g_auto(GStrv) lines = ferry_announcement_txt(&mine);
  for (gsize i = 0; lines[i]; i++)
    d->txt = avahi_string_list_add(d->txt, lines[i]);
  d->peers =
      g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)ferry_peer_free);
  g_mutex_init(&d->lock);
  d->poll = avahi_threaded_poll_new();
  if (d->poll)
    connect_daemon(d);
  if (!d->poll || avahi_threaded_poll_start(d->poll) < 0) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE,
                "--announce: the thread for Avahi cannot be started");
    ferry_discovery_stop(d);
    return NULL;
  }
  return d;
}

GPtrArray *ferry_discovery_peers(FerryDiscovery *d) {
  GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)ferry_peer_free);
  GHashTableIter iter;
  gpointer value;
  g_mutex_lock(&d->lock);
  g_hash_table_iter_init(&iter, d->peers);
  while (g_hash_table_iter_next(&iter, NULL, &value))
    g_ptr_array_add(all, ferry_peer_copy(value));
  g_mutex_unlock(&d->lock);
  return all;
}

void ferry_discovery_stop(FerryDiscovery *d) {
  if (!d)
    return;
  if (d->poll)
    avahi_threaded_poll_stop(d->poll);
  drop_client(d);
  if (d->retry)
    poll_of(d)->timeout_free(d->retry);
  if (d->poll)
    avahi_threaded_poll_free(d->poll);
  avahi_string_list_free(d->txt);
  g_hash_table_unref(d->peers);
  g_mutex_clear(&d->lock);
  g_free(d->name);
  g_free(d->id);
  g_free(d);
}
