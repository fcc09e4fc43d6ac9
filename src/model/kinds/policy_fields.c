// SPDX-License-Identifier: Apache-2.0
#include "model/kinds/policy_fields.h"
#include "model/kinds/policy_fields_table.h"
#include "model/kinds/policy_layers.h"

#define AS_ROW(where, f, ...) {.field = f, .layers = LAYERS_##where, ##__VA_ARGS__},

const FerryPolicyField ferry_policy_fields[] = {
    FERRY_POLICY_FIELDS(AS_ROW){.field = {.name = NULL}},
};

const FerryPolicyField *ferry_policy_field_find(const char *name) {
  for (const FerryPolicyField *f = ferry_policy_fields; name && f->field.name; f++)
    if (g_str_equal(f->field.name, name))
      return f;
  return NULL;
}

gboolean ferry_origin_is_default(const char *origin) {
  return g_strcmp0(origin, FERRY_ORIGIN_DEFAULT) == 0;
}

gboolean ferry_origin_is_cluster(const char *origin) {
  return g_strcmp0(origin, FERRY_ORIGIN_CLUSTER) == 0;
}

gboolean ferry_origin_is_migration(const char *origin) {
  return g_strcmp0(origin, FERRY_ORIGIN_MIGRATION) == 0;
}

gboolean ferry_origin_is_preset(const char *origin) {
  return origin && g_str_has_prefix(origin, FERRY_ORIGIN_PRESET);
}
