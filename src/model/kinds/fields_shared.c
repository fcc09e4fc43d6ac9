// SPDX-License-Identifier: Apache-2.0
// Tables that several kinds share: conditions, the migration state, its progress.
#include "model/kinds/shared_fields.h"
#include "model/migration/doubt.h"
#include "model/migration/recovery.h"

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

static const FerryField agent_result[] = {
    BOOL("returned", "Whether libvirt's migrate call was made and returned."),
    INT("errorCode", "libvirt's error code; 0: no error.", .unit = FERRY_UNIT_NUMBER),
    STR("error", "The error in words, empty where there was none.", .max = MESSAGE_MAX_LENGTH),
    STR("reason", "Why the agent stopped before or after the call, as one CamelCase word.",
        .max = 1024),
    STR("sourceState", "State of the domain on the source host after the call; gone: not there.",
        .values = ferry_domain_states),
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
    BYTES("sizeBytes", "Virtual size."),
    BOOL("create", "Whether Ferry makes it, and removes it after a failure."),
    STR("directory", "Topmost directory that Ferry makes for it, and removes likewise.",
        .max = 4096),
    END,
};

static const FerryField kept_checkpoint[] = {
    STR("name", "Name of the checkpoint.", REQUIRED, .max = 1024),
    STR("xml", "As libvirt describes it.", REQUIRED, .max = 65536),
    END,
};

static const FerryField kept_parts[] = {
    MAP("live", "Digests of the parts of the running VM's definition.", .max = 1001),
    MAP("stored", "Digests of the parts of its stored definition.", .max = 1001),
    OBJS("checkpoints", kept_checkpoint, "Its checkpoints, which libvirt does not move.",
         .max = 1024),
    END,
};

static const FerryField kept_flows[] = {
    STRS("addresses", "The VM's addresses as the source's network answers for them.", .max = 256),
    STRS("entries",
         "One connection each: PROTOCOL FROM PORT TO PORT TIMEOUT ASSURED, and for tcp STATE FLAGS "
         "FLAGS SCALE SCALE, as the source's kernel tracks it.",
         .max = 1024),
    COUNT("left", "How many are left out: translated (NAT), in a zone, or too many."),
    BOOL("last", "Whether the guest was paused when they were read."),
    END,
};

static const FerryField bandwidth_probe[] = {
    STR("address", "Address of the target at which its agent listens.", .max = 255),
    INT("port", "TCP port there; it takes one authenticated connection, for some seconds.",
        .unit = FERRY_UNIT_NUMBER, .min = 1, .max = 65535),
    END,
};

static const FerryField doubt_entry[] = {
    STR("state",
        "Suspended: it waits for what becomes of the other copy; GoesOn: it is the one that goes "
        "on; Destroyed: it was destroyed, or is not there any more.",
        REQUIRED, .values = ferry_doubt_states),
    TIME("since", "Since when, by that host's clock."),
    MS("ranMs",
       "For how long it ran between the switch-over and its suspension, by that host's clock.",
       NOT_NEGATIVE),
    END,
};

static const FerryField migration_doubt[] = {
    OBJ("source", doubt_entry, "The source's copy, by its agent."),
    OBJ("target", doubt_entry, "The target's copy, by its agent."),
    END,
};

static const FerryField postcopy_recovery[] = {
    STR("state",
        "NothingMoves: the link is gone, it seems, and the link may come back; TargetSilent, "
        "PathDown: it is resumed "
        "once the target's libvirtd, or the way to it, is there again; TargetUnnoticed: the target "
        "has to close its dead connection first; NextTry: the last one failed; Resuming: libvirt "
        "does "
        "it; Recovered: it goes on; GivenUp: it is tried no more.",
        REQUIRED, .values = ferry_recovery_states),
    STR("message", "The same in words, with what is in the way.", .max = MESSAGE_MAX_LENGTH),
    TIME("since", "When the source's agent found it broken."),
    COUNT("tries", "How often libvirt was asked to resume it."),
    COUNT("closeRequests", "How often the target's agent was asked to close the dead connection."),
    INT("port", "Port of the target that the data went to.", .unit = FERRY_UNIT_NUMBER, .min = 1,
        .max = 65535),
    END,
};

