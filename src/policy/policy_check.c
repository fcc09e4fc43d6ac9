// SPDX-License-Identifier: Apache-2.0
// Pure predicates over one spec: each adds a cause, so that a person sees all faults at once.
#include "policy/policy_check.h"
#include "base/duration.h"
#include "model/flags/migration_flags.h"
#include "model/kinds/policy_fields.h"
#include "model/validate/validate.h"
#include "policy/place/affinity.h"
#include "policy/preset_policies.h"
#include "model/kinds/policy_layers.h"

static void policy_check_fault(GError *causes, const char *path, const char *field,
                               const char *format, ...) G_GNUC_PRINTF(4, 5);
static void policy_check_fault(GError *causes, const char *path, const char *field,
                               const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  g_autofree char *message = g_strdup_vprintf(format, ap);
  va_end(ap);
  g_autofree char *at = g_strdup_printf("%s.%s", path, field);
  ferry_error_add_cause(causes, "FieldValueInvalid", at, "Invalid value: %s", message);
}

static void check_rule(const json_t *spec, const char *path, GError *causes) {
  const char *preset = ferry_json_str(spec, "preset");
  const json_t *schedule = json_object_get(spec, "schedule");
  gboolean intent = json_object_get(spec, "intent") != NULL;
  if (preset && !ferry_preset_find(preset)) {
    g_autofree char *names = ferry_preset_names();
    policy_check_fault(causes, path, "preset", "\"%s\": there is no such preset; there are %s",
                       preset, names);
  }
  if (preset && schedule)
    policy_check_fault(causes, path, "schedule",
                       "a preset is given too: only one of them can drive a migration");
  if (intent && (schedule || (preset && !g_str_equal(preset, "intent"))))
    policy_check_fault(causes, path, "intent",
                       "a %s is given too: only one of them can drive a migration",
                       schedule ? "schedule" : "preset");
}

static void check_schedule(const json_t *spec, const char *path, GError *causes) {
  const json_t *schedule = json_object_get(spec, "schedule");
  if (!schedule)
    return;
  g_autofree char *at = g_strdup_printf("%s.schedule", path);
  g_autoptr(GError) error = NULL;
  g_autoptr(FerrySchedule) parsed = ferry_schedule_parse(schedule, at, &error);
  for (guint i = 0; error && i < ferry_error_n_causes(error); i++) {
    const FerryCause *c = ferry_error_cause(error, i);
    ferry_error_add_cause(causes, c->reason, c->field, "Invalid value: %s", c->message);
  }
  if (ferry_schedule_has(parsed, FERRY_STEP_POSTCOPY) &&
      json_is_false(json_object_get(spec, "allowPostCopy")))
    policy_check_fault(causes, path, "schedule",
                       "it switches to post-copy, and allowPostCopy is false");
  if (parsed && parsed->auto_converge && json_is_false(json_object_get(spec, "allowAutoConverge")))
    policy_check_fault(causes, path, "schedule",
                       "it begins with auto-converge, and allowAutoConverge is false");
}

/* A field of the intent that stands beside it under another name must say the same. */
static void check_twice(const json_t *spec, const char *path, const char *inner, const char *outer,
                        GError *causes) {
  const json_t *a = json_object_get(json_object_get(spec, "intent"), inner);
  const json_t *b = json_object_get(spec, outer);
  if (!a || !b || json_equal(a, b))
    return;
  g_autofree char *field = g_strdup_printf("intent.%s", inner);
  policy_check_fault(causes, path, field, "%s says another; say it once", outer);
}

/* A duration of the intent, by the row that it becomes; 0: it says none. Said by the row's own name
 * as well it must be the same. */
static gint64 check_duration(const json_t *spec, const FerryPolicyField *row, const char *path,
                             GError *causes) {
  const json_t *intent = json_object_get(spec, "intent");
  const char *text = ferry_json_str(intent, row->said_as), *name = row->field.name;
  gboolean derived = ferry_policy_field_is_derived(row);
  gint64 inner = derived ? 0 : ferry_json_int(intent, name, 0), value;
  gint64 other = inner || derived ? inner : ferry_json_int(spec, name, 0);
  if (!text)
    return inner;
  g_autofree char *field = g_strdup_printf("intent.%s", row->said_as);
  if (!ferry_duration_parse(text, &value) || value <= 0) {
    policy_check_fault(causes, path, field, "\"%s\": not a duration such as 300ms, 90s or 10m",
                       text);
    return inner;
  }
  if (row->field.max && value > row->field.max)
    policy_check_fault(causes, path, field, "more than %" G_GINT64_FORMAT " ms", row->field.max);
  else if (other && other != value)
    policy_check_fault(causes, path, field, "%s says %" G_GINT64_FORMAT " ms; say it once", name,
                       other);
  return value;
}

