// SPDX-License-Identifier: Apache-2.0
// Kimchi's settings. PUT /config keeps them as annotations of the KubeVirt object, beside the
// cluster's own configuration and not in it: they are for migrations that are asked for through
// Kimchi's paths.
#include "api/resource/write.h"
#include "api/kimchi/kimchi.h"
#include "base/quantity.h"
#include "model/kinds/policy_fields.h"
#include "model/kinds/policy_layers.h"

#include <string.h>

#define MIN_DOWNTIME_MS 100
#define ANNOTATION "kimchi.ferry.migration/"
#define NAMESPACE "kubevirt"
#define NAME "kubevirt"
#define MIGRATIONS FERRY_CLUSTER_MIGRATIONS "."

enum { TIMEOUT, BANDWIDTH, DOWNTIME };

const char *const ferry_kimchi_setting_names[3] = {"migration_destination_timeout",
                                                   "migration_max_bandwidth", "migration_downtime"};

static const struct {
  gint64 min, max, def;
  const char *expected;
} settings_rules[] = {
    {1, 10000000, 21600, "seconds from 1 to 10000000"},
    {0, G_MAXINT64 >> 20, 0, "MiB per second, or \"unlimited\""},
    {0, FERRY_DOWNTIME_MAX_MS, 500, "milliseconds from 100 to " G_STRINGIFY(FERRY_DOWNTIME_MAX_MS)},
};

static gint64 *kimchi_settings_slot(FerryKimchiSettings *s, gsize i) {
  return i == TIMEOUT ? &s->timeout_s : i == BANDWIDTH ? &s->bandwidth_mib : &s->downtime_ms;
}

/* A whole number, or digits in a string as Kimchi's own configuration has them. */
static gboolean kimchi_settings_number(const json_t *value, gsize i, gint64 *out) {
  const char *text = json_string_value(value);
  if (i == BANDWIDTH && text && g_ascii_strcasecmp(text, "unlimited") == 0) {
    *out = 0;
    return TRUE;
  }
  if (text)
    return g_ascii_string_to_signed(text, 10, settings_rules[i].min, settings_rules[i].max, out,
                                    NULL);
  if (!json_is_integer(value))
    return FALSE;
  *out = json_integer_value(value);
  return *out >= settings_rules[i].min && *out <= settings_rules[i].max;
}

void ferry_kimchi_settings_read(FerryKimchi *k, const json_t *body, FerryKimchiSettings *settings) {
  for (gsize i = 0; i < G_N_ELEMENTS(settings_rules); i++) {
    const char *name = ferry_kimchi_setting_names[i];
    const json_t *value = json_object_get(body, name);
    gint64 *out = kimchi_settings_slot(settings, i);
    *out = -1;
    if (!value || json_is_null(value))
      continue;
    if (!kimchi_settings_number(value, i, out)) {
      char *shown = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
      ferry_kimchi_problem(k, name, "%.100s is not a number of %s", shown ? shown : "?",
                           settings_rules[i].expected);
      free(shown);
      *out = -1;
    } else if (i == DOWNTIME && *out < MIN_DOWNTIME_MS) {
      ferry_kimchi_warn(k, "%s: %" G_GINT64_FORMAT " is below %d ms and is ignored", name, *out,
                        MIN_DOWNTIME_MS);
      *out = -1;
    }
  }
}

static json_t *kimchi_settings_kubevirt(FerryApi *api) {
  return ferry_store_get(api->store, &ferry_kind_kubevirt, NAMESPACE, NAME);
}

void ferry_kimchi_settings_stored(FerryApi *api, FerryKimchiSettings *settings) {
  g_autoptr(json_t) object = kimchi_settings_kubevirt(api);
  const json_t *annotations = ferry_json_get(object, "metadata.annotations");
  for (gsize i = 0; i < G_N_ELEMENTS(settings_rules); i++) {
    g_autofree char *key = g_strconcat(ANNOTATION, ferry_kimchi_setting_names[i], NULL);
    gint64 *out = kimchi_settings_slot(settings, i);
    const json_t *value = json_object_get(annotations, key);
    if (!value || !kimchi_settings_number(value, i, out) ||
        (i == DOWNTIME && *out < MIN_DOWNTIME_MS))
      *out = -1;
  }
}

/* What the cluster's own configuration says, -1: nothing. */
static gint64 of_cluster(const json_t *object, gsize i) {
  gint64 bytes = 0;
  if (i == DOWNTIME)
    return ferry_json_int(object, MIGRATIONS FERRY_FIELD_MAX_DOWNTIME, -1);
  if (i == TIMEOUT)
    return -1;
  const json_t *value = ferry_json_get(object, MIGRATIONS "bandwidthPerMigration");
  if (json_is_integer(value))
    bytes = json_integer_value(value);
  else if (!json_is_string(value) || !ferry_quantity_parse(json_string_value(value), &bytes, NULL))
    return -1;
  return bytes > 0 ? MAX(bytes >> 20, 1) : bytes;
}

