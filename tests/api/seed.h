// SPDX-License-Identifier: Apache-2.0
// Objects for the tests of the API: three ready nodes, three VMs, no agents.
#pragma once
#include "base/random.h"
#include "base/rfc3339.h"
#include "store/store.h"

#include <string.h>

static void seed_put(FerryStore *store, const FerryKind *kind, const char *ns, const char *name,
                     json_t *object) {
  g_autofree char *version = ferry_kind_api_version(kind);
  g_autofree char *uid = ferry_random_uuid();
  g_autofree char *now = ferry_rfc3339_format(g_get_real_time() / 1000);
  ferry_json_set_str(object, "apiVersion", version);
  ferry_json_set_str(object, "kind", kind->kind);
  ferry_json_set_str(object, "metadata.name", name);
  if (*ns)
    ferry_json_set_str(object, "metadata.namespace", ns);
  if (!ferry_json_str(object, "metadata.uid"))
    ferry_json_set_str(object, "metadata.uid", uid);
  ferry_json_set_str(object, "metadata.creationTimestamp", now);
  ferry_json_set_int(object, "metadata.generation", 1);
  FerryWrite write = {
      .op = FERRY_WRITE_CREATE, .kind = kind, .ns = ns, .name = name, .object = object};
  g_autoptr(GError) error = NULL;
  if (!ferry_store_commit(store, &write, 1, NULL, &error))
    g_error("seed %s: %s", name, error->message);
  json_decref(object);
}

static inline void seed_node(FerryStore *store, const char *name, const char *address,
                             const char *ready) {
  seed_put(store, &ferry_kind_node, "", name,
           json_pack("{s:{s:{s:s}}, s:{}, s:{s:[{s:s, s:s, s:s, s:s}], s:[{s:s, s:s}], s:{s:s, "
                     "s:s}, s:{s:s, s:s, s:{s:s, s:s}}, s:{s:i, s:s}}}",
                     "metadata", "labels", "kubernetes.io/hostname", name, "spec", "status",
                     "conditions", "type", "Ready", "status", ready, "reason", "AgentReports",
                     "message", "the agent reports", "addresses", "type", "InternalIP", "address",
                     address, "capacity", "cpu", "8", "memory", "16Gi", "hypervisor",
                     "libvirtVersion", "11.3.0", "qemuVersion", "10.0.0", "peer", "scheme", "tls",
                     "host", name, "agent", "epoch", 1, "version", FERRY_VERSION));
}

static inline void seed_vmi(FerryStore *store, const char *ns, const char *name, const char *domain,
                            const char *node, const char *phase) {
  seed_put(store, &ferry_kind_vmi, ns, name,
           json_pack("{s:{s:{s:s}}, s:{s:s, s:{s:{s:i}, s:{s:s}}, s:b}, s:{s:s, s:s, s:[{s:s, s:s, "
                     "s:s}], s:[{s:s, s:s}]}}",
                     "metadata", "labels", "tier", "db", "spec", "domainName", domain, "domain",
                     "cpu", "cores", 2, "memory", "guest", "256Mi", "persistent", 1, "status",
                     "phase", phase, "nodeName", node, "conditions", "type", "LiveMigratable",
                     "status", "True", "reason", "Migratable", "domains", "nodeName", node, "state",
                     g_str_equal(phase, "Running") ? "running" : "shutoff"));
}

static inline void seed_all(FerryStore *store) {
  seed_node(store, "h1", "10.0.0.1", "True");
  seed_node(store, "h2", "10.0.0.2", "True");
  seed_node(store, "h3", "10.0.0.3", "Unknown");
  seed_vmi(store, "default", "db", "db", "h1", "Running");
  seed_vmi(store, "default", "web", "web_1", "h2", "Running");
  seed_vmi(store, "default", "off", "off", "h1", "Stopped");
}
