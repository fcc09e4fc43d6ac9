// SPDX-License-Identifier: Apache-2.0
// Kinds of the core group that describe the cluster: Namespace, Node, and Service, of which there
// is none. Event is in kinds_event.c.
//
// A Node is a host: spec is an administrator's, status its agent's report and ferryd's conditions.
// Each block below is the fields of one object, from the inside out, with type, limits and the
// words that documentation is made of; the FerryKind at the end ties them to a path, columns and
// roles. A rule that looks at two fields at once is the kind's check function.
#include "model/domain/domain_needs.h"
#include "model/kinds/columns.h"
#include "model/kinds/shared_fields.h"
#include "model/migration/node_address.h"

static const FerryField namespace_spec[] = {
    STRS("finalizers", "What must be done before a deleted namespace goes.",
         .flags = FERRY_FIELD_SET, .max = 64),
    END,
};

static const FerryField namespace_status[] = {
    STR("phase", "Active, or Terminating while it is being deleted.",
        .values = WORDS("Active", "Terminating")),
    OBJS("conditions", ferry_fields_condition, "What hinders its deletion, if anything.",
         .merge_key = "type", .max = 32),
    END,
};

static const FerryField namespace_fields[] = {
    OBJ("spec", namespace_spec, "What is wished for the namespace."),
    OBJ("status", namespace_status, "What is true of the namespace."),
    END,
};

static const FerryColumn namespace_columns[] = {
    COLUMN_NAME,
    COLUMN("Status", "string", "status.phase", "Active or Terminating."),
    COLUMN_AGE,
};

const FerryKind ferry_kind_namespace = {
    .group = "",
    .version = "v1",
    .kind = "Namespace",
    .plural = "namespaces",
    .name_format = "dns-label",
    .singular = "namespace",
    .short_names = WORDS("ns"),
    .namespaced = FALSE,
    .verbs = FERRY_VERB_ALL,
    .read_by = FERRY_ROLE_VIEW,
    .write_by = FERRY_ROLE_EDIT,
    .has_status = TRUE,
    .fields = namespace_fields,
    .columns = namespace_columns,
    .n_columns = G_N_ELEMENTS(namespace_columns),
    .field_selectors = WORDS("status.phase"),
    .doc = "Namespace is a scope for the names of VMs and migrations.",
};

static const FerryField node_taint[] = {
    STR("key", "Key of the taint.", REQUIRED, .pattern = "label-key", .max = 317),
    STR("value", "Value of the taint.", .pattern = "label-value", .max = 63),
    STR("effect", "What it does to VMs: NoSchedule and NoExecute keep migrations away.", REQUIRED,
        .values = WORDS("NoSchedule", "PreferNoSchedule", "NoExecute")),
    TIME("timeAdded", "When it was added."),
    END,
};

/* Fields, not a URI: see model/migration/peer_uri.h. */
static const FerryField node_peer[] = {
    STR("scheme", "How the two libvirtds talk: tls, ssh, or tcp where allowTCPPeers allows it.",
        REQUIRED, .values = WORDS("tls", "ssh", "tcp"), .right = "uris"),
    STR("host", "DNS name or address of the host, as its certificate has it.", REQUIRED,
        .pattern = "peer-host", .max = NAME_MAX_LENGTH, .right = "uris"),
    INT("port", "Port there; 0: the scheme's own.", .unit = FERRY_UNIT_NUMBER, .min = 0,
        .max = 65535, .right = "uris"),
    STR("user", "User there; only for ssh.", .pattern = "peer-user", .max = 32, .right = "uris"),
    END,
};

static const FerryField node_spec[] = {
    OBJ("peer", node_peer,
        "Where other hosts' libvirtd reach this one's; wins over what the agent reports.",
        .flags = FERRY_FIELD_OVERRIDES),
    BOOL("trust",
         "Whether the host is to have a certificate of ferryd's CA for libvirt, by which hosts "
         "trust each other; its agent sets libvirt's TLS up where there is none.",
         .right = "trust"),
    TIME("trustSaid",
         "When that was said last; at another time than before the host's agent tries again at "
         "once, with the keys that the host has.",
         .right = "trust"),
    BOOL("unschedulable", "Whether the node takes no more VMs (kubectl cordon)."),
    OBJS("taints", node_taint, "Taints; the one with nodeDrainTaintKey asks to move VMs away.",
         .max = 64),
    END,
};

static const FerryField node_address[] = {
    STR("type", "InternalIP or Hostname.", REQUIRED,
        .values =
            WORDS(FERRY_ADDRESS_INTERNAL, "ExternalIP", "Hostname", "InternalDNS", "ExternalDNS")),
    STR("address", "The address or name.", REQUIRED, .max = 255),
    END,
};

