// SPDX-License-Identifier: Apache-2.0
#include "policy/config.h"
#include "base/quantity.h"
#include "convergence/schedule.h"
#include "model/migration_flags.h"
#include "policy/layers.h"
#include "policy/preset_policies.h"

typedef enum { KIND_INTEGER, KIND_BOOLEAN, KIND_BYTES, KIND_TEXT, KIND_LIST } ValueKind;

/* Who may set a field. */
enum {
  CLUSTER = FERRY_LAYER_CLUSTER,
  VM = FERRY_LAYER_VM,
  MIGRATION = FERRY_LAYER_MIGRATION,
  PRESET = FERRY_LAYER_PRESET,
  ANYONE = FERRY_LAYER_ANYONE
};

static const struct {
  const char *name;
  ValueKind kind;
  gint64 def;
  unsigned who;
} fields[] = {
    {"parallelMigrationsPerCluster", KIND_INTEGER, 5, CLUSTER},
    {"parallelOutboundMigrationsPerNode", KIND_INTEGER, 2, CLUSTER},
    {"parallelInboundMigrationsPerNode", KIND_INTEGER, 2, CLUSTER},
    {"bandwidthPerMigration", KIND_BYTES, 0, ANYONE},
    {"completionTimeoutPerGiB", KIND_INTEGER, 150, ANYONE},
    {"completionTimeoutSeconds", KIND_INTEGER, -1, VM | MIGRATION}, /* wins over ...PerGiB */
    {"progressTimeout", KIND_INTEGER, 150, ANYONE},
    {"maxDowntimeMs", KIND_INTEGER, 900, ANYONE},
    {"allowAutoConverge", KIND_BOOLEAN, 0, ANYONE},
    {"allowPostCopy", KIND_BOOLEAN, 0, ANYONE},
    {"allowWorkloadDisruption", KIND_BOOLEAN, -1, ANYONE}, /* -1: follows allowPostCopy */
    {"unsafeMigrationOverride", KIND_BOOLEAN, 0, ANYONE},
    {"disableTLS", KIND_BOOLEAN, -1, ANYONE}, /* -1: false, but true where tunnelled */
    {"nodeDrainTaintKey", KIND_TEXT, 0, CLUSTER},
    {"allowTCPPeers", KIND_BOOLEAN, -1, CLUSTER},
    {"network", KIND_TEXT, 0, ANYONE},
    {"migrationProgressTimeout", KIND_INTEGER, -1, ANYONE}, /* wins over progressTimeout */
    {"stallingLimit", KIND_INTEGER, 30, ANYONE},
    {"dirtyRateSeconds", KIND_INTEGER, 0, ANYONE},
    {"allowMonitorCommands", KIND_BOOLEAN, 0, ANYONE},
    {"onStalling", KIND_LIST, -1, ANYONE},
    {"compression", KIND_TEXT, 0, ANYONE},
    {"parallel", KIND_BOOLEAN, -1, ANYONE},
    {"parallelConnections", KIND_INTEGER, -1, ANYONE},
    {"retries", KIND_INTEGER, 3, ANYONE},
    /* of the intent; an unstated one has no duration and gives nothing up as infeasible */
    {"maxDurationMs", KIND_INTEGER, -1, ANYONE},
    {"maxSlowdownPercent", KIND_INTEGER, -1, ANYONE},
    {"infeasiblePatienceMs", KIND_INTEGER, -1, PRESET},
};

static json_t *value_of(const json_t *source, const char *name, ValueKind kind) {
  json_t *v = json_object_get(source, name);
  gint64 bytes;
  switch (kind) {
  case KIND_INTEGER:
    return json_is_integer(v) ? json_incref(v) : NULL;
  case KIND_BOOLEAN:
    return json_is_boolean(v) ? json_incref(v) : NULL;
  case KIND_TEXT:
    return json_is_string(v) ? json_incref(v) : NULL;
  case KIND_LIST: /* a domain's metadata has only text */
    if (json_is_string(v)) {
      json_t *list = json_array();
      g_auto(GStrv) words = g_strsplit_set(json_string_value(v), ", ", 64);
      for (guint i = 0; words[i]; i++)
        if (*words[i])
          json_array_append_new(list, json_string(words[i]));
      return list;
    }
    return json_is_array(v) ? json_incref(v) : NULL;
  case KIND_BYTES:
    if (json_is_integer(v))
      return json_incref(v);
    if (json_is_string(v) && ferry_quantity_parse(json_string_value(v), &bytes, NULL))
      return json_integer(bytes);
    return NULL;
  }
  return NULL;
}

static ValueKind kind_of(FerryType type) {
  switch (type) {
  case FERRY_TYPE_BOOLEAN:
    return KIND_BOOLEAN;
  case FERRY_TYPE_INTEGER:
    return KIND_INTEGER;
  case FERRY_TYPE_QUANTITY:
    return KIND_BYTES;
  case FERRY_TYPE_LIST:
    return KIND_LIST;
  default:
    return KIND_TEXT;
  }
}

typedef struct {
  json_t *out, *from;
} Target;

/* The first source that may and does say `name`, by its place in `layers`; their number: none.
 * `value` (may be NULL) gets a new reference. */
