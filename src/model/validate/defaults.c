// SPDX-License-Identifier: Apache-2.0
#include "model/validate/defaults.h"

static void fill_defaults(const FerryField *fields, json_t *object) {
  for (const FerryField *field = fields; field->name; field++) {
    json_t *value = json_object_get(object, field->name);
    if (!value && field->def)
      json_object_set_new(object, field->name, json_loads(field->def, JSON_DECODE_ANY, NULL));
    else if (json_is_object(value) && field->fields && field->type == FERRY_TYPE_OBJECT)
      fill_defaults(field->fields, value);
    else if (json_is_array(value) && field->fields && field->type == FERRY_TYPE_LIST) {
      gsize i;
      json_t *item;
      json_array_foreach(value, i, item) {
        if (json_is_object(item))
          fill_defaults(field->fields, item);
      }
    }
  }
}

void ferry_apply_defaults(const FerryKind *kind, json_t *object) {
  const FerryField *spec = ferry_field_find(kind->fields, "spec");
  json_t *value = json_object_get(object, "spec");
  if (spec && spec->fields && json_is_object(value))
    fill_defaults(spec->fields, value);
}
