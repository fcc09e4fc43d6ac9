// SPDX-License-Identifier: Apache-2.0
// Configuration of migrations: KubeVirt (the whole cluster's) and MigrationPolicy (of VMs by
// their labels).
#include "model/kinds/columns.h"
#include "model/flags/migration_flags_table.h"
#include "model/kinds/policy_fields_table.h"
#include "model/kinds/shared_fields.h"

#define AS_FIELD(f, ...) f,
#define NO_FIELD(f, ...)

static const FerryField developer_configuration[] = {
    KEPT("clusterProfiler"),
    KEPT("cpuAllocationRatio"),
    KEPT("diskVerification"),
    KEPT("disabledFeatureGates"),
    KEPT("featureGates"),
    KEPT("logVerbosity"),
    KEPT("memoryOvercommit"),
    KEPT("minimumClusterTSCFrequency"),
    KEPT("minimumReservePVCBytes"),
    KEPT("nodeSelectors"),
    KEPT("pvcTolerateLessSpaceUpToPercent"),
    KEPT("useEmulation"),
    END,
};

static const FerryField pod_network[] = {
    KEPT("binding"),
    KEPT("defaultNetworkInterface"),
    KEPT("permitBridgeInterfaceOnPodNetwork"),
    KEPT("permitSlirpInterface"),
    END,
};

static const FerryField kubevirt_configuration[] = {
    OBJ("migrations", ferry_fields_migration_configuration, "How VMs are migrated."),
    KEPT_OBJ("developerConfiguration", developer_configuration),
    KEPT_OBJ("network", pod_network),
    KEPT("additionalGuestMemoryOverheadRatio"),
    KEPT("apiConfiguration"),
    KEPT("architectureConfiguration"),
    KEPT("autoCPULimitNamespaceLabelSelector"),
    KEPT("changedBlockTrackingLabelSelectors"),
    KEPT("commonInstancetypesDeployment"),
    KEPT("controllerConfiguration"),
    KEPT("cpuModel"),
    KEPT("cpuRequest"),
    KEPT("defaultRuntimeClass"),
    KEPT("emulatedMachines"),
    STR("evictionStrategy",
        "What happens to VMs when their host is emptied, where neither they nor a policy say it.",
        .values = WORDS("LiveMigrate", "LiveMigrateIfPossible", "None", "External")),
    KEPT("handlerConfiguration"),
    KEPT("hypervisors"),
    KEPT("imagePullPolicy"),
    KEPT("instancetype"),
    KEPT("ksmConfiguration"),
    KEPT("liveUpdateConfiguration"),
    KEPT("machineType"),
    KEPT("mediatedDevicesConfiguration"),
    KEPT("memBalloonStatsPeriod"),
    KEPT("minCPUModel"),
    KEPT("obsoleteCPUModels"),
    KEPT("ovmfPath"),
    KEPT("permittedHostDevices"),
    KEPT("roleAggregationStrategy"),
    KEPT("seccompConfiguration"),
    KEPT("selinuxLauncherType"),
    KEPT("smbios"),
    KEPT("supportContainerResources"),
    KEPT("supportedGuestAgentVersions"),
    KEPT("tlsConfiguration"),
    KEPT("virtualMachineInstancesPerNode"),
    KEPT("virtualMachineOptions"),
    KEPT("vmRolloutStrategy"),
    KEPT("vmStateStorageClass"),
    KEPT("webhookConfiguration"),
    END,
};

static const FerryField self_signed[] = {
    KEPT("ca"),
    KEPT("caOverlapInterval"),
    KEPT("caRotateInterval"),
    KEPT("certRotateInterval"),
    KEPT("server"),
    END,
};

static const FerryField certificate_rotation[] = {
    KEPT_OBJ("selfSigned", self_signed),
    END,
};

static const FerryField workload_updates[] = {
    KEPT("batchEvictionInterval"),
    KEPT("batchEvictionSize"),
    KEPT("workloadUpdateMethods"),
    END,
};

static const FerryField kubevirt_freeze[] = {
    STR("reason", "Why, for those who wait.", .max = 1024),
    STR("by", "Who said so; set by the server.", .max = 1024),
    TIME("since", "When; set by the server."),
    END,
};

static const FerryField kubevirt_spec[] = {
    OBJ("freeze", kubevirt_freeze,
        "Where it is there, nothing new starts, and what runs ends (ferry freeze)."),
    OBJ("configuration", kubevirt_configuration, "Configuration of the cluster."),
    KEPT_OBJ("certificateRotateStrategy", certificate_rotation),
    KEPT_OBJ("workloadUpdateStrategy", workload_updates),
    KEPT("customizeComponents"),
    KEPT("imagePullPolicy"),
    KEPT("imagePullSecrets"),
    KEPT("imageRegistry"),
    KEPT("imageTag"),
    KEPT("infra"),
    KEPT("monitorAccount"),
    KEPT("monitorNamespace"),
    KEPT("productComponent"),
    KEPT("productName"),
    KEPT("productVersion"),
    KEPT("serviceMonitorNamespace"),
    KEPT("synchronizationPort"),
    KEPT("uninstallStrategy"),
    KEPT("workloads"),
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
    .read_by = FERRY_ROLE_VIEW,
    .write_by = FERRY_ROLE_EDIT,
    .has_status = TRUE,
    .fields = kubevirt_fields,
    .columns = kubevirt_columns,
    .n_columns = G_N_ELEMENTS(kubevirt_columns),
    .doc = "KubeVirt is the configuration of the whole cluster.",
    .kind_aliases = WORDS("Kubevirt"),
    .version_aliases = WORDS("v1alpha3"),
};

static const FerryField policy_selectors[] = {
    MAP("namespaceSelector", "Labels that the VM's namespace must carry, each with this value.",
        .flags = FERRY_FIELD_LABELS, .max = 64),
    MAP("virtualMachineInstanceSelector", "Labels that the VM must carry, each with this value.",
        .flags = FERRY_FIELD_LABELS, .max = 64),
    END,
};

static const FerryField policy_spec[] = {
    OBJ("selectors", policy_selectors,
        "Which VMs the policy is for: without it none, empty: all; where several policies fit, "
        "the one with most labels counts.",
        .flags = FERRY_FIELD_REACH),
    FERRY_POLICY_FIELDS(IN_POLICY)                      //
    FERRY_MIGRATION_FLAGS(NO_FIELD, NO_FIELD, AS_FIELD) //
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
    .read_by = FERRY_ROLE_VIEW,
    .write_by = FERRY_ROLE_EDIT,
    .has_status = TRUE,
    .fields = policy_fields,
    .columns = policy_columns,
    .n_columns = G_N_ELEMENTS(policy_columns),
    .doc = "MigrationPolicy sets how the VMs that it selects are migrated.",
};
