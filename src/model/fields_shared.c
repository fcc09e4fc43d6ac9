// SPDX-License-Identifier: Apache-2.0
// Tables that several kinds share: conditions, the migration configuration, the migration state.
#include "model/policy_fields.h"
#include <string.h>

const FerryField ferry_fields_condition[] = {
    STR("type", "What the condition is about, in CamelCase.", REQUIRED, .max = 316),
    STR("status", "Whether it holds: True, False or Unknown.", REQUIRED,
        .values = WORDS("True", "False", "Unknown")),
    STR("reason", "Why, as one CamelCase word for programs.", .max = 1024),
    STR("message", "Why, in words for people, with what to do next.", .max = MESSAGE_MAX_LENGTH),
    TIME("lastHeartbeatTime", "When the condition was last confirmed."),
    TIME("lastTransitionTime", "When its status last changed."),
    END,
};

const FerryField ferry_fields_intent[] = {
    INT("maxDowntimeMs", "Longest pause of the guest, in milliseconds.", .min = 1, .max = 2000000),
    STR("maxDowntime", "The same as a duration such as 300ms or 1.5s.", .max = 64),
    STR("maxDuration", "Longest time that the migration may take, such as 90s or 10m.", .max = 64),
    INT("maxSlowdown", "How much the guest may be slowed meanwhile, in percent.", .min = 0,
        .max = 99),
    BOOL("allowPostCopy", "Allow to switch over first and fetch the rest of the memory after."),
    QUANTITY("bandwidth", "Most bytes per second to send; 0 is unlimited.", .min = 0,
             .max = G_MAXINT64),
    END,
};

const FerryField ferry_fields_migration_configuration[] = {
    INT("parallelMigrationsPerCluster",
        "Most migrations that run at once in the whole cluster (default 5).", .min = 1,
        .max = 1000),
    INT("parallelOutboundMigrationsPerNode",
        "Most migrations that leave one node at once (default 2).", .min = 1, .max = 1000),
    INT("parallelInboundMigrationsPerNode",
        "Most migrations that enter one node at once (default 2).", .min = 1, .max = 1000),
    QUANTITY("bandwidthPerMigration",
             "Most bytes per second that one migration sends, as a quantity such as 64Mi; 0 is "
             "unlimited.",
             .min = 0, .max = G_MAXINT64),
    INT("completionTimeoutPerGiB",
        "Seconds allowed per GiB of memory and of disks to copy; 0 switches the limit off.",
        .min = 0, .max = 10000000),
    INT("progressTimeout",
        "Seconds without progress after which a migration is given up; without one byte sent 15 s "
        "are "
        "the most, unless another system's rules hold. 0 switches both limits off.",
        .min = 0, .max = 10000000),
    INT("maxDowntimeMs", "Longest pause of the guest at the switch-over, in milliseconds.",
        .min = 1, .max = 2000000),
    BOOL("allowAutoConverge", "Slow the guest's processors down where its memory changes faster "
                              "than it can be sent."),
    BOOL("allowPostCopy", "Switch over first and fetch the rest of the memory afterwards, where "
                          "pre-copy does not converge."),
    BOOL("allowWorkloadDisruption", "Allow post-copy, or else a pause of the guest, when the "
                                    "completion timeout has passed; follows allowPostCopy where "
                                    "unset."),
    BOOL("unsafeMigrationOverride",
         "Migrate even where libvirt calls it unsafe, for example with a disk cache mode that is "
         "not coherent between hosts, or where the VM is not LiveMigratable.",
         .right = "unsafe"),
    BOOL("disableTLS", "Send the migration's data without encryption.", .right = "unsafe"),
    STR("nodeDrainTaintKey", "Key of the node taint that means: move the VMs away.",
        .pattern = "label-key", .max = 317),
    BOOL("allowTCPPeers",
         "Let libvirtds of hosts that report the scheme tcp talk to each other in the clear, "
         "where anybody who reaches them rules them (default false).",
         .right = "unsafe"),
    STR("network", "Name of the Network that carries migrations; unset: the hosts' own address.",
        .pattern = "dns-subdomain", .max = NAME_MAX_LENGTH),
    STR("defaultPolicy", "MigrationPolicy by name that holds for what nothing else says.",
        .pattern = "dns-subdomain", .max = NAME_MAX_LENGTH),
    FERRY_POLICY_FIELDS,
    FERRY_POLICY_TRANSPORT_FIELDS,
    END,
};

