// SPDX-License-Identifier: Apache-2.0
// The walk over a kind's table.
//
// Theory of operation: the walk goes down the wanted object, its table and (on update) the stored
// object side by side and builds a new object of what it accepts. Three kinds of findings:
//  - what is no object at all, or of another kind, ends the walk at once (BAD_REQUEST);
//  - an unknown field is dropped, and noted for a warning or for the strict error;
//  - everything else (type, required, range, format, immutable, the kind's own rules) becomes a
//    cause of one INVALID error, so that a person sees all of it at once.
// What could not be read (a wrong type, a format) is left out of the new object, or stays as it was
// stored, so that rules which come later judge what could be read and add no follow-up faults.
// A path such as spec.domain.devices.disks[2].name is kept in one GString that grows and shrinks
// with the walk. Every list, map, string and the number of findings has a limit.
#include "model/validate/validate.h"
#include "base/quantity.h"
#include "base/rfc3339.h"
#include "model/kinds/shared_fields.h"
#include "model/validate/validate_cause.h"
#include "model/validate/validate_meta.h"
#include "model/validate/validate_update.h"
#include <math.h>
#include <string.h>

#define DEFAULT_MAX_CHARACTERS 4096
#define DEFAULT_MAX_ELEMENTS 1000

typedef struct {
  GString *path;
  GPtrArray *unknown; /* char*: full paths, at most VALIDATE_MAX_CAUSES */
  GPtrArray *kept;    /* char*: paths of fields that do nothing; NULL: nobody asks */
  GError *invalid;    /* collects causes */
  gboolean gap;       /* something required is not there */
} ValidateWalk;

static json_t *walk_value(ValidateWalk *walk, const FerryField *field, FerryType type,
                          json_t *value, const json_t *old);
static void walk_fields(ValidateWalk *walk, const FerryField *fields, const json_t *object,
                        const json_t *old, gboolean open, json_t *out);

static gsize validate_push(ValidateWalk *walk, const char *name) {
  gsize mark = walk->path->len;
  if (mark)
    g_string_append_c(walk->path, '.');
  /* A name from outside may be as long as the document: show its beginning. */
  g_string_append_len(walk->path, name, (gssize)strnlen(name, 256));
  return mark;
}

static const char *json_type_name(const json_t *value) {
  switch (json_typeof(value)) {
  case JSON_OBJECT:
    return "an object";
  case JSON_ARRAY:
    return "a list";
  case JSON_STRING:
    return "a string";
  case JSON_INTEGER:
    return "an integer";
  case JSON_REAL:
    return "a number";
  case JSON_TRUE:
  case JSON_FALSE:
    return "a boolean";
  case JSON_NULL:
    break;
  }
  return "null";
}

static const char *type_name(FerryType type) {
  static const char *const names[] = {
      [FERRY_TYPE_STRING] = "a string",
      [FERRY_TYPE_INTEGER] = "an integer",
      [FERRY_TYPE_NUMBER] = "a number",
      [FERRY_TYPE_BOOLEAN] = "a boolean (true or false)",
      [FERRY_TYPE_QUANTITY] = "a quantity such as \"64Mi\"",
      [FERRY_TYPE_TIME] = "a time such as \"2026-01-02T03:04:05Z\"",
      [FERRY_TYPE_OBJECT] = "an object",
      [FERRY_TYPE_MAP] = "an object of strings",
      [FERRY_TYPE_LIST] = "a list",
      [FERRY_TYPE_ANY] = "any value",
  };
  return names[type];
}

static json_t *wrong_type(ValidateWalk *walk, FerryType type, const json_t *value) {
  g_autofree char *shown =
      json_is_object(value) || json_is_array(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);
  g_autofree char *first = g_strndup(shown ? shown : "", VALIDATE_SHOWN_BYTES);
  g_autofree char *valid = g_utf8_make_valid(first, -1);
  ferry_validate_cause(walk->invalid, "FieldValueTypeInvalid", walk->path->str,
                       "Invalid value: %s%sexpected %s, found %s", valid, *valid ? ": " : "",
                       type_name(type), json_type_name(value));
  return NULL;
}

