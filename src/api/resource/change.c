// SPDX-License-Identifier: Apache-2.0
// A migration's parameters while it runs.
//
// Theory of operation: PUT .../change, or a PATCH of the two fields of the spec that mean the same,
// adds an entry "Requested" to status.changes. The agent of the source sees it by its watch,
// carries it out in the hypervisor and writes back "Applied" or "Refused". What can be known here
// to be too late is refused at once with 409.
#include "api/internal.h"
#include "base/quantity.h"
#include "base/rfc3339.h"
#include "model/kinds/policy_fields.h"
#include "model/migration/migration.h"
#include "model/kinds/change_fields.h"

static const char *const tunable[] = {"maxDowntimeMs", "bandwidthPerMigration"};

/* ---- what is asked for ---- */

static gboolean change_wrong(GError **error, const char *field, const char *text) {
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID, "%s: Invalid value: %s", field, text);
  if (error && *error)
    ferry_error_add_cause(*error, "FieldValueInvalid", field, "Invalid value: %s", text);
  return FALSE;
}

static gboolean check_int(const char *key, const json_t *value, gint64 min, gint64 max,
                          GError **error) {
  if (json_is_integer(value) && json_integer_value(value) >= min &&
      json_integer_value(value) <= max)
    return TRUE;
  g_autofree char *shown = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
  g_autofree char *text = g_strdup_printf("%.100s: expected a whole number from %" G_GINT64_FORMAT
                                          " to %" G_GINT64_FORMAT,
                                          shown ? shown : "?", min, max);
  return change_wrong(error, key, text);
}

static gboolean check_field(const char *key, const json_t *value, GError **error) {
  const FerryField *field = ferry_change_field(key);
  if (!field) {
    g_autofree char *names = ferry_change_names();
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "unknown field \"%.100s\": a change has %s, and its reason", key, names);
    return FALSE;
  }
  if (!field->values)
    return check_int(key, value, field->min, field->max, error);
  const char *text = json_string_value(value);
  if (text && g_strv_contains(field->values, text))
    return TRUE;
  g_autofree char *words = g_strjoinv("\" or \"", (char **)field->values);
  g_autofree char *expected = g_strdup_printf("expected \"%s\"", words);
  return change_wrong(error, key, expected);
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
        change_wrong(error, key, "expected text of at most 1024 bytes");
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

/* ---- whether it can be done ---- */

/* Why not, or NULL. */
static const char *too_late(const json_t *old, const json_t *fields) {
  FerryPhase phase = ferry_phase_of(old);
  if (ferry_phase_is_final(phase))
    return "nothing is in progress: it has ended already";
  if (ferry_phase_is_waiting(phase))
    return "nothing is in progress: it has not begun yet; cancel it and create another one with "
           "other parameters, or wait until it runs";
  if (ferry_json_bool(old, "status.migrationState.abortRequested", FALSE))
    return "it is being cancelled";
  return ferry_migration_change_obstacle(
      fields, ferry_mode_of(old) == FERRY_MODE_POST_COPY,
      ferry_json_bool(old, "status.migrationState.migrationConfiguration.allowPostCopy", FALSE));
}

/* Adds the wish to `object`, whose status is its own. */
static gboolean change_note(FerryRequest *req, const json_t *old, json_t *object, json_t *fields,
                            const char *reason, GError **error) {
  const char *why = too_late(old, fields);
  g_autofree char *what = ferry_qualified(req->kind);
  json_t *list = ferry_json_get(old, "status.changes");
  list = json_is_array(list) ? json_deep_copy(list) : json_array();
  gint64 last = 0;
  gsize i;
  json_t *one;
  json_array_foreach(list, i, one) last = MAX(last, ferry_migration_change_number(one));
  for (i = 0; i < json_array_size(list) && json_array_size(list) >= FERRY_CHANGES_MAX;)
    if (ferry_change_state_of(json_array_get(list, i)) == FERRY_CHANGE_REQUESTED)
      i++;
    else
      json_array_remove(list, i); /* the oldest that is settled; its event stays */
  if (!why && json_array_size(list) >= FERRY_CHANGES_MAX)
    why = "too many changes wait for the agent of its source; wait until it has taken them";
  if (why) {
    json_decref(list);
    req->refused = TRUE;
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT,
                "Operation cannot be fulfilled on %s \"%s\": %s", what, req->name, why);
    return FALSE;
  }
  g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, last + 1);
  g_autofree char *now = ferry_rfc3339_format_ms(ferry_clock_wall_ms(req->api->clock));
  json_array_append_new(list,
                        json_pack("{s:s, s:s, s:s, s:s*, s:O, s:s}", "id", id, "by",
                                  req->user->name, "time", now, "reason", reason, "fields", fields,
                                  "state", ferry_change_state_name(FERRY_CHANGE_REQUESTED)));
  ferry_json_set(object, "status.changes", list);
  return TRUE;
}

