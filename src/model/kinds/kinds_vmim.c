// SPDX-License-Identifier: Apache-2.0
// VirtualMachineInstanceMigration: the wish to move one VM, and the story of that move. Its spec is
// made of three tables: its own fields here, libvirt's flags, and the fields of policies that a
// migration may say. What an agent may write of its status is in model/agents/agent_rules.c.
#include "model/kinds/columns.h"
#include "model/migration/path_source.h"
#include "model/migration/phase.h"
#include "model/kinds/shared_fields.h"
#include "model/flags/migration_flags_table.h"
#include "model/kinds/policy_fields_table.h"
#include "model/kinds/change_fields.h"

#define AS_FIELD(f, ...) f,

static const FerryField vmim_spec[] = {
    STR("vmiName", "VM to move: the name of its VirtualMachineInstance in the same namespace.",
        REQUIRED, .max = NAME_MAX_LENGTH),
    STR("targetNode", "Node to move it to; unset: Ferry chooses.", .pattern = "dns-subdomain",
        .max = NAME_MAX_LENGTH),
    MAP("addedNodeSelector", "Labels that the target node must carry besides.",
        .flags = FERRY_FIELD_LABELS, .max = 64),
    STR("priority", "Place in the queue: system-critical comes first, system-maintenance last.",
        .values = WORDS("system-critical", "user-triggered", "system-maintenance")),
    STR("policy", "MigrationPolicy by name that holds for what this spec does not say.",
        .pattern = "dns-subdomain", .max = NAME_MAX_LENGTH),
    FERRY_POLICY_FIELDS(IN_MIGRATION) //
    ANY("sendTo", "Refused: a VM moves within this cluster only."),
    ANY("receive", "Refused: a VM moves within this cluster only."), //
    TIME("notBefore", "When it may begin; until then it waits, and keeps no other one waiting."),
    BOOL("forecastOnly", "Measure and reckon what the migration would cost, and move nothing."),
    /* every flag and parameter of libvirt */
    FERRY_MIGRATION_FLAGS(AS_FIELD, AS_FIELD, AS_FIELD) END,
};

static const FerryField vmim_transition[] = {
    STR("phase", "The phase that began.", REQUIRED, .values = ferry_migration_phases),
    TIME("phaseTransitionTimestamp", "When it began."),
    END,
};

static const FerryField vmim_attempt[] = {
    STR("nodeName", "Target that was tried.", .max = NAME_MAX_LENGTH),
    STR("reason", "Why it failed, as one CamelCase word.", .max = 1024),
    STR("message", "Why, in words.", .max = MESSAGE_MAX_LENGTH),
    TIME("endTimestamp", "When."),
    END,
};

