// SPDX-License-Identifier: Apache-2.0
// VirtualMachineInstance: a libvirt domain as an object. It is found, never created: the agents'
// inventory makes and removes it.
//
// spec is what its domain's definition says, status what its hosts have reported of it: each one's
// view in status.domains, and what ferryd concludes of them in phase, node and conditions. Fields
// stand from the inside out; what other kinds have too is in fields_shared.c.
#include "model/kinds/columns.h"
#include "model/domain/domain_limits.h"
#include "model/domain/domain_needs.h"
#include "model/domain/domain_resources.h"
#include "model/domain/domain_traits.h"
#include "model/kinds/shared_fields.h"

static const FerryField vmi_cpu[] = {
    COUNT("cores", "Number of virtual processors."),
    STR("model", "Processor model of the guest, as libvirt names it.", .max = 256),
    BOOL("invariantTSC", "Whether it requires the feature invtsc: a time stamp counter that always "
                         "goes at one speed."),
    END,
};

static const FerryField guest_clock[] = {
    WHOLE("tscFrequencyHz", FERRY_UNIT_HZ,
          "Frequency of the guest's time stamp counter; left out: the "
          "host's own."),
    END,
};

static const FerryField vmi_feature_state[] = {
    BOOL("enabled", "Whether the guest has it."),
    END,
};

static const FerryField vmi_hyperv[] = {
    OBJ("reenlightenment", vmi_feature_state,
        "Notice to the guest that the frequency of its time stamp counter has changed."),
    END,
};

static const FerryField vmi_features[] = {
    OBJ("hyperv", vmi_hyperv, "Hyper-V enlightenments of the guest."),
    OBJ("hypervPassthrough", vmi_feature_state,
        "All Hyper-V enlightenments that the host knows; such a VM cannot move."),
    END,
};

static const FerryField launch_security[] = {
    STR("type",
        "How the guest's memory is kept from its host, as libvirt names it: sev, sev-snp, tdx or "
        "s390-pv; such a VM cannot move.",
        .max = 64),
    END,
};

static const FerryField vmi_memory[] = {
    QUANTITY("guest", "Memory of the guest, as a quantity such as 256Mi.", .min = 0,
             .max = G_MAXINT64),
    QUANTITY("hardLimit",
             "Hard limit of <memtune>, which RDMA needs; 0: there is none; left out where that is "
             "not known.",
             .min = 0, .max = G_MAXINT64),
    END,
};

static const FerryField vmi_machine[] = {
    STR("type", "Machine type of QEMU, such as pc-q35-10.0.", .max = 256),
    END,
};

static const FerryField vmi_disk[] = {
    STR("name", "Name of the disk in the guest, such as vda.", .max = 256),
    STR("type", "What the disk is on the host.",
        .values = WORDS("file", "block", "network", "volume", "dir", "nvme", "vhostuser",
                        "vhostvdpa", "unknown")),
    STR("source", "Path, or protocol and name, of the disk's data.", .max = 4096),
    STR("format", "Format of the data, such as qcow2.", .max = 64),
    BOOL("readonly", "Whether the guest can only read it."),
    BOOL("shareable", "Whether several guests may use it at once."),
    BOOL("reservations", "Whether the guest may reserve it on its storage (SCSI persistent "
                         "reservations); such a VM cannot move."),
    BOOL("shared", "Whether its file is on storage that other hosts share; left out where that is "
                   "not known or the disk is no file."),
    STR("startupPolicy",
        "What libvirt does where its file is missing: requisite and optional leave it out when the "
        "VM migrates.",
        .values = WORDS("mandatory", "requisite", "optional")),
    STR("cache", "Cache mode of QEMU, such as none.", .max = 64),
    STR("blockJob",
        "The copy of the disk that is under way (copy, active-commit); libvirt moves no VM with "
        "one.",
        .max = 64),
    BYTES("sizeBytes", "Size that the guest sees."),
    END,
};

static const FerryField vmi_interface[] = {
    STR("name", "Name of the interface's device on the host, such as vnet0.", .max = 256),
    STR("macAddress", "MAC address.", .max = 64),
    STR("type", "How it is connected, such as bridge or network.", .max = 64),
    STR("source", "Bridge, network or device it is connected to.", .max = 256),
    STR("model", "Model of the device, such as virtio.", .max = 64),
    END,
};

static const FerryField host_device[] = {
    STR("name", "Name or address of the device on the host.", .max = 256),
    STR("type", "Kind of device, such as pci or usb.", .max = 64),
    END,
};