const char *const ferry_values_domain_state[] = {"running", "blocked", "paused",      "shutdown",
                                                 "shutoff", "crashed", "pmsuspended", "nostate",
                                                 "gone",    "unknown", NULL};

static const FerryField agent_result[] = {
    BOOL("returned", "Whether libvirt's migrate call was made and returned."),
    INT("errorCode", "libvirt's error code; 0 is none."),
    STR("error", "The error in words, empty where there was none.", .max = MESSAGE_MAX_LENGTH),
    STR("reason", "Why the agent stopped before or after the call, as one CamelCase word.",
        .max = 1024),
    STR("sourceState", "State of the domain on the source host after the call; gone: not there.",
        .values = ferry_values_domain_state),
    STR("sourceReason", "libvirt's reason for that state, lower case with dashes.", .max = 64),
    COUNT("attempt", "The attempt that it is the result of."),
    TIME("endedAt", "When the agent saw the end, by the source host's clock."),
    END,
};

static const FerryField target_disk[] = {
    STR("name", "Target name of the disk, such as vda.", .max = 64),
    STR("type", "file, block or volume.", .max = 64),
    STR("path", "Where the copy goes on the target; of a volume its name.", .max = 4096),
    STR("pool", "Storage pool of a volume.", .max = 255),
    STR("format", "Format of the image.", .max = 64),
    STR("backing", "Backing file of an incremental copy.", .max = 4096),
    STR("backingFormat", "Its format.", .max = 64),
    COUNT("sizeBytes", "Virtual size in bytes."),
    BOOL("create", "Whether Ferry makes it, and removes it after a failure."),
    STR("directory", "Topmost directory that Ferry makes for it, and removes likewise.",
        .max = 4096),
    END,
};

static const FerryField bandwidth_probe[] = {
    STR("address", "Address of the target at which its agent listens.", .max = 255),
    INT("port", "TCP port there; it takes one authenticated connection, for some seconds.",
        .min = 1, .max = 65535),
    END,
};