#define INVALID(walk, ...)                                                                         \
  ferry_validate_cause((walk)->invalid, "FieldValueInvalid", (walk)->path->str, __VA_ARGS__)

static void check_range(ValidateWalk *walk, const FerryField *field, gint64 number) {
  if (field->max == 0 || (number >= field->min && number <= field->max))
    return;
  if (field->max == G_MAXINT64)
    INVALID(walk, "Invalid value: %" G_GINT64_FORMAT ": must be at least %" G_GINT64_FORMAT, number,
            field->min);
  else
    INVALID(walk,
            "Invalid value: %" G_GINT64_FORMAT ": must be between %" G_GINT64_FORMAT
            " and %" G_GINT64_FORMAT,
            number, field->min, field->max);
}

/* FALSE: nothing that a rule could judge. */
static gboolean check_string(ValidateWalk *walk, const FerryField *field, const char *text) {
  /* Limits of a LIST count its elements; its strings have the default. */
  glong most = field->type == FERRY_TYPE_STRING && field->max ? field->max : DEFAULT_MAX_CHARACTERS;
  if (g_utf8_strlen(text, -1) > most) {
    INVALID(walk, "Too long: may not be more than %ld characters", most);
    return FALSE;
  }
  if (field->values && *text && !g_strv_contains(field->values, text)) {
    g_autofree char *list = g_strjoinv("\", \"", (char **)field->values);
    ferry_validate_cause(walk->invalid, "FieldValueNotSupported", walk->path->str,
                         "Unsupported value: \"%.*s\": supported values: \"%s\"",
                         VALIDATE_SHOWN_BYTES, text, list);
  }
  const char *problem = NULL;
  if (!field->pattern || !*text || ferry_format_check(field->pattern, text, &problem))
    return TRUE;
  INVALID(walk, "Invalid value: \"%.*s\": %s", VALIDATE_SHOWN_BYTES, text, problem);
  return FALSE;
}

static json_t *walk_integer(ValidateWalk *walk, const FerryField *field, json_t *value) {
  if (json_is_real(value)) {
    double number = json_real_value(value);
    if (number != floor(number) || fabs(number) >= 0x1p63)
      return wrong_type(walk, FERRY_TYPE_INTEGER, value);
    check_range(walk, field, (gint64)number);
    return json_integer((gint64)number);
  }
  if (!json_is_integer(value))
    return wrong_type(walk, FERRY_TYPE_INTEGER, value);
  check_range(walk, field, json_integer_value(value));
  return json_incref(value);
}

static json_t *walk_quantity(ValidateWalk *walk, const FerryField *field, json_t *value) {
  gint64 number = 0;
  if (json_is_integer(value)) {
    number = json_integer_value(value);
  } else if (json_is_real(value)) {
    double real = ceil(json_real_value(value));
    if (fabs(real) >= 0x1p63)
      return wrong_type(walk, FERRY_TYPE_QUANTITY, value);
    number = (gint64)real;
  } else if (json_is_string(value)) {
    g_autoptr(GError) error = NULL;
    if (!ferry_quantity_parse(json_string_value(value), &number, &error)) {
      INVALID(walk, "Invalid value: %s", error->message);
      return json_incref(value);
    }
  } else {
    return wrong_type(walk, FERRY_TYPE_QUANTITY, value);
  }
  check_range(walk, field, number);
  return json_incref(value);
}

static json_t *walk_time(ValidateWalk *walk, json_t *value) {
  if (!json_is_string(value))
    return wrong_type(walk, FERRY_TYPE_TIME, value);
  const char *text = json_string_value(value);
  if (strlen(text) > 64 || ferry_rfc3339_parse(text) < 0)
    INVALID(walk, "Invalid value: \"%.*s\": expected a time such as 2026-01-02T03:04:05Z",
            VALIDATE_SHOWN_BYTES, text);
  return json_incref(value);
}