static guint find(const GArray *layers, const char *name, ValueKind kind, unsigned who,
                  json_t **value) {
  guint i = 0;
  for (; i < layers->len; i++) {
    const FerryLayer *layer = &g_array_index(layers, FerryLayer, i);
    json_t *v = who & layer->bit ? value_of(layer->at, name, kind) : NULL;
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

static gboolean take(const Target *to, const GArray *layers, const char *name, ValueKind kind,
                     unsigned who) {
  json_t *value = NULL;
  guint at = find(layers, name, kind, who, &value);
  if (at == layers->len)
    return FALSE;
  json_object_set_new(to->out, name, value);
  ferry_json_set_str(to->from, name, g_array_index(layers, FerryLayer, at).origin);
  return TRUE;
}

/* How many may move, leave or enter a node at once: the cluster's word, which a policy or a preset
 * only lowers, so that nobody gets past what the cluster's administrator allows. A policy says
 * nothing of the whole cluster, as KubeVirt has it. */
static void put_limits(const Target *to, const GArray *layers) {
  static const struct {
    const char *name;
    unsigned who;
  } limits[] = {{"parallelMigrationsPerCluster", FERRY_LAYER_PRESET},
                {"parallelOutboundMigrationsPerNode", FERRY_LAYER_POLICY | FERRY_LAYER_PRESET},
                {"parallelInboundMigrationsPerNode", FERRY_LAYER_POLICY | FERRY_LAYER_PRESET}};
  for (gsize n = 0; n < G_N_ELEMENTS(limits); n++)
    for (guint i = 0; i < layers->len; i++) {
      const FerryLayer *layer = &g_array_index(layers, FerryLayer, i);
      gint64 limit = ferry_json_int(layer->at, limits[n].name, 0);
      if (!(layer->bit & limits[n].who) || limit <= 0)
        continue;
      if (limit < ferry_json_int(to->out, limits[n].name, G_MAXINT64)) {
        ferry_json_set_int(to->out, limits[n].name, limit);
        ferry_json_set_str(to->from, limits[n].name, layer->origin);
      }
      break;
    }
}

/* The rule by which the migration is driven: a schedule, or a preset by name. */
static void put_rule(const Target *to, const FerryLayer *rule) {
  json_t *schedule = rule ? json_object_get(rule->at, "schedule") : NULL;
  const char *preset = rule ? ferry_json_str(rule->at, "preset") : NULL;
  const char *origin = rule ? rule->origin : "default";
  if (schedule && !preset) {
    ferry_json_set(to->out, "schedule", json_deep_copy(schedule));
    ferry_json_set_str(to->from, "schedule", origin);
    return;
  }
  ferry_json_set_str(to->out, "preset", preset ? preset : "intent");
  ferry_json_set_str(to->from, "preset", origin);
}

static void imply(const Target *to, const char *name, const char *origin) {
  if (g_strcmp0(ferry_json_str(to->from, name), "default") != 0)
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
    imply(to, "allowAutoConverge", origin);
  if (ferry_schedule_has(schedule, FERRY_STEP_POSTCOPY))
    imply(to, "allowPostCopy", origin);
}

/* `compression` into libvirt's terms, where those are not given themselves. A preset's gives way to
 * several connections, which can't have it. */
static void put_compression(const Target *to) {
  const char *method = ferry_json_str(to->out, "compression");
  const char *origin = ferry_json_str(to->from, "compression");
  if (!method || json_object_get(to->out, "compressed") ||
      (g_str_has_prefix(origin, "preset/") && ferry_migration_flag_on(to->out, "parallel")))
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
  g_autofree char *origin = g_strconcat("preset/", name, NULL);
  ferry_json_set_bool(to->out, "zeroCopy", TRUE);
  ferry_json_set_str(to->from, "zeroCopy", origin);
}

/* A tunnel has libvirtd's own encryption, and QEMU's cannot be inside it: who asks for one
 * overrules what is said further down of migrations in general. */
static void put_tls(const Target *to, const GArray *layers) {
  gboolean tunnelled = ferry_migration_flag_on(to->out, "tunnelled");
  if (!json_object_get(to->out, "disableTLS")) {
    ferry_json_set_bool(to->out, "disableTLS", tunnelled);
    ferry_json_set_str(to->from, "disableTLS", "default");
  } else if (tunnelled && !ferry_migration_flag_on(to->out, "disableTLS") &&
             find(layers, "tunnelled", KIND_BOOLEAN, VM | MIGRATION, NULL) <
                 find(layers, "disableTLS", KIND_BOOLEAN, ANYONE, NULL)) {
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
  for (gsize f = 0; f < G_N_ELEMENTS(fields); f++) {
    const char *name = fields[f].name;
    if (take(&to, layers, name, fields[f].kind, fields[f].who) || fields[f].kind == KIND_TEXT ||
        fields[f].def < 0)
      continue;
    json_object_set_new(out, name,
                        fields[f].kind == KIND_BOOLEAN ? json_boolean(fields[f].def)
                                                       : json_integer(fields[f].def));
    json_object_set_new(from, name, json_string("default"));
  }
  for (const FerryMigrationFlag *f = ferry_migration_flags; f->field.name; f++)
    if (!json_object_get(out, f->field.name))
      take(&to, layers, f->field.name, kind_of(f->field.type), f->own ? MIGRATION : VM | MIGRATION);
  put_limits(&to, layers);
  put_rule(&to, rule);
  put_means(&to);
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
