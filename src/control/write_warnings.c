// SPDX-License-Identifier: Apache-2.0
#include "control/write_warnings.h"
#include "base/limits.h"
#include "base/quantity.h"
#include "model/field/units.h"
#include "model/flags/migration_flags.h"
#include "model/kinds/policy_fields.h"
#include "policy/network/network.h"
#include "model/kinds/policy_layers.h"
#include <string.h>

static void G_GNUC_PRINTF(2, 3) warnings_add(GPtrArray *out, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  g_ptr_array_add(out, g_strdup_vprintf(format, ap));
  va_end(ap);
}

/* libvirt counts in whole MiB/s, and rounds a rate up. */
static void warn_of_rates(const json_t *spec, const char *path, GPtrArray *out) {
  static const char *const rates[] = {"bandwidthPerMigration", "postCopyBandwidth",
                                      "availableSwitchoverBandwidth"};
  for (gsize i = 0; i < G_N_ELEMENTS(rates); i++) {
    const json_t *value = json_object_get(spec, rates[i]);
    gint64 bytes = json_is_integer(value) ? json_integer_value(value) : 0;
    if (json_is_string(value) && !ferry_quantity_parse(json_string_value(value), &bytes, NULL))
      continue;
    if (bytes > 0 && bytes % FERRY_MIB)
      warnings_add(out,
                   "%s.%s: %" G_GINT64_FORMAT " bytes/s are not a whole number of MiB/s, in which "
                   "libvirt counts: it becomes %" G_GINT64_FORMAT " MiB/s",
                   path, rates[i], bytes, (bytes + FERRY_MIB - 1) / FERRY_MIB);
  }
}

static void warn_of_network(const json_t *spec, const char *path, const FerryWriteWorld *world,
                            GPtrArray *out) {
  const char *name = ferry_json_str(spec, "network");
  if (name && !ferry_network_wanted(world->networks, world->n_networks, name))
    warnings_add(out,
                 "%s.network: there is no Network \"%s\": migrations are refused until there is "
                 "one; see: ferry get networks",
                 path, name);
}

static void warn_of_settings(const json_t *spec, const char *path, const FerryWriteWorld *world,
                             GPtrArray *out) {
  warn_of_network(spec, path, world, out);
  warn_of_rates(spec, path, out);
}

/* ---- each kind ---- */

static void warn_of_kubevirt(const json_t *object, GPtrArray *out) {
  const char *name = ferry_json_str(object, "metadata.name"),
             *ns = ferry_json_str(object, "metadata.namespace");
  if (g_strcmp0(name, "kubevirt") != 0 || g_strcmp0(ns, "kubevirt") != 0)
    warnings_add(out,
                 "this object is ignored: the cluster's settings are in the KubeVirt \"kubevirt\" "
                 "of the namespace \"kubevirt\" alone");
}

/* The surprise of whoever did not require it: where a host is not in it, data go elsewhere. */
static void warn_of_missing_hosts(const json_t *network, const FerryWriteWorld *world,
                                  GPtrArray *out) {
  g_autoptr(GString) text = g_string_new(NULL);
  gsize missing = 0;
  for (gsize i = 0; i < world->n_nodes; i++) {
    g_auto(FerryNetworkPlace) place = {0};
    if (ferry_network_place_any(network, world->nodes[i], &place) || ++missing > FERRY_NAMED_MAX)
      continue;
    g_string_append_printf(text, "%s%s (%s)", text->len ? ", " : "",
                           ferry_json_str(world->nodes[i], "metadata.name"), place.problem);
  }
  if (missing == 0)
    return;
  gboolean required = ferry_json_bool(network, "spec.required", FALSE);
  const char *then =
      required ? "they take no VM unless a migration names them"
      : ferry_network_fallback(network) == FERRY_FALLBACK_DENY
          ? "no VM moves to them or away from them, since it is not required and its "
            "fallback is deny"
          : "VMs that move to them or away from them do so over the management "
            "network, since it is not required (spec.required)";
  warnings_add(out, "%" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " hosts are not in it: %s%s; %s",
               missing, world->n_nodes, text->str, missing > FERRY_NAMED_MAX ? ", ..." : "", then);
}

static gboolean is_read(const char *annotation) {
  static const char *const read[] = {"policy", "schedule",    "trace",       "description",
                                     "notes",  "evacuation",  "evacuates",   "attempt",
                                     "preset", "reported-by", "drain-taint", NULL};
  const char *slash = strchr(annotation, '/');
  return !slash || g_strv_contains(read, slash + 1);
}

static void warn_of_annotations(const json_t *object, GPtrArray *out) {
  const char *key;
  json_t *value;
  json_object_foreach(ferry_json_get(object, "metadata.annotations"), key, value) {
    const char *slash = strchr(key, '/');
    gboolean ours = slash && (g_str_has_prefix(key, "ferry.migration/") ||
                              g_str_has_prefix(key, "kimchi.ferry.migration/"));
    if (ours && !is_read(key))
      warnings_add(out, "metadata.annotations: \"%s\" is unknown and ignored", key);
  }
}

static void warn_of_elements(const json_t *settings, GPtrArray *out) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)settings, key, value) {
    if (!g_str_equal(key, "policy") && !ferry_configuration_field(key))
      warnings_add(out, "the domain's metadata: <%s> of <migrationPolicy> is unknown and ignored",
                   key);
  }
}

FerryWriteNeeds ferry_write_needs(const FerryKind *kind) {
  if (kind == &ferry_kind_network)
    return FERRY_WRITE_NEEDS_NODES;
  return kind == &ferry_kind_kubevirt || kind == &ferry_kind_migration_policy ||
                 kind == &ferry_kind_vmim || kind == &ferry_kind_vmi
             ? FERRY_WRITE_NEEDS_NETWORKS
             : FERRY_WRITE_NEEDS_NOTHING;
}

void ferry_write_warnings(const FerryKind *kind, const json_t *object, const FerryWriteWorld *world,
                          GPtrArray *out) {
  if (kind == &ferry_kind_kubevirt) {
    warn_of_kubevirt(object, out);
    warn_of_settings(ferry_json_get(object, FERRY_CLUSTER_MIGRATIONS), FERRY_CLUSTER_MIGRATIONS,
                     world, out);
  } else if (kind == &ferry_kind_migration_policy || kind == &ferry_kind_vmim) {
    warn_of_settings(json_object_get(object, "spec"), "spec", world, out);
  } else if (kind == &ferry_kind_network) {
    warn_of_missing_hosts(object, world, out);
  } else if (kind == &ferry_kind_vmi) {
    warn_of_settings(ferry_json_get(object, "spec.migration"), "spec.migration", world, out);
    warn_of_elements(ferry_json_get(object, "spec.migration"), out);
  }
  if (ferry_write_needs(kind) != FERRY_WRITE_NEEDS_NOTHING)
    warn_of_annotations(object, out);
}

gboolean ferry_write_vm_says_more(const json_t *before, const json_t *vmi) {
  static const char *const said[] = {"spec.migration", "metadata.annotations"};
  for (gsize i = 0; i < G_N_ELEMENTS(said); i++) {
    const json_t *a = ferry_json_get(before, said[i]), *b = ferry_json_get(vmi, said[i]);
    if (json_object_size(b) > 0 && !(a && json_equal(a, b)))
      return TRUE;
  }
  return FALSE;
}
