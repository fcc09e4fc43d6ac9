// SPDX-License-Identifier: Apache-2.0
// A wish to change a migration while it runs: noted where it can still be done, and read out of a
// write of the spec.
#include "api/resource/tuning.h"
#include "api/resource/write_options.h"
#include "api/http/respond.h"
#include "base/quantity.h"
#include "base/rfc3339.h"
#include "model/kinds/change_fields.h"
#include "model/kinds/policy_fields.h"
#include "model/migration/migration.h"

gboolean ferry_change_wrong(GError **error, const char *field, const char *text) {
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID, "%s: Invalid value: %s", field, text);
  if (error && *error)
    ferry_error_add_cause(*error, "FieldValueInvalid", field, "Invalid value: %s", text);
  return FALSE;
}

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
gboolean ferry_change_note(FerryRequest *req, const json_t *old, json_t *object, json_t *fields,
                           const char *reason, GError **error) {
  const char *why = too_late(old, fields);
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
    ferry_request_refuse(req, why, error);
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

/* ---- by a write of the spec ---- */

gboolean ferry_change_is_tuning(const FerryRequest *req, const json_t *old, const json_t *object) {
  if (req->found.kind != &ferry_kind_vmim || g_strcmp0(req->found.subresource, "status") == 0)
    return FALSE;
  const json_t *before = json_object_get(old, "spec"), *after = json_object_get(object, "spec");
  if (!json_is_object(before) || !json_is_object(after) ||
      ferry_phase_is_waiting(ferry_phase_of(old)) || json_equal((json_t *)before, (json_t *)after))
    return FALSE;
  g_autoptr(json_t) a = json_copy((json_t *)before);
  g_autoptr(json_t) b = json_copy((json_t *)after);
  for (const FerryField *f = ferry_change_fields; f->name; f++) {
    if (!f->spec)
      continue;
    if (json_object_get(before, f->spec) && !json_object_get(after, f->spec))
      return FALSE; /* back to the policy's value: not a value to set */
    json_object_del(a, f->spec);
    json_object_del(b, f->spec);
  }
  return json_equal(a, b);
}

/* What the spec says in bytes, in the MiB of a change. New reference. */
static json_t *in_mib(const FerryField *f, const json_t *value, GError **error) {
  gint64 bytes = json_is_integer(value) ? json_integer_value(value) : 0;
  if (json_is_string(value) && !ferry_quantity_parse(json_string_value(value), &bytes, error))
    return NULL;
  gint64 mib = bytes / FERRY_MIB + (bytes % FERRY_MIB ? 1 : 0);
  if (mib >= f->min && mib <= f->max)
    return json_integer((json_int_t)mib);
  g_autofree char *field = g_strconcat("spec.", f->spec, NULL);
  g_autofree char *most = ferry_quantity_format(f->max * FERRY_MIB);
  g_autofree char *text =
      g_strdup_printf("while a migration runs it can be set from 1 to %s bytes a second", most);
  ferry_change_wrong(error, field, text);
  return NULL;
}

gboolean ferry_change_tune(FerryRequest *req, const json_t *old, json_t *object, GError **error) {
  g_autoptr(json_t) fields = json_object();
  const json_t *before = json_object_get(old, "spec"), *after = json_object_get(object, "spec");
  for (const FerryField *f = ferry_change_fields; f->name; f++) {
    json_t *value = f->spec ? json_object_get(after, f->spec) : NULL;
    if (!value || json_equal(value, json_object_get(before, f->spec)))
      continue;
    json_t *wish =
        f->unit == FERRY_UNIT_MIB_PER_SECOND ? in_mib(f, value, error) : json_incref(value);
    if (!wish)
      return FALSE;
    json_object_set_new(fields, f->name, wish);
  }
  /* the status may be the stored one's own */
  json_object_set_new(object, "status", json_copy(json_object_get(object, "status")));
  return ferry_change_note(req, old, object, fields, "spec was changed", error);
}