const FerryField ferry_fields_migration_state[] = {
    STR("migrationUid", "metadata.uid of the VirtualMachineInstanceMigration.", .pattern = "uuid"),
    STR("vmiUID", "libvirt's UUID of the VM.", .pattern = "uuid"),
    STR("domainName", "Name of the VM's domain on the source when it was scheduled.", .max = 1024),
    STR("sourceNode", "Node that the VM leaves.", .max = NAME_MAX_LENGTH),
    STR("targetNode", "Node that the VM goes to.", .max = NAME_MAX_LENGTH),
    STR("targetNodeAddress",
        "Address of the target that carries the data; absent where they go another way "
        "(tunnelled, migrateURI).",
        .max = 255),
    STR("network",
        "Name of the Network that carries the data; absent where none is configured or they go "
        "another way (tunnelled, migrateURI).",
        .max = NAME_MAX_LENGTH),
    STR("targetURI",
        "libvirt URI at which the source's libvirtd reaches the target's; built by ferryd.",
        .max = 2048),
    TIME("startTimestamp", "When the migration was started on the source."),
    TIME("endTimestamp", "When its outcome was decided."),
    BOOL("completed", "Whether it has ended, successfully or not."),
    BOOL("failed", "Whether it has ended without moving the VM."),
    STR("failureReason", "Why it failed, in words.", .max = MESSAGE_MAX_LENGTH),
    BOOL("abortRequested", "Whether somebody asked to cancel it."),
    STR("abortRequestedBy", "User who asked to cancel it.", .max = 1024),
    STR("abortReason", "Why Ferry itself asked for that; absent where a person did.",
        .max = MESSAGE_MAX_LENGTH),
    TIME("abortTimestamp", "When ferryd began to wait for the agent's answer to that."),
    STR("abortStatus", "How far the cancellation is.",
        .values = WORDS("Aborting", "Succeeded", "Failed")),
    STR("mode", "How memory is moved at this moment.",
        .values = WORDS("PreCopy", "PostCopy", "Paused")),
    BOOL("targetNodeDomainDetected", "Whether the target's agent has seen the domain arrive."),
    STR("migrationPolicyName", "MigrationPolicy that was applied; empty: none matched.",
        .max = NAME_MAX_LENGTH),
    OBJ("migrationConfiguration", ferry_fields_migration_configuration,
        "The configuration this migration runs with, resolved when it was scheduled.",
        .flags = FERRY_FIELD_OPEN),
    OBJS("targetDisks", target_disk, "Images that the target needs for the disks to be copied.",
         .max = 256),
    COUNT("attempt", "How often it was tried before."),
    STRS("agents",
         "Nodes whose agents have work with it: the source, and for a forecast the target.",
         .max = 2),
    OBJ("bandwidthProbe", bandwidth_probe,
        "Where the target's agent measures the path for a forecast."),
    COUNT("agentEpoch", "Epoch of the source's agent that runs the migration."),
    STR("sourceDomainState", "State of the domain on the source, as last reported.",
        .values = ferry_values_domain_state),
    STR("targetDomainState",
        "State of the domain on the target, as last reported; unknown: its agent does not answer.",
        .values = ferry_values_domain_state),
    STR("sourceDomainStateBefore", "State of the domain on the source when it was scheduled.",
        .values = ferry_values_domain_state),
    STR("outcome",
        "What became of the VM, by docs/outcomes.md's table: moved; stayed; stopped meanwhile; "
        "lost "
        "with its memory; broken in post-copy; active on both hosts; suspended on both; gone from "
        "both; unknown, while a host can't speak.",
        .values = WORDS("moved", "stayed", "stopped", "lost", "broken", "both", "suspended", "gone",
                        "unknown")),
    TIME("resultTimestamp", "When the agent's result reached the control plane."),
    OBJ("agentResult", agent_result, "What the source's agent knows about the end."),
    END,
};

const FerryField ferry_fields_migration_progress[] = {
    INT("percent", "How much is done, in percent; never falls.", .min = 0, .max = 100),
    STR("phase", "What is being copied at this moment.", .max = 64),
    COUNT("iteration", "Passes over the guest's memory so far."),
    COUNT("dataTotalBytes", "Memory and disks to move, in bytes."),
    COUNT("dataProcessedBytes", "Bytes sent so far, memory and disks."),
    COUNT("dataRemainingBytes", "Bytes that remain to be sent, memory and disks."),
    COUNT("memoryTotalBytes", "Memory to move, in bytes; once it is being moved."),
    COUNT("memoryProcessedBytes", "Bytes of memory sent so far."),
    COUNT("memoryRemainingBytes", "Bytes of memory that remain."),
    COUNT("memoryTransferRateBytesPerSecond", "Rate at which memory is sent, in bytes per second."),
    COUNT("dirtyRateBytesPerSecond", "Rate at which the guest changes its memory, in bytes per "
                                     "second."),
    COUNT("diskTotalBytes", "Disks to copy, in bytes."),
    COUNT("diskProcessedBytes", "Bytes of disks copied so far."),
    COUNT("diskRemainingBytes", "Bytes of disks that remain."),
    COUNT("elapsedMs", "Time since the start, in milliseconds."),
    COUNT("expectedDowntimeMs", "Pause to be expected at the switch-over, in milliseconds."),
    COUNT("remainingSeconds", "Time that remains by the present rates, in seconds."),
    END,
};

const FerryField *ferry_field_find(const FerryField *fields, const char *path) {
  while (fields && *path) {
    size_t len = strcspn(path, ".");
    const FerryField *field = fields;
    while (field->name && (strlen(field->name) != len || strncmp(field->name, path, len) != 0))
      field++;
    if (!field->name)
      return NULL;
    if (!path[len])
      return field;
    path += len + 1;
    fields = field->type == FERRY_TYPE_OBJECT ? field->fields : NULL;
  }
  return NULL;
}
