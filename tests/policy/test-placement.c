// SPDX-License-Identifier: Apache-2.0
// Which node may take a VM: every reason against one at once, drawbacks that only count where there
// is another, and rules that do not hold for a VM that is off.
#include "policy/choice.h"
#include <string.h>

static json_t *node(const char *name, const char *memory, gint64 used) {
  json_t *n = json_object();
  ferry_json_set_str(n, "metadata.name", name);
  ferry_json_set_str(n, "status.capacity.memory", memory);
  ferry_json_set_int(n, "status.memoryUsedBytes", used);
  ferry_json_set(n, "status.hypervisor.peer",
                 json_pack("{ss,ss}", "scheme", "tls", "host", ferry_json_str(n, "metadata.name")));
  ferry_json_set_str(n, "status.hypervisor.cpuArch", "x86_64");
  ferry_json_set(n, "status.conditions", json_pack("[{ss,ss}]", "type", "Ready", "status", "True"));
  return n;
}

static gboolean has(const json_t *reasons, const char *reason) {
  return ferry_json_find(reasons, "reason", reason) != NULL;
}

static void test_machine_of_another_generation(void) {
  g_autoptr(json_t) h2 = node("h2", "8Gi", 0);
  g_autoptr(json_t) vmi = json_object();
  ferry_json_set_str(vmi, "spec.domain.machine.type", "pc-q35-10.0");
  ferry_json_set_str(vmi, "spec.domain.cpu.model", "EPYC-v2");
  g_autoptr(json_t) unsaid = ferry_placement_machine_reasons(vmi, NULL, h2);
  g_assert_cmpuint(json_array_size(unsaid), ==, 0); /* it has not said what it has */

  ferry_json_set_str(h2, "status.hypervisor.libvirtVersion", "9.0.0");
  ferry_json_set_str(h2, "status.hypervisor.qemuVersion", "7.2.22");
  ferry_json_set(h2, "status.hypervisor.machineTypes", json_pack("[ss]", "pc", "pc-q35-7.2"));
  ferry_json_set(h2, "status.hypervisor.cpuModels", json_pack("[s]", "EPYC"));
  g_autoptr(json_t) both = ferry_placement_machine_reasons(vmi, NULL, h2);
  g_assert_cmpuint(json_array_size(both), ==, 2);
  const char *machine = ferry_json_str(json_array_get(both, 0), "message");
  const char *cpu = ferry_json_str(json_array_get(both, 1), "message");
  g_assert_nonnull(strstr(machine, "h2 has QEMU 7.2.22"));
  g_assert_nonnull(strstr(machine, "pc-q35-10.0"));
  g_assert_nonnull(strstr(cpu, "libvirt 9.0.0"));
  g_assert_nonnull(strstr(cpu, "EPYC-v2"));

  FerryPlacementInput in = {.vmi = vmi};
  gboolean transient;
  g_autoptr(json_t) all = ferry_placement_reasons(&in, h2, &transient);
  g_assert_true(has(all, "MachineType") && has(all, "CPUModel"));
  g_assert_false(transient);

  /* the XML for the target may name another model, but no other machine */
  g_autoptr(json_t) config = json_pack("{ss}", "destinationXML", "<domain/>");
  g_autoptr(json_t) one = ferry_placement_machine_reasons(vmi, config, h2);
  g_assert_cmpuint(json_array_size(one), ==, 1);
  g_assert_true(has(one, "MachineType"));
  ferry_json_set_str(vmi, "spec.domain.machine.type", "pc-q35-7.2");
  ferry_json_set_str(vmi, "spec.domain.cpu.model", "host-model"); /* a mode, of every host */
  g_autoptr(json_t) fits = ferry_placement_machine_reasons(vmi, NULL, h2);
  g_assert_cmpuint(json_array_size(fits), ==, 0);
}

