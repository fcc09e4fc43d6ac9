// SPDX-License-Identifier: Apache-2.0
#include "model/field/field.h"
#include <string.h>

const FerryField *ferry_field_find(const FerryField *fields, const char *path) {
  while (fields && *path) {
    size_t len = strcspn(path, ".");
    const FerryField *field = fields;
    while (field->name && (strlen(field->name) != len || strncmp(field->name, path, len) != 0))
      field++;
    if (!field->name)
      return NULL;
    if (!path[len])
      return field;
    path += len + 1;
    fields = field->type == FERRY_TYPE_OBJECT ? field->fields : NULL;
  }
  return NULL;
}
