// SPDX-License-Identifier: Apache-2.0
// ferryd writes what is decided, and refuses others who try. This is the second lock on the door:
// whoever gets past the first one still can't make this host send a VM to where no Node is, send
// another VM than was asked for, or send it elsewhere or in the clear against the wish in spec,
// which nobody can change. Settings that come from a policy can't be checked here: an agent may
// read none.
#include "agent/link/job_check.h"
#include "model/flags/migration_flags.h"
#include "model/migration/peer_uri.h"
#include "model/validate/validate.h"
#include "model/migration/migration.h"
#include <string.h>

#define CONFIG FERRY_STATE "migrationConfiguration."

static gboolean G_GNUC_PRINTF(2, 3) job_check_refuse(GError **error, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  g_autofree char *text = g_strdup_vprintf(format, ap);
  va_end(ap);
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_FORBIDDEN, "refused by this host's agent: %s", text);
  return FALSE;
}

static gboolean node_has_address(const json_t *node, const char *wanted) {
  gsize i, k;
  json_t *item, *text;
  json_array_foreach(ferry_json_get(node, "status.addresses"), i, item) {
    if (g_strcmp0(ferry_json_str(item, "address"), wanted) == 0)
      return TRUE;
  }
  json_array_foreach(ferry_json_get(node, "status.interfaces"), i, item)
      json_array_foreach(json_object_get(item, "addresses"), k, text) {
    const char *address = json_string_value(text);
    gsize len = strlen(wanted);
    if (address && strncmp(address, wanted, len) == 0 && (!address[len] || address[len] == '/'))
      return TRUE;
  }
  return FALSE;
}

static gboolean is_node(const json_t *node, const char *name) {
  return name && g_strcmp0(ferry_json_str(node, "metadata.name"), name) == 0;
}

static gboolean check_domain(const json_t *m, const FerryJobHere *here, GError **error) {
  const char *uid = ferry_json_str(m, FERRY_STATE "vmiUID");
  const char *name = ferry_json_str(m, FERRY_STATE "domainName");
  if (!uid || !here->uuid || g_ascii_strcasecmp(uid, here->uuid) != 0)
    return job_check_refuse(error, "status.migrationState.vmiUID is %s, on %s the VM \"%s\" has %s",
                            uid ? uid : "(none)", here->node, ferry_json_str(m, "spec.vmiName"),
                            here->uuid ? here->uuid : "no domain");
  if (!name || g_strcmp0(name, here->name) != 0)
    return job_check_refuse(
        error,
        "status.migrationState.domainName is \"%s\", the domain with UUID %s is called "
        "\"%s\" on %s",
        name ? name : "(none)", uid, here->name ? here->name : "(none)", here->node);
  return TRUE;
}

static gboolean check_target_node(const json_t *m, const FerryJobHere *here, const json_t *target,
                                  GError **error) {
  const char *name = ferry_json_str(m, FERRY_STATE "targetNode");
  const char *wanted = ferry_json_str(m, "spec.targetNode");
  const char *said = ferry_json_str(m, FERRY_STATE "targetURI");
  const char *address = ferry_json_str(m, FERRY_STATE "targetNodeAddress");
  if (!is_node(target, name))
    return job_check_refuse(
        error, "status.migrationState.targetNode \"%s\" is not a Node that ferryd lists",
        name ? name : "(none)");
  if (g_str_equal(name, here->node))
    return job_check_refuse(error, "status.migrationState.targetNode is this host");
  if (wanted && !g_str_equal(wanted, name))
    return job_check_refuse(error, "status.migrationState.targetNode is %s, spec.targetNode %s",
                            name, wanted);
  g_autofree char *uri = ferry_peer_uri(ferry_peer_of_node(target), NULL);
  if (!said || g_strcmp0(said, uri) != 0)
    return job_check_refuse(error,
                            "status.migrationState.targetURI is \"%s\", node %s is reached at %s",
                            said ? said : "(none)", name, uri ? uri : "nothing that it has said");
  if (address && !node_has_address(target, address))
    return job_check_refuse(error, "status.migrationState.targetNodeAddress %s is not node %s's",
                            address, name);
  const char *listen = ferry_json_str(m, CONFIG "listenAddress");
  gboolean anywhere = g_strcmp0(listen, "0.0.0.0") == 0 || g_strcmp0(listen, "::") == 0;
  if (listen && !anywhere && !node_has_address(target, listen))
    return job_check_refuse(error, "migrationConfiguration.listenAddress %s is not node %s's",
                            listen, name);
  return TRUE;
}

