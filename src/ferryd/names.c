// SPDX-License-Identifier: Apache-2.0
// A server's certificate has to say the name that a host uses for it, and whoever follows a recipe
// knows none of them beforehand: so it says them all.
#include "ferryd/names.h"
#include "client/join_url.h"
#include "model/migration/peer_uri.h"
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

gboolean ferryd_names_listens_beyond(const char *const *listen) {
  for (; listen && *listen; listen++)
    if (!g_str_has_prefix(*listen, "127.") && !g_str_has_prefix(*listen, "[::1]") &&
        !g_str_has_prefix(*listen, "localhost:"))
      return TRUE;
  return FALSE;
}

static void names_add(GPtrArray *names, const char *name) {
  if (!g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
    g_ptr_array_add(names, g_strdup(name));
}

static void add_full_name(GPtrArray *names) {
  struct addrinfo hints = {.ai_flags = AI_CANONNAME, .ai_socktype = SOCK_STREAM}, *found = NULL;
  if (getaddrinfo(g_get_host_name(), NULL, &hints, &found) != 0)
    return;
  if (found->ai_canonname && ferry_peer_host_is_valid(found->ai_canonname))
    names_add(names, found->ai_canonname);
  freeaddrinfo(found);
}

static void add_addresses(GPtrArray *names) {
  struct ifaddrs *all = NULL;
  if (getifaddrs(&all) < 0)
    return;
  for (const struct ifaddrs *a = all; a; a = a->ifa_next) {
    char text[INET6_ADDRSTRLEN];
    int family = a->ifa_addr ? a->ifa_addr->sa_family : AF_UNSPEC;
    const void *address =
        family == AF_INET    ? (const void *)&((const struct sockaddr_in *)a->ifa_addr)->sin_addr
        : family == AF_INET6 ? (const void *)&((const struct sockaddr_in6 *)a->ifa_addr)->sin6_addr
                             : NULL;
    if (address && inet_ntop(family, address, text, sizeof text) && ferry_peer_host_is_valid(text))
      names_add(names, text);
  }
  freeifaddrs(all);
}

char **ferryd_names(const char *const *given, gboolean beyond) {
  GPtrArray *names = g_ptr_array_new();
  for (; given && *given; given++)
    names_add(names, *given);
  if (beyond) {
    names_add(names, g_get_host_name());
    add_full_name(names);
    add_addresses(names);
  }
  g_ptr_array_add(names, NULL);
  return (char **)g_ptr_array_free(names, FALSE);
}

char *ferryd_names_join_command(const char *server, const char *node) {
  g_autofree char *url = ferry_join_url(server);
  return g_strdup_printf("ferry-agentd --server %s --node %s --token-file FILE", url, node);
}
