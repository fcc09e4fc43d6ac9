// SPDX-License-Identifier: Apache-2.0
// Which node a VM may move to. Each node is judged by all rules, so that a refusal has every reason
// and not the first one. Which of those that may take it is chosen is choice.c's.
// Pure: nodes, VM and configuration go in, reasons come out.
#include "policy/placement.h"
#include "model/migration/migration.h"
#include "model/migration/reasons.h"
#include "base/quantity.h"
#include "policy/flags/migration_flags_rules.h"
#include "policy/link_use.h"
#include "policy/network/data_way.h"
#include "policy/network/peers.h"
#include "policy/place/emptied.h"
#include "policy/shared_storage.h"
#include "model/migration/condition.h"
#include "policy/target/needs_rules.h"

gboolean ferry_node_is_ready(const json_t *node) {
  return ferry_condition_holds(node, FERRY_CONDITION_READY);
}

static void G_GNUC_PRINTF(3, 4)
    placement_add(json_t *reasons, FerryReason reason, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  g_autofree char *message = g_strdup_vprintf(format, ap);
  va_end(ap);
  json_array_append_new(
      reasons, json_pack("{ss,ss}", "reason", ferry_reason_name(reason), "message", message));
}

gint64 ferry_placement_memory_capacity(const json_t *node) {
  const json_t *v = ferry_json_get(node, "status.capacity.memory");
  gint64 bytes = 0;
  if (json_is_integer(v))
    return json_integer_value(v);
  if (json_is_string(v) && ferry_quantity_parse(json_string_value(v), &bytes, NULL))
    return bytes;
  return -1;
}

/* That none of its domains uses; -1: unknown. */
static gint64 unused_memory(const json_t *node) {
  gint64 capacity = ferry_placement_memory_capacity(node);
  return capacity < 0 ? -1 : MAX(0, capacity - ferry_json_int(node, "status.memoryUsedBytes", 0));
}

gint64 ferry_placement_processors(const json_t *node) {
  const json_t *value = ferry_json_get(node, "status.capacity.cpu");
  return json_is_integer(value)  ? json_integer_value(value)
         : json_is_string(value) ? g_ascii_strtoll(json_string_value(value), NULL, 10)
                                 : 0;
}

gint64 ferry_placement_free_memory(const FerryPlacementInput *in, const json_t *node) {
  gint64 unused = unused_memory(node);
  const char *name = ferry_json_str(node, "metadata.name");
  return unused < 0 ? -1 : MAX(0, unused - ferry_promises_bytes(in->promises, name));
}

/* The host that the VM leaves; when a failed post-copy migration is resumed, the one it left. */
static const char *source_name(const FerryPlacementInput *in) {
  const char *from = ferry_migration_flag_on(in->config, "postCopyResume")
                         ? ferry_json_str(in->migration, "status.migrationState.sourceNode")
                         : NULL;
  return from ? from : ferry_json_str(in->vmi, "status.nodeName");
}

const json_t *ferry_placement_source(const FerryPlacementInput *in) {
  const char *source = source_name(in);
  for (gsize i = 0; source && i < in->n_nodes; i++)
    if (g_strcmp0(ferry_json_str(in->nodes[i], "metadata.name"), source) == 0)
      return in->nodes[i];
  return NULL;
}

/* The node's architecture where it is not the source's; NULL: it is, or one is not known. */
static const char *other_architecture(const json_t *source, const json_t *node) {
  const char *from = ferry_json_str(source, "status.hypervisor.cpuArch");
  const char *to = ferry_json_str(node, "status.hypervisor.cpuArch");
  return from && to && !g_str_equal(from, to) ? to : NULL;
}

/* Whether the node is known not to have `word` among status.hypervisor.`key`: one that has not
 * said what it has may have it. */
static gboolean lacks_word(const json_t *node, const char *key, const char *word) {
  g_autofree char *path = g_strconcat("status.hypervisor.", key, NULL);
  const json_t *list = ferry_json_get(node, path);
  return word && json_array_size(list) > 0 && !ferry_json_has_word(list, word);
}

