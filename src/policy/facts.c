// SPDX-License-Identifier: Apache-2.0
#include "policy/facts.h"
#include "model/migration_flags.h"

#define BYTES_PER_MBIT 125000
#define MAX_MBPS 10000000 /* ten terabits: more is a mistake of the driver's */

static gint64 fastest_mbps(const json_t *node) {
  gint64 best = 0;
  gsize i;
  json_t *interface;
  json_array_foreach(ferry_json_get(node, "status.interfaces"), i, interface) {
    gint64 speed = ferry_json_int(interface, "speedMbps", 0);
    if (speed <= MAX_MBPS && ferry_json_bool(interface, "up", TRUE))
      best = MAX(best, speed);
  }
  return best;
}

static gboolean can(const json_t *node, const char *feature) {
  gsize i;
  json_t *word;
  json_array_foreach(ferry_json_get(node, "status.hypervisor.features"), i,
                     word) if (g_strcmp0(json_string_value(word), feature) == 0) return TRUE;
  return FALSE;
}

static gboolean is_named(const json_t *names, const char *name) {
  gsize i;
  json_t *word;
  json_array_foreach((json_t *)names, i,
                     word) if (g_strcmp0(json_string_value(word), name) == 0) return TRUE;
  return FALSE;
}

gint64 ferry_config_copied_bytes(const json_t *config, const json_t *vmi) {
  const char *method = ferry_json_str(vmi, "status.migrationMethod");
  if (!ferry_migration_flag_on(config, "copyStorageAll") &&
      !ferry_migration_flag_on(config, "copyStorageIncremental") &&
      g_strcmp0(method, "BlockMigration") != 0)
    return 0;
  const json_t *names = json_object_get(config, "migrateDisks");
  gint64 sum = 0;
  gsize i;
  json_t *disk;
  json_array_foreach(ferry_json_get(vmi, "spec.domain.devices.disks"), i, disk) {
    gboolean wanted = json_is_array(names) ? is_named(names, ferry_json_str(disk, "name"))
                                           : !ferry_json_bool(disk, "readonly", FALSE) &&
                                                 !ferry_json_bool(disk, "shareable", FALSE);
    gint64 size = ferry_json_int(disk, "sizeBytes", 0);
    if (wanted && size > 0 && sum <= G_MAXINT64 / 4 - size / 4)
      sum += size;
  }
  return sum;
}

static void put(json_t *config, json_t *origins, const char *name, json_t *value) {
  json_object_set_new(config, name, value);
  if (origins)
    ferry_json_set_str(origins, name, "automatic");
}

void ferry_config_add_facts(json_t *config, json_t *origins, const json_t *vmi,
                            const json_t *source, const json_t *target) {
  gint64 mbps = MIN(fastest_mbps(source), fastest_mbps(target));
  if (mbps > 0)
    put(config, origins, "linkRateBytesPerSecond", json_integer(mbps * BYTES_PER_MBIT / 2));
  if (can(source, "postcopy-preempt") && can(target, "postcopy-preempt"))
    put(config, origins, "postCopyPreempt", json_true());
  gint64 disks = ferry_config_copied_bytes(config, vmi);
  if (disks > 0)
    put(config, origins, "copiedDiskBytes", json_integer(disks));
}
