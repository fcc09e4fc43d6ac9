// SPDX-License-Identifier: Apache-2.0
#include "policy/facts.h"
#include "model/flags/migration_flags.h"
#include "model/domain/copied_disks.h"
#include "policy/migration_flags_rules.h"
#include "policy/network.h"
#include <string.h>

#define BYTES_PER_MBIT 125000

static gboolean facts_can(const json_t *node, const char *feature) {
  gsize i;
  json_t *word;
  json_array_foreach(ferry_json_get(node, "status.hypervisor.features"), i,
                     word) if (g_strcmp0(json_string_value(word), feature) == 0) return TRUE;
  return FALSE;
}

/* QEMU reckons what it may leave for the pause with the rate that it sees, and a cap, which it
 * lifts for the pause, hides the link from it; newer ones can be told. The originals of presets
 * do not. */
static void tell_link(json_t *config, json_t *origins, const json_t *source, const json_t *target,
                      gint64 link) {
  static const char name[] = "availableSwitchoverBandwidth";
  gint64 cap = ferry_json_int(config, "bandwidthPerMigration", 0);
  const char *preset = ferry_json_str(config, "preset");
  if (preset && !g_str_equal(preset, "intent"))
    return;
  if (cap <= 0 || cap >= link || json_object_get(config, name) ||
      json_object_get(config, "schedule") || ferry_migration_flag_on(config, "offline"))
    return;
  g_autoptr(json_t) wish = json_pack("{s:I}", name, (json_int_t)link);
  g_autoptr(GPtrArray) here = ferry_migration_flags_lacking(wish, source, FALSE);
  g_autoptr(GPtrArray) there = ferry_migration_flags_lacking(wish, target, TRUE);
  if (here->len == 0 && there->len == 0)
    ferry_migration_config_choose(config, origins, name, json_integer(link));
}

void ferry_config_add_facts(json_t *config, json_t *origins, const json_t *vmi,
                            const json_t *source, const json_t *target, const char *address) {
  gint64 link = ferry_network_path_mbps(source, target, address) * BYTES_PER_MBIT / 2;
  if (link > 0) {
    ferry_migration_config_choose(config, origins, "linkRateBytesPerSecond", json_integer(link));
    tell_link(config, origins, source, target, link);
  }
  if (facts_can(source, "postcopy-preempt") && facts_can(target, "postcopy-preempt"))
    ferry_migration_config_choose(config, origins, "postCopyPreempt", json_true());
  gint64 disks = ferry_copied_disks_bytes(config, ferry_json_get(vmi, "spec.domain.devices.disks"));
  if (disks > 0)
    ferry_migration_config_choose(config, origins, "copiedDiskBytes", json_integer(disks));
}
