// SPDX-License-Identifier: Apache-2.0
// Rules of metadata beyond types: names, label keys and values, sizes, what may not change.
#include "model/validate/validate_meta.h"
#include "model/validate/format.h"
#include "model/validate/validate_cause.h"
#include <string.h>

#define ANNOTATIONS_MAX_BYTES (256 * 1024)

void ferry_validate_labels(const json_t *map, const char *path, GError *invalid) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)map, key, value) {
    const char *problem = NULL;
    if (!ferry_format_check("label-key", key, &problem))
      ferry_validate_cause(invalid, "FieldValueInvalid", path, "Invalid value: \"%.*s\": %s",
                           VALIDATE_SHOWN_BYTES, key, problem);
    if (!ferry_format_check("label-value", json_string_value(value), &problem))
      ferry_validate_cause(invalid, "FieldValueInvalid", path,
                           "Invalid value: \"%.*s\" of key \"%.*s\": %s", VALIDATE_SHOWN_BYTES,
                           json_string_value(value), VALIDATE_SHOWN_BYTES, key, problem);
  }
}

void ferry_validate_annotations(const json_t *map, const char *path, GError *invalid) {
  gsize size = 0;
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)map, key, value) {
    const char *problem = NULL;
    size += strlen(key) + json_string_length(value);
    g_autofree char *lower = g_ascii_strdown(key, -1);
    if (!ferry_format_check("label-key", lower, &problem))
      ferry_validate_cause(invalid, "FieldValueInvalid", path, "Invalid value: \"%.*s\": %s",
                           VALIDATE_SHOWN_BYTES, key, problem);
  }
  if (size > ANNOTATIONS_MAX_BYTES)
    ferry_validate_cause(invalid, "FieldValueInvalid", path,
                         "Too long: %zu bytes of keys and values: may not be more than %d bytes",
                         size, ANNOTATIONS_MAX_BYTES);
}

static void validate_meta_check_name(const FerryKind *kind, const json_t *metadata,
                                     GError *invalid) {
  const char *format = kind->name_format ? kind->name_format : "dns-subdomain";
  const char *name = ferry_json_str(metadata, "name");
  const char *prefix = ferry_json_str(metadata, "generateName");
  const char *problem = NULL;
  if (prefix && *prefix) {
    g_autofree char *example = g_strconcat(prefix, "x", NULL);
    if (!ferry_format_check(format, example, &problem))
      ferry_validate_cause(invalid, "FieldValueInvalid", "metadata.generateName",
                           "Invalid value: \"%.*s\": %s", VALIDATE_SHOWN_BYTES, prefix, problem);
  }
  if (name && *name) {
    if (!ferry_format_check(format, name, &problem))
      ferry_validate_cause(invalid, "FieldValueInvalid", "metadata.name",
                           "Invalid value: \"%.*s\": %s", VALIDATE_SHOWN_BYTES, name, problem);
  } else if (!prefix || !*prefix) {
    ferry_validate_cause(invalid, "FieldValueRequired", "metadata.name",
                         "Required value: name or generateName is required");
  }
}

static void check_unchanged(const json_t *metadata, const json_t *old, const char *key,
                            GError *invalid) {
  const char *was = ferry_json_str(json_object_get(old, "metadata"), key);
  const char *is = ferry_json_str(metadata, key);
  g_autofree char *field = g_strconcat("metadata.", key, NULL);
  if (was && is && !g_str_equal(was, is))
    ferry_validate_cause(invalid, "FieldValueInvalid", field,
                         "Invalid value: \"%.*s\": field is immutable, it is \"%.*s\"",
                         VALIDATE_SHOWN_BYTES, is, VALIDATE_SHOWN_BYTES, was);
}

static void check_finalizers(const json_t *metadata, GError *invalid) {
  json_t *list = json_object_get(metadata, "finalizers"), *item;
  gsize i;
  json_array_foreach(list, i, item) {
    const char *problem = NULL;
    if (json_is_string(item) &&
        !ferry_format_check("label-key", json_string_value(item), &problem)) {
      g_autofree char *field = g_strdup_printf("metadata.finalizers[%zu]", i);
      ferry_validate_cause(invalid, "FieldValueInvalid", field, "Invalid value: \"%.*s\": %s",
                           VALIDATE_SHOWN_BYTES, json_string_value(item), problem);
    }
  }
}

void ferry_validate_metadata(const FerryKind *kind, json_t *metadata, const json_t *old,
                             GError *invalid) {
  validate_meta_check_name(kind, metadata, invalid);
  if (!kind->namespaced) {
    /* As Kubernetes does: a namespace of a kind that has none is dropped, not refused. */
    json_object_del(metadata, "namespace");
  } else {
    const char *ns = ferry_json_str(metadata, "namespace");
    if (!ns || !*ns)
      ferry_validate_cause(invalid, "FieldValueRequired", "metadata.namespace", "Required value");
  }
  check_finalizers(metadata, invalid);
  if (old) {
    check_unchanged(metadata, old, "name", invalid);
    if (kind->namespaced)
      check_unchanged(metadata, old, "namespace", invalid);
    check_unchanged(metadata, old, "uid", invalid);
  }
}