/* A value of a map. YAML makes booleans and numbers of unquoted words; outside metadata they are
 * taken as the strings they were meant to be. */
static json_t *map_value(const FerryField *field, gboolean lenient, json_t *value) {
  if (json_is_string(value))
    return json_incref(value);
  if (lenient && json_is_boolean(value))
    return json_string(json_is_true(value) ? "true" : "false");
  if (lenient && json_is_integer(value)) {
    g_autofree char *text = g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return json_string(text);
  }
  return NULL;
}

static json_t *walk_map(ValidateWalk *walk, const FerryField *field, json_t *value) {
  if (!json_is_object(value))
    return wrong_type(walk, FERRY_TYPE_MAP, value);
  gsize most = field->max ? (gsize)field->max : DEFAULT_MAX_ELEMENTS;
  g_autoptr(json_t) out = json_object();
  gboolean lenient = !g_str_has_prefix(walk->path->str, "metadata.");
  if (json_object_size(value) > most) {
    INVALID(walk, "Too many: %zu: must have at most %zu items", json_object_size(value), most);
    return g_steal_pointer(&out);
  }
  const char *key;
  json_t *item;
  json_object_foreach(value, key, item) {
    gsize mark = validate_push(walk, key);
    if (!json_is_null(item)) {
      json_t *text = map_value(field, lenient, item);
      if (!text)
        wrong_type(walk, FERRY_TYPE_STRING, item);
      else if (!(field->flags & FERRY_FIELD_ANNOTATIONS) &&
               (strlen(key) > DEFAULT_MAX_CHARACTERS ||
                json_string_length(text) > DEFAULT_MAX_CHARACTERS))
        INVALID(walk, "Too long: may not be more than %d bytes", DEFAULT_MAX_CHARACTERS);
      if (text)
        json_object_set_new(out, key, text);
    }
    g_string_truncate(walk->path, mark);
  }
  if (field->flags & FERRY_FIELD_LABELS)
    ferry_validate_labels(out, walk->path->str, walk->invalid);
  if (field->flags & FERRY_FIELD_ANNOTATIONS)
    ferry_validate_annotations(out, walk->path->str, walk->invalid);
  return g_steal_pointer(&out);
}

/* Whether `value` is not in `seen` yet, to which it is added. */
static gboolean first_of_its_kind(GHashTable *seen, const json_t *value) {
  char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
  gboolean first = g_hash_table_add(seen, g_strdup(text ? text : ""));
  free(text);
  return first;
}

static json_t *walk_list(ValidateWalk *walk, const FerryField *field, json_t *value,
                         const json_t *old) {
  if (!json_is_array(value))
    return wrong_type(walk, FERRY_TYPE_LIST, value);
  gsize most = field->max ? (gsize)field->max : DEFAULT_MAX_ELEMENTS;
  g_autoptr(json_t) out = json_array();
  if (json_array_size(value) > most) {
    INVALID(walk, "Too many: %zu: must have at most %zu items", json_array_size(value), most);
    return g_steal_pointer(&out);
  }
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  gsize i;
  json_t *item;
  json_array_foreach(value, i, item) {
    gsize mark = walk->path->len;
    g_string_append_printf(walk->path, "[%zu]", i);
    json_t *checked = walk_value(walk, field, field->item, item, json_array_get(old, i));
    if (checked && (field->flags & FERRY_FIELD_SET) && !first_of_its_kind(seen, checked))
      ferry_validate_cause(walk->invalid, "FieldValueDuplicate", walk->path->str,
                           "Duplicate value: each may be given once");
    if (checked)
      json_array_append_new(out, checked);
    g_string_truncate(walk->path, mark);
  }
  return g_steal_pointer(&out);
}

