// SPDX-License-Identifier: Apache-2.0
// Configuration of migrations: KubeVirt (the whole cluster's) and MigrationPolicy (of VMs by
// their labels).
#include "model/columns.h"
#include "model/policy_fields.h"

static const FerryField configuration[] = {
    OBJ("migrations", ferry_fields_migration_configuration, "How VMs are migrated."),
    END,
};

static const FerryField kubevirt_spec[] = {
    OBJ("configuration", configuration, "Configuration of the cluster."),
    END,
};

static const FerryField kubevirt_fields[] = {
    OBJ("spec", kubevirt_spec, "What is wished for the whole cluster."),
    ANY("status", "What is true of the installation."),
    END,
};

static const FerryColumn kubevirt_columns[] = {
    COLUMN_NAME,
    COLUMN_AGE,
};

const FerryKind ferry_kind_kubevirt = {
    .group = "kubevirt.io",
    .version = "v1",
    .kind = "KubeVirt",
    .plural = "kubevirts",
    .singular = "kubevirt",
    .short_names = WORDS("kv", "kvs"),
    .namespaced = TRUE,
    .verbs = FERRY_VERB_ALL,
    .has_status = TRUE,
    .fields = kubevirt_fields,
    .columns = kubevirt_columns,
    .n_columns = G_N_ELEMENTS(kubevirt_columns),
    .doc = "KubeVirt is the configuration of the whole cluster.",
    .kind_aliases = WORDS("Kubevirt"),
};

static const FerryField selectors[] = {
    MAP("namespaceSelector", "Labels that the VM's namespace must carry, each with this value.",
        .flags = FERRY_FIELD_LABELS, .max = 64),
    MAP("virtualMachineInstanceSelector", "Labels that the VM must carry, each with this value.",
        .flags = FERRY_FIELD_LABELS, .max = 64),
    END,
};

static const FerryField policy_spec[] = {
    OBJ("selectors", selectors,
        "Which VMs the policy is for: absent is none, empty is all; where several policies fit, "
        "the one with most labels counts."),
    BOOL("allowAutoConverge", "Slow the guest's processors down where its memory changes faster "
                              "than it can be sent."),
    QUANTITY("bandwidthPerMigration",
             "Most bytes per second that one migration sends, as a quantity such as 64Mi; 0 is "
             "unlimited.",
             .min = 0, .max = G_MAXINT64),
    INT("completionTimeoutPerGiB",
        "Seconds allowed per GiB of memory and of disks to copy; 0 switches the limit off.",
        .min = 0, .max = 10000000),
    INT("maxDowntimeMs", "Longest pause of the guest at the switch-over, in milliseconds.",
        .min = 1, .max = 2000000),
    BOOL("allowPostCopy", "Switch over first and fetch the rest of the memory afterwards, where "
                          "pre-copy does not converge."),
    BOOL("allowWorkloadDisruption", "Allow post-copy, or else a pause of the guest, when the "
                                    "completion timeout has passed."),
    INT("progressTimeout",
        "Seconds without progress after which a migration is given up; without one byte sent 15 s "
        "are "
        "the most, unless another system's rules hold. 0 switches both limits off.",
        .min = 0, .max = 10000000),
    INT("parallelOutboundMigrationsPerNode",
        "Most migrations that leave a node at once while one by this policy is among them; it only "
        "lowers the cluster's limit.",
        .min = 1, .max = 1000),
    INT("parallelInboundMigrationsPerNode",
        "Most migrations that enter a node at once while one by this policy is among them; it only "
        "lowers the cluster's limit.",
        .min = 1, .max = 1000),
    FERRY_POLICY_FIELDS,
    FERRY_POLICY_TRANSPORT_FIELDS,
    END,
};

static const FerryField policy_fields[] = {
    OBJ("spec", policy_spec, "Which VMs are meant, and what is set for them.", REQUIRED),
    ANY("status", "Not used."),
    END,
};

static const FerryColumn policy_columns[] = {
    COLUMN_NAME,
    COLUMN("Preset", "string", "spec.preset", "Rules that it follows, by name."),
    COLUMN_WIDE("Bandwidth", "string", "spec.bandwidthPerMigration", "Bytes per second."),
    COLUMN_WIDE("AutoConverge", "boolean", "spec.allowAutoConverge", "Whether it is allowed."),
    COLUMN_WIDE("PostCopy", "boolean", "spec.allowPostCopy", "Whether it is allowed."),
    COLUMN_AGE,
};

const FerryKind ferry_kind_migration_policy = {
    .group = "migrations.kubevirt.io",
    .version = "v1alpha1",
    .kind = "MigrationPolicy",
    .plural = "migrationpolicies",
    .singular = "migrationpolicy",
    .namespaced = FALSE,
    .verbs = FERRY_VERB_ALL,
    .has_status = TRUE,
    .fields = policy_fields,
    .columns = policy_columns,
    .n_columns = G_N_ELEMENTS(policy_columns),
    .doc = "MigrationPolicy sets how the VMs that it selects are migrated.",
};
