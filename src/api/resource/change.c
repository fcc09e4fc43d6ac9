// SPDX-License-Identifier: Apache-2.0
// A migration's parameters while it runs.
//
// Theory of operation: PUT .../change, or a write of the fields of the spec that mean the same
// (tuning.c), adds an entry "Requested" to status.changes. The agent of the source sees it by its
// watch, carries it out in the hypervisor and writes back "Applied" or "Refused". What can be known
// here to be too late is refused at once with 409.
#include "api/resource/change.h"
#include "api/http/negotiate.h"
#include "api/resource/tuning.h"
#include "api/resource/write.h"
#include "api/resource/write_options.h"
#include "base/quantity.h"
#include "base/rfc3339.h"
#include "model/kinds/policy_fields.h"
#include "model/migration/migration.h"
#include "model/kinds/change_fields.h"

/* ---- what is asked for ---- */

static gboolean check_int(const char *key, const json_t *value, gint64 min, gint64 max,
                          GError **error) {
  if (json_is_integer(value) && json_integer_value(value) >= min &&
      json_integer_value(value) <= max)
    return TRUE;
  g_autofree char *shown = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
  g_autofree char *text = g_strdup_printf("%.100s: expected a whole number from %" G_GINT64_FORMAT
                                          " to %" G_GINT64_FORMAT,
                                          shown ? shown : "?", min, max);
  return ferry_change_wrong(error, key, text);
}

static gboolean check_field(const char *key, const json_t *value, GError **error) {
  const FerryField *field = ferry_change_field(key);
  if (!field) {
    g_autofree char *names = ferry_change_names();
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                FERRY_UNKNOWN_FIELD_TEXT " \"%.100s\": a change has %s, and its reason", key,
                names);
    return FALSE;
  }
  if (!field->values)
    return check_int(key, value, field->min, field->max, error);
  const char *text = json_string_value(value);
  if (text && g_strv_contains(field->values, text))
    return TRUE;
  g_autofree char *words = g_strjoinv("\" or \"", (char **)field->values);
  g_autofree char *expected = g_strdup_printf("expected \"%s\"", words);
  return ferry_change_wrong(error, key, expected);
}

/* The fields of a body, its reason taken out; a new reference. */
static json_t *read_fields(const json_t *body, const char **reason, GError **error) {
  g_autoptr(json_t) fields = json_object();
  const char *key;
  json_t *value;
  *reason = NULL;
  if (!json_is_object(body)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "the body must be an object as {\"downtimeMs\": 500}");
    return NULL;
  }
  json_object_foreach((json_t *)body, key, value) {
    if (g_str_equal(key, "dryRun") || json_is_null(value))
      continue;
    if (g_str_equal(key, "reason")) {
      *reason = json_string_value(value);
      if (!*reason || json_string_length(value) > 1024) {
        ferry_change_wrong(error, key, "expected text of at most 1024 bytes");
        return NULL;
      }
      continue;
    }
    if (!check_field(key, value, error))
      return NULL;
    json_object_set(fields, key, value);
  }
  if (json_object_size(fields) == 0) {
    g_autofree char *names = ferry_change_names();
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "nothing to change: give at least one of %s", names);
    return NULL;
  }
  return g_steal_pointer(&fields);
}

/* ---- PUT .../change ---- */

typedef struct {
  json_t *fields;
  const char *reason;
} ChangeWish;

static json_t *with_wish(FerryRequest *req, const json_t *old, gpointer data, GError **error) {
  const ChangeWish *wish = data;
  g_autoptr(json_t) object = ferry_json_copy_along(old, "status");
  return ferry_change_note(req, old, object, wish->fields, wish->reason, error)
             ? g_steal_pointer(&object)
             : NULL;
}

gboolean ferry_resource_change(FerryRequest *req, GError **error) {
  gboolean dry;
  const char *reason;
  g_autoptr(json_t) body = ferry_request_body(req, error);
  g_autoptr(json_t) fields = body ? read_fields(body, &reason, error) : NULL;
  if (!fields || !ferry_request_dry_run(req, body, &dry, error))
    return FALSE;
  ChangeWish wish = {fields, reason};
  return ferry_resource_replace(req, with_wish, &wish, dry, error);
}