static const FerryField data_way[] = {
    STR("carries", "What goes this way: memory, disks, or everything where it is tunnelled.",
        .max = 64),
    STR("address", "Address of the target, or that a URI names.", .max = 64),
    STR("interface", "The source's interface by which data leave.", .max = 64),
    STR("source", "The source's address that they come from.", .max = 64),
    STR("gateway", "The router that they go by; absent: none.", .max = 64),
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
        "past it.",
        .max = NAME_MAX_LENGTH),
    STRS("means",
         "What the intent chose before the start of what can't be changed on the way: parallel, "
         "zstd, xbzrle, post-copy; by the source's agent.",
         .values = WORDS("post-copy", "parallel", "zstd", "xbzrle", "auto-converge"), .max = 8),
    OBJS("ways", data_way,
         "The ways of its connections, as the source looked them up before it began.", .max = 8),
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
    STR("abortStatus", "How far the cancellation is.", .values = ferry_abort_states),
    STR("mode", "How memory is moved at this moment.", .values = ferry_migration_modes),
    BOOL("targetNodeDomainDetected", "Whether the target's agent has seen the domain arrive."),
    STR("migrationPolicyName", "MigrationPolicy that was applied; empty: none matched.",
        .max = NAME_MAX_LENGTH),
    OBJ("migrationConfiguration", ferry_fields_resolved_configuration,
        "The configuration this migration runs with, resolved when it was scheduled.",
        .flags = FERRY_FIELD_OPEN),
    OBJS("targetDisks", target_disk, "Images that the target needs for the disks that are copied.",
         .max = 256),
    COUNT("attempt", "How often it was tried before."),
    STRS("agents",
         "Nodes whose agents have work with it: the source, and the target, which watches over the "
         "copy that arrives, or takes part in a forecast.",
         .max = 2),
    OBJ("bandwidthProbe", bandwidth_probe,
        "Where the target's agent measures the path for a forecast."),
    WHOLE("agentEpoch", FERRY_UNIT_NUMBER, "Epoch of the source's agent that runs the migration."),
    BOOL("autostart", "The VM starts with its host; taken off the source while it moves."),
    OBJ("kept", kept_parts, "What the VM has that must arrive with it; while it moves."),
    OBJ("flows", kept_flows,
        "The VM's connections that the source's firewall knows, for the target's; while it "
        "moves."),
    STR("sourceDomainState", "State of the domain on the source, as last reported.",
        .values = ferry_domain_states),
    STR("targetDomainState",
        "State of the domain on the target, as last reported; unknown: its agent does not answer.",
        .values = ferry_domain_states),
    STR("sourceDomainStateBefore", "State of the domain on the source when it was scheduled.",
        .values = ferry_domain_states),
    STR("outcome",
        "What became of the VM, by docs/outcomes.md's table: moved; stayed; stopped meanwhile; "
        "lost "
        "with its memory; broken in post-copy; active on both hosts; suspended on both; gone from "
        "both; unknown, while a host can't speak.",
        .values = WORDS("moved", "stayed", "stopped", "lost", "broken", "both", "suspended", "gone",
                        "unknown")),
    TIME("resultTimestamp", "When the agent's result reached the control plane."),
    TIME("sourceGoneTimestamp",
         "When the source was first seen without its half of a post-copy that broke."),
    OBJ("agentResult", agent_result, "What the source's agent knows about the end."),
    OBJ("doubt", migration_doubt,
        "What each host's agent did about its copy of the VM where it was not known which of the "
        "two may run."),
    OBJ("recovery", postcopy_recovery,
        "How a post-copy whose connection broke is made whole again, by the source's agent."),
    STR("keepNode", "Node whose copy goes on by a person's word; the other one is destroyed.",
        .max = NAME_MAX_LENGTH),
    STR("keepRequestedBy", "User who said so.", .max = 1024),
    TIME("keepTimestamp", "When that was."),
    END,
};

const FerryField ferry_fields_migration_progress[] = {
    PERCENT("percent", "How much is done; never falls.", .min = 0, .max = 100),
    STR("phase", "What is being copied at this moment.", .max = 64),
    COUNT("iteration", "Passes over the guest's memory so far."),
    BYTES("dataTotalBytes", "Memory and disks to move."),
    BYTES("dataProcessedBytes", "Bytes sent so far, memory and disks."),
    BYTES("dataRemainingBytes", "Bytes that remain to be sent, memory and disks."),
    BYTES("memoryTotalBytes", "Memory to move; once it is being moved."),
    BYTES("memoryProcessedBytes", "Memory sent so far."),
    BYTES("memoryRemainingBytes", "Memory that remains."),
    RATE("memoryTransferRateBytesPerSecond", "Rate at which memory is sent."),
    RATE("dirtyRateBytesPerSecond", "Rate at which the guest changes its memory."),
    BYTES("diskTotalBytes", "Disks to copy."),
    BYTES("diskProcessedBytes", "Disks copied so far."),
    BYTES("diskRemainingBytes", "Disks that remain."),
    MS("elapsedMs", "Time since the start.", NOT_NEGATIVE),
    MS("expectedDowntimeMs", "Pause to be expected at the switch-over.", NOT_NEGATIVE),
    STR("estimate",
        "What is known of the end: Planned (remainingSeconds by the controller's plan), NotBefore "
        "(remainingSeconds at the least) or NotConverging (neededDowntimeMs would be needed).",
        .max = 64),
    SECONDS("remainingSeconds", "Time that remains, or at least remains; see estimate.",
            NOT_NEGATIVE),
    MS("neededDowntimeMs", "Pause with which a migration that doesn't converge would end.",
       NOT_NEGATIVE),
    COUNT("heartbeats",
          "Signs of life of the source's agent while it has nothing else to say; the target's goes "
          "by them."),
    END,
};
