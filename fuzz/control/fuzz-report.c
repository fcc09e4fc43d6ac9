// SPDX-License-Identifier: Apache-2.0
// An agent's report, merged into a small world: refused, or merged without harm to what is another
// host's.
//
// Each input has a store of its own. One that is kept grows with every input (events, the change
// log), so that libFuzzer, which sees more allocations than frees, looks for leaks all over it
// after each, and what an input does hangs on those before it.
#include "control/inventory.h"
#include "fuzz.h"
#include <string.h>

#define NOW_MS G_GINT64_CONSTANT(1767225600000)
#define THEIRS "99999999-2222-3333-4444-555555555555"

/* h1 reports; h2, its VM "other" and its address stay h2's. A migration of "db" waits. */
static const char world_text[] =
    "[{'apiVersion':'v1','kind':'Node','metadata':{'name':'h1','uid':'n1'},'spec':{},'status':{"
    "'agent':{'epoch':1},'hypervisor':{'peer':{'scheme':'tls','host':'h1'}}}},"
    "{'apiVersion':'v1','kind':'Node','metadata':{'name':'h2','uid':'n2'},'spec':{},'status':{"
    "'agent':{'epoch':1,'lastReportTime':'2026-01-01T00:00:00Z'},'conditions':[{'type':'Ready',"
    "'status':'True'}],'hypervisor':{'peer':{'scheme':'tls','host':'h2'}},"
    "'addresses':[{'type':'InternalIP','address':'10.0.0.2'}]}},"
    "{'apiVersion':'ferry.migration/v1','kind':'Network','metadata':{'name':'migration','uid':"
    "'w1'},'spec':{'cidr':'10.9.0.0/24'}},"
    "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstance','metadata':{'namespace':"
    "'default','name':'other','uid':'" THEIRS "'},'spec':{'domainName':'other'},'status':{"
    "'nodeName':'h2','phase':'Running','domains':[{'nodeName':'h2','state':'running','active':"
    "true}]}},"
    "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstanceMigration','metadata':{"
    "'namespace':'default','name':'m','uid':'m1'},'spec':{'vmiName':'db'},'status':{'phase':"
    "'Running','migrationState':{'sourceNode':'h1','targetNode':'h2'}}}]";

static json_t *world(void) {
  static json_t *objects;
  if (!objects) {
    g_autofree char *text = g_strdelimit(g_strdup(world_text), "'", '"');
    objects = json_loads(text, 0, NULL);
    g_assert_nonnull(objects);
  }
  return objects;
}

static FerryStore *store_of_world(void) {
  FerryStore *store = ferry_store_open(NULL, &(FerryStoreOptions){.log_entries = 64}, NULL);
  FerryWrite writes[8] = {0};
  gsize i;
  json_t *object;
  json_array_foreach(world(), i, object) {
    const char *ns = ferry_json_str(object, "metadata.namespace");
    writes[i] = (FerryWrite){.op = FERRY_WRITE_CREATE,
                             .kind = ferry_kind_by_gvk(ferry_json_str(object, "apiVersion"),
                                                       ferry_json_str(object, "kind")),
                             .ns = ns ? ns : "",
                             .name = ferry_json_str(object, "metadata.name"),
                             .object = object};
  }
  g_assert_true(ferry_store_commit(store, writes, json_array_size(world()), NULL, NULL));
  return store;
}

/* Whatever h1 says, h2's VM runs on h2 and others reach h2 at h2. */
static void check_theirs(FerryStore *store) {
  g_autoptr(json_t) vmi = ferry_store_get_by_uid(store, &ferry_kind_vmi, THEIRS);
  g_assert_cmpstr(ferry_json_str(vmi, "status.nodeName"), ==, "h2");
  g_assert_cmpstr(ferry_json_str(vmi, "metadata.name"), ==, "other");
  g_autoptr(json_t) node = ferry_store_get(store, &ferry_kind_node, "", "h1");
  const char *uri = ferry_json_str(node, "status.hypervisor.peerURI");
  g_assert_true(!uri || !strstr(uri, "://h2/"));
  gsize i;
  json_t *address;
  json_array_foreach(ferry_json_get(node, "status.addresses"), i, address)
      g_assert_cmpstr(ferry_json_str(address, "address"), !=, "10.0.0.2");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  g_autoptr(json_t) body = ferry_json_parse((const char *)data, size, NULL);
  if (!body)
    return 0;
  g_autoptr(FerryStore) store = store_of_world();
  gboolean merged = ferry_inventory_report(store, "h1", body, NOW_MS, NULL);
  check_theirs(store);
  if (merged) /* what was taken once is taken again, and changes nothing more than times */
    g_assert_true(ferry_inventory_report(store, "h1", body, NOW_MS, NULL));
  ferry_inventory_forget_node(store, "h1", NOW_MS, NULL);
  check_theirs(store);
  return 0;
}