/* What spec says holds: it never changes, and what is resolved follows it. */
static gboolean check_wishes(const json_t *m, GError **error) {
  static const char *const told[] = {"disableTLS",      "tlsDestination",
                                     "migrateURI",      "disksURI",
                                     "listenAddress",   "graphicsURI",
                                     "destinationXML",  "persistentXML",
                                     "destinationName", "unsafeMigrationOverride"};
  for (gsize i = 0; i < G_N_ELEMENTS(told); i++) {
    const json_t *wish = json_object_get(json_object_get(m, "spec"), told[i]);
    const json_t *config =
        json_object_get(ferry_json_get(m, "status.migrationState.migrationConfiguration"), told[i]);
    if (wish && config && !json_equal(wish, config))
      return job_check_refuse(error, "migrationConfiguration.%s is not what spec.%s says", told[i],
                              told[i]);
  }
  return TRUE;
}

/* Addresses, names and definitions that no policy may say: without spec's word there are none. */
static gboolean check_own(const json_t *m, GError **error) {
  const json_t *config = ferry_json_get(m, "status.migrationState.migrationConfiguration");
  for (const FerryMigrationFlag *f = ferry_migration_flags; f->field.name; f++) {
    const char *name = f->field.name;
    if (f->own && f->field.right && json_object_get(config, name) &&
        !json_object_get(json_object_get(m, "spec"), name))
      return job_check_refuse(error, "migrationConfiguration.%s is there, spec.%s is not", name,
                              name);
  }
  return TRUE;
}

/* The object as the model has it. A resolved text (a URI, a name, a definition) follows the rules
 * of spec's field of that name. */
static gboolean check_model(const json_t *m, GError **error) {
  g_autoptr(GError) invalid = NULL;
  g_autoptr(json_t) whole = json_deep_copy(m);
  json_t *spec = json_object_get(whole, "spec"), *value;
  const char *name;
  json_object_foreach(ferry_json_get(m, "status.migrationState.migrationConfiguration"), name,
                      value) {
    if (json_is_string(value) && ferry_migration_flag_find(name))
      json_object_set(spec, name, value);
  }
  g_autoptr(json_t) valid =
      ferry_validate(&ferry_kind_vmim, whole, NULL, FERRY_UNKNOWN_IGNORE, NULL, &invalid);
  return valid ? TRUE : job_check_refuse(error, "%s", invalid->message);
}

gboolean ferry_job_check_source(const json_t *m, const FerryJobHere *here, const json_t *target,
                                GError **error) {
  const char *source = ferry_json_str(m, FERRY_STATE "sourceNode");
  if (g_strcmp0(source, here->node) != 0)
    return job_check_refuse(error, "status.migrationState.sourceNode is %s, this host is %s",
                            source ? source : "(none)", here->node);
  return check_domain(m, here, error) && check_target_node(m, here, target, error) &&
         check_wishes(m, error) && check_own(m, error) && check_model(m, error);
}

gboolean ferry_job_check_target(const json_t *m, const char *node, const json_t *source,
                                const json_t *own, GError **error) {
  const char *from = ferry_json_str(m, FERRY_STATE "sourceNode");
  const char *to = ferry_json_str(m, FERRY_STATE "targetNode");
  const char *address = ferry_json_str(m, FERRY_STATE "targetNodeAddress");
  if (g_strcmp0(to, node) != 0)
    return job_check_refuse(error, "status.migrationState.targetNode is %s, this host is %s",
                            to ? to : "(none)", node);
  if (!is_node(source, from) || g_strcmp0(from, node) == 0)
    return job_check_refuse(
        error, "status.migrationState.sourceNode \"%s\" is not another Node that ferryd lists",
        from ? from : "(none)");
  if (!address || !node_has_address(own, address))
    return job_check_refuse(error, "status.migrationState.targetNodeAddress %s is not this host's",
                            address ? address : "(none)");
  return TRUE;
}
