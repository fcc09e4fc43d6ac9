// SPDX-License-Identifier: Apache-2.0
// Theory of operation: each row of the policy fields' table and of the flags' table is asked of the
// layers, the strongest first; then come the few fields that follow from others.
#include "policy/config.h"
#include "model/kinds/policy_layers.h"
#include "base/quantity.h"
#include "convergence/schedule.h"
#include "model/flags/migration_flags.h"
#include "policy/preset_policies.h"

#define DEFAULT_SLOWDOWN_PERCENT 20

/* What a source says of a field, a new reference; NULL: nothing, or nothing of its type. */
static json_t *value_of(const json_t *source, const char *name, FerryType type) {
  json_t *v = json_object_get(source, name);
  gint64 bytes;
  switch (type) {
  case FERRY_TYPE_INTEGER:
    return json_is_integer(v) ? json_incref(v) : NULL;
  case FERRY_TYPE_BOOLEAN:
    return json_is_boolean(v) ? json_incref(v) : NULL;
  case FERRY_TYPE_STRING:
    return json_is_string(v) ? json_incref(v) : NULL;
  case FERRY_TYPE_LIST: /* a domain's metadata has only text */
    if (json_is_string(v)) {
      json_t *list = json_array();
      g_auto(GStrv) words = g_strsplit_set(json_string_value(v), ", ", 64);
      for (guint i = 0; words[i]; i++)
        if (*words[i])
          json_array_append_new(list, json_string(words[i]));
      return list;
    }
    return json_is_array(v) ? json_incref(v) : NULL;
  case FERRY_TYPE_QUANTITY:
    if (json_is_integer(v))
      return json_incref(v);
    if (json_is_string(v) && ferry_quantity_parse(json_string_value(v), &bytes, NULL))
      return json_integer(bytes);
    return NULL;
  default:
    return json_incref(v);
  }
}

typedef struct {
  json_t *out, *from;
} Target;

/* The first source that may and does say `name`, by its place in `layers`; their number: none.
 * `value` (may be NULL) gets a new reference. */
static guint config_find(const GArray *layers, const char *name, FerryType type, unsigned who,
                         json_t **value) {
  guint i = 0;
  for (; i < layers->len; i++) {
    const FerryLayer *layer = &g_array_index(layers, FerryLayer, i);
    json_t *v = who & layer->bit ? value_of(layer->at, name, type) : NULL;
    if (!v)
      continue;
    if (value)
      *value = v;
    else
      json_decref(v);
    break;
  }
  return i;
}

/* The strongest that may say the field decides; where none does, its fallback holds. */
static void resolve_field(const Target *to, const GArray *layers, const FerryField *field,
                          unsigned who) {
  json_t *value = NULL;
  guint at = config_find(layers, field->name, field->type, who, &value);
  if (at == layers->len && !field->fallback)
    return;
  if (at == layers->len)
    value = json_loads(field->fallback, JSON_DECODE_ANY, NULL);
  json_object_set_new(to->out, field->name, value);
  ferry_json_set_str(to->from, field->name,
                     at < layers->len ? g_array_index(layers, FerryLayer, at).origin
                                      : FERRY_ORIGIN_DEFAULT);
}

/* How many may move, leave or enter a node at once: the cluster's word, which a policy or a preset
 * only lowers, so that nobody gets past what the cluster's administrator allows. A policy says
 * nothing of the whole cluster, as KubeVirt has it. */
static void lower_limit(const Target *to, const GArray *layers, const FerryPolicyField *row) {
  const char *name = row->field.name;
  for (guint i = 0; i < layers->len; i++) {
    const FerryLayer *layer = &g_array_index(layers, FerryLayer, i);
    gint64 limit = ferry_json_int(layer->at, name, 0);
    if (!(layer->bit & row->lowered_by) || limit <= 0)
      continue;
    if (limit < ferry_json_int(to->out, name, G_MAXINT64)) {
      ferry_json_set_int(to->out, name, limit);
      ferry_json_set_str(to->from, name, layer->origin);
    }
    break;
  }
}

