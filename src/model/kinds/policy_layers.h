// SPDX-License-Identifier: Apache-2.0
// What the rows of policy fields are made of: who may say one, and limits that several share; in
// policy_fields.c, where a value comes from.
#pragma once
#include "model/field/field.h"

/** Longest pause that anyone can ask for, as QEMU has it. A plain number, for messages too. */
#define FERRY_DOWNTIME_MAX_MS 2000000
/** Most that a guest may be slowed: some of its time is left to it. */
#define FERRY_SLOWDOWN_MAX_PERCENT 99

/** Names of fields that others read beside their consumer, the agent's settings. */
#define FERRY_FIELD_MAX_DOWNTIME "maxDowntimeMs"
#define FERRY_FIELD_MAX_DURATION "maxDurationMs"
#define FERRY_FIELD_MAX_SLOWDOWN "maxSlowdownPercent"

/** Where the value of a field comes from (configurationOrigins): nobody said it, the cluster's
 * KubeVirt, the VM, the migration itself, the rules of the preset whose name follows. */
#define FERRY_CLUSTER_MIGRATIONS "spec.configuration.migrations"
#define FERRY_ORIGIN_DEFAULT "default"
#define FERRY_ORIGIN_CLUSTER "KubeVirt"
#define FERRY_ORIGIN_VM "VirtualMachineInstance"
#define FERRY_ORIGIN_MIGRATION "VirtualMachineInstanceMigration"
#define FERRY_ORIGIN_PRESET "preset/"
/** Whether an origin is that nobody said it; FALSE for NULL. */
gboolean ferry_origin_is_default(const char *origin);
/** The same of the cluster's KubeVirt. */
gboolean ferry_origin_is_cluster(const char *origin);
/** The same of the migration itself. */
gboolean ferry_origin_is_migration(const char *origin);
/** The same of any preset. */
gboolean ferry_origin_is_preset(const char *origin);

/** Who says it: a bit each. */
typedef enum {
  FERRY_LAYER_CLUSTER = 1,
  FERRY_LAYER_POLICY = 2,
  FERRY_LAYER_VM = 4,
  FERRY_LAYER_MIGRATION = 8,
  FERRY_LAYER_PRESET = 16,
  FERRY_LAYER_ANYONE = 31,
} FerryLayerBit;

/** Members of the object `intent`; ends with END. */
extern const FerryField ferry_fields_intent[];
