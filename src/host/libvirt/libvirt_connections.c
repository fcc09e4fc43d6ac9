// SPDX-License-Identifier: Apache-2.0
// A migration's connections to its target. While they connect they are libvirtd's, which hands them
// to the domain's QEMU. Told apart from what else goes to that address by whose they are and by
// their ports: what connects to libvirtd's own port there carries no data. Those between both
// libvirtds may be anybody's, so they are only looked at.
#include "base/error.h"
#include "host/libvirt/libvirt_blame.h"
#include "host/libvirt/libvirt_connections.h"
#include "host/libvirt/libvirt_job_ask.h"
#include "host/machine/tcp_connections.h"

#include <unistd.h>

#define LIBVIRT_FIRST_PORT 49152 /* migration_port_min of qemu.conf, as shipped */

void ferry_libvirt_job_set_path(FerryHostJob *job, const FerryMigrateRequest *request) {
  FerryLibvirtPath *path = ferry_libvirt_job_path(job);
  const char *asked = ferry_json_str(request->config, "migrateURI");
  g_autoptr(GUri) uri = asked ? g_uri_parse(asked, G_URI_FLAGS_NONE, NULL) : NULL;
  const char *host = uri ? g_uri_get_host(uri) : asked ? NULL : request->address;
  gboolean known = host && g_hostname_is_ip_address(host);
  g_free(path->address);
  path->address = known ? g_strdup(host) : NULL;
  path->ports[0] = uri && g_uri_get_port(uri) > 0 ? (guint16)g_uri_get_port(uri) : 0;
  path->ports[1] = (guint16)ferry_json_int(request->config, "disksPort", 0);
  path->hypervisor_port = ferry_libvirt_uri_port(request->dest_uri);
  g_autoptr(GUri) dest =
      request->dest_uri ? g_uri_parse(request->dest_uri, G_URI_FLAGS_NONE, NULL) : NULL;
  if (!path->hypervisor) /* the same for the job's life: others may be reading it */
    path->hypervisor = g_strdup(dest ? g_uri_get_host(dest) : NULL);
}

void ferry_libvirt_path_clear(FerryLibvirtPath *path) {
  g_clear_pointer(&path->address, g_free);
  g_clear_pointer(&path->uuid, g_free);
  g_clear_pointer(&path->hypervisor, g_free);
  g_clear_pointer(&path->control, g_free);
}

static gboolean can_see(const FerryLibvirtPath *path, GError **error) {
  if (path->local && path->address)
    return TRUE;
  g_set_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_INVALID_STATE,
              "the connections of domain %s cannot be seen from here", path->uuid);
  return FALSE;
}

/* What QEMU has open; empty before it has anything to send. */
static GHashTable *sockets_of(const FerryLibvirtPath *path) {
  gint64 pid = ferry_process_of_domain(path->uuid);
  GHashTable *sockets = pid > 0 ? ferry_process_sockets(pid) : NULL;
  return sockets ? sockets : g_hash_table_new(NULL, NULL);
}

/* Of one that connects nobody can be asked whose it is, as it is libvirtd's still: its port tells.
 */
static gboolean carries_data(const FerryTcpConnection *c, const FerryLibvirtPath *path,
                             GHashTable *sockets) {
  if (c->port == path->hypervisor_port)
    return FALSE;
  if (!c->connecting)
    return g_hash_table_contains(sockets, GUINT_TO_POINTER(c->inode));
  return c->port >= LIBVIRT_FIRST_PORT || c->port == path->ports[0] || c->port == path->ports[1];
}

/* May block for as long as names take. */
static char *resolve_first(const char *host) {
  g_autoptr(GResolver) resolver = g_resolver_get_default();
  GList *all = g_resolver_lookup_by_name(resolver, host, NULL, NULL);
  char *address = all ? g_inet_address_to_string(all->data) : g_strdup("");
  g_resolver_free_addresses(all);
  return address;
}

static const char *control_address(FerryLibvirtPath *path) {
  if (!path->hypervisor || !path->hypervisor_port)
    return NULL;
  const char *known = g_atomic_pointer_get(&path->control);
  if (!known) {
    char *address = resolve_first(path->hypervisor);
    if (!g_atomic_pointer_compare_and_exchange(&path->control, NULL, address))
      g_free(address);
    known = g_atomic_pointer_get(&path->control);
  }
  return *known ? known : NULL;
}

/* What libvirtd, and not this process, has open to the target's. */
static void add_control(FerryLibvirtPath *path, GArray *mine) {
  const char *address = control_address(path);
  g_autoptr(GArray) all = address ? ferry_tcp_connections(address, NULL) : NULL;
  g_autoptr(GHashTable) own = all && all->len ? ferry_process_sockets(getpid()) : NULL;
  for (guint i = 0; own && i < all->len; i++) {
    const FerryTcpConnection *c = &g_array_index(all, FerryTcpConnection, i);
    FerryHostConnection seen = {c->cookie,  c->port,         c->connecting,
                                c->pending, c->since_ack_ms, .control = TRUE};
    if (c->port == path->hypervisor_port && c->inode && !c->connecting &&
        !g_hash_table_contains(own, GUINT_TO_POINTER(c->inode)))
      g_array_append_val(mine, seen);
  }
}

GArray *ferry_libvirt_job_connections(FerryHostJob *job, GError **error) {
  FerryLibvirtPath *path = ferry_libvirt_job_path(job);
  GArray *all = can_see(path, error) ? ferry_tcp_connections(path->address, error) : NULL;
  if (!all)
    return NULL;
  GArray *mine = g_array_new(FALSE, TRUE, sizeof(FerryHostConnection));
  g_autoptr(GHashTable) sockets = all->len ? sockets_of(path) : NULL;
  for (guint i = 0; i < all->len; i++) {
    const FerryTcpConnection *c = &g_array_index(all, FerryTcpConnection, i);
    if (!carries_data(c, path, sockets))
      continue;
    FerryHostConnection seen = {c->cookie,  c->port,         c->connecting,
                                c->pending, c->since_ack_ms, .control = FALSE};
    g_array_append_val(mine, seen);
  }
  g_array_unref(all);
  add_control(path, mine);
  return mine;
}

gboolean ferry_libvirt_job_disconnect(FerryHostJob *job, guint64 id, GError **error) {
  const FerryLibvirtPath *path = ferry_libvirt_job_path(job);
  GArray *all = can_see(path, error) ? ferry_tcp_connections(path->address, error) : NULL;
  if (!all)
    return FALSE;
  gboolean ok = TRUE;
  for (guint i = 0; i < all->len; i++) {
    const FerryTcpConnection *c = &g_array_index(all, FerryTcpConnection, i);
    if (c->cookie == id)
      ok = ferry_tcp_connection_close(path->address, c, error);
  }
  g_array_unref(all);
  return ok;
}

gboolean ferry_libvirt_incoming_close(FerryHost *host, const char *uuid, guint16 port, guint *n,
                                      GError **error) {
  *n = 0;
  if (!host->local) {
    g_set_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_INVALID_STATE,
                "the connections of domain %s cannot be seen from here", uuid);
    return FALSE;
  }
  FerryLibvirtPath path = {.uuid = (char *)uuid};
  g_autoptr(GHashTable) sockets = sockets_of(&path);
  return ferry_tcp_close_at(port, sockets, n, error);
}
