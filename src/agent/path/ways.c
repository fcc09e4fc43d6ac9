// SPDX-License-Identifier: Apache-2.0
#include "agent/path/ways.h"
#include "base/error.h"
#include "model/flags/migration_flags.h"
#include "model/migration/migration.h"
#include "model/migration/way.h"
#include <gio/gio.h>

gboolean ferry_ways_to(const json_t *migration, const char *to, FerryHostWay *way, GError **error) {
  const json_t *state = ferry_json_get(migration, "status.migrationState");
  const char *here = ferry_json_str(state, "sourceNode"),
             *there = ferry_json_str(state, "targetNode");
  FerryWayNetwork network = {
      ferry_json_str(state, "network"),
      ferry_json_get(state, "migrationConfiguration.networkSubnets"),
      ferry_json_str(state, "migrationConfiguration.networkInterface"),
  };
  gboolean found = ferry_host_way_to(to, way, error);
  if (!network.name || (!found && !g_error_matches(*error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE)))
    return found;
  g_autoptr(json_t) own = ferry_host_local_network(NULL);
  FerryWay seen = {way->interface, way->source, way->gateway};
  g_autofree char *problem =
      ferry_way_problem(&network, ferry_json_get(own, "interfaces"), found ? &seen : NULL,
                        here ? here : "this host", there ? there : "the target", to);
  if (!problem)
    return found;
  g_clear_error(error);
  ferry_host_way_clear(way);
  g_set_error_literal(error, FERRY_ERROR, found ? FERRY_ERROR_CONFLICT : FERRY_ERROR_UNAVAILABLE,
                      problem);
  return FALSE;
}

/* An IP address of the host that the URI names; NULL: it names none that is known. */
static char *resolve_uri(const char *text) {
  g_autoptr(GUri) uri = text ? g_uri_parse(text, G_URI_FLAGS_NONE, NULL) : NULL;
  const char *host = uri ? g_uri_get_host(uri) : NULL;
  if (!host || !*host)
    return NULL;
  if (g_hostname_is_ip_address(host))
    return g_strdup(host);
  g_autoptr(GResolver) resolver = g_resolver_get_default();
  GList *all = g_resolver_lookup_by_name(resolver, host, NULL, NULL);
  char *first = all ? g_inet_address_to_string(all->data) : NULL;
  g_resolver_free_addresses(all);
  return first;
}

/* Adds one. FALSE: it may not be taken. */
static gboolean add_way(json_t *list, const json_t *migration, const char *carries,
                        const char *address, GError **error) {
  g_auto(FerryHostWay) way = {0};
  if (!address)
    return TRUE;
  if (!ferry_ways_to(migration, address, &way, error))
    return FALSE;
  json_t *item = json_pack("{s:s, s:s, s:s}", "carries", carries, "address", address, "interface",
                           way.interface);
  if (way.source)
    ferry_json_set_str(item, "source", way.source);
  if (way.gateway)
    ferry_json_set_str(item, "gateway", way.gateway);
  json_array_append_new(list, item);
  return TRUE;
}

json_t *ferry_ways_look(const json_t *migration, const FerryMigrateRequest *request,
                        GError **error) {
  g_autoptr(json_t) list = json_array();
  const json_t *config = request->config;
  if (ferry_migration_flag_on(config, "offline"))
    return g_steal_pointer(&list);
  gboolean tunnelled = ferry_migration_flag_on(config, "tunnelled");
  const char *disks_uri = request->copy_disks ? ferry_json_str(config, "disksURI") : NULL;
  g_autofree char *memory =
      ferry_migration_uses_network(config)
          ? g_strdup(request->address)
          : resolve_uri(tunnelled ? request->dest_uri : ferry_json_str(config, "migrateURI"));
  g_autofree char *disks = resolve_uri(disks_uri);
  const char *carries = tunnelled ? "everything, tunnelled" : disks ? "memory" : "memory and disks";
  if (!request->copy_disks && !tunnelled)
    carries = "memory";
  if (!add_way(list, migration, carries, memory, error) ||
      !add_way(list, migration, "disks", disks, error))
    return NULL;
  return g_steal_pointer(&list);
}