json_t *ferry_placement_machine_reasons(const json_t *vmi, const json_t *config,
                                        const json_t *node) {
  static const char *const modes[] = {"host-model", "host-passthrough", "maximum", NULL};
  json_t *reasons = json_array();
  const char *name = ferry_json_str(node, "metadata.name");
  const char *libvirt = ferry_json_str(node, "status.hypervisor.libvirtVersion");
  const char *qemu = ferry_json_str(node, "status.hypervisor.qemuVersion");
  const char *machine = ferry_json_str(vmi, "spec.domain.machine.type");
  const char *cpu = ferry_json_str(vmi, "spec.domain.cpu.model");
  if (lacks_word(node, "machineTypes", machine))
    placement_add(
        reasons, FERRY_REASON_MACHINE_TYPE,
        "node %s has QEMU %s, which lacks the VM's machine type %s; choose a host whose QEMU has "
        "it, or start the VM with an older machine type",
        name, qemu ? qemu : "of an unknown version", machine);
  if (cpu && !g_strv_contains(modes, cpu) && !ferry_json_str(config, "destinationXML") &&
      lacks_word(node, "cpuModels", cpu))
    placement_add(
        reasons, FERRY_REASON_CPU_MODEL,
        "node %s has libvirt %s and QEMU %s, which lack the VM's processor model %s; choose a host "
        "that has it, or start the VM with an older model",
        name, libvirt ? libvirt : "of an unknown version", qemu ? qemu : "of an unknown version",
        cpu);
  return reasons;
}

/* New text; NULL: it has enough, or has not said what it has. */
static char *memory_reason(const FerryPlacementInput *in, const json_t *node) {
  const char *name = ferry_json_str(node, "metadata.name");
  const char *others = ferry_promises_names(in->promises, name);
  gint64 need = ferry_json_int(in->vmi, "status.guestMemoryBytes", 0);
  gint64 free = ferry_placement_free_memory(in, node);
  if (free < 0 || need <= free)
    return NULL;
  g_autofree char *unused = ferry_bytes_format((double)unused_memory(node));
  g_autofree char *promised = ferry_bytes_format((double)ferry_promises_bytes(in->promises, name));
  g_autofree char *needed = ferry_bytes_format((double)need);
  g_autofree char *of_which =
      others ? g_strdup_printf(", of which %s is promised to migrations on the way there (%s)",
                               promised, others)
             : g_strdup("");
  return g_strdup_printf("node %s has %s of memory free%s, the VM needs %s", name, unused, of_which,
                         needed);
}

static gboolean has_effect(const json_t *taint, const char *effect) {
  return g_strcmp0(ferry_json_str(taint, "effect"), effect) == 0;
}

/* Kubernetes' rule: nothing is put on a node with such a taint by itself. NULL: there is none. */
static const json_t *repelling_taint(const json_t *node, const char *drain_key) {
  gsize i;
  json_t *taint;
  json_array_foreach(ferry_json_get(node, "spec.taints"), i, taint) {
    if (has_effect(taint, "NoSchedule") || has_effect(taint, "NoExecute") ||
        g_strcmp0(ferry_json_str(taint, "key"), drain_key) == 0)
      return taint;
  }
  return NULL;
}

/* What is collected against one node. `lasting`: how many of the reasons no waiting ends. */
typedef struct {
  const FerryPlacementInput *in;
  const json_t *source, *node;
  const char *name;
  json_t *reasons;
  gsize lasting;
} Case;

#define LASTING(c, ...) (placement_add((c)->reasons, __VA_ARGS__), (c)->lasting++)
#define PASSING(c, ...) placement_add((c)->reasons, __VA_ARGS__)

static void add_lasting(Case *c, json_t *reasons) {
  c->lasting += json_array_size(reasons);
  json_array_extend(c->reasons, reasons);
  json_decref(reasons);
}

/* What the migration and its earlier attempts say of it. */
static void against_choice(Case *c, const char *wanted) {
  if (g_strcmp0(source_name(c->in), c->name) == 0)
    LASTING(c, FERRY_REASON_SAME_NODE, "the VM runs on %s already; choose another host", c->name);
  if (wanted && g_strcmp0(wanted, c->name) != 0)
    LASTING(c, FERRY_REASON_NOT_THE_TARGET, "the migration names %s as its target", wanted);
  const json_t *tried =
      ferry_json_find(ferry_json_get(c->in->migration, "status.attempts"), "nodeName", c->name);
  if (tried)
    LASTING(c, FERRY_REASON_TRIED, "the migration to %s has failed already: %s", c->name,
            ferry_json_str(tried, "message"));
}

/* Whether the migration names it as it is now. One with a time to begin named it as it was before:
 * who has cordoned it since did not mean that VM to come. */
static gboolean is_named_now(const Case *c, const char *wanted) {
  return wanted && g_str_equal(wanted, c->name) &&
         !ferry_json_str(c->in->migration, "spec.notBefore");
}

