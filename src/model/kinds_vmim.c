// SPDX-License-Identifier: Apache-2.0
// VirtualMachineInstanceMigration: the wish to move one VM, and the story of that move.
#include "model/columns.h"
#include "model/fields.h"
#include "model/migration_flags_table.h"
#include "model/policy_fields.h"

static const char *const phases[] = {"Pending",         "Scheduling",  "Scheduled",
                                     "PreparingTarget", "TargetReady", "Running",
                                     "Succeeded",       "Failed",      NULL};

#define AS_FIELD(field, ...) field,

static const FerryField spec[] = {
    STR("vmiName", "VM to move: the name of its VirtualMachineInstance in the same namespace.",
        REQUIRED, .max = NAME_MAX_LENGTH),
    STR("targetNode", "Node to move it to; unset: Ferry chooses.", .pattern = "dns-subdomain",
        .max = NAME_MAX_LENGTH),
    MAP("addedNodeSelector", "Labels that the target node must carry besides.",
        .flags = FERRY_FIELD_LABELS, .max = 64),
    STR("priority", "Place in the queue: system-critical comes first, system-maintenance last.",
        .values = WORDS("system-critical", "user-triggered", "system-maintenance")),
    STR("network", "Network that carries this migration, in place of the configured one.",
        .pattern = "dns-subdomain", .max = NAME_MAX_LENGTH),
    INT("completionTimeoutSeconds",
        "Seconds allowed for the whole migration, in place of completionTimeoutPerGiB; 0 switches "
        "the limit off.",
        .min = 0, .max = 10000000),
    INT("maxDowntimeMs", "Longest pause of the guest at the switch-over, in milliseconds.",
        .min = 1, .max = 2000000),
    INT("completionTimeoutPerGiB",
        "Seconds allowed per GiB of memory and of disks to copy; 0 switches the limit off.",
        .min = 0, .max = 10000000),
    INT("progressTimeout",
        "Seconds without progress after which it is given up; without one byte sent 15 s are "
        "the most, unless another system's rules hold. 0 switches both limits off.",
        .min = 0, .max = 10000000),
    BOOL("allowWorkloadDisruption", "Allow post-copy, or else a pause of the guest, when the "
                                    "completion timeout has passed."),
    STR("policy", "MigrationPolicy by name that holds for what this spec does not say.",
        .pattern = "dns-subdomain", .max = NAME_MAX_LENGTH),
    FERRY_POLICY_FIELDS,
    BOOL("forecastOnly", "Measure and reckon what the migration would cost, and move nothing."),
    /* every flag and parameter of libvirt */
    FERRY_MIGRATION_FLAGS(AS_FIELD) END,
};

static const FerryField transition[] = {
    STR("phase", "The phase that began.", REQUIRED, .values = phases),
    TIME("phaseTransitionTimestamp", "When it began."),
    END,
};

static const FerryField attempt[] = {
    STR("nodeName", "Target that was tried.", .max = NAME_MAX_LENGTH),
    STR("reason", "Why it failed, as one CamelCase word.", .max = 1024),
    STR("message", "Why, in words.", .max = MESSAGE_MAX_LENGTH),
    TIME("endTimestamp", "When."),
    END,
};

static const FerryField queue[] = {
    COUNT("position", "Place in the queue; 1 is next."),
    STR("reason", "What it waits for, as one CamelCase word.", .max = 1024),
    STR("message", "What it waits for, in words.", .max = MESSAGE_MAX_LENGTH),
    END,
};

static const FerryField refusal_reason[] = {
    STR("reason", "Why the node was refused, as one CamelCase word.", .max = 1024),
    STR("message", "Why, in words.", .max = MESSAGE_MAX_LENGTH),
    END,
};

static const FerryField refusal[] = {
    STR("nodeName", "The node that was refused.", .max = NAME_MAX_LENGTH),
    OBJS("reasons", refusal_reason, "All reasons, not only the first.", .max = 64),
    END,
};

static const FerryField summary[] = {
    COUNT("totalMs", "Whole time from start to end, in milliseconds."),
    COUNT("downtimeMs", "Pause of the guest as libvirt measured it, in milliseconds."),
    COUNT("dataTransferredBytes", "Bytes sent altogether."),
    COUNT("averageRateBytesPerSecond", "Mean rate in bytes per second."),
    COUNT("iterations", "Passes over the guest's memory."),
    COUNT("topThrottlePercent", "Most that the guest was slowed, as QEMU said, in percent."),
    COUNT("setupMs", "Time to set the migration up, in milliseconds."),
    ANY("forecastErrorPercent", "How far status.forecast.totalMs was from totalMs, in percent."),
    END,
};

