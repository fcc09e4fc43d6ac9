// SPDX-License-Identifier: Apache-2.0
// Ferry's own kinds: Network (which addresses carry migrations) and Evacuation (empty one node).
#include "model/kinds/columns.h"
#include "model/kinds/shared_fields.h"
#include "model/migration/phase.h"
#include "model/migration/way.h"

static const FerryField network_spec[] = {
    STRS("roles", "What the network is used for; one network only has the role migration.",
         .values = WORDS("migration"), .flags = FERRY_FIELD_SET, .max = 8,
         .def = "[\"migration\"]"),
    STRS("subnets", "Subnets as 10.1.2.0/24: a node's address in one of them is used.",
         .pattern = "cidr", .flags = FERRY_FIELD_SET, .max = 64),
    STR("fallback",
        "What to do where a node has no address in the network: use its other address "
        "(allow), use it and say so (warn), or refuse (deny).",
        .values = ferry_network_fallbacks, .def = "\"warn\""),
    STR("interface", "Name of the interface whose addresses are used, such as bond0.", .max = 64),
    BOOL("required",
         "Whether a host that is not in the network takes no VM unless a migration names it. Where "
         "it is not required, migrations to such a host go as `fallback` says.",
         .def = "false"),
    INT("parallelInboundPerNode",
        "Most migrations that enter a node by it at once; unset: as many as the configuration "
        "allows.",
        .unit = FERRY_UNIT_COUNT, .min = 1, .max = 1000),
    RATE_QUANTITY("leastRate",
                  "A migration begins only where the links of both hosts leave it at least this "
                  "much beside those under way, which share a link alike; unset: whatever is left.",
                  .min = 1, .max = G_MAXINT64),
    END,
};

static const FerryField network_node[] = {
    STR("nodeName", "The node.", .max = NAME_MAX_LENGTH),
    STR("address", "Its address in the network; empty: it is not in it.", .max = 255),
    STR("interface", "The interface that carries it there, or would if it were up.", .max = 64),
    STR("message", "Why it is not in the network.", .max = MESSAGE_MAX_LENGTH),
    WHOLE("speedMbps", FERRY_UNIT_MBIT_PER_SECOND,
          "Speed of that interface's link; absent: unknown."),
    END,
};

static const FerryField network_status[] = {
    OBJS("nodes", network_node, "Each node's address in the network.", .max = 10000),
    OBJS("conditions", ferry_fields_condition, "Statements about the network.", .merge_key = "type",
         .max = 64),
    END,
};

static const FerryField network_fields[] = {
    OBJ("spec", network_spec, "What the network is.", REQUIRED),
    OBJ("status", network_status, "What is true of it."),
    END,
};

static const FerryColumn network_columns[] = {
    COLUMN_NAME,
    COLUMN("Roles", "string", "spec.roles", "What it is used for."),
    COLUMN("Subnets", "string", "spec.subnets", "Subnets that belong to it."),
    COLUMN("Fallback", "string", "spec.fallback", "What to do where a node is not in it."),
    COLUMN_CELL("Nodes", "integer", ferry_cell_network_nodes, "Nodes that have an address in it."),
    COLUMN_AGE,
};

static void network_check(const json_t *object, const json_t *old, GError *error) {
  json_t *spec = ferry_json_get(object, "spec");
  const char *name = ferry_json_str(spec, "interface");
  if (spec && json_array_size(ferry_json_get(spec, "subnets")) == 0 && (!name || !*name))
    ferry_error_add_cause(error, "FieldValueRequired", "spec.subnets",
                          "Required value: give at least one subnet, or spec.interface");
}

const FerryKind ferry_kind_network = {
    .group = "ferry.migration",
    .version = "v1",
    .kind = "Network",
    .plural = "networks",
    .singular = "network",
    .short_names = WORDS("net", "nets"),
    .namespaced = FALSE,
    .verbs = FERRY_VERB_ALL,
    .read_by = FERRY_ROLE_VIEW,
    .write_by = FERRY_ROLE_EDIT,
    .has_status = TRUE,
    .fields = network_fields,
    .columns = network_columns,
    .n_columns = G_N_ELEMENTS(network_columns),
    .doc = "Network names the addresses that carry the data of migrations.",
    .check = network_check,
};