/* The rule by which the migration is driven: a schedule, or a preset by name. */
static void put_rule(const Target *to, const FerryLayer *rule) {
  json_t *schedule = rule ? json_object_get(rule->at, "schedule") : NULL;
  const char *preset = rule ? ferry_json_str(rule->at, "preset") : NULL;
  const char *origin = rule ? rule->origin : FERRY_ORIGIN_DEFAULT;
  if (schedule && !preset) {
    ferry_json_set(to->out, "schedule", json_deep_copy(schedule));
    ferry_json_set_str(to->from, "schedule", origin);
    return;
  }
  ferry_json_set_str(to->out, "preset", preset ? preset : "intent");
  ferry_json_set_str(to->from, "preset", origin);
}

static void config_imply(const Target *to, const char *name, const char *origin) {
  if (!ferry_origin_is_default(ferry_json_str(to->from, name)))
    return; /* somebody said so, or not */
  ferry_json_set_bool(to->out, name, TRUE);
  ferry_json_set_str(to->from, name, origin);
}

/* What a schedule does must be enabled when the migration is started; that of a guest which does
 * not run meanwhile needs nothing. */
static void put_means(const Target *to) {
  if (ferry_migration_flag_on(to->out, "offline") || !ferry_migration_flag_on(to->out, "live"))
    return;
  const json_t *object = json_object_get(to->out, "schedule");
  const char *origin = ferry_json_str(to->from, "schedule");
  g_autoptr(FerrySchedule) schedule =
      object ? ferry_schedule_parse(object, "schedule", NULL) : NULL;
  if (!schedule)
    return;
  if (schedule->auto_converge)
    config_imply(to, "allowAutoConverge", origin);
  if (ferry_schedule_has(schedule, FERRY_STEP_POSTCOPY))
    config_imply(to, "allowPostCopy", origin);
}

/* How much a guest may be slowed: the default intent allows a little, and an explicit
 * `allowAutoConverge: false` nothing; unset forbids nothing. Who asked for auto-converge without an
 * intent gets libvirt's own, as far as that goes. */
static void put_slowdown(const Target *to) {
  const char *asked = ferry_json_str(to->from, "allowAutoConverge");
  gboolean said = asked && !ferry_origin_is_default(asked);
  if (said && !ferry_json_bool(to->out, "allowAutoConverge", FALSE)) {
    ferry_json_set_int(to->out, FERRY_FIELD_MAX_SLOWDOWN, 0);
    ferry_json_set_str(to->from, FERRY_FIELD_MAX_SLOWDOWN, asked);
  } else if (!said && !json_object_get(to->out, FERRY_FIELD_MAX_SLOWDOWN) &&
             ferry_origin_is_default(ferry_json_str(to->from, "preset"))) {
    ferry_json_set_int(to->out, FERRY_FIELD_MAX_SLOWDOWN, DEFAULT_SLOWDOWN_PERCENT);
    ferry_json_set_str(to->from, FERRY_FIELD_MAX_SLOWDOWN, FERRY_ORIGIN_DEFAULT);
  }
}

/* `compression` into libvirt's terms, where those are not given themselves. A preset's gives way to
 * the number of connections, which may not go with it. */
static void put_compression(const Target *to) {
  const char *method = ferry_json_str(to->out, "compression");
  const char *origin = ferry_json_str(to->from, "compression");
  gboolean several = ferry_compression_is_parallel(method);
  if (!method || json_object_get(to->out, "compressed") ||
      (ferry_origin_is_preset(origin) && ferry_migration_flag_on(to->out, "parallel") != several))
    return;
  gboolean on = !g_str_equal(method, "none");
  ferry_json_set_bool(to->out, "compressed", on);
  ferry_json_set_str(to->from, "compressed", origin);
  if (!on || json_object_get(to->out, "compressionMethods"))
    return;
  ferry_json_set(to->out, "compressionMethods", json_pack("[s]", method));
  ferry_json_set_str(to->from, "compressionMethods", origin);
}