/* A checked copy of `value`, or NULL where it could not be read (then there is a cause). */
static json_t *walk_value(ValidateWalk *walk, const FerryField *field, FerryType type,
                          json_t *value, const json_t *old) {
  if (value == old) /* the stored one itself, which went this way when it was new */
    return json_incref(value);
  switch (type) {
  case FERRY_TYPE_STRING:
    if (!json_is_string(value))
      return wrong_type(walk, type, value);
    return check_string(walk, field, json_string_value(value)) ? json_incref(value) : NULL;
  case FERRY_TYPE_INTEGER:
    return walk_integer(walk, field, value);
  case FERRY_TYPE_NUMBER:
    return json_is_number(value) ? json_incref(value) : wrong_type(walk, type, value);
  case FERRY_TYPE_BOOLEAN:
    return json_is_boolean(value) ? json_incref(value) : wrong_type(walk, type, value);
  case FERRY_TYPE_QUANTITY:
    return walk_quantity(walk, field, value);
  case FERRY_TYPE_TIME:
    return walk_time(walk, value);
  case FERRY_TYPE_OBJECT: {
    if (!json_is_object(value))
      return wrong_type(walk, type, value);
    if (!field->fields)
      return json_deep_copy(value);
    g_autoptr(json_t) out = json_object();
    walk_fields(walk, field->fields, value, old, (field->flags & FERRY_FIELD_OPEN) != 0, out);
    return g_steal_pointer(&out);
  }
  case FERRY_TYPE_MAP:
    return walk_map(walk, field, value);
  case FERRY_TYPE_LIST:
    return walk_list(walk, field, value, old);
  case FERRY_TYPE_ANY:
    break;
  }
  return json_deep_copy(value);
}

/* Members of `object`, in their order, then what is missing of the table. */
static void walk_fields(ValidateWalk *walk, const FerryField *fields, const json_t *object,
                        const json_t *old, gboolean open, json_t *out) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)object, key, value) {
    const FerryField *field = fields;
    while (field->name && !g_str_equal(field->name, key))
      field++;
    gsize mark = validate_push(walk, key);
    if (!field->name && open)
      json_object_set_new(out, key, json_deep_copy(value));
    else if (!field->name && walk->unknown->len < VALIDATE_MAX_CAUSES)
      g_ptr_array_add(walk->unknown, g_strdup(walk->path->str));
    else if (field->name && !json_is_null(value)) {
      json_t *checked = walk_value(walk, field, field->type, value, json_object_get(old, key));
      json_t *stored = json_object_get(old, key);
      if ((field->flags & FERRY_FIELD_KEPT) && walk->kept && checked &&
          walk->kept->len < VALIDATE_MAX_CAUSES && !json_equal(checked, stored))
        g_ptr_array_add(walk->kept, g_strdup(walk->path->str));
      if (checked || stored)
        json_object_set_new(out, key, checked ? checked : json_incref(stored));
    }
    g_string_truncate(walk->path, mark);
  }
  for (const FerryField *field = fields; field->name; field++) {
    if (!(field->flags & FERRY_FIELD_REQUIRED))
      continue;
    gsize mark = validate_push(walk, field->name);
    json_t *is = json_object_get(out, field->name), *wanted = json_object_get(object, field->name);
    gboolean unread = !is && wanted && !json_is_null(wanted);
    walk->gap |= !is;
    if (unread)
      ; /* said already */
    else if ((!is || (json_is_string(is) && json_string_length(is) == 0)) &&
             !(field->type == FERRY_TYPE_OBJECT && field->fields && !is))
      ferry_validate_cause(walk->invalid, "FieldValueRequired", walk->path->str,
                           "Required value: %s", field->doc);
    else if (!is) {
      /* A missing object: name what is required inside it, else the object itself. */
      g_autoptr(json_t) empty = json_object();
      guint before = ferry_error_n_causes(walk->invalid);
      json_decref(walk_value(walk, field, FERRY_TYPE_OBJECT, empty, NULL));
      if (ferry_error_n_causes(walk->invalid) == before)
        ferry_validate_cause(walk->invalid, "FieldValueRequired", walk->path->str,
                             "Required value: %s", field->doc);
    }
    g_string_truncate(walk->path, mark);
  }
}