/* ---- PUT .../change ---- */

typedef struct {
  json_t *fields;
  const char *reason;
} ChangeWish;

static json_t *with_wish(FerryRequest *req, const json_t *old, gpointer data, GError **error) {
  const ChangeWish *wish = data;
  g_autoptr(json_t) object = ferry_json_copy_along(old, "status");
  return change_note(req, old, object, wish->fields, wish->reason, error) ? g_steal_pointer(&object)
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

/* ---- the same by a write of the spec ---- */

gboolean ferry_change_is_tuning(const FerryRequest *req, const json_t *old, const json_t *object) {
  if (req->kind != &ferry_kind_vmim || g_strcmp0(req->subresource, "status") == 0)
    return FALSE;
  const json_t *before = json_object_get(old, "spec"), *after = json_object_get(object, "spec");
  if (!json_is_object(before) || !json_is_object(after) ||
      ferry_phase_is_waiting(ferry_phase_of(old)) || json_equal((json_t *)before, (json_t *)after))
    return FALSE;
  g_autoptr(json_t) a = json_copy((json_t *)before);
  g_autoptr(json_t) b = json_copy((json_t *)after);
  for (gsize i = 0; i < G_N_ELEMENTS(tunable); i++) {
    gboolean was = json_object_get(before, tunable[i]) != NULL;
    if (was && !json_object_get(after, tunable[i]))
      return FALSE; /* back to the policy's value: not a value to set */
    json_object_del(a, tunable[i]);
    json_object_del(b, tunable[i]);
  }
  return json_equal(a, b);
}

gboolean ferry_change_tune(FerryRequest *req, const json_t *old, json_t *object, GError **error) {
  g_autoptr(json_t) fields = json_object();
  const json_t *before = json_object_get(old, "spec"), *after = json_object_get(object, "spec");
  json_t *downtime = json_object_get(after, "maxDowntimeMs");
  json_t *bandwidth = json_object_get(after, "bandwidthPerMigration");
  if (downtime && !json_equal(downtime, json_object_get(before, "maxDowntimeMs")))
    json_object_set(fields, "downtimeMs", downtime);
  if (bandwidth && !json_equal(bandwidth, json_object_get(before, "bandwidthPerMigration"))) {
    gint64 bytes = json_is_integer(bandwidth) ? json_integer_value(bandwidth) : 0;
    if (json_is_string(bandwidth) &&
        !ferry_quantity_parse(json_string_value(bandwidth), &bytes, error))
      return FALSE;
    gint64 mib = bytes / FERRY_MIB + (bytes % FERRY_MIB ? 1 : 0);
    if (mib < 1 || mib > FERRY_CHANGE_MAX_MIBPS) {
      g_autofree char *most = ferry_quantity_format(FERRY_CHANGE_MAX_MIBPS * FERRY_MIB);
      g_autofree char *text =
          g_strdup_printf("while a migration runs it can be set from 1 to %s bytes a second", most);
      return change_wrong(error, "spec.bandwidthPerMigration", text);
    }
    json_object_set_new(fields, "bandwidthMiBps", json_integer((json_int_t)mib));
  }
  /* the status may be the stored one's own */
  json_object_set_new(object, "status", json_copy(json_object_get(object, "status")));
  return change_note(req, old, object, fields, "spec was changed", error);
}