static const FerryField node_info[] = {
    STR("machineID", "The host's /etc/machine-id.", .max = 128),
    STR("systemUUID", "UUID of the host's firmware, or libvirt's host UUID.", .max = 128),
    STR("bootID", "Identity of the host's present boot.", .max = 128),
    STR("kernelVersion", "Version of the host's kernel.", .max = 256),
    STR("osImage", "Name of the host's operating system.", .max = 256),
    STR("containerRuntimeVersion", "libvirt's version as libvirt://11.3.0.", .max = 256),
    STR("kubeletVersion", "The agent's version after its name, as ferry-agentd vX.Y.Z.",
        .max = 256),
    STR("kubeProxyVersion", "Always empty.", .max = 256),
    STR("operatingSystem", "linux.", .max = 64),
    STR("architecture", "Processor architecture as amd64.", .max = 64),
    END,
};

static const FerryField node_hypervisor[] = {
    STR("libvirtVersion", "Version of the host's libvirtd as 11.3.0.", .max = 64),
    STR("qemuVersion", "Version of the host's QEMU.", .max = 64),
    STR("libvirtURI", "libvirt URI at which the agent reaches the host.", .max = 2048),
    OBJ("peer", node_peer, "Where other hosts' libvirtd reach this one's, as its agent says."),
    STR("peerURI", "The same as a libvirt URI; made by ferryd, to be looked at.", .max = 2048),
    STR("hostUUID", "libvirt's UUID of the host.", .max = 128),
    STR("lockManager",
        "What libvirt locks guests' disks by (lock_manager of its qemu.conf): virtlockd, sanlock, "
        "none or another one; left out where the agent can't see it.",
        .max = 64),
    STR("connectionsObstacle",
        "Why the agent can't carry along which connections the host's kernel tracks of a VM; left "
        "out: it can, or is remote.",
        .max = MESSAGE_MAX_LENGTH),
    STR("cpuModel", "Processor model as libvirt names it.", .max = 256),
    STR("cpuVendor", "Processor vendor.", .max = 64),
    STR("cpuArch", "Processor architecture as x86_64.", .max = 64),
    STRS("features", "Migration capabilities of the host.", .flags = FERRY_FIELD_SET, .max = 500),
    STRS("machineTypes", "Machine types that the host's QEMU knows.", .flags = FERRY_FIELD_SET,
         .max = 1000),
    STRS("cpuModels", "Processor models that the host's libvirt and QEMU know.",
         .flags = FERRY_FIELD_SET, .max = 1000),
    END,
};

static const FerryField node_interface[] = {
    STR("name", "Name of the interface.", REQUIRED, .max = 64),
    STRS("addresses", "Addresses with prefix length as 10.1.2.3/24.", .pattern = "ip-prefix",
         .max = 256),
    BOOL("up", "Whether it is up and has a carrier; a bridge: whether one of its uplinks is."),
    STR("downReason", "Why it is not up.", .max = 1024),
    STR("kind", "What it is, in the kernel's word: physical, bridge, bond, vlan, macvlan, veth.",
        .max = 16),
    BYTES("mtuBytes", "Largest packet that it takes."),
    WHOLE("vlan", FERRY_UNIT_NUMBER, "Of a VLAN: its number."),
    STR("over", "The interface that it is built on: a VLAN's, a macvlan's.", .max = 64),
    STR("master", "The bridge or bond that it is a port of.", .max = 64),
    WHOLE("speedMbps", FERRY_UNIT_MBIT_PER_SECOND, "Speed of the link; 0: unknown."),
    END,
};

static const FerryField node_route[] = {
    STR("destination", "Addresses that are reached by it, as 10.1.0.0/16; 0.0.0.0/0: all others.",
        .flags = FERRY_FIELD_REQUIRED, .pattern = "ip-prefix"),
    STR("interface", "The interface by which packets leave; none: they are refused.", .max = 64),
    STR("gateway", "Address of the router; none: they are on the link.", .max = 64),
    STR("source", "Address of the host that such packets come from; none: the interface's.",
        .max = 64),
    WHOLE("metric", FERRY_UNIT_NUMBER, "Of two routes to the same the lower one is taken."),
    END,
};

static const FerryField node_file_system[] = {
    STR("path", "Directory on the host.", REQUIRED, .max = 4096),
    STR("type", "File system it is on, such as nfs4; autofs: it is mounted when it is used.",
        .max = 64),
    BOOL("readOnly", "Whether it is mounted for reading only."),
    END,
};