/* A node that is named is the only one that is spoken of; one that is not there is none. */
static void check_named(FerryPlacementInput in) {
  g_autoptr(json_t) named = json_pack("{s{ss}}", "spec", "targetNode", "h3");
  in.migration = named;
  json_t *refusals = NULL;
  gboolean transient;
  const json_t *chosen = ferry_placement_choose(&in, &refusals, &transient);
  g_assert_cmpstr(ferry_json_str(chosen, "metadata.name"), ==, "h3");
  g_assert_cmpuint(json_array_size(refusals), ==, 0);
  json_decref(refusals);
  ferry_json_set_str(named, "spec.targetNode", "nowhere");
  g_assert_null(ferry_placement_choose(&in, &refusals, &transient));
  g_assert_true(has(json_object_get(json_array_get(refusals, 2), "reasons"), "NotTheTarget"));
  json_decref(refusals);
}

static void test_all_reasons(void) {
  json_t *nodes[] = {node("h1", "8Gi", 0), node("h2", "8Gi", 0), node("h3", "8Gi", 1LL << 30)};
  g_autoptr(json_t) vmi = json_object();
  ferry_json_set_str(vmi, "metadata.uid", "u1");
  ferry_json_set_str(vmi, "spec.domainName", "db");
  ferry_json_set_str(vmi, "status.nodeName", "h1");
  ferry_json_set_int(vmi, "status.guestMemoryBytes", 1LL << 30);
  g_autoptr(json_t) migration = json_object();
  g_autoptr(json_t) config = json_object();
  FerryPlacementInput in = {
      .vmi = vmi, .migration = migration, .nodes = nodes, .n_nodes = 3, .config = config};
  json_t *refusals = NULL;
  gboolean transient;
  const json_t *chosen = ferry_placement_choose(&in, &refusals, &transient);
  g_assert_cmpstr(ferry_json_str(chosen, "metadata.name"), ==, "h2"); /* the most free memory */
  g_assert_true(has(json_object_get(json_array_get(refusals, 0), "reasons"), "SameNode"));
  json_decref(refusals);

  check_named(in);

  /* h2: everything at once */
  json_t *h2 = nodes[1];
  ferry_json_set_bool(h2, "spec.unschedulable", TRUE);
  ferry_json_set_str(h2, "status.hypervisor.cpuArch", "aarch64");
  ferry_json_set_int(h2, "status.memoryUsedBytes", 8LL << 30);
  ferry_json_set(
      h2, "status.conditions",
      json_pack("[{ss,ss,ss}]", "type", "Ready", "status", "Unknown", "message", "gone"));
  ferry_json_set(migration, "spec.addedNodeSelector", json_pack("{ss}", "zone", "b"));
  g_autoptr(json_t) other = json_object();
  ferry_json_set_str(other, "metadata.uid", "u2");
  ferry_json_set_str(other, "spec.domainName", "db");
  ferry_json_set(other, "status.domains", json_pack("[{ss}]", "nodeName", "h2"));
  in.vmis = &other;
  in.n_vmis = 1;
  g_autoptr(json_t) reasons = ferry_placement_reasons(&in, h2, &transient);
  static const char *const all[] = {"Unschedulable", "NotReady",     "Memory",
                                    "NodeSelector",  "Architecture", "NameTaken"};
  for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
    g_assert_true(has(reasons, all[i]));
  g_assert_cmpuint(json_array_size(reasons), ==, G_N_ELEMENTS(all));
  g_assert_false(transient);

  /* a node that a person names may be cordoned; waiting helps only for what passes */
  g_autoptr(json_t) named = json_pack("{s{ss}}", "spec", "targetNode", "h2");
  in.migration = named;
  in.n_vmis = 0;
  ferry_json_set_str(h2, "status.hypervisor.cpuArch", "x86_64");
  g_autoptr(json_t) passing = ferry_placement_reasons(&in, h2, &transient);
  g_assert_false(has(passing, "Unschedulable"));
  g_assert_true(transient);
  for (gsize i = 0; i < G_N_ELEMENTS(nodes); i++)
    json_decref(nodes[i]);
}

