// SPDX-License-Identifier: Apache-2.0
#include "policy/facts.h"
#include "base/limits.h"
#include "base/rfc3339.h"
#include "convergence/lesson.h"
#include "model/flags/migration_flags.h"
#include "model/domain/copied_disks.h"
#include "model/kinds/policy_layers.h"
#include "model/migration/phase.h"
#include "policy/flags/migration_flags_rules.h"
#include "policy/network/network.h"
#include <string.h>

#define OF_MIGRATION 1 /* processors that a migration takes as it is */

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
  gint64 link = ferry_network_path_mbps(source, target, address) * FERRY_BYTES_PER_MBIT / 2;
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

/* ---- means ---- */

/* Whether somebody decided about it. */
static gboolean facts_said(const json_t *config, const json_t *origins, const char *name) {
  return json_object_get(config, name) && !ferry_origin_is_default(ferry_json_str(origins, name));
}

/* Whether `wish` on top of the configuration is something that both hosts and libvirt take. */
static gboolean facts_possible(const FerryFlagsContext *c, const char *wish) {
  g_autoptr(json_t) config = json_copy((json_t *)c->config);
  g_autoptr(json_t) more = json_loads(wish, 0, NULL);
  json_object_update(config, more);
  FerryFlagsContext with = *c;
  with.config = config;
  g_autoptr(GError) causes = g_error_new_literal(FERRY_ERROR, FERRY_ERROR_INVALID, "");
  ferry_migration_flags_check(&with, causes);
  return ferry_error_n_causes(causes) == 0;
}

/* An intent that acts on a guest that runs; of nothing else anything is chosen. */
static gboolean facts_choose(const FerryFlagsContext *c) {
  static const char *const versions[] = {"status.hypervisor.libvirtVersion",
                                         "status.hypervisor.qemuVersion"};
  static const char *const others[] = {"tunnelled", "offline", "postCopyResume", "observeOnly"};
  static const char *const decided[] = {"compressed", "compressionMethods",  "compression",
                                        "parallel",   "parallelConnections", "zeroCopy"};
  if (g_strcmp0(ferry_json_str(c->config, "preset"), "intent") != 0 ||
      !ferry_migration_flag_on(c->config, "live"))
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
    if (ferry_json_bool(c->config, others[i], FALSE))
      return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS(decided); i++)
    if (facts_said(c->config, c->origins, decided[i]))
      return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS(versions); i++)
    if (!ferry_json_str(c->source, versions[i]) || !ferry_json_str(c->target, versions[i]))
      return FALSE;
  return TRUE;
}

static json_t *facts_means(const FerryFlagsContext *c) {
  static const struct {
    const char *name, *alone, *with_post_copy; /* with post-copy as it is, or without it */
    gboolean excludes;                         /* post-copy */
  } rows[] = {{"parallel", "{\"parallel\":true,\"allowPostCopy\":false}",
               "{\"parallel\":true,\"allowPostCopy\":true}"},
              {"zstd",
               "{\"parallel\":true,\"compressed\":true,\"compressionMethods\":[\"zstd\"],"
               "\"allowPostCopy\":false}",
               NULL, TRUE},
              {"xbzrle", "{\"compressed\":true,\"compressionMethods\":[\"xbzrle\"]}", NULL}};
  json_t *list = json_array();
  gboolean post_copy = ferry_json_bool(c->config, "allowPostCopy", FALSE);
  if (post_copy)
    json_array_append_new(list, json_string("post-copy"));
  /* somebody's own word for post-copy: what excludes it is not chosen */
  const char *said_by = ferry_json_str(c->origins, "allowPostCopy");
  gboolean kept =
      post_copy && said_by && !ferry_origin_is_default(said_by) && !ferry_origin_is_preset(said_by);
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    const char *kept_wish = rows[i].with_post_copy ? rows[i].with_post_copy : rows[i].alone;
    if (!facts_possible(c, rows[i].alone) ||
        (kept && (rows[i].excludes || !facts_possible(c, kept_wish))))
      continue;
    json_array_append_new(list, json_string(rows[i].name));
    if (post_copy && rows[i].with_post_copy && facts_possible(c, rows[i].with_post_copy))
      json_array_append_new(list, json_string("post-copy-with-parallel"));
  }
  return list;
}

/* Processors that no VM has and the migration itself does not take; of as many migrations as there
 * may be at once each gets its share. < 0: not known. */
static gint64 facts_spare(const json_t *node, gint64 at_once) {
  const json_t *value = ferry_json_get(node, "status.capacity.cpu");
  const char *text = json_string_value(value);
  gint64 all = text ? g_ascii_strtoll(text, NULL, 10) : json_integer_value(value);
  gint64 used = ferry_json_int(node, "status.processorsUsed", -1);
  return all > 0 && used >= 0 ? MAX(0, (all - used) / at_once - OF_MIGRATION) : -1;
}

void ferry_config_add_means(json_t *config, json_t *origins, const json_t *vmi,
                            const json_t *source, const json_t *target, gint64 now_ms) {
  FerryFlagsContext c = {config, origins, NULL, source, target};
  FerryLesson lesson;
  if (!facts_choose(&c))
    return;
  g_autoptr(json_t) means = facts_means(&c);
  if (json_array_size(means))
    ferry_migration_config_choose(config, origins, "possibleMeans", json_incref(means));
  gint64 out = ferry_json_int(config, "parallelOutboundMigrationsPerNode", 1);
  gint64 in = ferry_json_int(config, "parallelInboundMigrationsPerNode", 1);
  gint64 here = facts_spare(source, MAX(1, out)), there = facts_spare(target, MAX(1, in));
  if (here >= 0 && there >= 0)
    ferry_migration_config_choose(config, origins, "spareProcessors",
                                  json_integer(MIN(here, there)));
  ferry_lessons_read(ferry_json_get(vmi, "status.lessons"), now_ms, &lesson);
  json_t *taught = ferry_lesson_to_json(&lesson);
  if (taught)
    ferry_migration_config_choose(config, origins, "lesson", taught);
}

void ferry_facts_keep_lesson(json_t *vmi, const json_t *migration, gint64 now_ms) {
  const json_t *lesson = ferry_json_get(migration, "status.summary.lesson");
  if (!ferry_phase_is_final(ferry_phase_of(migration)) || !json_object_size(lesson))
    return;
  json_t *lessons = ferry_json_own(vmi, "status.lessons");
  if (!json_is_array(lessons)) {
    lessons = json_array();
    ferry_json_set(vmi, "status.lessons", lessons);
  }
  gint64 end = ferry_rfc3339_parse(ferry_json_str(migration, "status.migrationState.endTimestamp"));
  ferry_lessons_add(lessons, lesson, ferry_json_str(migration, "metadata.uid"),
                    end < 0 ? now_ms : end);
}
