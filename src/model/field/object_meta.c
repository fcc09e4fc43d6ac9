// SPDX-License-Identifier: Apache-2.0
#include "model/field/object_meta.h"

const char *ferry_object_annotation(const json_t *object, const char *key) {
  return json_string_value(json_object_get(ferry_json_get(object, "metadata.annotations"), key));
}

gboolean ferry_object_has_finalizer(const json_t *object, const char *name) {
  return ferry_json_has_word(ferry_json_get(object, "metadata.finalizers"), name);
}

void ferry_object_add_finalizer(json_t *object, const char *name) {
  if (ferry_object_has_finalizer(object, name))
    return;
  if (!ferry_json_get(object, "metadata.finalizers"))
    ferry_json_set(object, "metadata.finalizers", json_array());
  json_array_append_new(ferry_json_own(object, "metadata.finalizers"), json_string(name));
}

gboolean ferry_object_drop_finalizer(json_t *object, const char *name) {
  json_t *finalizers = ferry_json_own(object, "metadata.finalizers");
  gboolean had = FALSE;
  for (gsize i = json_array_size(finalizers); i-- > 0;)
    if (g_strcmp0(json_string_value(json_array_get(finalizers, i)), name) == 0) {
      json_array_remove(finalizers, i);
      had = TRUE;
    }
  return had;
}

gint64 ferry_object_revision(const json_t *object) {
  const char *text = ferry_json_str(object, "metadata.resourceVersion");
  return text ? g_ascii_strtoll(text, NULL, 10) : 0;
}