static const FerryField node_resource[] = {
    STR("kind",
        "bridge, interface, network, pool, volume, secret, file, directory, address, port, "
        "hugepages or image.",
        REQUIRED, .values = ferry_need_words),
    STR("name", "Which one: a name, a path, POOL/VOLUME, ADDRESS PORT.", REQUIRED, .max = 4352),
    STR("problem", "Why no VM can use it now; left out: one can.", .max = 1024),
    BYTES("sizeBytes", "Of an image: the size that a guest sees."),
    END,
};

static const FerryField node_agent[] = {
    WHOLE("epoch", FERRY_UNIT_NUMBER,
          "Number of the agent's present session; grows with each start."),
    STR("version", "Version of the agent.", .max = 64),
    STR("mode", "Where the agent runs: on the host (local) or elsewhere (remote).",
        .values = WORDS("local", "remote")),
    TIME("connectedAt", "When the present session began."),
    TIME("lastReportTime", "When the agent was last heard of."),
    WHOLE("reportSequence", FERRY_UNIT_NUMBER, "Number of its newest report."),
    WHOLE("inventoryEpoch", FERRY_UNIT_NUMBER,
          "The session whose report of all domains is in; another one's say less than all."),
    END,
};

static const FerryField node_invalid_domain[] = {
    STR("uuid", "Its UUID, where that can be read.", .max = 36),
    STR("name", "Its name, where that can be read.", .max = 256),
    BOOL("active", "Whether it has a running QEMU, where that can be read."),
    STR("message", "What is wrong with it.", .max = 4096),
    END,
};

static const FerryField node_trust_given[] = {
    STR("serial", "Serial number of the certificate for libvirt.", REQUIRED, .max = 64),
    STR("qemuSerial", "The same of the one for QEMU.", REQUIRED, .max = 64),
    STR("keyHash", "SHA-256 of the public key in the one for libvirt.", REQUIRED, .max = 64),
    STR("qemuKeyHash", "The same of the one for QEMU.", REQUIRED, .max = 64),
    TIME("created", "When they were given."),
    TIME("ends", "Until when they are good."),
    STRS("names", "Names and addresses that they are for.", .flags = FERRY_FIELD_SET, .max = 65),
    END,
};

static const FerryField node_trust[] = {
    STRS("keys", "SHA-256 of the public keys for libvirt and QEMU; no other ones are given any.",
         .max = 2),
    TIME("newKeysUntil", "Until when the next certificate may be for other keys, once."),
    OBJS("given", node_trust_given, "Certificates that are good still.", .max = 64),
    WHOLE("minute", FERRY_UNIT_NUMBER, "When the agent last asked, in minutes since 1970."),
    COUNT("asked", "How often it did in that minute."),
    END,
};

static const FerryField node_status[] = {
    OBJS("conditions", ferry_fields_condition, "Ready: whether the node's agent is heard of.",
         .merge_key = "type", .max = 32),
    OBJS("addresses", node_address, "Addresses of the host.", .merge_key = "type", .max = 256),
    MAP("capacity", "What the host has: cpu in processors, memory as a quantity.", .max = 64),
    MAP("allocatable", "What VMs may use of it.", .max = 64),
    OBJ("nodeInfo", node_info, "What the host is."),
    OBJ("hypervisor", node_hypervisor, "The host's libvirt and QEMU."),
    OBJS("interfaces", node_interface, "Network interfaces of the host.", .max = 512),
    OBJS("routes", node_route,
         "Where packets from the host go, by the kernel's main table; left out where that is not "
         "known, or decided by rules of the host's own.",
         .max = 512),
    OBJS("sharedFileSystems", node_file_system,
         "Where the host has file systems that other hosts have, too: mounts of network and "
         "cluster file systems, and shared_filesystems of libvirt's qemu.conf; left out where "
         "that is not known.",
         .max = 256),
    OBJS("resources", node_resource,
         "What the host has of what VMs need: libvirt's networks, pools, volumes and secrets, and "
         "files, directories and ports that VMs of other hosts name, as its agent last saw them.",
         .max = 4096),
    OBJS("looks", node_resource,
         "What of the needs of its VMs other hosts must be looked at for: files, directories, "
         "ports.",
         .max = FERRY_LOOKS_MAX),
    STRS("resourceKinds",
         "Kinds of which resources names all: what it does not name the host lacks.",
         .flags = FERRY_FIELD_SET, .max = 32),
    OBJ("agent", node_agent, "The agent that manages the host."),
    OBJ("libvirtTrust", node_trust,
        "What the host was given of ferryd's CAs for libvirt and QEMU; written by ferryd alone."),
    COUNT("runningVMs", "Number of VMs that run on the host."),
    BYTES("memoryUsedBytes", "Memory of these VMs."),
    COUNT("processorsUsed", "Virtual processors of these VMs."),
    OBJS("invalidDomains", node_invalid_domain,
         "Domains that the agent reports and that are left out, for what it says of them is "
         "invalid; what was known of them before stays.",
         .max = 64),
    END,
};