static const FerryField forecast_strategy[] = {
    STR("name",
        "pre-copy, throttle, suspend-after-pass, post-copy-after-pass or "
        "post-copy-at-once.",
        .max = 64),
    BOOL("permitted", "Whether the policy allows it."),
    BOOL("withinIntent", "Whether it is permitted and keeps to the intent."),
    COUNT("totalMs", "Whole time in milliseconds; absent: it would never end."),
    COUNT("downtimeMs", "Longest time that the guest stands still, in milliseconds."),
    COUNT("lostMs", "Time of work that the guest loses, in milliseconds."),
    COUNT("totalMinMs", "The same if guest and path are somewhat better than measured."),
    COUNT("totalMaxMs", "... somewhat worse; absent: it would never end then."),
    COUNT("downtimeMinMs", "Least of downtimeMs."),
    COUNT("downtimeMaxMs", "Most of downtimeMs."),
    COUNT("lostMinMs", "Least of lostMs."),
    COUNT("lostMaxMs", "Most of lostMs."),
    COUNT("dataBytes", "Bytes to be sent."),
    COUNT("dataMinBytes", "Least of dataBytes."),
    COUNT("dataMaxBytes", "Most of dataBytes."),
    COUNT("throttlePercent", "How much the guest is slowed down."),
    COUNT("throttleMinPercent", "Least of throttlePercent."),
    COUNT("throttleMaxPercent", "Most of throttlePercent."),
    END,
};

static const FerryField forecast[] = {
    COUNT("totalMs", "Whole time that the first plan expected, in milliseconds."),
    COUNT("downtimeMs", "Pause that was expected, in milliseconds."),
    STR("best", "The quickest strategy within the intent.", .max = 64),
    OBJS("strategies", forecast_strategy, "Every strategy with its price.", .max = 16),
    COUNT("memoryBytes", "Memory that the guest has touched, and disks to be copied, in bytes."),
    COUNT("dirtyRateBytesPerSecond",
          "Bytes a second that the guest changes, over all of the time measured but 1 s."),
    COUNT("shortDirtyRateBytesPerSecond", "The same over 1 s."),
    STR("pattern", "How it writes, as estimated.", .max = 64),
    COUNT("workingSetBytes", "Memory that it keeps writing, as estimated."),
    COUNT("writeRateBytesPerSecond", "Rate at which it writes there, as estimated."),
    COUNT("bandwidthBytesPerSecond", "Rate that is reckoned with."),
    STR("bandwidthFrom",
        "Where that is from: limit (the policy's), measured (just now, between the two agents), "
        "migration (the last one to there), link (half of the slower one) or assumed.",
        .max = 64),
    STR("bandwidthNote", "Why it was not measured.", .max = MESSAGE_MAX_LENGTH),
    COUNT("madeAtMs", "When it was made, in milliseconds since the start."),
    TIME("time", "The same by the source host's clock."),
    END,
};

static const FerryField decision[] = {
    TIME("time", "When it was decided."),
    COUNT("elapsedMs", "Time since the start, in milliseconds."),
    STR("action", "What was done, as one word.", .max = 256),
    ANY("value", "The value that was set."),
    STR("code", "Why, as one CamelCase word.", .max = 256),
    STR("reason", "Why, with the numbers behind it.", .max = MESSAGE_MAX_LENGTH),
    COUNT("iteration", "The pass over memory at that moment."),
    COUNT("remainingBytes", "Bytes that remained."),
    COUNT("rateBytesPerSecond", "Rate that was reckoned with, in bytes of guest memory a second."),
    COUNT("dirtyRateBytesPerSecond", "Bytes a second that the guest changed, as QEMU said."),
    COUNT("limitMs", "Downtime limit after the decision, in milliseconds."),
    COUNT("throttlePercent", "Share of the time that the guest was held."),
    COUNT("workingSetBytes", "Memory that the guest keeps writing, as estimated."),
    COUNT("writeRateBytesPerSecond", "Rate at which it writes there, as estimated."),
    STR("pattern", "How it writes, as estimated.", .max = 256),
    ANY("residual", "How far the estimate is from what was seen; 0 is a perfect fit."),
    COUNT("minDowntimeMs", "The shortest pause that would have been possible."),
    COUNT("forecastMs", "Time from the start to the end that the first plan expected."),
    END,
};

static const FerryField course[] = {
    COUNT("elapsedMs", "Time since the start, in milliseconds."),
    COUNT("iteration", "The pass over memory."),
    COUNT("remainingBytes", "Bytes that remained."),
    COUNT("rateBytesPerSecond", "Rate in bytes of guest memory a second."),
    COUNT("dirtyRateBytesPerSecond", "Bytes a second that the guest changed, as QEMU said."),
    COUNT("forecastMs", "Time from the start to the end that the first plan expected."),
    COUNT("limitMs", "Downtime limit in force, in milliseconds."),
    COUNT("throttlePercent", "Share of the time that the guest was held."),
    END,
};

static const FerryField change_fields[] = {
    INT("downtimeMs", "New downtime limit in milliseconds.", .min = 1, .max = 2000000),
    INT("bandwidthMiBps", "New bandwidth limit in MiB a second.", .min = 1, .max = 1048576),
    STR("technique", "Pre-copy: stay in it; post-copy: switch to it now.",
        .values = WORDS("pre-copy", "post-copy")),
    INT("stallingLimitSeconds",
        "Seconds without progress after which it is called stalling; 0 switches that off.",
        .min = 0, .max = 86400),
    END,
};