/* What libvirt refuses for the two hosts, or for what the target lacks of what the VM needs. */
static void test_lacks(void) {
  json_t *nodes[] = {node("h1", "8Gi", 0), node("h2", "8Gi", 0)};
  g_autoptr(json_t) vmi =
      json_pack("{s{ss},s{ss,s{s[{ss,ss}]}},s{ss,s[{ss,s{ss}}]}}", "metadata", "uid", "u1", "spec",
                "domainName", "db", "domain", "needs", "kind", "pool", "name", "p", "status",
                "nodeName", "h1", "domains", "nodeName", "h2", "claim", "name", "db");
  g_autoptr(json_t) migration = json_object();
  g_autoptr(json_t) config = json_object();
  gboolean transient;
  FerryPlacementInput in = {
      .vmi = vmi, .migration = migration, .nodes = nodes, .n_nodes = 2, .config = config};
  ferry_json_set_str(nodes[0], "status.hypervisor.hostUUID", "aa");
  ferry_json_set_str(nodes[1], "status.hypervisor.hostUUID", "bb");
  g_autoptr(json_t) none = ferry_placement_reasons(&in, nodes[1], &transient);
  g_assert_cmpuint(json_array_size(none), ==,
                   0); /* defined there by its own name: libvirt moves it */

  ferry_json_set(nodes[1], "status.resourceKinds", json_pack("[s]", "pool"));
  g_autoptr(json_t) pool = ferry_placement_reasons(&in, nodes[1], &transient);
  g_assert_true(has(pool, "PoolMissing"));
  g_assert_true(transient); /* somebody may make it */

  ferry_json_set_str(nodes[1], "status.hypervisor.hostUUID", "AA");
  ferry_json_set_str(json_array_get(ferry_json_get(vmi, "status.domains"), 0), "claim.name", "x");
  g_autoptr(json_t) three = ferry_placement_reasons(&in, nodes[1], &transient);
  g_assert_true(has(three, "SameHostUUID") && has(three, "UUIDTaken") && has(three, "PoolMissing"));
  g_assert_false(transient);

  ferry_json_set_bool(config, "offline", TRUE); /* a definition needs nothing */
  g_autoptr(json_t) offline = ferry_placement_reasons(&in, nodes[1], &transient);
  g_assert_false(has(offline, "PoolMissing"));
  for (gsize i = 0; i < G_N_ELEMENTS(nodes); i++)
    json_decref(nodes[i]);
}

static void taint(json_t *node, const char *effect) {
  ferry_json_set(node, "spec.taints",
                 json_pack("[{ss,ss}]", "key", "example.org/disk", "effect", effect));
}

static const char *choice(const FerryPlacementInput *in) {
  g_autoptr(json_t) refusals = NULL;
  gboolean transient;
  return ferry_json_str(ferry_placement_choose(in, &refusals, &transient), "metadata.name");
}

static void on_network(json_t *node, const char *address) {
  ferry_json_set(node, "status.interfaces",
                 json_pack("[{ss,s[s]}]", "name", "mig", "addresses", address));
  ferry_json_set(node, "status.addresses",
                 json_pack("[{ss,ss}]", "type", "InternalIP", "address", "192.168.0.9"));
}

/* Taints repel what nobody sends there by name; what is only a drawback comes after the others,
 * however much memory it has. */
