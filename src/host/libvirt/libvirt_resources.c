// SPDX-License-Identifier: Apache-2.0
// What the host has of what VMs need (model/domain/domain_needs.h): what libvirt can list, and
// looks at what VMs of other hosts name. A kind of which the list would be cut off is not said to
// be whole, as that would deny what is there.
#include "host/libvirt/libvirt_resources.h"
#include "host/libvirt/libvirt_ask.h"
#include "host/libvirt/libvirt_base.h"
#include "host/machine/looks.h"
#include "model/domain/domain_needs.h"

#include <ifaddrs.h>
#include <libvirt/virterror.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define MAX_OF_KIND 500
#define LOOKS_MS 2000

static void resources_add(json_t *list, FerryNeed need, const char *name, const char *problem) {
  json_t *text = json_string(name);
  if (!text) /* no UTF-8 */
    return;
  json_t *entry = json_pack("{ss,so}", "kind", ferry_need_word(need), "name", text);
  if (problem)
    ferry_json_set_str(entry, "problem", problem);
  json_array_append_new(list, entry);
}

/* That all of the kind are in the list; `n` as libvirt's call gave it. */
static void note_kind(json_t *kinds, FerryNeed need, int n) {
  if (n >= 0 && n <= MAX_OF_KIND)
    json_array_append_new(kinds, json_string(ferry_need_word(need)));
  if (n < 0)
    virResetLastError();
}

/* libvirt starts a network whose bridge isn't there, and then no guest on it. */
static char *problem_of_network(virNetworkPtr network, gboolean local) {
  if (virNetworkIsActive(network) == 0)
    return g_strdup("it is not active");
  char *bridge = local ? virNetworkGetBridgeName(network) : NULL;
  char *problem = bridge && if_nametoindex(bridge) == 0
                      ? g_strdup_printf("its bridge %s is not there", bridge)
                      : NULL;
  free(bridge);
  virResetLastError(); /* not every network has one */
  return problem;
}

static void add_networks(virConnectPtr conn, gboolean local, json_t *list, json_t *kinds) {
  virNetworkPtr *all = NULL;
  int n = virConnectListAllNetworks(conn, &all, 0);
  for (int i = 0; i < n; i++) {
    g_autofree char *problem = problem_of_network(all[i], local);
    if (i < MAX_OF_KIND)
      resources_add(list, FERRY_NEED_NETWORK, virNetworkGetName(all[i]), problem);
    virNetworkFree(all[i]);
  }
  free(all);
  note_kind(kinds, FERRY_NEED_NETWORK, n);
}

/* FALSE: they can't all be told. */
static gboolean add_volumes(virStoragePoolPtr pool, json_t *list, guint *told) {
  virStorageVolPtr *all = NULL;
  int n = virStoragePoolListAllVolumes(pool, &all, 0);
  for (int i = 0; i < n; i++) {
    g_autofree char *both =
        g_strdup_printf("%s/%s", virStoragePoolGetName(pool), virStorageVolGetName(all[i]));
    if ((*told)++ < MAX_OF_KIND)
      resources_add(list, FERRY_NEED_VOLUME, both, NULL);
    virStorageVolFree(all[i]);
  }
  free(all);
  if (n < 0)
    virResetLastError();
  return n >= 0 && *told <= MAX_OF_KIND;
}

static void add_pools(virConnectPtr conn, json_t *list, json_t *kinds) {
  virStoragePoolPtr *all = NULL;
  guint told = 0;
  int n = virConnectListAllStoragePools(conn, &all, 0);
  gboolean whole = n >= 0 && n <= MAX_OF_KIND;
  for (int i = 0; i < n; i++) {
    gboolean active = virStoragePoolIsActive(all[i]) != 0;
    if (i < MAX_OF_KIND)
      resources_add(list, FERRY_NEED_POOL, virStoragePoolGetName(all[i]),
                    active ? NULL : "it is not active");
    if (whole && active)
      whole = add_volumes(all[i], list, &told);
    virStoragePoolFree(all[i]);
  }
  free(all);
  note_kind(kinds, FERRY_NEED_POOL, n);
  if (whole)
    note_kind(kinds, FERRY_NEED_VOLUME, 0);
}

/* libvirt tells nobody the value of a private secret, but whether it has one. */
static const char *problem_of_secret(virSecretPtr secret) {
  size_t size = 0;
  unsigned char *value = virSecretGetValue(secret, &size, 0);
  const virError *error = virGetLastError();
  gboolean none = !value && error && error->code == VIR_ERR_NO_SECRET;
  if (value)
    explicit_bzero(value, size);
  free(value);
  virResetLastError();
  return none ? "it has no value" : NULL;
}