/* Zero copy is a preset's wish only: it needs several connections without TLS or compression. */
static void put_zero_copy(const Target *to) {
  const char *name = ferry_json_str(to->out, "preset");
  const FerryPreset *preset = name ? ferry_preset_find(name) : NULL;
  if (!preset || !preset->schedule.zero_copy || json_object_get(to->out, "zeroCopy") ||
      !ferry_migration_flag_on(to->out, "parallel") ||
      !ferry_json_bool(to->out, "disableTLS", FALSE) ||
      ferry_migration_flag_on(to->out, "compressed"))
    return;
  g_autofree char *origin = g_strconcat(FERRY_ORIGIN_PRESET, name, NULL);
  ferry_json_set_bool(to->out, "zeroCopy", TRUE);
  ferry_json_set_str(to->from, "zeroCopy", origin);
}

/* A tunnel has libvirtd's own encryption, and QEMU's cannot be inside it: who asks for one
 * overrules what is said further down of migrations in general. */
static void put_tls(const Target *to, const GArray *layers) {
  gboolean tunnelled = ferry_migration_flag_on(to->out, "tunnelled");
  if (!json_object_get(to->out, "disableTLS")) {
    ferry_json_set_bool(to->out, "disableTLS", tunnelled);
    ferry_json_set_str(to->from, "disableTLS", FERRY_ORIGIN_DEFAULT);
  } else if (tunnelled && !ferry_migration_flag_on(to->out, "disableTLS") &&
             config_find(layers, "tunnelled", FERRY_TYPE_BOOLEAN,
                         FERRY_LAYER_VM | FERRY_LAYER_MIGRATION, NULL) <
                 config_find(layers, "disableTLS", FERRY_TYPE_BOOLEAN, FERRY_LAYER_ANYONE, NULL)) {
    ferry_json_set_bool(to->out, "disableTLS", TRUE);
    json_object_set(to->from, "disableTLS", json_object_get(to->from, "tunnelled"));
  }
}

json_t *ferry_config_resolve(const FerryConfigSources *s, json_t **origins) {
  const FerryLayer *rule;
  g_autoptr(GArray) layers = ferry_config_layers(s, &rule);
  json_t *out = json_object();
  g_autoptr(json_t) from = json_object();
  Target to = {out, from};
  for (const FerryPolicyField *f = ferry_policy_fields; f->field.name; f++) {
    if (f->rule)
      continue;
    resolve_field(&to, layers, &f->field, f->layers);
    lower_limit(&to, layers, f);
  }
  for (const FerryMigrationFlag *f = ferry_migration_flags; f->field.name; f++)
    resolve_field(&to, layers, &f->field,
                  f->own          ? FERRY_LAYER_MIGRATION
                  : f->configured ? FERRY_LAYER_ANYONE
                                  : FERRY_LAYER_VM | FERRY_LAYER_MIGRATION);
  put_rule(&to, rule);
  put_means(&to);
  put_slowdown(&to);
  if (g_strcmp0(ferry_json_str(out, "preset"), "intent") == 0) { /* it acts by itself */
    json_object_del(out, "onStalling");
    json_object_del(from, "onStalling");
  }
  put_compression(&to);
  put_tls(&to, layers);
  put_zero_copy(&to);
  if (!json_object_get(out, "allowWorkloadDisruption")) {
    json_object_set(out, "allowWorkloadDisruption", json_object_get(out, "allowPostCopy"));
    json_object_set(from, "allowWorkloadDisruption", json_object_get(from, "allowPostCopy"));
  }
  if (origins)
    *origins = g_steal_pointer(&from);
  return out;
}