static void test_taints_and_networks(void) {
  json_t *nodes[] = {node("h1", "8Gi", 0), node("h2", "8Gi", 0), node("h3", "64Gi", 0)};
  g_autoptr(json_t) vmi = json_object();
  ferry_json_set_str(vmi, "status.nodeName", "h1");
  g_autoptr(json_t) migration = json_object();
  g_autoptr(json_t) config = json_object();
  FerryPlacementInput in = {
      .vmi = vmi, .migration = migration, .nodes = nodes, .n_nodes = 3, .config = config};
  gboolean transient;
  g_assert_cmpstr(choice(&in), ==, "h3");
  taint(nodes[2], "PreferNoSchedule");
  g_assert_cmpstr(choice(&in), ==, "h2");
  taint(nodes[1], "NoExecute");
  g_assert_cmpstr(choice(&in), ==, "h3");
  taint(nodes[2], "NoSchedule");
  g_assert_null(choice(&in));
  g_autoptr(json_t) reasons = ferry_placement_reasons(&in, nodes[2], &transient);
  g_assert_true(has(reasons, "Tainted"));
  g_assert_nonnull(strstr(ferry_json_str(json_array_get(reasons, 0), "message"),
                          "kubectl taint nodes h3 example.org/disk-"));
  ferry_json_set_str(migration, "spec.targetNode", "h3");
  g_assert_cmpstr(choice(&in), ==, "h3");
  json_object_clear(migration);

  /* only h1 and h2 are on the migration network */
  for (gsize i = 0; i < G_N_ELEMENTS(nodes); i++) {
    json_object_del(nodes[i], "spec");
    g_autofree char *address = g_strdup_printf("%s.0.0.%zu/24", i < 2 ? "10" : "11", i + 1);
    on_network(nodes[i], address);
  }
  g_autoptr(json_t) network =
      json_pack("{s{ss},s{s[s],s[s],ss}}", "metadata", "name", "fast", "spec", "roles", "migration",
                "subnets", "10.0.0.0/24", "fallback", "allow");
  g_assert_cmpstr(choice(&in), ==, "h3");
  in.networks = &network;
  in.n_networks = 1;
  g_assert_cmpstr(choice(&in), ==, "h2");
  taint(nodes[1], "NoSchedule"); /* better past it than not at all */
  g_assert_cmpstr(choice(&in), ==, "h3");
  for (gsize i = 0; i < G_N_ELEMENTS(nodes); i++)
    json_decref(nodes[i]);
}

/* A definition needs neither memory nor a way for it. */
static void test_offline(void) {
  json_t *nodes[] = {node("h1", "8Gi", 0), node("h2", "8Gi", 0)};
  g_autoptr(json_t) vmi = json_object();
  ferry_json_set_str(vmi, "status.nodeName", "h1");
  ferry_json_set_int(vmi, "status.guestMemoryBytes", 32LL << 30);
  g_autoptr(json_t) migration = json_object();
  g_autoptr(json_t) config = json_object();
  g_autoptr(json_t) network =
      json_pack("{s{ss},s{s[s],s[s],ss}}", "metadata", "name", "fast", "spec", "roles", "migration",
                "subnets", "10.0.0.0/24", "fallback", "deny");
  FerryPlacementInput in = {.vmi = vmi,
                            .migration = migration,
                            .nodes = nodes,
                            .n_nodes = 2,
                            .networks = &network,
                            .n_networks = 1,
                            .config = config};
  gboolean transient;
  g_autoptr(json_t) live = ferry_placement_reasons(&in, nodes[1], &transient);
  g_assert_true(has(live, "Memory") && has(live, "Network"));
  ferry_json_set_bool(config, "offline", TRUE);
  g_autoptr(json_t) offline = ferry_placement_reasons(&in, nodes[1], &transient);
  g_assert_cmpuint(json_array_size(offline), ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS(nodes); i++)
    json_decref(nodes[i]);
}