/* What its own object says. `named`: the migration names it, so that it may be cordoned. */
static void against_node(Case *c, gboolean named) {
  const json_t *node = c->node;
  const char *name = c->name;
  if (!ferry_node_is_ready(node)) {
    const json_t *ready = ferry_condition_find(node, FERRY_CONDITION_READY);
    const char *message = ferry_json_str(ready, "message");
    PASSING(c, FERRY_REASON_NOT_READY, "node %s is not ready: %s", name,
            message ? message : "its agent has not reported");
  }
  if (ferry_json_bool(node, "spec.unschedulable", FALSE) && !named)
    LASTING(c, FERRY_REASON_NODE_UNSCHEDULABLE,
            "node %s is cordoned; undo it with: kubectl uncordon %s", name, name);
  const json_t *taint =
      named ? NULL : repelling_taint(node, ferry_placement_drain_key(c->in->config));
  if (taint)
    LASTING(c, FERRY_REASON_TAINTED,
            "node %s has the taint %s:%s; remove it with: kubectl taint nodes %s %s-", name,
            ferry_json_str(taint, "key"), ferry_json_str(taint, "effect"), name,
            ferry_json_str(taint, "key"));
  if (ferry_json_get(node, "metadata.deletionTimestamp"))
    LASTING(c, FERRY_REASON_DELETED, "node %s is being deleted", name);
}

/* What is to stay free there, unless somebody names the host. */
static void against_headroom(Case *c) {
  const FerryPlacementInput *in = c->in;
  gint64 reserve = ferry_json_int(in->config, "memoryReservePercent", 0);
  gint64 over = ferry_json_int(in->config, "maxProcessorOvercommit", 0);
  gint64 capacity = ferry_placement_memory_capacity(c->node),
         free = ferry_placement_free_memory(in, c->node);
  gint64 after = free - ferry_json_int(in->vmi, "status.guestMemoryBytes", 0);
  gint64 reserved = capacity / 100 * reserve;
  if (reserve > 0 && free >= 0 && after < reserved) {
    g_autofree char *left = ferry_bytes_format((double)MAX(0, after));
    g_autofree char *wanted = ferry_bytes_format((double)reserved);
    PASSING(c, FERRY_REASON_HEADROOM,
            "node %s would have %s of memory free with the VM, and %s are to stay free "
            "(memoryReservePercent %" G_GINT64_FORMAT ")",
            c->name, left, wanted, reserve);
  }
  gint64 real = ferry_placement_processors(c->node);
  gint64 would = ferry_json_int(c->node, "status.processorsUsed", 0) +
                 ferry_json_int(in->vmi, "spec.domain.cpu.cores", 1);
  if (over > 0 && real > 0 && would > over * real)
    PASSING(c, FERRY_REASON_HEADROOM,
            "node %s would have %" G_GINT64_FORMAT " virtual processors on %" G_GINT64_FORMAT
            ", and %" G_GINT64_FORMAT " are allowed (maxProcessorOvercommit %" G_GINT64_FORMAT ")",
            c->name, would, real, over * real, over);
}

static void against_one_affinity(gboolean of_vms, gboolean apart, const char *text, gpointer data) {
  Case *c = data;
  FerryReason reason = apart ? FERRY_REASON_ANTI_AFFINITY : FERRY_REASON_AFFINITY;
  placement_add(c->reasons, reason, "%s", text);
  c->lasting += !of_vms; /* VMs come and go */
}

/* Whom it is to be with, and whom not. */
static void against_affinity(Case *c) {
  if (!ferry_migration_flag_on(c->in->config, "postCopyResume"))
    ferry_affinity_against(c->in->affinity, c->node, TRUE, against_one_affinity, c);
}

/* libvirt moves no guest between hosts that lock its disks by different means. */
static void against_locks(Case *c) {
  const char *there = ferry_json_str(c->node, "status.hypervisor.lockManager");
  const char *here = ferry_json_str(c->source, "status.hypervisor.lockManager");
  if (here && there && !g_str_equal(here, there) &&
      !ferry_migration_flag_on(c->in->config, "offline"))
    LASTING(c, FERRY_REASON_LOCK_MANAGER,
            "the lock manager of %s is %s, that of %s is %s: set lock_manager in "
            "/etc/libvirt/qemu.conf alike on both",
            source_name(c->in), here, c->name, there);
}