static const FerryField node_fields[] = {
    OBJ("spec", node_spec, "What is wished for the node."),
    OBJ("status", node_status, "What is true of the node, as its agent reports it."),
    END,
};

static const FerryColumn node_columns[] = {
    COLUMN_NAME,
    COLUMN_CELL("Status", "string", ferry_cell_node_status,
                "Ready or NotReady, and whether it takes VMs."),
    COLUMN("VMs", "integer", "status.runningVMs", "VMs that run on the node."),
    COLUMN("CPU", "string", "status.capacity.cpu", "Processors of the host."),
    COLUMN_CELL("Memory", "string", ferry_cell_node_memory,
                "Memory of the VMs / memory of the host."),
    COLUMN_AGE,
    COLUMN_CELL("Version", "string", ferry_cell_node_version, "Version of the agent."),
    COLUMN_WIDE_CELL("Internal-IP", "string", ferry_cell_node_internal_ip,
                     "First internal address."),
    COLUMN_WIDE("libvirt", "string", "status.hypervisor.libvirtVersion", "Version of libvirt."),
    COLUMN_WIDE("QEMU", "string", "status.hypervisor.qemuVersion", "Version of QEMU."),
    COLUMN_WIDE("CPU-Model", "string", "status.hypervisor.cpuModel", "Processor model."),
    COLUMN_WIDE_CELL("Cause", "string", ferry_cell_node_cause,
                     "Why it is not ready, else which certificate ends soon."),
};

static void node_check(const json_t *object, const json_t *old, GError *error) {
  const json_t *peer = ferry_json_get(object, "spec.peer");
  if (ferry_json_str(peer, "user") && g_strcmp0(ferry_json_str(peer, "scheme"), "ssh") != 0)
    ferry_error_add_cause(error, "FieldValueInvalid", "spec.peer.user",
                          "Invalid value: only the scheme ssh has a user");
  json_t *taints = ferry_json_get(object, "spec.taints");
  for (gsize i = 0; i < json_array_size(taints); i++) {
    const char *key = ferry_json_str(json_array_get(taints, i), "key");
    const char *effect = ferry_json_str(json_array_get(taints, i), "effect");
    for (gsize j = 0; key && effect && j < i; j++)
      if (g_strcmp0(key, ferry_json_str(json_array_get(taints, j), "key")) == 0 &&
          g_strcmp0(effect, ferry_json_str(json_array_get(taints, j), "effect")) == 0) {
        g_autofree char *field = g_strdup_printf("spec.taints[%zu]", i);
        ferry_error_add_cause(error, "FieldValueDuplicate", field,
                              "Duplicate value: \"%s:%s\": taints must be unique by key and effect",
                              key, effect);
        break;
      }
  }
}

const FerryKind ferry_kind_node = {
    .group = "",
    .version = "v1",
    .kind = "Node",
    .plural = "nodes",
    .singular = "node",
    .short_names = WORDS("no"),
    .namespaced = FALSE,
    .verbs = FERRY_VERB_READ | FERRY_VERB_UPDATE | FERRY_VERB_PATCH | FERRY_VERB_DELETE,
    .read_by = FERRY_ROLE_VIEW,
    .has_status = TRUE,
    .fields = node_fields,
    .columns = node_columns,
    .n_columns = G_N_ELEMENTS(node_columns),
    .field_selectors = WORDS("spec.unschedulable"),
    .doc = "Node is one libvirt host. It appears when its agent joins.",
    .check = node_check,
};

static const FerryField service_spec[] = {
    STR("clusterIP", "Address of the service.", .max = 255),
    END,
};

static const FerryField service_fields[] = {
    OBJ("spec", service_spec, "What the service is."),
    END,
};

static const FerryColumn service_columns[] = {
    COLUMN_NAME,
    COLUMN("Cluster-IP", "string", "spec.clusterIP", "Address of the service."),
    COLUMN_AGE,
};

const FerryKind ferry_kind_service = {
    .group = "",
    .version = "v1",
    .kind = "Service",
    .plural = "services",
    .singular = "service",
    .short_names = WORDS("svc"),
    .namespaced = TRUE,
    .verbs = FERRY_VERB_READ,
    .read_by = FERRY_ROLE_VIEW,
    .fields = service_fields,
    .columns = service_columns,
    .n_columns = G_N_ELEMENTS(service_columns),
    .doc = "Service has no objects here: it is there for clients that list services, such as "
           "kubectl cluster-info.",
};