static const FerryField vmim_queue[] = {
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

static const FerryField vmim_candidate[] = {
    STR("nodeName", "Name of the Node.", REQUIRED, .max = NAME_MAX_LENGTH),
    BOOL("chosen", "Whether it would be taken."),
    STR("why", "Why it would be taken.", .max = 256),
    BYTES("memoryAfterBytes", "Memory that is free there after the move; left out: not known."),
    STR("network", "The Network that the data would take; left out: none is used.",
        .max = NAME_MAX_LENGTH),
    WHOLE("speedMbps", FERRY_UNIT_MBIT_PER_SECOND, "Speed of the slower end of the way."),
    COUNT("inbound", "Migrations that are on their way there."),
    COUNT("score", "How good it is beside the others, of 1000."),
    STR("scores", "What the score is made of.", .max = 256),
    STRS("drawbacks", "What is better to avoid about it, where there is another one."),
    STRS("warnings", "What is known to go wrong on the way there."),
    END,
};

static const FerryField vmim_refusal[] = {
    STR("nodeName", "The node that was refused.", .max = NAME_MAX_LENGTH),
    OBJS("reasons", refusal_reason, "All reasons, not only the first.", .max = 64),
    END,
};

static const FerryField vmim_summary[] = {
    MS("totalMs", "Whole time from start to end.", NOT_NEGATIVE),
    MS("downtimeMs", "Pause of the guest as libvirt measured it.", NOT_NEGATIVE),
    BYTES("dataTransferredBytes", "Bytes sent altogether."),
    RATE("averageRateBytesPerSecond", "Mean rate."),
    COUNT("iterations", "Passes over the guest's memory."),
    PERCENT("topThrottlePercent", "Most that the guest was slowed, as QEMU said.", NOT_NEGATIVE),
    MS("setupMs", "Time to set the migration up.", NOT_NEGATIVE),
    ANY("forecastErrorPercent", "How far status.forecast.totalMs was from totalMs.",
        .unit = FERRY_UNIT_PERCENT),
    OBJ("lesson", ferry_fields_lesson, "What it taught of the VM, for its next migration."),
    END,
};

static const FerryField forecast_strategy[] = {
    STR("name",
        "pre-copy, throttle, suspend-after-pass, post-copy-after-pass or "
        "post-copy-at-once.",
        .max = 64),
    BOOL("permitted", "Whether the policy allows it."),
    BOOL("withinIntent", "Whether it is permitted and keeps to the intent."),
    MS("totalMs", "Whole time; absent: it would never end.", NOT_NEGATIVE),
    MS("downtimeMs", "Longest time that the guest stands still.", NOT_NEGATIVE),
    MS("lostMs", "Time of work that the guest loses.", NOT_NEGATIVE),
    MS("totalMinMs", "The same if guest and path are somewhat better than measured.", NOT_NEGATIVE),
    MS("totalMaxMs", "... somewhat worse; absent: it would never end then.", NOT_NEGATIVE),
    MS("downtimeMinMs", "Least of downtimeMs.", NOT_NEGATIVE),
    MS("downtimeMaxMs", "Most of downtimeMs.", NOT_NEGATIVE),
    MS("lostMinMs", "Least of lostMs.", NOT_NEGATIVE),
    MS("lostMaxMs", "Most of lostMs.", NOT_NEGATIVE),
    BYTES("dataBytes", "Bytes to be sent."),
    BYTES("dataMinBytes", "Least of dataBytes."),
    BYTES("dataMaxBytes", "Most of dataBytes."),
    PERCENT("throttlePercent", "How much the guest is slowed down.", NOT_NEGATIVE),
    PERCENT("throttleMinPercent", "Least of throttlePercent.", NOT_NEGATIVE),
    PERCENT("throttleMaxPercent", "Most of throttlePercent.", NOT_NEGATIVE),
    END,
};

static const FerryField vmim_forecast[] = {
    MS("totalMs", "Whole time that the first plan expected.", NOT_NEGATIVE),
    MS("downtimeMs", "Pause that was expected.", NOT_NEGATIVE),
    MS("totalP50Ms", "Whole time that half of such guests would keep.", NOT_NEGATIVE),
    MS("totalP95Ms", "... that 95 of 100 would keep; absent: fewer keep the intent.", NOT_NEGATIVE),
    MS("downtimeP50Ms", "Pause that half of such guests would keep.", NOT_NEGATIVE),
    MS("downtimeP95Ms", "... that 95 of 100 would keep; absent: fewer keep the intent.",
       NOT_NEGATIVE),
    PERCENT("withinPercent", "How many of 100 such guests would keep the intent.", NOT_NEGATIVE),
    STR("best", "The strategy within the intent that costs the least.", .max = 64),
    OBJS("strategies", forecast_strategy, "Every strategy with its price.", .max = 16),
    BYTES("memoryBytes", "Memory that the guest has touched, and disks to be copied."),
    RATE("dirtyRateBytesPerSecond",
         "What the guest changes, over all of the time measured but 1 s."),
    RATE("shortDirtyRateBytesPerSecond", "The same over 1 s."),
    STR("pattern", "How it writes, as estimated.", .max = 64),
    BYTES("workingSetBytes", "Memory that it keeps writing, as estimated."),
    RATE("writeRateBytesPerSecond", "Rate at which it writes there, as estimated."),
    RATE("bandwidthBytesPerSecond", "Rate that is reckoned with."),
    STR("bandwidthFrom",
        "Where that is from: limit (the policy's), measured (just now, between the two agents), "
        "migration (the last one to there), link (half of the slower one) or assumed.",
        .values = ferry_path_source_names),
    STR("bandwidthNote", "Why it was not measured.", .max = MESSAGE_MAX_LENGTH),
    MS("madeAtMs", "When it was made, since the start.", NOT_NEGATIVE),
    TIME("time", "The same by the source host's clock."),
    END,
};

static const FerryField vmim_decision[] = {
    TIME("time", "When it was decided."),
    MS("elapsedMs", "Time since the start.", NOT_NEGATIVE),
    STR("action", "What was done, as one word.", .max = 256),
    ANY("value", "The value that was set."),
    STR("code", "Why, as one CamelCase word.", .max = 256),
    STR("reason", "Why, with the numbers behind it.", .max = MESSAGE_MAX_LENGTH),
    COUNT("iteration", "The pass over memory at that moment."),
    BYTES("remainingBytes", "Bytes that remained."),
    RATE("rateBytesPerSecond", "Rate that was reckoned with, of guest memory."),
    RATE("dirtyRateBytesPerSecond", "What the guest changed, as QEMU said."),
    MS("limitMs", "Downtime limit after the decision.", NOT_NEGATIVE),
    PERCENT("throttlePercent", "Share of the time that the guest was held.", NOT_NEGATIVE),
    BYTES("workingSetBytes", "Memory that the guest keeps writing, as estimated."),
    RATE("writeRateBytesPerSecond", "Rate at which it writes there, as estimated."),
    STR("pattern", "How it writes, as estimated.", .max = 256),
    ANY("residual", "How far the estimate is from what was seen; 0 is a perfect fit."),
    MS("minDowntimeMs", "The shortest pause that would have been possible.", NOT_NEGATIVE),
    MS("forecastMs", "Time from the start to the end that the first plan expected.", NOT_NEGATIVE),
    END,
};

static const FerryField vmim_course[] = {
    MS("elapsedMs", "Time since the start.", NOT_NEGATIVE),
    COUNT("iteration", "The pass over memory."),
    BYTES("remainingBytes", "Bytes that remained."),
    RATE("rateBytesPerSecond", "Rate of guest memory."),
    RATE("dirtyRateBytesPerSecond", "What the guest changed, as QEMU said."),
    MS("forecastMs", "Time from the start to the end that the first plan expected.", NOT_NEGATIVE),
    MS("limitMs", "Downtime limit in force.", NOT_NEGATIVE),
    PERCENT("throttlePercent", "Share of the time that the guest was held.", NOT_NEGATIVE),
    END,
};

static const FerryField vmim_change[] = {
    STR("id", "Its number, counted from 1.", REQUIRED, .max = 32),
    STR("by", "User who asked for it.", .max = 1024),
    TIME("time", "When it was asked for."),
    STR("reason", "Why, in that user's words.", .max = 1024),
    OBJ("fields", ferry_change_fields, "What was to be changed."),
    STR("state", "What became of it.", .values = ferry_change_states),
    OBJ("inForce", ferry_change_fields,
        "Of one that was refused: the part that had been carried out."),
    STR("message", "The same in words.", .max = MESSAGE_MAX_LENGTH),
    TIME("appliedTime", "When the source's agent had carried it out or refused it."),
    END,
};

static const FerryField vmim_status[] = {
    STR("phase", "How far the migration is; Succeeded and Failed are final.",
        .values = ferry_migration_phases),
    OBJS("phaseTransitionTimestamps", vmim_transition, "When each phase began.", .max = 64),
    STR("reason", "Why it waits, failed or was cancelled, as one CamelCase word.", .max = 1024),
    STR("message", "The same in words for people, with what to do next.",
        .max = MESSAGE_MAX_LENGTH),
    OBJS("conditions", ferry_fields_condition, "Further statements about it.", .merge_key = "type",
         .max = 64),
    OBJ("queue", vmim_queue, "Its place in the queue while it is Pending."),
    OBJS("candidates", vmim_candidate,
         "Only where it is asked for without being made (dryRun): nodes that can take the VM, and "
         "what it would be like there."),
    OBJS("refusals", vmim_refusal, "Nodes that cannot take the VM, each with all reasons."),
    OBJ("migrationState", ferry_fields_migration_state, "Where from, where to, and how it ended."),
    MAP("configurationOrigins", "Where each setting of migrationConfiguration came from."),
    OBJS("attempts", vmim_attempt, "Targets that failed before this one; see retries.", .max = 101),
    OBJ("progress", ferry_fields_migration_progress, "How far the copy is."),
    OBJ("summary", vmim_summary, "What it took, once it has ended."),
    OBJS("decisions", vmim_decision, "What the convergence controller decided, and why."),
    OBJ("forecast", vmim_forecast,
        "What was expected: before it began, where the dirty rate was measured, or once two passes "
        "had been seen."),
    OBJS("course", vmim_course, "How the copy went, at most 200 rows.", .max = 200),
    OBJS("changes", vmim_change, "What people changed while it ran.", .merge_key = "id", .max = 64),
    END,
};

static const FerryField vmim_fields[] = {
    OBJ("spec", vmim_spec, "What is wanted; it cannot be changed once the migration is created.",
        .flags = FERRY_FIELD_REQUIRED | FERRY_FIELD_IMMUTABLE),
    OBJ("status", vmim_status, "What is true of the migration."),
    END,
};

/* To ignore these would be to make another migration than the one that is meant. */
static void vmim_check(const json_t *object, const json_t *old, GError *error) {
  static const char *const elsewhere[] = {"spec.sendTo", "spec.receive"};
  for (gsize i = 0; i < G_N_ELEMENTS(elsewhere); i++)
    if (ferry_json_get(object, elsewhere[i]))
      ferry_error_add_cause(error, "FieldValueForbidden", elsewhere[i],
                            "Forbidden: a VM moves between hosts of this cluster only, not to or "
                            "from another one; leave it out");
}

static const FerryColumn vmim_columns[] = {
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
    .read_by = FERRY_ROLE_VIEW,
    .write_by = FERRY_ROLE_OPERATE,
    .has_status = TRUE,
    .subresources = WORDS("cancel", "change", "resolve"),
    .fields = vmim_fields,
    .columns = vmim_columns,
    .n_columns = G_N_ELEMENTS(vmim_columns),
    .field_selectors =
        WORDS("status.phase", "status.migrationState.sourceNode",
              "status.migrationState.targetNode", "status.migrationState.agents", "spec.vmiName"),
    .doc = "VirtualMachineInstanceMigration moves one VM to another node while it runs.",
    .version_aliases = WORDS("v1alpha3"),
    .check = vmim_check,
};