/* A host that lacks what the migration asks for is no target, by name and version. */
static void test_unsupported(void) {
  json_t *nodes[] = {node("old", "16Gi", 0), node("new", "8Gi", 0)};
  ferry_json_set_str(nodes[0], "status.hypervisor.libvirtVersion", "9.0.0");
  ferry_json_set_str(nodes[1], "status.hypervisor.libvirtVersion", "11.3.0");
  g_autoptr(json_t) vmi =
      json_pack("{s{ss},s{ss}}", "spec", "domainName", "db", "status", "nodeName", "h1");
  g_autoptr(json_t) migration = json_object();
  g_autoptr(json_t) config = json_pack("{si}", "availableSwitchoverBandwidth", 1 << 30);
  FerryPlacementInput in = {
      .vmi = vmi, .migration = migration, .nodes = nodes, .n_nodes = 2, .config = config};
  json_t *refusals = NULL;
  gboolean transient;
  const json_t *chosen = ferry_placement_choose(&in, &refusals, &transient);
  g_assert_cmpstr(ferry_json_str(chosen, "metadata.name"), ==, "new");
  const json_t *why = ferry_json_find(json_object_get(json_array_get(refusals, 0), "reasons"),
                                      "reason", "Unsupported");
  g_assert_cmpstr(ferry_json_str(why, "message"), ==,
                  "node old has libvirt 9.0.0: availableSwitchoverBandwidth needs libvirt 11.1.0 "
                  "or newer");
  g_assert_false(transient);
  json_decref(refusals);
  /* a name that is taken at the target matters where the domain keeps its name */
  g_autoptr(json_t) other = json_pack("{s{ss},s{ss},s{s[{ss}]}}", "metadata", "uid", "u2", "spec",
                                      "domainName", "db", "status", "domains", "nodeName", "new");
  in.vmis = &other;
  in.n_vmis = 1;
  g_autoptr(json_t) taken = ferry_placement_reasons(&in, nodes[1], NULL);
  g_assert_true(has(taken, "NameTaken"));
  ferry_json_set_str(config, "destinationName", "db2");
  g_autoptr(json_t) renamed = ferry_placement_reasons(&in, nodes[1], NULL);
  g_assert_false(has(renamed, "NameTaken"));
  for (gsize i = 0; i < G_N_ELEMENTS(nodes); i++)
    json_decref(nodes[i]);
}

static json_t *host(const char *name, const char *qemu, const char *address) {
  json_t *n = node(name, "8Gi", 0);
  ferry_json_set_str(n, "status.hypervisor.qemuVersion", qemu);
  ferry_json_set(n, "status.interfaces",
                 json_pack("[{ss,s[s]}]", "name", "m", "addresses", address));
  return n;
}

/* "" for none; what a host is refused for is said with its name. */
static char *unsupported(const FerryPlacementInput *in, const json_t *node) {
  g_autoptr(json_t) reasons = ferry_placement_reasons(in, node, NULL);
  const char *message =
      ferry_json_str(ferry_json_find(reasons, "reason", "Unsupported"), "message");
  return g_strdup(message ? message : "");
}

/* What depends on the target is judged of each host, for nobody need name one. */
static void test_rules_of_the_target(void) {
  g_autoptr(json_t) old = host("old", "10.0.2", "10.0.0.2/24");
  g_autoptr(json_t) new = host("new", "10.1.0", "10.0.0.3/24");
  g_autoptr(json_t) unknown = node("unknown", "8Gi", 0);
  g_autoptr(json_t) vmi = json_pack("{s{ss}}", "status", "nodeName", "h1");
  g_autoptr(json_t) migration = json_object();
  g_autoptr(json_t) config = json_pack("{sb,sb}", "allowPostCopy", 1, "parallel", 1);
  FerryPlacementInput in = {.vmi = vmi, .migration = migration, .config = config};
  g_autofree char *together = unsupported(&in, old);
  g_assert_nonnull(strstr(together, "node old has QEMU 10.0.2: allowPostCopy needs QEMU 10.1.0"));
  g_autofree char *newer = unsupported(&in, new);
  g_assert_cmpstr(newer, ==, "");
  g_autofree char *unsaid = unsupported(&in, unknown);
  g_assert_nonnull(strstr(unsaid, "node unknown has QEMU of an unknown version"));

  g_autoptr(json_t) listens = json_pack("{ss}", "listenAddress", "10.0.0.3");
  in.config = listens;
  g_autofree char *elsewhere = unsupported(&in, old);
  g_assert_nonnull(strstr(elsewhere, "node old does not have this address; it has 10.0.0.2"));
  g_autofree char *there = unsupported(&in, new);
  g_assert_cmpstr(there, ==, "");
  json_object_set_new(listens, "listenAddress", json_string("0.0.0.0"));
  g_autofree char *anywhere = unsupported(&in, old);
  g_assert_cmpstr(anywhere, ==, "");
}

