// SPDX-License-Identifier: Apache-2.0
#include "model/domain/copied_disks.h"
#include "model/flags/migration_flags.h"
#include "model/domain/target_xml.h"

static gboolean is_elsewhere(const json_t *config, const json_t *disk) {
  static const char *const places[] = {"file", "dev", "name", "volume", "dir"};
  const char *place = ferry_json_str(disk, "source");
  g_autoptr(json_t) there = ferry_target_xml_disk_source(ferry_json_str(config, "destinationXML"),
                                                         ferry_json_str(disk, "name"));
  for (gsize i = 0; i < G_N_ELEMENTS(places); i++)
    if (g_strcmp0(ferry_json_str(there, places[i]), place) == 0)
      return FALSE;
  return there != NULL;
}

static gboolean is_copyable(const json_t *disk) {
  return ferry_json_str(disk, "name") && ferry_json_str(disk, "source") &&
         !ferry_json_bool(disk, "readonly", FALSE) && !ferry_json_bool(disk, "shareable", FALSE);
}

static gboolean copied_disks_copies(const json_t *config) {
  return ferry_migration_flag_on(config, "copyStorageAll") ||
         ferry_migration_flag_on(config, "copyStorageIncremental");
}

gboolean ferry_disk_is_shared(const json_t *config, const json_t *disk) {
  return (ferry_json_bool(disk, "shared", FALSE) ||
          g_strcmp0(ferry_json_str(disk, "type"), "network") == 0) &&
         !is_elsewhere(config, disk);
}

gboolean ferry_disk_is_copied(const json_t *config, const json_t *disk) {
  const json_t *names = json_object_get(config, "migrateDisks");
  const char *name = ferry_json_str(disk, "name");
  if (!copied_disks_copies(config))
    return FALSE;
  if (ferry_json_has_word(names, name))
    return TRUE;
  return !json_array_size(names) && is_copyable(disk) && !ferry_disk_is_shared(config, disk);
}

/* Without its disks; what tunes their copy would be refused by libvirt, too. */
static void copy_nothing(json_t *config, json_t *origins) {
  static const char *const flags[] = {"copyStorageAll", "copyStorageIncremental",
                                      "copyStorageSynchronousWrites"};
  static const char *const values[] = {"migrateDisks", "migrateDisksDetectZeroes", "disksPort",
                                       "disksURI"};
  for (gsize i = 0; i < G_N_ELEMENTS(flags); i++)
    if (ferry_migration_flag_on(config, flags[i]))
      ferry_migration_config_choose(config, origins, flags[i], json_false());
  for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
    json_object_del(config, values[i]);
    json_object_del(origins, values[i]);
  }
}

gint64 ferry_copied_disks_bytes(const json_t *config, const json_t *disks) {
  gint64 sum = 0;
  gsize i;
  json_t *disk;
  json_array_foreach((json_t *)disks, i, disk) {
    gint64 size = ferry_json_int(disk, "sizeBytes", 0);
    if (size > 0 && sum <= G_MAXINT64 / 4 - size / 4 && ferry_disk_is_copied(config, disk))
      sum += size;
  }
  return sum;
}

void ferry_copied_disks_complete(json_t *config, json_t *origins, const json_t *disks) {
  g_autoptr(json_t) names = json_array();
  gboolean left_out = FALSE;
  gsize i;
  json_t *disk;
  if (!copied_disks_copies(config) || json_array_size(json_object_get(config, "migrateDisks")))
    return;
  json_array_foreach((json_t *)disks, i, disk) {
    if (ferry_disk_is_copied(config, disk))
      json_array_append(names, json_object_get(disk, "name"));
    else
      left_out |= is_copyable(disk); /* libvirt, which is told no names, would copy it */
  }
  if (left_out && json_array_size(names) == 0)
    copy_nothing(config, origins);
  else if (left_out)
    ferry_migration_config_choose(config, origins, "migrateDisks", json_incref(names));
}
