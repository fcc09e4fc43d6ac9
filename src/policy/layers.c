// SPDX-License-Identifier: Apache-2.0
// Theory of operation: every source is made flat first, so that `intent.maxDowntime` and
// maxDowntimeMs are one field from there on. One rule holds: of the layers that state a preset, a
// schedule or an intent the strongest, so that a preset further down adds nothing of its own to a
// schedule further up.
#include "policy/layers.h"
#include "base/duration.h"
#include "model/field/object_meta.h"
#include "model/kinds/policy_fields.h"
#include "model/kinds/policy_layers.h"
#include "policy/preset_policies.h"

#define ANNOTATION "ferry.migration/policy"
#define SCHEDULE_ANNOTATION "ferry.migration/schedule"

static void layer_clear(gpointer p) {
  FerryLayer *layer = p;
  json_decref(layer->at);
  g_free(layer->origin);
}

static void take_duration(json_t *flat, const json_t *from, const char *key, const char *as) {
  const json_t *value = json_object_get(from, key);
  gint64 ms;
  if (json_is_integer(value))
    ferry_json_set_int(flat, as, MAX(0, json_integer_value(value)) * 1000);
  else if (json_is_string(value) && ferry_duration_parse(json_string_value(value), &ms))
    ferry_json_set_int(flat, as, ms);
}

static void layers_take(json_t *flat, const json_t *from, const char *key, const char *as) {
  json_t *value = json_object_get(from, key);
  if (value)
    json_object_set(flat, as, value);
}

/* What is said by the other name of a row. */
static void take_said_as(json_t *flat, const json_t *from, const FerryPolicyField *row) {
  if (row->field.unit == FERRY_UNIT_MS)
    take_duration(flat, from, row->said_as, row->field.name);
  else
    layers_take(flat, from, row->said_as, row->field.name);
}

static json_t *layers_flatten(const json_t *spec) {
  json_t *flat = json_is_object(spec) ? json_copy((json_t *)spec) : json_object();
  const json_t *intent = json_object_get(spec, "intent");
  for (const FerryPolicyField *row = ferry_policy_fields; row->field.name; row++) {
    if (!row->said_as)
      continue;
    if (ferry_policy_field_is_derived(row))
      json_object_del(flat, row->field.name);
    take_said_as(flat, spec, row); /* a domain's metadata has no objects */
    take_said_as(flat, intent, row);
  }
  for (const FerryField *member = ferry_fields_intent; member->name; member++)
    if (ferry_configuration_field(member->name))
      layers_take(flat, intent, member->name, member->name);
  layers_take(flat, intent, "bandwidth", "bandwidthPerMigration");
  return flat;
}

static void layers_add(GArray *layers, const json_t *spec, const char *origin, FerryLayerBit bit) {
  if (!json_is_object(spec))
    return;
  FerryLayer layer = {layers_flatten(spec), g_strdup(origin), bit};
  g_array_append_val(layers, layer);
}

static void add_policy(GArray *layers, const json_t *policy, FerryLayerBit bit) {
  const char *name = ferry_json_str(policy, "metadata.name");
  g_autofree char *origin = g_strconcat("MigrationPolicy/", name ? name : "", NULL);
  layers_add(layers, ferry_json_get(policy, "spec"), origin, bit);
}

static void add_named(GArray *layers, const FerryConfigSources *s, const char *name) {
  for (gsize i = 0; name && i < s->n_policies; i++)
    if (g_strcmp0(ferry_json_str(s->policies[i], "metadata.name"), name) == 0)
      add_policy(layers, s->policies[i], FERRY_LAYER_POLICY);
}

const char *ferry_config_vm_policy(const json_t *vmi) {
  const char *name = ferry_json_str(vmi, "spec.migration.policy");
  if (name)
    return name;
  return ferry_object_annotation(vmi, ANNOTATION);
}

json_t *ferry_config_vm_settings(const json_t *vmi) {
  const json_t *said = ferry_json_get(vmi, "spec.migration");
  json_t *out = json_is_object(said) ? json_copy((json_t *)said) : json_object();
  if (!json_object_get(out, "schedule")) {
    json_t *annotation =
        json_object_get(ferry_json_get(vmi, "metadata.annotations"), SCHEDULE_ANNOTATION);
    if (annotation)
      json_object_set(out, "schedule", annotation);
  }
  const json_t *text = json_object_get(out, "schedule");
  json_t *parsed = json_is_string(text)
                       ? ferry_json_parse(json_string_value(text), json_string_length(text), NULL)
                       : NULL;
  if (json_is_object(parsed))
    json_object_set(out, "schedule", parsed);
  json_decref(parsed);
  if (json_object_size(out) > 0)
    return out;
  json_decref(out);
  return NULL;
}

static gboolean says_derived(const json_t *flat) {
  for (const FerryPolicyField *row = ferry_policy_fields; row->field.name; row++)
    if (ferry_policy_field_is_derived(row) && json_object_get(flat, row->field.name))
      return TRUE;
  return FALSE;
}

static gboolean states_rule(const json_t *flat) {
  return json_is_string(json_object_get(flat, "preset")) ||
         json_is_object(json_object_get(flat, "schedule")) ||
         json_is_object(json_object_get(flat, "intent")) || says_derived(flat);
}

GArray *ferry_config_layers(const FerryConfigSources *s, const FerryLayer **rule) {
  GArray *layers = g_array_new(FALSE, FALSE, sizeof(FerryLayer));
  g_array_set_clear_func(layers, layer_clear);
  const json_t *cluster = ferry_json_get(s->kubevirt, FERRY_CLUSTER_MIGRATIONS);
  layers_add(layers, ferry_json_get(s->migration, "spec"), FERRY_ORIGIN_MIGRATION,
             FERRY_LAYER_MIGRATION);
  add_named(layers, s, ferry_json_str(s->migration, "spec.policy"));
  g_autoptr(json_t) vm = ferry_config_vm_settings(s->vmi);
  layers_add(layers, vm, FERRY_ORIGIN_VM, FERRY_LAYER_VM);
  add_named(layers, s, ferry_config_vm_policy(s->vmi));
  add_policy(layers, s->policy, FERRY_LAYER_POLICY);
  layers_add(layers, cluster, FERRY_ORIGIN_CLUSTER, FERRY_LAYER_CLUSTER);
  const json_t *eviction = ferry_json_get(s->kubevirt, "spec.configuration.evictionStrategy");
  g_autoptr(json_t) beside =
      eviction ? json_pack("{s:O}", "evictionStrategy", (json_t *)eviction) : NULL;
  layers_add(layers, beside, FERRY_ORIGIN_CLUSTER, FERRY_LAYER_CLUSTER);
  add_named(layers, s, ferry_json_str(cluster, "defaultPolicy"));
  guint at = 0;
  while (at < layers->len && !states_rule(g_array_index(layers, FerryLayer, at).at))
    at++;
  if (at == layers->len) {
    *rule = NULL;
    return layers;
  }
  const json_t *flat = g_array_index(layers, FerryLayer, at).at;
  const char *name = ferry_json_str(flat, "preset");
  if (!name && !json_object_get(flat, "schedule"))
    name = "intent";
  const FerryPreset *preset = name ? ferry_preset_find(name) : NULL;
  if (preset) {
    FerryLayer layer = {ferry_preset_config(preset), g_strconcat(FERRY_ORIGIN_PRESET, name, NULL),
                        FERRY_LAYER_PRESET};
    g_array_insert_val(layers, preset->intent ? layers->len : at + 1, layer);
  }
  *rule = &g_array_index(layers, FerryLayer, at);
  return layers;
}
