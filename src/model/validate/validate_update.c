// SPDX-License-Identifier: Apache-2.0
// What may not change once an object was created.
#include "model/validate/validate_update.h"
#include "model/validate/defaults.h"
#include "model/validate/validate_cause.h"

static gboolean validate_update_is_empty(const json_t *value) {
  return !value || json_is_null(value) || (json_is_object(value) && json_object_size(value) == 0) ||
         (json_is_array(value) && json_array_size(value) == 0);
}

/* Immutable fields, with defaults in place on both sides so that leaving a default out is no
 * change. */
static void check_immutable(const FerryKind *kind, const FerryField *fields, GString *path,
                            const json_t *is, const json_t *was, GError *invalid) {
  for (const FerryField *field = fields; field->name; field++) {
    const json_t *now = json_object_get(is, field->name), *then = json_object_get(was, field->name);
    gsize mark = path->len;
    g_string_append_printf(path, "%s%s", mark ? "." : "", field->name);
    if (field->flags & FERRY_FIELD_IMMUTABLE) {
      if (!(validate_update_is_empty(now) && validate_update_is_empty(then)) &&
          !(now && then && json_equal(now, then)))
        ferry_validate_cause(invalid, "FieldValueForbidden", path->str,
                             "Forbidden: may not be changed after the %s was created; delete it "
                             "and create another",
                             kind->kind);
    } else if (field->type == FERRY_TYPE_OBJECT && field->fields && (now || then)) {
      check_immutable(kind, field->fields, path, now, then, invalid);
    }
    g_string_truncate(path, mark);
  }
}

void ferry_validate_update(const FerryKind *kind, const json_t *object, const json_t *old,
                           GError *invalid) {
  g_autoptr(json_t) is = ferry_json_copy_along(object, "spec");
  g_autoptr(json_t) was = ferry_json_copy_along(old, "spec");
  json_t *is_spec = json_object_get(object, "spec"), *was_spec = json_object_get(old, "spec");
  if (json_is_object(is_spec) && json_is_object(was_spec) && !json_equal(is_spec, was_spec)) {
    json_object_set_new(is, "spec", json_deep_copy(is_spec));
    json_object_set_new(was, "spec", json_deep_copy(was_spec));
    ferry_apply_defaults(kind, is);
    ferry_apply_defaults(kind, was);
  }
  g_autoptr(GString) path = g_string_new(NULL);
  check_immutable(kind, kind->fields, path, is, was, invalid);
}