static const FerryField evacuation_spec[] = {
    STR("nodeName", "Node to move all VMs away from.",
        .flags = FERRY_FIELD_REQUIRED | FERRY_FIELD_IMMUTABLE, .pattern = "dns-subdomain",
        .max = NAME_MAX_LENGTH),
    TIME("deadline", "When the node is to be empty. It goes on after that, and says so."),
    END,
};

static const FerryField evacuation_vm[] = {
    STR("name", "Name of the VM.", .max = NAME_MAX_LENGTH),
    STR("namespace", "Namespace of the VM.", .max = 63),
    STR("phase", "How far its move is.", .values = ferry_listed_phases),
    STR("migration", "Name of its VirtualMachineInstanceMigration.", .max = NAME_MAX_LENGTH),
    STR("message", "Why it waits or cannot move.", .max = MESSAGE_MAX_LENGTH),
    STR("target", "Of a dry run: the host that it would go to.", .max = NAME_MAX_LENGTH),
    BYTES("bytes", "Of a dry run: its memory, and disks that are copied."),
    MS("forecastMs", "Of a dry run: when it is expected to have left, from the beginning.",
       NOT_NEGATIVE),
    END,
};

static const FerryField evacuation_plan[] = {
    BYTES("bytes", "Memory and disks of the VMs that can leave."),
    BYTES("memoryBytes", "Memory of the VMs that were there when it began."),
    MS("boundMs",
       "What it takes at least, whatever the order, if the guests have touched all of "
       "their memory; absent: no link's speed is known.",
       NOT_NEGATIVE),
    STR("boundBy", "What that is bound by.", .max = 1024),
    MS("forecastMs", "What it is expected to take; absent: a link's speed is not known.",
       NOT_NEGATIVE),
    COUNT("late", "VMs that are not expected to have left by the deadline."),
    END,
};

static const FerryField evacuation_status[] = {
    STR("phase", "How far the evacuation is; Succeeded and Failed are final.",
        .values = ferry_evacuation_phases),
    COUNT("total", "VMs to move."),
    COUNT("moved", "VMs that have moved."),
    COUNT("failed", "VMs that could not be moved."),
    COUNT("cancelled", "Migrations to the node that were cancelled."),
    COUNT("remaining", "VMs that are still to move, or on their way to the node."),
    OBJ("plan", evacuation_plan, "What was expected of it when it was asked for."),
    TIME("expectedEnd", "When it is expected to end, by how fast it has gone so far."),
    MS("tookMs", "How long it took, once it has ended.", NOT_NEGATIVE),
    OBJS("vms", evacuation_vm, "VMs that are under way, can not leave or have just left.",
         .max = 10000),
    OBJS("conditions", ferry_fields_condition, "Statements about the evacuation.",
         .merge_key = "type", .max = 64),
    END,
};

static const FerryField evacuation_fields[] = {
    OBJ("spec", evacuation_spec, "What is wished.", REQUIRED),
    OBJ("status", evacuation_status, "What is true of the evacuation."),
    END,
};

static const FerryColumn evacuation_columns[] = {
    COLUMN_NAME,
    COLUMN("Phase", "string", "status.phase", "How far it is."),
    COLUMN("Node", "string", "spec.nodeName", "Node that is emptied."),
    COLUMN("Total", "integer", "status.total", "VMs to move."),
    COLUMN("Moved", "integer", "status.moved", "VMs that have moved."),
    COLUMN("Failed", "integer", "status.failed", "VMs that could not be moved."),
    COLUMN("Remaining", "integer", "status.remaining", "VMs that are still to move."),
    COLUMN_WIDE("Expected", "string", "status.expectedEnd", "When it is expected to end."),
    COLUMN_WIDE("Until", "string", "spec.deadline", "When it is to have ended."),
    COLUMN_AGE,
};

const FerryKind ferry_kind_evacuation = {
    .group = "ferry.migration",
    .version = "v1",
    .kind = "Evacuation",
    .plural = "evacuations",
    .singular = "evacuation",
    .short_names = WORDS("evac"),
    .categories = WORDS("all"),
    .namespaced = FALSE,
    .verbs = FERRY_VERB_ALL,
    .read_by = FERRY_ROLE_VIEW,
    .write_by = FERRY_ROLE_OPERATE,
    .has_status = TRUE,
    .fields = evacuation_fields,
    .columns = evacuation_columns,
    .n_columns = G_N_ELEMENTS(evacuation_columns),
    .field_selectors = WORDS("status.phase", "spec.nodeName"),
    .doc = "Evacuation moves every VM away from one node.",
};