static void check_intent(const json_t *spec, const char *path, GError *causes) {
  const FerryPolicyField *pauses = ferry_policy_field_find(FERRY_FIELD_MAX_DOWNTIME);
  const FerryPolicyField *wholes = ferry_policy_field_find(FERRY_FIELD_MAX_DURATION);
  gint64 pause = 0, whole = 0;
  if (!json_object_get(spec, "intent"))
    return;
  for (const FerryPolicyField *row = ferry_policy_fields; row->field.name; row++) {
    if (!row->said_as || row->field.unit != FERRY_UNIT_MS)
      continue;
    gint64 ms = check_duration(spec, row, path, causes);
    pause = row == pauses ? ms : pause;
    whole = row == wholes ? ms : whole;
  }
  if (whole && pause > whole)
    policy_check_fault(causes, path, "intent.maxDuration",
                       "shorter than the pause that is allowed");
  for (const FerryField *member = ferry_fields_intent; member->name; member++)
    if (ferry_configuration_field(member->name))
      check_twice(spec, path, member->name, member->name, causes);
  check_twice(spec, path, "bandwidth", "bandwidthPerMigration", causes);
}

static void check_transport(const json_t *spec, const char *path, GError *causes) {
  const char *method = ferry_json_str(spec, "compression");
  gboolean parallel = ferry_json_bool(spec, "parallel", FALSE);
  if (ferry_compression_is_single(method) && parallel)
    policy_check_fault(causes, path, "compression",
                       "%s works over one connection only; with parallel use zlib "
                       "or zstd",
                       method);
  if (ferry_compression_is_parallel(method) && json_is_false(json_object_get(spec, "parallel")))
    policy_check_fault(causes, path, "compression", "%s needs parallel: true", method);
  if (json_object_get(spec, "parallelConnections") &&
      json_is_false(json_object_get(spec, "parallel")))
    policy_check_fault(causes, path, "parallelConnections", "needs parallel: true");
  const json_t *compressed = json_object_get(spec, "compressed");
  if (method && compressed && json_is_true(compressed) == g_str_equal(method, "none"))
    policy_check_fault(causes, path, "compression", "compressed says another; say it once");
}

static void check_stalling(const json_t *spec, const char *path, GError *causes) {
  const json_t *list = json_object_get(spec, "onStalling"), *limit, *step;
  const char *preset = ferry_json_str(spec, "preset");
  gsize i, n = json_array_size(list);
  if (n == 0)
    return;
  if (json_object_get(spec, "intent") || (preset && g_str_equal(preset, "intent")))
    policy_check_fault(
        causes, path, "onStalling",
        "an intent acts by itself when the migration stalls; use a schedule or another preset");
  limit = json_object_get(spec, "stallingLimit");
  if (limit && json_integer_value(limit) == 0)
    policy_check_fault(causes, path, "onStalling",
                       "stallingLimit is 0: it would never be said to stall");
  json_array_foreach((json_t *)list, i, step) {
    const char *name = json_string_value(step);
    if (g_strcmp0(name, "abort") == 0 && i + 1 < n)
      policy_check_fault(causes, path, "onStalling", "nothing can follow abort");
    if (g_strcmp0(name, "postCopy") == 0 && json_is_false(json_object_get(spec, "allowPostCopy")))
      policy_check_fault(causes, path, "onStalling",
                         "it switches to post-copy, and allowPostCopy is false");
  }
}

void ferry_policy_check(const json_t *spec, const char *path, GError *causes) {
  if (!json_is_object(spec))
    return;
  check_rule(spec, path, causes);
  check_schedule(spec, path, causes);
  check_intent(spec, path, causes);
  check_stalling(spec, path, causes);
  check_transport(spec, path, causes);
  ferry_affinity_check(spec, path, causes);
}

void ferry_policy_check_name(const char *name, const char *field, json_t *const *policies, gsize n,
                             GError *causes) {
  if (!name || !*name)
    return;
  for (gsize i = 0; i < n; i++)
    if (g_strcmp0(ferry_json_str(policies[i], "metadata.name"), name) == 0)
      return;
  ferry_error_add_cause(causes, "FieldValueInvalid", field,
                        "Invalid value: \"%s\": there is no MigrationPolicy of that name; `ferry "
                        "get migrationpolicies` lists what there is",
                        name);
}

gboolean ferry_policy_answer(const FerryKind *kind, const char *name, GError *causes,
                             GError **error) {
  return ferry_validate_answer(kind, name, causes, error);
}

gboolean ferry_policy_admit(const FerryKind *kind, const json_t *object, json_t *const *policies,
                            gsize n, GError **error) {
  GError *causes = g_error_new(FERRY_ERROR, FERRY_ERROR_INVALID, "invalid");
  if (kind == &ferry_kind_kubevirt) {
    static const char path[] = FERRY_CLUSTER_MIGRATIONS;
    const json_t *spec = ferry_json_get(object, path);
    ferry_policy_check(spec, path, causes);
    ferry_policy_check_name(ferry_json_str(spec, "defaultPolicy"),
                            "spec.configuration.migrations.defaultPolicy", policies, n, causes);
  } else {
    ferry_policy_check(ferry_json_get(object, "spec"), "spec", causes);
  }
  return ferry_policy_answer(kind, ferry_json_str(object, "metadata.name"), causes, error);
}