/* Whether the machine fits the VM. */
static void against_machine(Case *c) {
  const FerryPlacementInput *in = c->in;
  const char *key;
  json_t *value;
  json_object_foreach(ferry_json_get(in->migration, "spec.addedNodeSelector"), key, value) {
    const char *have =
        json_string_value(json_object_get(ferry_json_get(c->node, "metadata.labels"), key));
    if (g_strcmp0(have, json_string_value(value)) != 0)
      LASTING(c, FERRY_REASON_NODE_SELECTOR, "node %s lacks the label %s=%s of addedNodeSelector",
              c->name, key, json_string_value(value) ? json_string_value(value) : "");
  }
  const char *arch = other_architecture(c->source, c->node);
  if (arch)
    LASTING(c, FERRY_REASON_ARCHITECTURE, "node %s has architecture %s, not the source's", c->name,
            arch);
  add_lasting(c, ferry_placement_machine_reasons(in->vmi, in->config, c->node));
  gboolean offline = ferry_migration_flag_on(in->config, "offline"); /* a definition only */
  g_autofree char *memory = offline ? NULL : memory_reason(in, c->node);
  if (memory)
    PASSING(c, FERRY_REASON_MEMORY, "%s", memory);
}

/* What the VM is put on, opens and reads at its start. */
static void against_lacks(Case *c) {
  const FerryPlacementInput *in = c->in;
  const char *here = ferry_json_str(c->source, "status.hypervisor.hostUUID");
  const char *there = ferry_json_str(c->node, "status.hypervisor.hostUUID");
  if (c->source != c->node && here && there && g_ascii_strcasecmp(here, there) == 0)
    LASTING(c, FERRY_REASON_SAME_HOST_UUID,
            "the libvirtd of %s and that of %s have one UUID (%s), and take each other for "
            "themselves: give one another host_uuid in /etc/libvirt/libvirtd.conf and restart it",
            source_name(in), c->name, there);
  if (c->source == c->node || ferry_migration_flag_on(in->config, "offline") ||
      ferry_migration_flag_on(in->config, "postCopyResume"))
    return;
  json_t *lacks = ferry_needs_reasons(in->vmi, in->config, c->node);
  c->lasting += /* the rest somebody may make meanwhile */
      ferry_json_find(lacks, "reason", ferry_reason_name(FERRY_REASON_SETTING_UNKNOWN)) != NULL;
  json_array_extend(c->reasons, lacks);
  json_decref(lacks);
}

/* What runs there that is in the way, or what should and does not. */
static void against_domains(Case *c) {
  const FerryPlacementInput *in = c->in;
  const char *renamed = ferry_json_str(in->config, "destinationName");
  const char *domain = renamed ? renamed : ferry_json_str(in->vmi, "spec.domainName");
  const char *uid = ferry_json_str(in->vmi, "metadata.uid");
  for (gsize i = 0; i < in->n_vmis; i++) {
    const char *other = ferry_json_str(in->vmis[i], "metadata.uid");
    if (g_strcmp0(other, uid) != 0 &&
        g_strcmp0(ferry_json_str(in->vmis[i], "spec.domainName"), domain) == 0 &&
        ferry_json_find(ferry_json_get(in->vmis[i], "status.domains"), "nodeName", c->name))
      LASTING(c, FERRY_REASON_NAME_TAKEN,
              "node %s has another domain named %s (UUID %s); rename or remove one of the two",
              c->name, domain, other);
  }
  const char *own = ferry_json_str(
      ferry_json_find(ferry_json_get(in->vmi, "status.domains"), "nodeName", c->name),
      "claim.name");
  if (own && g_strcmp0(own, domain) != 0 && g_strcmp0(source_name(in), c->name) != 0)
    LASTING(c, FERRY_REASON_UUID_TAKEN,
            "node %s has the VM's UUID (%s) under another name, %s: look at both with virsh, and "
            "undefine the one that is not wanted",
            c->name, uid, own);
  gboolean there =
      g_strcmp0(source_name(in), c->name) != 0 && ferry_vmi_is_active_on(in->vmi, c->name);
  if (ferry_migration_flag_on(in->config, "postCopyResume")) {
    if (!there)
      LASTING(c, FERRY_REASON_NOT_THE_OTHER_HALF, "node %s does not hold the other half of the VM",
              c->name);
  } else if (there)
    PASSING(c, FERRY_REASON_RUNS_THERE, "node %s reports this VM as active already", c->name);
}

/* Nothing is put where a required network is missing, unless somebody names the host. */
static void against_missing_networks(Case *c) {
  const FerryPlacementInput *in = c->in;
  for (gsize i = 0; i < in->n_networks; i++) {
    g_auto(FerryNetworkPlace) place = {0};
    if (ferry_json_bool(in->networks[i], "spec.required", FALSE) &&
        !ferry_network_place_any(in->networks[i], c->node, &place))
      PASSING(c, FERRY_REASON_NETWORK,
              "node %s is not in Network \"%s\", which is required: %s; it takes VMs only where a "
              "migration names it",
              c->name, ferry_json_str(in->networks[i], "metadata.name"), place.problem);
  }
}

