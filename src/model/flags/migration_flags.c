// SPDX-License-Identifier: Apache-2.0
#include "model/flags/migration_flags.h"
#include "model/flags/migration_flags_table.h"

#define AS_FLAG(f, ...) {.field = f, __VA_ARGS__},
#define AS_CONFIGURED(f, ...) {.field = f, .configured = TRUE, __VA_ARGS__},

const FerryMigrationFlag ferry_migration_flags[] = {
    FERRY_MIGRATION_FLAGS(AS_FLAG, AS_CONFIGURED, AS_CONFIGURED){.field = {.name = NULL}},
};

const FerryMigrationFlag *ferry_migration_flag_find(const char *name) {
  for (const FerryMigrationFlag *f = ferry_migration_flags; name && f->field.name; f++)
    if (g_str_equal(f->field.name, name))
      return f;
  return NULL;
}

gboolean ferry_migration_flag_on(const json_t *config, const char *name) {
  const FerryMigrationFlag *f = ferry_migration_flag_find(name);
  return ferry_json_bool(config, name, f && g_strcmp0(f->def, "true") == 0);
}

gboolean ferry_migration_persists(const json_t *config, gboolean persistent) {
  return ferry_json_bool(config, "persistDestination",
                         persistent || ferry_migration_flag_on(config, "offline"));
}

gboolean ferry_migration_undefines(const json_t *config, gboolean persistent, gboolean active) {
  gboolean persist = ferry_migration_persists(config, persistent);
  gboolean offline = ferry_migration_flag_on(config, "offline");
  return ferry_json_bool(config, "undefineSource", persistent && persist && !(offline && active)) &&
         (persist || !persistent || ferry_migration_flag_on(config, "unsafeMigrationOverride"));
}

gboolean ferry_migration_uses_network(const json_t *config) {
  return !ferry_migration_flag_on(config, "offline") &&
         !ferry_migration_flag_on(config, "tunnelled") && !ferry_json_str(config, "migrateURI");
}

int ferry_version_compare(const char *a, const char *b) {
  for (guint part = 0; part < 4; part++) {
    char *end_a, *end_b;
    guint64 x = g_ascii_strtoull(a, &end_a, 10), y = g_ascii_strtoull(b, &end_b, 10);
    if (x != y)
      return x < y ? -1 : 1;
    a = *end_a == '.' ? end_a + 1 : "";
    b = *end_b == '.' ? end_b + 1 : "";
  }
  return 0;
}

void ferry_migration_config_choose(json_t *config, json_t *origins, const char *name,
                                   json_t *value) {
  json_object_set_new(config, name, value);
  if (origins)
    ferry_json_set_str(origins, name, "automatic");
}

gboolean ferry_compression_is_parallel(const char *method) {
  static const char *const methods[] = {"zlib", "zstd", NULL};
  return method && g_strv_contains(methods, method);
}

gboolean ferry_compression_is_single(const char *method) {
  static const char *const methods[] = {"xbzrle", "mt", NULL};
  return method && g_strv_contains(methods, method);
}