static const FerryField vmi_filesystem[] = {
    STR("name", "Tag by which the guest mounts it.", .max = 256),
    STR("driver",
        "What serves it, such as path, or virtiofs, with which a VM cannot move; left out: "
        "libvirt's default.",
        .max = 64),
    STR("source", "Directory of the host, or socket of the daemon that serves it.", .max = 4096),
    END,
};

static const FerryField vmi_devices[] = {
    OBJS("disks", vmi_disk, "Disks of the guest.", .max = 512),
    OBJS("interfaces", vmi_interface, "Network interfaces of the guest.", .max = 512),
    OBJS("hostDevices", host_device,
         "Devices of the host given to the guest; such a VM cannot "
         "move.",
         .max = 512),
    OBJS("filesystems", vmi_filesystem, "Directories of the host that the guest shares.",
         .max = 512),
    END,
};

static const FerryField vmi_need[] = {
    STR("kind",
        "bridge, interface, network, pool, volume, secret, file, directory, address, port, "
        "hugepages or image.",
        REQUIRED, .values = ferry_need_words),
    STR("name", "Which one: a name, a path, POOL/VOLUME, ADDRESS PORT.", REQUIRED, .max = 4352),
    END,
};

static const FerryField vmi_domain[] = {
    OBJ("cpu", vmi_cpu, "Processors of the guest."),
    OBJ("clock", guest_clock, "Clock of the guest."),
    OBJ("features", vmi_features, "Features of the guest's machine."),
    OBJ("launchSecurity", launch_security, "Protection of the guest from its host."),
    OBJ("memory", vmi_memory, "Memory of the guest."),
    OBJ("machine", vmi_machine, "Machine of the guest."),
    OBJ("devices", vmi_devices, "Devices of the guest."),
    STRS("snapshots", "Names of the domain's snapshots in libvirt, which keep it from moving.",
         .max = FERRY_DOMAIN_SNAPSHOTS_MAX),
    STRS(
        "blockers",
        "What QEMU itself says keeps it from moving; asked only of a VM with arguments of its own, "
        "or that shares a directory.",
        .max = FERRY_DOMAIN_BLOCKERS_MAX),
    BOOL("managedSave",
         "Whether libvirt keeps its memory in a file of its host (managed save), until it is "
         "started there."),
    OBJS("needs", vmi_need,
         "What its definition needs of a host that is to run it: what a Node's status.resources "
         "must not lack.",
         .max = FERRY_DOMAIN_NEEDS_MAX),
    STRS("traits",
         "Words for what of its definition some versions of libvirt don't know or get wrong.",
         .max = FERRY_DOMAIN_TRAITS_MAX),
    STRS("hostResources",
         "Digests of what its definition uses of the host: programs, boot files, sockets, labels; "
         "a destinationXML may use no others.",
         .max = FERRY_DOMAIN_RESOURCES_MAX),
    END,
};

static const FerryField vmi_spec[] = {
    STR("domainName", "Name of the domain in libvirt.", .max = 1024),
    OBJ("domain", vmi_domain, "What the guest is made of."),
    BOOL("persistent", "Whether libvirt keeps the domain when it is shut off."),
    ANY("migration", "Migration settings of this VM alone, from the domain's metadata; they come "
                     "before every MigrationPolicy."),
    END,
};

static const FerryField domain_job[] = {
    STR("type", "migration.", .max = 64),
    STR("operation", "What libvirt calls it, such as migration-out.", .max = 64),
    END,
};

static const FerryField domain_seen[] = {
    STR("nodeName", "Node that has the domain.", REQUIRED, .max = NAME_MAX_LENGTH),
    STR("state", "State of the domain there, as libvirt names it.", .values = ferry_domain_states),
    STR("reason", "Why it is in that state, as libvirt names it.", .max = 256),
    INT("id", "Number of the running domain; -1: not running.", .unit = FERRY_UNIT_NUMBER),
    BOOL("active", "Whether it has a running QEMU."),
    BOOL("silent", "Whether its QEMU does not answer its monitor; left out: it does."),
    BOOL("persistent", "Whether it is defined there."),
    TIME("since", "When it was first seen in that state."),
    BOOL("received", "Whether it was seen to come in by a migration; until it is stopped."),
    OBJ("job", domain_job, "The migration of it that libvirt is busy with."),
    ANY("claim", "What that host says the VM is while another host has it; it becomes spec and "
                 "labels once the VM has come there."),
    END,
};