static const FerryField change[] = {
    STR("id", "Its number, counted from 1.", REQUIRED, .max = 32),
    STR("by", "User who asked for it.", .max = 1024),
    TIME("time", "When it was asked for."),
    STR("reason", "Why, in that user's words.", .max = 1024),
    OBJ("fields", change_fields, "What was to be changed."),
    STR("state", "What became of it.", .values = WORDS("Requested", "Applied", "Refused")),
    OBJ("inForce", change_fields, "Of one that was refused: the part that had been carried out."),
    STR("message", "The same in words.", .max = MESSAGE_MAX_LENGTH),
    TIME("appliedTime", "When the source's agent had carried it out or refused it."),
    END,
};

static const FerryField status[] = {
    STR("phase", "How far the migration is; Succeeded and Failed are final.", .values = phases),
    OBJS("phaseTransitionTimestamps", transition, "When each phase began.", .max = 64),
    STR("reason", "Why it waits, failed or was cancelled, as one CamelCase word.", .max = 1024),
    STR("message", "The same in words for people, with what to do next.",
        .max = MESSAGE_MAX_LENGTH),
    OBJS("conditions", ferry_fields_condition, "Further statements about it.", .merge_key = "type",
         .max = 64),
    OBJ("queue", queue, "Its place in the queue while it is Pending."),
    OBJS("refusals", refusal, "Nodes that cannot take the VM, each with all reasons."),
    OBJ("migrationState", ferry_fields_migration_state, "Where from, where to, and how it ended."),
    MAP("configurationOrigins", "Where each setting of migrationConfiguration came from."),
    OBJS("attempts", attempt, "Targets that failed before this one; see retries.", .max = 101),
    OBJ("progress", ferry_fields_migration_progress, "How far the copy is."),
    OBJ("summary", summary, "What it took, once it has ended."),
    OBJS("decisions", decision, "What the convergence controller decided, and why."),
    OBJ("forecast", forecast,
        "What was expected: before it began, where the dirty rate was measured, or once two passes "
        "had been seen."),
    OBJS("course", course, "How the copy went, at most 200 rows.", .max = 200),
    OBJS("changes", change, "What people changed while it ran.", .merge_key = "id", .max = 64),
    END,
};

static const FerryField fields[] = {
    OBJ("spec", spec, "What is wished; cannot be changed after it was created.",
        .flags = FERRY_FIELD_REQUIRED | FERRY_FIELD_IMMUTABLE),
    OBJ("status", status, "What is true of the migration."),
    END,
};

static const FerryColumn columns[] = {
    COLUMN_NAME,
    COLUMN("Phase", "string", "status.phase", "How far it is."),
    COLUMN("VMI", "string", "spec.vmiName", "The VM that moves."),
    COLUMN("Source", "string", "status.migrationState.sourceNode", "Node that it leaves."),
    COLUMN_CELL("Target", "string", ferry_cell_vmim_target, "Node that it goes to."),
    COLUMN_CELL("Progress", "string", ferry_cell_vmim_progress, "How much is done."),
    COLUMN_AGE,
    COLUMN_WIDE_CELL("Remaining", "string", ferry_cell_vmim_remaining, "Bytes that remain."),
    COLUMN_WIDE_CELL("Rate", "string", ferry_cell_vmim_rate, "Bytes sent per second."),
    COLUMN_WIDE_CELL("DirtyRate", "string", ferry_cell_vmim_dirty_rate,
                     "Bytes the guest changes per second."),
    COLUMN_WIDE_CELL("Elapsed", "string", ferry_cell_vmim_elapsed, "Time it has taken."),
    COLUMN_WIDE_CELL("Downtime", "string", ferry_cell_vmim_downtime, "Pause of the guest."),
    COLUMN_WIDE("Network", "string", "status.migrationState.network", "Network that carries it."),
    COLUMN_WIDE_CELL("Reason", "string", ferry_cell_vmim_reason, "Why it waits or failed."),
};

const FerryKind ferry_kind_vmim = {
    .group = "kubevirt.io",
    .version = "v1",
    .kind = "VirtualMachineInstanceMigration",
    .plural = "virtualmachineinstancemigrations",
    .singular = "virtualmachineinstancemigration",
    .short_names = WORDS("vmim", "vmims"),
    .categories = WORDS("all"),
    .namespaced = TRUE,
    .verbs = FERRY_VERB_ALL,
    .has_status = TRUE,
    .subresources = WORDS("cancel", "change"),
    .fields = fields,
    .columns = columns,
    .n_columns = G_N_ELEMENTS(columns),
    .field_selectors =
        WORDS("status.phase", "status.migrationState.sourceNode",
              "status.migrationState.targetNode", "status.migrationState.agents", "spec.vmiName"),
    .doc = "VirtualMachineInstanceMigration moves one VM to another node while it runs.",
};
