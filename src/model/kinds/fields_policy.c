// SPDX-License-Identifier: Apache-2.0
// The tables that are made of policy fields and of libvirt's flags: an intent, the KubeVirt
// object's configuration, what an intent learns, and what a migration's configuration can hold once
// it is resolved.
#include "model/flags/migration_flags_table.h"
#include "model/kinds/policy_fields.h"
#include "model/kinds/policy_fields_table.h"
#include "model/kinds/shared_fields.h"

#define AS_FIELD(f, ...) f,
#define NO_FIELD(f, ...)

const FerryField ferry_fields_intent[] = {
    FERRY_POLICY_FIELDS(IN_INTENT)                                                       //
    STR("maxDowntime", "maxDowntimeMs as a duration such as 300ms or 1.5s.", .max = 64), //
    STR("maxDuration", "Longest time that the migration may take, such as 90s or 10m.", .max = 64),
    PERCENT("maxSlowdown", "How much the guest may be slowed meanwhile.", .min = 0,
            .max = FERRY_SLOWDOWN_MAX_PERCENT),
    BOOL("allowPostCopy",
         "Allow the VM to switch over first and fetch the rest of its memory afterwards."),
    RATE_QUANTITY("bandwidth", "Most to send; 0 is unlimited.", NOT_NEGATIVE, .zero = "unlimited"),
    END,
};

const FerryField ferry_fields_lesson[] = {
    STR("pattern", "How the guest wrote.", .values = WORDS("idle", "uniform", "cyclic", "skewed")),
    BYTES("workingSetBytes", "Memory that it kept writing."),
    RATE("writeRateBytesPerSecond", "Rate at which it wrote there."),
    BOOL("steady", "Two migrations saw it write alike."),
    PERCENT("compressionGainPercent", "Bytes of memory for each hundred that zstd sent.",
            .min = 100, .max = 10000),
    PERCENT("xbzrleGainPercent",
            "Bytes of memory for each hundred that xbzrle sent of what had been sent before.",
            .min = 1, .max = 10000),
    MS("switchoverMs", "What the switch-over cost beside what was sent in it.", NOT_NEGATIVE),
    STR("migrationUid", "Of the migration that taught it; kept with the VM.", .max = 64),
    TIME("time", "When it ended; kept with the VM."),
    END,
};

const FerryField ferry_fields_migration_configuration[] = {
    FERRY_POLICY_FIELDS(IN_KUBEVIRT)                    //
    FERRY_MIGRATION_FLAGS(NO_FIELD, AS_FIELD, AS_FIELD) //
    STR("defaultPolicy", "MigrationPolicy by name that holds for what nothing else says.",
        .flags = FERRY_FIELD_BINDS, .pattern = "dns-subdomain", .max = NAME_MAX_LENGTH),
    KEPT("matchSELinuxLevelOnMigration"), //
    KEPT("utilityVolumesTimeout"),        //
    END,
};

const FerryField ferry_fields_resolved_configuration[] = {
    FERRY_POLICY_FIELDS(IN_RESOLVED)                    //
    FERRY_MIGRATION_FLAGS(AS_FIELD, AS_FIELD, AS_FIELD) //
    END,
};

gboolean ferry_policy_field_is_derived(const FerryPolicyField *field) {
  return field->said_as && !ferry_field_find(ferry_fields_intent, field->field.name);
}

const FerryField *ferry_configuration_field(const char *name) {
  return ferry_field_find(ferry_fields_resolved_configuration, name);
}