static void resources_add_secrets(virConnectPtr conn, json_t *list, json_t *kinds) {
  static const char *const types[] = {NULL, "volume", "ceph", "iscsi", "tls", "vtpm"};
  virSecretPtr *all = NULL;
  int n = virConnectListAllSecrets(conn, &all, 0);
  for (int i = 0; i < n; i++) {
    char uuid[VIR_UUID_STRING_BUFLEN];
    int type = virSecretGetUsageType(all[i]);
    if (i < MAX_OF_KIND && virSecretGetUUIDString(all[i], uuid) == 0) {
      const char *problem = problem_of_secret(all[i]);
      resources_add(list, FERRY_NEED_SECRET, uuid, problem);
      if (type > 0 && type < (int)G_N_ELEMENTS(types)) {
        g_autofree char *usage = g_strdup_printf("%s:%s", types[type], virSecretGetUsageID(all[i]));
        resources_add(list, FERRY_NEED_SECRET, usage, problem);
      }
    }
    virSecretFree(all[i]);
  }
  free(all);
  note_kind(kinds, FERRY_NEED_SECRET, n);
}

/* All that it has, those of lo, too, on which a display may listen. */
static void resources_add_addresses(json_t *list, json_t *kinds) {
  struct ifaddrs *all = NULL;
  int n = 0;
  if (getifaddrs(&all) != 0)
    return;
  for (struct ifaddrs *one = all; one; one = one->ifa_next) {
    char text[NI_MAXHOST];
    int family = one->ifa_addr ? one->ifa_addr->sa_family : AF_UNSPEC;
    socklen_t size = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    if ((family != AF_INET && family != AF_INET6) ||
        getnameinfo(one->ifa_addr, size, text, sizeof text, NULL, 0, NI_NUMERICHOST) != 0)
      continue;
    text[strcspn(text, "%")] = '\0'; /* of a link's own the link's name */
    if (n++ < MAX_OF_KIND)
      resources_add(list, FERRY_NEED_ADDRESS, text, NULL);
  }
  freeifaddrs(all);
  note_kind(kinds, FERRY_NEED_ADDRESS, n);
}

/* What only an agent on the host itself sees. */
static void add_own(json_t *list, json_t *kinds) {
  g_autofree char *meminfo = NULL;
  g_file_get_contents("/proc/meminfo", &meminfo, NULL, NULL);
  g_autoptr(json_t) pages = ferry_look_hugepages("/sys/kernel/mm/hugepages", meminfo);
  json_array_extend(list, pages);
  note_kind(kinds, FERRY_NEED_HUGEPAGES, 0);
  resources_add_addresses(list, kinds);
}

static gboolean read_resources(FerryLibvirtAsk *a, GError **error) {
  json_t *list = json_array(), *kinds = json_array();
  if (virConnectIsAlive(a->conn) != 1) {
    json_decref(list);
    json_decref(kinds);
    return ferry_libvirt_error(error, "cannot read the host's resources");
  }
  add_networks(a->conn, a->host->base.local, list, kinds);
  add_pools(a->conn, list, kinds);
  resources_add_secrets(a->conn, list, kinds);
  if (a->host->base.local)
    add_own(list, kinds);
  a->found = json_pack("{so,so}", "resources", list, "resourceKinds", kinds);
  return TRUE;
}

/* A file system that hangs makes this hang, and nothing else. */
static gboolean read_looks(FerryLibvirtAsk *a, GError **error) {
  gsize i;
  json_t *look;
  a->found = json_array();
  json_array_foreach(a->json, i, look) {
    json_t *entry = ferry_look(look);
    if (entry)
      json_array_append_new(a->found, entry);
  }
  return TRUE;
}

static void look_around(FerryLibvirtHost *host, const json_t *looks, json_t *list) {
  g_autoptr(FerryLibvirtAsk) ask = ferry_libvirt_ask_new(host, read_looks);
  gint64 since;
  ask->json = json_incref((json_t *)looks);
  if (ferry_libvirt_ask_anyway(host->looks, ask, "looks", LOOKS_MS, &since))
    json_array_extend(list, ask->found);
}

json_t *ferry_libvirt_resources(FerryHost *base, const json_t *looks, GError **error) {
  FerryLibvirtHost *host = (FerryLibvirtHost *)base;
  virConnectPtr conn = ferry_libvirt_ref(host, error);
  if (!conn)
    return NULL;
  g_autoptr(FerryLibvirtAsk) ask = ferry_libvirt_ask_new(host, read_resources);
  ask->conn = conn;
  if (!ferry_libvirt_ask(ask, "resources", FERRY_ASK_DAEMON, FERRY_ASK_STATE_MS, error))
    return NULL;
  if (base->local && json_array_size(looks))
    look_around(host, looks, json_object_get(ask->found, "resources"));
  return g_steal_pointer(&ask->found);
}
