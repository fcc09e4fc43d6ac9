// SPDX-License-Identifier: Apache-2.0
#include "model/kinds/policy_fields.h"
#include "model/kinds/policy_fields_table.h"

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
