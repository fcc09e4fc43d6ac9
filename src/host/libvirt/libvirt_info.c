// SPDX-License-Identifier: Apache-2.0
// What a host is and can do, as fields of Node.status. Asked of libvirt anew for each report: its
// capabilities and the domain capabilities of each machine type are XML, from which only what
// placement judges by is taken, within limits, as another host's libvirt may be anybody's. What
// cannot be asked is left out, and is then no reason against the host.
#include "host/libvirt/libvirt_info.h"
#include "base/compare.h"
#include "host/libvirt/libvirt_ask.h"
#include "host/libvirt/libvirt_base.h"
#include "host/machine/conntrack.h"
#include "host/machine/interfaces.h"
#include "host/machine/shared_mounts.h"
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#define MAX_XML (8 * 1024 * 1024)
#define MAX_SET 1000

static char *version_text(unsigned long v) {
  return g_strdup_printf("%lu.%lu.%lu", v / 1000000, v / 1000 % 1000, v % 1000);
}

static xmlDoc *libvirt_info_parse(const char *xml) {
  gsize len = xml ? strlen(xml) : 0;
  if (!len || len > MAX_XML)
    return NULL;
  return xmlReadMemory(xml, (int)len, NULL, NULL,
                       XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
}

/* The texts of all nodes that `path` selects, at most `most`. */
static GPtrArray *texts_upto(xmlDoc *doc, const char *path, int most) {
  GPtrArray *out = g_ptr_array_new_with_free_func(g_free);
  xmlXPathContext *ctx = doc ? xmlXPathNewContext(doc) : NULL;
  xmlXPathObject *found = ctx ? xmlXPathEvalExpression((const xmlChar *)path, ctx) : NULL;
  for (int i = 0; found && found->nodesetval && i < found->nodesetval->nodeNr && i < most; i++) {
    xmlChar *raw = xmlNodeGetContent(found->nodesetval->nodeTab[i]);
    if (raw) {
      g_autofree char *bounded = g_strndup((const char *)raw, 256);
      g_ptr_array_add(out, g_utf8_make_valid(bounded, -1));
    }
    xmlFree(raw);
  }
  xmlXPathFreeObject(found);
  xmlXPathFreeContext(ctx);
  return out;
}

static GPtrArray *libvirt_info_texts(xmlDoc *doc, const char *path) {
  return texts_upto(doc, path, 64);
}

/* Those texts in order, without repetitions: libvirt's own order changes with each start. */
static void put_set(json_t *object, const char *key, xmlDoc *doc, const char *path) {
  g_autoptr(GPtrArray) found = texts_upto(doc, path, MAX_SET);
  g_ptr_array_sort(found, ferry_compare_text_at);
  json_t *list = json_array();
  for (guint i = 0; i < found->len; i++)
    if (i == 0 || !g_str_equal(found->pdata[i], found->pdata[i - 1]))
      json_array_append_new(list, json_string(found->pdata[i]));
  if (json_array_size(list))
    json_object_set(object, key, list);
  json_decref(list);
}

static void put_first(json_t *object, const char *key, xmlDoc *doc, const char *path) {
  g_autoptr(GPtrArray) found = libvirt_info_texts(doc, path);
  if (found->len && *(char *)found->pdata[0])
    ferry_json_set_str(object, key, found->pdata[0]);
}

static void add_capabilities(virConnectPtr conn, unsigned long libvirt_version,
                             json_t *hypervisor) {
  char *xml = virConnectGetCapabilities(conn);
  if (!xml)
    virResetLastError();
  xmlDoc *doc = libvirt_info_parse(xml);
  free(xml);
  put_first(hypervisor, "hostUUID", doc, "/capabilities/host/uuid");
  put_first(hypervisor, "cpuArch", doc, "/capabilities/host/cpu/arch");
  put_first(hypervisor, "cpuModel", doc, "/capabilities/host/cpu/model");
  put_first(hypervisor, "cpuVendor", doc, "/capabilities/host/cpu/vendor");
  json_t *features = json_array();
  g_autoptr(GPtrArray) live = libvirt_info_texts(doc, "/capabilities/host/migration_features/live");
  if (live->len)
    json_array_append_new(features, json_string("live"));
  g_autoptr(GPtrArray) transports =
      libvirt_info_texts(doc, "/capabilities/host/migration_features/uri_transports/uri_transport");
  for (guint i = 0; i < transports->len; i++)
    json_array_append_new(features, json_string(transports->pdata[i]));
  /* What a libvirt of this version can do for QEMU guests; it has no call that lists them. */
  static const struct {
    unsigned long since;
    const char *name;
  } by_version[] = {{1003003, "postcopy"},
                    {1002016, "auto-converge"},
                    {4000000, "tls"},
                    {5002000, "parallel"},
                    {8005000, "postcopy-recover"},
                    {8006000, "zerocopy"},
                    {9004000, "compression-zstd"},
                    {10000000, "postcopy-preempt"},
                    {11001000, "switchover-bandwidth"}};
  for (gsize i = 0; live->len && i < G_N_ELEMENTS(by_version); i++)
    if (libvirt_version >= by_version[i].since)
      json_array_append_new(features, json_string(by_version[i].name));
  json_object_set_new(hypervisor, "features", features);
  const char *arch = ferry_json_str(hypervisor, "cpuArch");
  if (arch && g_regex_match_simple("^[a-z0-9_]+$", arch, 0, 0)) {
    g_autofree char *machines =
        g_strdup_printf("/capabilities/guest[os_type='hvm']/arch[@name='%s']/machine", arch);
    put_set(hypervisor, "machineTypes", doc, machines);
  }
  if (doc)
    xmlFreeDoc(doc);
}

/* The processor models that a guest may name. Whether this processor has all of one's features is
 * left to libvirt: a guest may do without some of them. */
static void add_cpu_models(virConnectPtr conn, json_t *hypervisor) {
  char *xml = virConnectGetDomainCapabilities(conn, NULL, NULL, NULL, NULL, 0);
  if (!xml)
    virResetLastError();
  xmlDoc *doc = libvirt_info_parse(xml);
  free(xml);
  put_set(hypervisor, "cpuModels", doc, "/domainCapabilities/cpu/mode[@name='custom']/model");
  if (doc)
    xmlFreeDoc(doc);
}

static void libvirt_info_read_line(json_t *object, const char *key, const char *path) {
  g_autofree char *text = NULL;
  if (g_file_get_contents(path, &text, NULL, NULL) && strlen(text) < 256)
    ferry_json_set_str(object, key, g_strstrip(text));
}

static void add_local_node_info(json_t *info) {
  struct utsname u;
  if (uname(&u) == 0)
    ferry_json_set_str(info, "kernelVersion", u.release);
  libvirt_info_read_line(info, "machineID", "/etc/machine-id");
  libvirt_info_read_line(info, "bootID", "/proc/sys/kernel/random/boot_id");
  g_autofree char *os = g_get_os_info(G_OS_INFO_KEY_PRETTY_NAME);
  if (os)
    ferry_json_set_str(info, "osImage", os);
}

/* Interfaces through libvirt's own interface driver, which not every host has. */
static json_t *remote_interfaces(virConnectPtr conn) {
  json_t *list = json_array();
  virInterfacePtr *all = NULL;
  int n = virConnectListAllInterfaces(conn, &all, VIR_CONNECT_LIST_INTERFACES_ACTIVE);
  if (n < 0)
    virResetLastError();
  for (int i = 0; i < n; i++) {
    char *xml = virInterfaceGetXMLDesc(all[i], 0);
    xmlDoc *doc = libvirt_info_parse(xml);
    free(xml);
    const char *name = virInterfaceGetName(all[i]);
    g_autoptr(GPtrArray) addresses = libvirt_info_texts(doc, "/interface/protocol/ip/@address");
    g_autoptr(GPtrArray) prefixes = libvirt_info_texts(doc, "/interface/protocol/ip/@prefix");
    if (name && g_strcmp0(name, "lo") != 0) {
      json_t *item = json_pack("{s:s, s:[], s:b}", "name", name, "addresses", "up", 1);
      for (guint a = 0; item && a < addresses->len && a < prefixes->len; a++) {
        g_autofree char *text =
            g_strdup_printf("%s/%s", (char *)addresses->pdata[a], (char *)prefixes->pdata[a]);
        json_array_append_new(json_object_get(item, "addresses"), json_string(text));
      }
      json_array_append_new(list, item);
    }
    if (doc)
      xmlFreeDoc(doc);
    virInterfaceFree(all[i]);
  }
  free(all);
  virResetLastError();
  return list;
}

/* Only where the agent sees the host's files, and all of them: a list that is cut off would deny
 * what is there. */
static void add_shared_file_systems(FerryLibvirtHost *host, json_t *out) {
  if (!host->base.local)
    return;
  g_mutex_lock(&host->lock);
  g_auto(GStrv) directories = g_strdupv(host->shared_directories);
  g_mutex_unlock(&host->lock);
  json_t *list = ferry_host_local_shared_mounts((const char *const *)directories);
  if (list)
    json_object_set_new(out, "sharedFileSystems", list);
}

static void add_lock_manager(FerryLibvirtHost *host, json_t *hypervisor) {
  g_mutex_lock(&host->lock);
  if (host->lock_manager)
    ferry_json_set_str(hypervisor, "lockManager", host->lock_manager);
  g_mutex_unlock(&host->lock);
}

static void add_connections_obstacle(json_t *hypervisor) {
  g_autofree char *why = ferry_conntrack_obstacle();
  if (why)
    ferry_json_set_str(hypervisor, "connectionsObstacle", why);
}

static gboolean read_host_info(FerryLibvirtAsk *a, GError **error) {
  FerryLibvirtHost *host = a->host;
  FerryHost *base = &host->base;
  virConnectPtr conn = a->conn;
  virNodeInfo node;
  unsigned long libvirt_version = 0, qemu_version = 0;
  if (virNodeGetInfo(conn, &node) < 0 || virConnectGetLibVersion(conn, &libvirt_version) < 0) {
    return ferry_libvirt_error(error, "cannot read the host's information");
  }
  if (virConnectGetVersion(conn, &qemu_version) < 0)
    virResetLastError();
  const char *type = virConnectGetType(conn);
  g_autofree char *libvirt_text = version_text(libvirt_version);
  g_autofree char *qemu_text = version_text(qemu_version);
  g_autofree char *runtime = g_strdup_printf("libvirt://%s", libvirt_text);
  g_autofree char *cpus = g_strdup_printf("%u", node.cpus);
  g_autofree char *memory = g_strdup_printf("%luKi", node.memory);

  json_t *hypervisor = json_pack("{s:s, s:s, s:s}", "libvirtVersion", libvirt_text, "libvirtURI",
                                 host->uri, "cpuArch", node.model);
  if (g_strcmp0(type, "QEMU") == 0)
    ferry_json_set_str(hypervisor, "qemuVersion", qemu_text);
  add_capabilities(conn, libvirt_version, hypervisor);
  add_cpu_models(conn, hypervisor);
  add_lock_manager(host, hypervisor);
  if (base->local)
    add_connections_obstacle(hypervisor);

  json_t *info =
      json_pack("{s:s, s:s, s:s, s:s}", "containerRuntimeVersion", runtime, "kubeProxyVersion", "",
                "operatingSystem", "linux", "architecture",
                g_strcmp0(ferry_json_str(hypervisor, "cpuArch"), "x86_64") == 0    ? "amd64"
                : g_strcmp0(ferry_json_str(hypervisor, "cpuArch"), "aarch64") == 0 ? "arm64"
                                                                                   : node.model);
  const char *uuid = ferry_json_str(hypervisor, "hostUUID");
  if (uuid) {
    ferry_json_set_str(info, "systemUUID", uuid);
    ferry_json_set_str(info, "machineID", uuid);
  }
  if (base->local)
    add_local_node_info(info);
  g_autoptr(json_t) network = base->local ? ferry_host_local_network(NULL) : NULL;
  json_t *interfaces =
      base->local ? json_incref(ferry_json_get(network, "interfaces")) : remote_interfaces(conn);
  if (!interfaces)
    interfaces = json_array();
  char *hostname = virConnectGetHostname(conn);
  json_t *out = json_pack("{s:{s:s, s:s}, s:{s:s, s:s}, s:o, s:o, s:o}", "capacity", "cpu", cpus,
                          "memory", memory, "allocatable", "cpu", cpus, "memory", memory,
                          "hypervisor", hypervisor, "nodeInfo", info, "interfaces", interfaces);
  json_object_set_new(out, "addresses", ferry_host_addresses(interfaces, hostname));
  if (ferry_json_get(network, "routes"))
    json_object_set(out, "routes", ferry_json_get(network, "routes"));
  add_shared_file_systems(host, out);
  free(hostname);
  virResetLastError();
  a->found = out;
  return TRUE;
}

/* The first time after a start of libvirtd it looks at QEMU, which may take it seconds. */
json_t *ferry_libvirt_info(FerryHost *base, GError **error) {
  FerryLibvirtHost *host = (FerryLibvirtHost *)base;
  virConnectPtr conn = ferry_libvirt_ref(host, error);
  if (!conn)
    return NULL;
  g_autoptr(FerryLibvirtAsk) ask = ferry_libvirt_ask_new(host, read_host_info);
  ask->conn = conn;
  if (!ferry_libvirt_ask(ask, "info", FERRY_ASK_DAEMON, FERRY_ASK_LONG_MS, error))
    return NULL;
  return g_steal_pointer(&ask->found);
}

json_t *ferry_libvirt_network(FerryHost *base, GError **error) {
  return base->local ? ferry_host_local_network(error) : NULL;
}