void ferry_kimchi_settings_complete(FerryApi *api, FerryKimchiSettings *settings) {
  FerryKimchiSettings stored;
  g_autoptr(json_t) object = kimchi_settings_kubevirt(api);
  ferry_kimchi_settings_stored(api, &stored);
  for (gsize i = 0; i < G_N_ELEMENTS(settings_rules); i++) {
    gint64 *out = kimchi_settings_slot(settings, i);
    if (*out < 0)
      *out = *kimchi_settings_slot(&stored, i);
    if (*out < 0)
      *out = of_cluster(object, i);
    if (*out < 0)
      *out = settings_rules[i].def;
  }
}

void ferry_kimchi_settings_print(const FerryKimchiSettings *settings, json_t *object) {
  FerryKimchiSettings copy = *settings;
  for (gsize i = 0; i < G_N_ELEMENTS(settings_rules); i++) {
    gint64 value = *kimchi_settings_slot(&copy, i);
    if (value >= 0)
      json_object_set_new(object, ferry_kimchi_setting_names[i],
                          i == BANDWIDTH && value == 0 ? json_string("unlimited")
                                                       : json_integer(value));
  }
}

static void respond_config(FerryKimchi *k) {
  FerryKimchiSettings settings = {-1, -1, -1};
  ferry_kimchi_settings_complete(k->req->api, &settings);
  json_t *out = json_pack("{s:s}", "version", FERRY_VERSION);
  ferry_kimchi_settings_print(&settings, out);
  ferry_kimchi_respond(k, 200, out);
}

gboolean ferry_kimchi_get_config(FerryKimchi *k, GError **error) {
  respond_config(k);
  return TRUE;
}

static json_t *kimchi_settings_annotate(FerryRequest *req, const json_t *old, gpointer data,
                                        GError **error) {
  FerryKimchiSettings *settings = data;
  json_t *object = json_deep_copy(old);
  json_t *annotations = ferry_json_get(object, "metadata.annotations");
  if (!json_is_object(annotations)) {
    annotations = json_object();
    ferry_json_set(object, "metadata.annotations", annotations);
  }
  for (gsize i = 0; i < G_N_ELEMENTS(settings_rules); i++) {
    gint64 value = *kimchi_settings_slot(settings, i);
    if (value < 0)
      continue;
    g_autofree char *key = g_strconcat(ANNOTATION, ferry_kimchi_setting_names[i], NULL);
    g_autofree char *text = i == BANDWIDTH && value == 0
                                ? g_strdup("unlimited")
                                : g_strdup_printf("%" G_GINT64_FORMAT, value);
    json_object_set_new(annotations, key, json_string(text));
  }
  return object;
}

/* The KubeVirt object to annotate, made where there is none. */
static gboolean ensure_kubevirt(FerryKimchi *k, GError **error) {
  g_autoptr(json_t) there = kimchi_settings_kubevirt(k->req->api);
  if (there)
    return TRUE;
  if (!ferry_kimchi_authorise(k, &ferry_kind_kubevirt, "create", NULL, NAMESPACE, NULL, error))
    return FALSE;
  g_autoptr(json_t) empty =
      json_pack("{s:s, s:s, s:{s:s, s:s}, s:{}}", "apiVersion", "kubevirt.io/v1", "kind",
                "KubeVirt", "metadata", "name", NAME, "namespace", NAMESPACE, "spec");
  g_autoptr(GError) problem = NULL;
  g_autoptr(json_t) made = ferry_resource_make(k->req, empty, &problem);
  if (made || g_error_matches(problem, FERRY_ERROR, FERRY_ERROR_ALREADY_EXISTS))
    return TRUE;
  g_propagate_error(error, g_steal_pointer(&problem));
  return FALSE;
}

gboolean ferry_kimchi_put_config(FerryKimchi *k, GError **error) {
  g_autoptr(json_t) body = ferry_kimchi_body(k, error);
  if (!body)
    return FALSE;
  const char *key;
  json_t *value;
  json_object_foreach(body, key, value) {
    gboolean known = g_str_equal(key, "version"); /* a GET's answer may be sent back */
    for (gsize i = 0; i < G_N_ELEMENTS(settings_rules); i++)
      known |= g_str_equal(key, ferry_kimchi_setting_names[i]);
    if (!known)
      ferry_kimchi_problem(k, key,
                           "no setting of that name can be changed; there are %s, %s and %s",
                           ferry_kimchi_setting_names[0], ferry_kimchi_setting_names[1],
                           ferry_kimchi_setting_names[2]);
  }
  FerryKimchiSettings settings;
  ferry_kimchi_settings_read(k, body, &settings);
  if (!ferry_kimchi_no_problems(k, error) || !ensure_kubevirt(k, error) ||
      !ferry_kimchi_authorise(k, &ferry_kind_kubevirt, "update", NULL, NAMESPACE, NAME, error) ||
      !ferry_resource_modify(k->req, kimchi_settings_annotate, &settings, error))
    return FALSE;
  respond_config(k);
  return TRUE;
}