static const FerryField vmi_status[] = {
    STR("phase", "Running, Paused, Stopped, Crashed or Unknown.", .values = ferry_vmi_phases),
    STR("nodeName", "Node on which the VM runs, or is defined.", .max = NAME_MAX_LENGTH),
    STR("migrationMethod",
        "LiveMigration: its memory is all that must move; BlockMigration: it has disks that only "
        "its host has, which a migration must be told to copy.",
        .values = WORDS("LiveMigration", "BlockMigration")),
    OBJS("conditions", ferry_fields_condition,
         "LiveMigratable, Ready, Paused, Migrating, DuplicateName, RunningOnTwoHosts, "
         "ClaimedByAnotherHost.",
         .merge_key = "type", .max = 64),
    MAP("domainLabels", "Labels that came from the domain's metadata."),
    OBJS("domains", domain_seen, "The domain on each node that has it.", .max = 64),
    OBJ("migrationState", ferry_fields_migration_state, "The present or last migration."),
    OBJ("migrationProgress", ferry_fields_migration_progress, "How far the present migration is."),
    OBJS("lessons", ferry_fields_lesson,
         "What its last migrations taught, the newest last; each counts the less the older it is.",
         .max = 5),
    BYTES("guestMemoryBytes", "Memory of the guest at this moment."),
    END,
};

static const FerryField vmi_fields[] = {
    OBJ("spec", vmi_spec, "What the domain is, as found in libvirt; people cannot change it."),
    OBJ("status", vmi_status, "What is true of the VM."),
    END,
};

static const FerryColumn vmi_columns[] = {
    COLUMN_NAME,
    COLUMN_CELL("Phase", "string", ferry_cell_vmi_phase,
                "State of the VM; Silent: its QEMU does not answer."),
    COLUMN_CELL("Node", "string", ferry_cell_vmi_node,
                "Node on which it runs; with others that have a copy of it, which is an error."),
    COLUMN_CELL("Memory", "string", ferry_cell_vmi_memory, "Memory of the guest."),
    COLUMN("vCPUs", "integer", "spec.domain.cpu.cores", "Virtual processors."),
    COLUMN_CELL("Migrating", "string", ferry_cell_vmi_migrating,
                "Where it is moving to, and how far it is."),
    COLUMN_AGE,
    COLUMN_WIDE("Domain", "string", "spec.domainName", "Name in libvirt."),
    COLUMN_WIDE("UID", "string", "metadata.uid", "UUID in libvirt."),
    COLUMN_WIDE_CELL("LiveMigratable", "string", ferry_cell_vmi_live_migratable,
                     "Whether it can be moved while it runs."),
    COLUMN_WIDE("Method", "string", "status.migrationMethod", "What has to be copied."),
};

const FerryKind ferry_kind_vmi = {
    .group = "kubevirt.io",
    .version = "v1",
    .kind = "VirtualMachineInstance",
    .plural = "virtualmachineinstances",
    .singular = "virtualmachineinstance",
    .short_names = WORDS("vmi", "vmis"),
    .categories = WORDS("all"),
    .namespaced = TRUE,
    .verbs = FERRY_VERB_READ | FERRY_VERB_UPDATE | FERRY_VERB_PATCH,
    .read_by = FERRY_ROLE_VIEW,
    .write_by = FERRY_ROLE_EDIT,
    .has_status = TRUE,
    .fields = vmi_fields,
    .columns = vmi_columns,
    .n_columns = G_N_ELEMENTS(vmi_columns),
    .field_selectors = WORDS("status.phase", "status.nodeName", "spec.domainName"),
    .doc = "VirtualMachineInstance is a VM: one libvirt domain, wherever it runs.",
    .version_aliases = WORDS("v1alpha3"),
    .instead = "VMs are found in libvirt, not created or deleted here: use virsh define, start, "
               "destroy and undefine on their host",
};

static const FerryField vm_fields[] = {
    ANY("spec", "Not used."),
    ANY("status", "Not used."),
    END,
};

static const FerryColumn vm_columns[] = {
    COLUMN_NAME,
    COLUMN_AGE,
};

const FerryKind ferry_kind_virtual_machine = {
    .group = "kubevirt.io",
    .version = "v1",
    .kind = "VirtualMachine",
    .plural = "virtualmachines",
    .singular = "virtualmachine",
    .namespaced = TRUE,
    .verbs = FERRY_VERB_READ,
    .read_by = FERRY_ROLE_VIEW,
    .fields = vm_fields,
    .columns = vm_columns,
    .n_columns = G_N_ELEMENTS(vm_columns),
    .doc = "VirtualMachine has no objects here: libvirt's definitions are what VMs are started "
           "from. It is there to say so to KubeVirt's clients.",
    .version_aliases = WORDS("v1alpha3"),
    .instead = "Ferry makes no VMs: define and start the VM in libvirt on a host (virsh define, "
               "virsh start); it then appears as a VirtualMachineInstance, and a "
               "VirtualMachineInstanceMigration that names it moves it",
};