/* Where both say what they lock disks by it must be the same. */
static void test_lock_managers(void) {
  static const struct {
    const char *here, *there;
    gboolean offline, refused;
  } cases[] = {{"none", "none", FALSE, FALSE},        {"virtlockd", "virtlockd", FALSE, FALSE},
               {"virtlockd", "none", FALSE, TRUE},    {"none", "virtlockd", FALSE, TRUE},
               {"sanlock", "virtlockd", FALSE, TRUE}, {"virtlockd", NULL, FALSE, FALSE},
               {NULL, "virtlockd", FALSE, FALSE},     {"virtlockd", "none", TRUE, FALSE}};
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(json_t) h1 = node("h1", "8Gi", 0);
    g_autoptr(json_t) h2 = node("h2", "8Gi", 0);
    if (cases[i].here)
      ferry_json_set_str(h1, "status.hypervisor.lockManager", cases[i].here);
    if (cases[i].there)
      ferry_json_set_str(h2, "status.hypervisor.lockManager", cases[i].there);
    g_autoptr(json_t) vmi = json_pack("{s:{s:s}}", "status", "nodeName", "h1");
    g_autoptr(json_t) config = json_pack("{s:b}", "offline", cases[i].offline);
    json_t *nodes[] = {h1, h2};
    FerryPlacementInput in = {.vmi = vmi, .config = config, .nodes = nodes, .n_nodes = 2};
    gboolean transient;
    g_autoptr(json_t) all = ferry_placement_reasons(&in, h2, &transient);
    g_test_message("case %zu", i);
    g_assert_cmpint(has(all, "LockManager"), ==, cases[i].refused);
  }
}

/* A cordoned host is taken where it is named, but for a name that was said for later. */
static void test_named_for_later(void) {
  g_autoptr(json_t) h2 = node("h2", "8Gi", 0), vmi = json_object();
  g_autoptr(json_t) migration = json_pack("{s{ss}}", "spec", "targetNode", "h2");
  FerryPlacementInput in = {.vmi = vmi, .migration = migration};
  ferry_json_set_bool(h2, "spec.unschedulable", TRUE);
  g_autoptr(json_t) now = ferry_placement_reasons(&in, h2, NULL);
  g_assert_false(has(now, "Unschedulable"));
  ferry_json_set_str(migration, "spec.notBefore", "2026-01-01T00:00:00Z");
  g_autoptr(json_t) later = ferry_placement_reasons(&in, h2, NULL);
  g_assert_true(has(later, "Unschedulable"));
}

static void test_room_only(void) {
  g_autoptr(json_t) none = json_array();
  g_autoptr(json_t) room = json_pack("[{ss},{ss}]", "reason", "LinkFull", "reason", "InboundLimit");
  g_assert_false(ferry_placement_is_room_only(none));
  g_assert_true(ferry_placement_is_room_only(room));
  json_array_append_new(room, json_pack("{ss}", "reason", "Memory"));
  g_assert_false(ferry_placement_is_room_only(room));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/placement/machine", test_machine_of_another_generation);
  g_test_add_func("/placement/all-reasons", test_all_reasons);
  g_test_add_func("/placement/lacks", test_lacks);
  g_test_add_func("/placement/taints-and-networks", test_taints_and_networks);
  g_test_add_func("/placement/offline", test_offline);
  g_test_add_func("/placement/unsupported", test_unsupported);
  g_test_add_func("/placement/rules-of-the-target", test_rules_of_the_target);
  g_test_add_func("/placement/lock-managers", test_lock_managers);
  g_test_add_func("/placement/named-for-later", test_named_for_later);
  g_test_add_func("/placement/room-only", test_room_only);
  return g_test_run();
}