/* apiVersion and kind, where given, must be the kind's; the answer always has both. */
static gboolean check_type_meta(const FerryKind *kind, const json_t *object, json_t *out,
                                GError **error) {
  g_autofree char *api_version = ferry_kind_api_version(kind);
  json_t *given = json_object_get(object, "apiVersion");
  if (given &&
      (!json_is_string(given) || !ferry_kind_has_api_version(kind, json_string_value(given)))) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "apiVersion: the version in the data (%.64s) does not match the expected one (%s)",
                json_is_string(given) ? json_string_value(given) : json_type_name(given),
                api_version);
    return FALSE;
  }
  given = json_object_get(object, "kind");
  const char *text = json_string_value(given);
  if (given && (!text || (!g_str_equal(text, kind->kind) &&
                          !(kind->kind_aliases && g_strv_contains(kind->kind_aliases, text))))) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "kind: the kind in the data (%.64s) does not match the expected one (%s)",
                text ? text : json_type_name(given), kind->kind);
    return FALSE;
  }
  json_object_set_new(out, "apiVersion", json_string(api_version));
  json_object_set_new(out, "kind", json_string(kind->kind));
  return TRUE;
}

/* Unknown fields as warnings or as one error, which tells of the other causes too; FALSE where they
 * are an error. */
static gboolean report_unknown(const GPtrArray *unknown, FerryUnknown mode, const GError *invalid,
                               GPtrArray *warnings, GError **error) {
  if (unknown->len == 0 || mode == FERRY_UNKNOWN_IGNORE)
    return TRUE;
  g_autoptr(GString) all = g_string_new("strict decoding error: ");
  for (guint i = 0; i < unknown->len; i++) {
    char *text = g_strdup_printf(FERRY_UNKNOWN_FIELD_TEXT " \"%s\"", (char *)unknown->pdata[i]);
    g_string_append_printf(all, "%s%s", i ? ", " : "", text);
    if (mode == FERRY_UNKNOWN_WARN && warnings)
      g_ptr_array_add(warnings, text);
    else
      g_free(text);
  }
  if (mode == FERRY_UNKNOWN_WARN)
    return TRUE;
  for (guint i = 0; i < ferry_error_n_causes(invalid); i++) {
    const FerryCause *cause = ferry_error_cause(invalid, i);
    g_string_append_printf(all, ", %s: %s", cause->field, cause->message);
  }
  g_set_error_literal(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST, all->str);
  return FALSE;
}

/* Kubernetes' message: Kind.group "name" is invalid: field: text, or [a, b]. */
static void set_message(const FerryKind *kind, const char *name, GError *invalid) {
  guint n = ferry_error_n_causes(invalid);
  GString *text = g_string_new(kind->kind);
  if (*kind->group)
    g_string_append_printf(text, ".%s", kind->group);
  g_string_append_printf(text, " \"%.*s\" is invalid: %s", NAME_MAX_LENGTH, name ? name : "",
                         n > 1 ? "[" : "");
  for (guint i = 0; i < n; i++) {
    const FerryCause *cause = ferry_error_cause(invalid, i);
    g_string_append_printf(text, "%s%s: %s", i ? ", " : "", cause->field, cause->message);
  }
  if (n > 1)
    g_string_append_c(text, ']');
  g_free(invalid->message);
  invalid->message = g_string_free(text, FALSE);
  ferry_error_set_about(invalid, kind->group, kind->kind, name);
}