static void against_one_use(FerryReason reason, const char *text, gpointer data) {
  Case *c = data;
  PASSING(c, reason, "%s", text);
}

/* What uses the way already; a question without limits is about where, not when. */
static void against_use(Case *c, const FerryRoute *route) {
  const FerryPlacementInput *in = c->in;
  FerryLinkUse use = {.source = ferry_json_str(c->source, "metadata.name"),
                      .target = c->name,
                      .own = ferry_json_str(in->migration, "metadata.uid"),
                      .cap = ferry_json_int(in->config, "bandwidthPerMigration", 0),
                      .migrations = in->migrations,
                      .n_migrations = in->n_migrations};
  for (gsize i = 0; route->network && i < in->n_networks; i++)
    if (g_strcmp0(ferry_json_str(in->networks[i], "metadata.name"), route->network) == 0)
      use.network = in->networks[i];
  if (!in->limits || !use.network || !use.source || ferry_migration_flag_on(in->config, "offline"))
    return;
  ferry_network_ends_mbps(c->source, c->node, route->address, &use.out_mbps, &use.in_mbps);
  ferry_link_use_against(&use, against_one_use, c);
}

/* Whether the data gets there, and what is to be done with it can be done there. */
static void against_way(Case *c) {
  const FerryPlacementInput *in = c->in;
  FerryReason obstacle = FERRY_REASON_NONE;
  g_autofree char *unreachable =
      ferry_peers_obstacle(in->nodes, in->n_nodes, c->node, in->config, &obstacle);
  if (unreachable)
    PASSING(c, obstacle, "%s", unreachable);
  g_auto(FerryRoute) route = {0};
  g_autofree char *problem = NULL;
  if (c->source && c->source != c->node &&
      !ferry_data_way(in->networks, in->n_networks, in->config, c->source, c->node, &route,
                      &problem))
    LASTING(c, FERRY_REASON_NETWORK, "%s", problem);
  against_use(c, &route);
  add_lasting(c, ferry_shared_storage_reasons(in->vmi, in->config, c->source, c->node));
  g_autoptr(GPtrArray) missing = ferry_migration_flags_lacking(in->config, c->node, TRUE);
  for (guint i = 0; i < missing->len; i++)
    LASTING(c, FERRY_REASON_UNSUPPORTED, "%s", ((const FerryFlagLack *)missing->pdata[i])->text);
  g_autofree char *full = NULL;
  if (in->limits && !ferry_migration_flag_on(in->config, "offline") &&
      !ferry_limits_inbound_ok(in->limits, c->name, &full))
    PASSING(c, FERRY_REASON_INBOUND_LIMIT, "%s", full);
}

gboolean ferry_placement_is_room_only(const json_t *reasons) {
  gsize i;
  json_t *reason;
  json_array_foreach((json_t *)reasons, i, reason) {
    const char *word = ferry_json_str(reason, "reason");
    if (g_strcmp0(word, ferry_reason_name(FERRY_REASON_LINK_FULL)) != 0 &&
        g_strcmp0(word, ferry_reason_name(FERRY_REASON_INBOUND_LIMIT)) != 0)
      return FALSE;
  }
  return json_array_size(reasons) > 0;
}

static json_t *reasons_against(const FerryPlacementInput *in, const json_t *source,
                               const json_t *node, gboolean *transient) {
  Case c = {.in = in,
            .source = source,
            .node = node,
            .name = ferry_json_str(node, "metadata.name"),
            .reasons = json_array()};
  const char *wanted = ferry_json_str(in->migration, "spec.targetNode");
  against_choice(&c, wanted);
  against_node(&c, is_named_now(&c, wanted));
  against_machine(&c);
  against_locks(&c);
  against_lacks(&c);
  against_domains(&c);
  if (!wanted || g_strcmp0(wanted, c.name) != 0) {
    against_missing_networks(&c);
    against_headroom(&c);
  }
  against_affinity(&c);
  against_way(&c);
  if (transient)
    *transient = c.lasting == 0;
  return c.reasons;
}

json_t *ferry_placement_reasons(const FerryPlacementInput *in, const json_t *node,
                                gboolean *transient) {
  return reasons_against(in, ferry_placement_source(in), node, transient);
}