gboolean ferry_validate_answer(const FerryKind *kind, const char *name, GError *causes,
                               GError **error) {
  if (ferry_error_n_causes(causes) == 0) {
    g_error_free(causes);
    return TRUE;
  }
  set_message(kind, name, causes);
  g_propagate_error(error, causes);
  return FALSE;
}

json_t *ferry_validate(const FerryKind *kind, const json_t *object, const json_t *old,
                       FerryUnknown unknown, GPtrArray *warnings, GError **error) {
  GError *invalid = g_error_new_literal(FERRY_ERROR, FERRY_ERROR_INVALID, "object is invalid");
  g_autoptr(json_t) out =
      ferry_validate_collect(kind, object, old, unknown, warnings, invalid, NULL, error);
  g_autofree char *name = g_strdup(ferry_json_str(out, "metadata.name"));
  if (!out) {
    g_error_free(invalid);
    return NULL;
  }
  return ferry_validate_answer(kind, name, invalid, error) ? g_steal_pointer(&out) : NULL;
}

json_t *ferry_validate_collect(const FerryKind *kind, const json_t *object, const json_t *old,
                               FerryUnknown unknown, GPtrArray *warnings, GError *invalid,
                               gboolean *whole, GError **error) {
  if (!json_is_object(object)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST, "expected a %s object, found %s",
                kind->kind, object ? json_type_name(object) : "nothing");
    return NULL;
  }
  g_autoptr(json_t) out = json_object();
  g_autoptr(json_t) rest = ferry_json_copy_along(object, NULL);
  g_autoptr(GString) path = g_string_new(NULL);
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(g_free);
  ValidateWalk walk = {.path = path, .unknown = names, .kept = kept, .invalid = invalid};
  if (!check_type_meta(kind, object, out, error))
    return NULL;

  static const FerryField metadata_field = OBJ("metadata", ferry_fields_object_meta, "Metadata.");
  json_t *metadata = json_object_get(object, "metadata");
  if (metadata && !json_is_null(metadata) && !json_is_object(metadata)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "metadata: expected an object, found %s", json_type_name(metadata));
    return NULL;
  }
  g_autoptr(json_t) empty = json_object();
  gsize mark = validate_push(&walk, "metadata");
  json_t *checked =
      walk_value(&walk, &metadata_field, FERRY_TYPE_OBJECT,
                 json_is_object(metadata) ? metadata : empty, json_object_get(old, "metadata"));
  g_string_truncate(path, mark);
  if (checked == metadata) { /* the stored one: its rules, and later ones, change their own */
    checked = json_copy(metadata);
    json_decref(metadata);
  }
  json_object_set_new(out, "metadata", checked);
  ferry_validate_metadata(kind, checked, old, invalid);
  if (whole)
    *whole = ferry_error_n_causes(invalid) == 0;
  json_object_del(rest, "apiVersion");
  json_object_del(rest, "kind");
  json_object_del(rest, "metadata");
  walk_fields(&walk, kind->fields, rest, old, FALSE, out);
  if (whole)
    *whole = *whole && !walk.gap;
  if (!report_unknown(names, unknown, invalid, warnings, error))
    return NULL;
  for (guint i = 0; warnings && unknown != FERRY_UNKNOWN_IGNORE && i < kept->len; i++)
    g_ptr_array_add(warnings,
                    g_strdup_printf("field \"%s\" is KubeVirt's: it is kept, and does nothing here",
                                    (char *)kept->pdata[i]));
  if (old)
    ferry_validate_update(kind, out, old, invalid);
  if (kind->check)
    kind->check(out, old, invalid);
  return g_steal_pointer(&out);
}

json_t *ferry_validate_fields(const FerryField *fields, const char *path, const json_t *object,
                              GPtrArray *unknown, GError *invalid) {
  g_autoptr(GString) at = g_string_new(path);
  ValidateWalk walk = {.path = at, .unknown = unknown, .invalid = invalid};
  json_t *out = json_object();
  walk_fields(&walk, fields, object, NULL, FALSE, out);
  return out;
}
