// SPDX-License-Identifier: Apache-2.0
// POST, GET and DELETE of /vms/NAME/migrate: start, monitor and cancel a migration.
//
// The checks of Kimchi's proposal (the destination's libvirtd can be reached, same architecture, no
// passed-through device, disks the destination can use) are made before anything is stored, and all
// that is wrong is answered at once. What only libvirt can know shows in the task's message.
#include "api/kimchi.h"
#include "policy/config.h"
#include "policy/match.h"
#include "policy/migratable.h"
#include "policy/placement.h"

#include <string.h>

#define MAX_REMOTE_HOST 512

/* ---- the destination ---- */

/* The host in "h2", "h2.local", "10.0.0.2", "[fe80::1]:8001" or "https://h2:8001/". */
static char *host_of(const char *text) {
  const char *scheme = strstr(text, "://");
  g_autofree char *rest = g_strdup(scheme ? scheme + 3 : text);
  rest[strcspn(rest, "/?#")] = '\0';
  if (*rest == '[') {
    char *end = strchr(rest, ']');
    return end ? g_strndup(rest + 1, (gsize)(end - rest - 1)) : g_strdup(rest + 1);
  }
  char *colon = strchr(rest, ':');
  if (colon && !strchr(colon + 1, ':'))
    *colon = '\0';
  gsize len = strlen(rest);
  if (len > 1 && rest[len - 1] == '.')
    rest[len - 1] = '\0';
  return g_steal_pointer(&rest);
}

static gboolean has_address(const json_t *node, const char *host) {
  gsize i;
  json_t *one;
  json_array_foreach(ferry_json_get(node, "status.addresses"), i, one) {
    const char *address = ferry_json_str(one, "address");
    if (address && g_ascii_strcasecmp(address, host) == 0)
      return TRUE;
  }
  return FALSE;
}

/* The Node that `remote_host` means, borrowed from `nodes`: by name, address or host name; a name
 * that a peer gave itself by mDNS (h2.local) counts without its domain. */
static const json_t *find_node(GPtrArray *nodes, const char *host) {
  g_autofree char *lower = g_ascii_strdown(host, -1);
  if (g_str_has_suffix(lower, ".local"))
    lower[strlen(lower) - strlen(".local")] = '\0';
  for (guint i = 0; i < nodes->len; i++)
    if (g_strcmp0(ferry_json_str(g_ptr_array_index(nodes, i), "metadata.name"), lower) == 0)
      return g_ptr_array_index(nodes, i);
  for (guint i = 0; i < nodes->len; i++)
    if (has_address(g_ptr_array_index(nodes, i), host) ||
        has_address(g_ptr_array_index(nodes, i), lower))
      return g_ptr_array_index(nodes, i);
  return NULL;
}

static const json_t *read_destination(FerryKimchi *k, const json_t *body, GPtrArray *nodes) {
  const json_t *value = json_object_get(body, "remote_host");
  const char *text = json_string_value(value);
  if (!value || json_is_null(value)) {
    ferry_kimchi_problem(k, "remote_host",
                         "it is required: the name or address of the destination");
    return NULL;
  }
  if (!text || !*text || strlen(text) > MAX_REMOTE_HOST) {
    ferry_kimchi_problem(k, "remote_host",
                         "expected a host name or an address in a string of 1 to %d "
                         "bytes",
                         MAX_REMOTE_HOST);
    return NULL;
  }
  g_autofree char *host = host_of(text);
  const json_t *node = find_node(nodes, host);
  if (node)
    return node;
  g_autoptr(GString) names = g_string_new(NULL);
  for (guint i = 0; i < nodes->len && i < 20; i++)
    g_string_append_printf(names, "%s%s", i ? ", " : "",
                           ferry_json_str(g_ptr_array_index(nodes, i), "metadata.name"));
  ferry_kimchi_problem(
      k, "remote_host",
      "no host here has the name or address \"%s\"; the hosts are: %s. A host that was "
      "only discovered has to join first (ferryd token create --node NAME)",
      host, names->len ? names->str : "none");
  return NULL;
}

/* ---- the body ---- */

static void set_flag(FerryKimchi *k, const json_t *body, const char *name, const char *field,
                     json_t *spec) {
  const json_t *value = json_object_get(body, name);
  if (!value || json_is_null(value))
    return;
  if (!json_is_boolean(value)) {
    ferry_kimchi_problem(k, name, "expected true or false");
    return;
  }
  if (!json_is_true(value))
    return;
  gboolean known = FALSE;
  for (const FerryField *f = ferry_kind_vmim.fields; f->name; f++)
    if (g_str_equal(f->name, "spec"))
      for (const FerryField *g = f->fields; g->name; g++)
        known |= g_str_equal(g->name, field);
  if (known)
    json_object_set_new(spec, field, json_true());
  else
    ferry_kimchi_problem(k, name,
                         "this server does not offer it here; leave it out: the data goes over TLS "
                         "from host to host, and what libvirt can do besides is a field of "
                         "VirtualMachineInstanceMigration");
}

static void read_rest(FerryKimchi *k, const json_t *body, json_t *spec) {
  static const char *const known[] = {"remote_host",
                                      "user",
                                      "password",
                                      "enable_rdma",
                                      "tunnelled",
                                      "migration_destination_timeout",
                                      "migration_max_bandwidth",
                                      "migration_downtime",
                                      NULL};
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)body, key, value) {
    if (!g_strv_contains(known, key))
      ferry_kimchi_problem(k, key,
                           "it is not known here; known are remote_host, tunnelled, %s, %s and %s",
                           known[5], known[6], known[7]);
  }
  if (json_object_get(body, "user") || json_object_get(body, "password"))
    ferry_kimchi_warn(k, "user, password: not needed and not kept: the hosts know each other by "
                         "their certificates");
  set_flag(k, body, "tunnelled", "tunnelled", spec);
  set_flag(k, body, "enable_rdma", "rdma", spec);
}

/* ---- settings ---- */

/* Where a setting would come from without Kimchi: "default", "KubeVirt", "MigrationPolicy/..." */
static json_t *origins_of(FerryApi *api, const json_t *vmi) {
  const char *ns = ferry_json_str(vmi, "metadata.namespace");
  g_autoptr(json_t) kubevirt =
      ferry_store_get(api->store, &ferry_kind_kubevirt, "kubevirt", "kubevirt");
  g_autoptr(json_t) ns_object = ferry_store_get(api->store, &ferry_kind_namespace, "", ns);
  g_autoptr(GPtrArray) policies =
      ferry_store_list(api->store, &ferry_kind_migration_policy, NULL, NULL);
  const json_t *policy = ferry_policy_match((json_t *const *)policies->pdata, policies->len,
                                            ferry_json_get(vmi, "metadata.labels"),
                                            ferry_json_get(ns_object, "metadata.labels"));
  FerryConfigSources sources = {kubevirt,     policy, vmi, NULL, (json_t *const *)policies->pdata,
                                policies->len};
  json_t *origins = NULL;
  g_autoptr(json_t) config = ferry_config_resolve(&sources, &origins);
  return origins;
}

/* Whether a policy or the VM itself says something about any of these fields. */
static gboolean has_own_policy(const json_t *origins, const char *const *fields) {
  for (; *fields; fields++) {
    const char *origin = json_string_value(json_object_get(origins, *fields));
    if (origin && !g_str_equal(origin, "default") && !g_str_equal(origin, "KubeVirt"))
      return TRUE;
  }
  return FALSE;
}

/* The request's own settings count above all; Kimchi's configuration and defaults only where
 * neither a policy nor the VM says something. */
static void set_settings(FerryKimchi *k, const FerryKimchiSettings *asked, const json_t *vmi,
                         json_t *spec) {
  static const char *const timeout[] = {"completionTimeoutSeconds", "completionTimeoutPerGiB",
                                        NULL};
  static const char *const bandwidth[] = {"bandwidthPerMigration", NULL};
  static const char *const downtime[] = {"maxDowntimeMs", NULL};
  FerryKimchiSettings full = *asked;
  g_autoptr(json_t) origins = origins_of(k->req->api, vmi);
  ferry_kimchi_settings_complete(k->req->api, &full);
  if (asked->timeout_s >= 0 || !has_own_policy(origins, timeout))
    json_object_set_new(spec, timeout[0], json_integer(full.timeout_s));
  if (asked->bandwidth_mib >= 0 || !has_own_policy(origins, bandwidth))
    json_object_set_new(spec, bandwidth[0], json_integer(full.bandwidth_mib << 20));
  if (asked->downtime_ms >= 0 || !has_own_policy(origins, downtime))
    json_object_set_new(spec, downtime[0], json_integer(full.downtime_ms));
}

/* ---- the check ---- */

static void add_reasons(json_t *all, const json_t *reasons) {
  gsize i;
  json_t *one;
  json_array_foreach((json_t *)reasons, i, one) {
    if (!ferry_json_find(all, "reason", ferry_json_str(one, "reason")) ||
        !ferry_json_find(all, "message", ferry_json_str(one, "message")))
      json_array_append(all, one);
  }
}

/* Everything that speaks against moving the VM to `node`, in one error. */
static gboolean check(FerryKimchi *k, const json_t *vmi, const json_t *node, GPtrArray *nodes,
                      const json_t *migration, GError **error) {
  static const char *const conditions[] = {"LiveMigratable", "StorageLiveMigratable"};
  FerryStore *store = k->req->api->store;
  g_autoptr(GPtrArray) networks = ferry_store_list(store, &ferry_kind_network, NULL, NULL);
  g_autoptr(GPtrArray) vmis = ferry_store_list(store, &ferry_kind_vmi, NULL, NULL);
  g_autoptr(json_t) kubevirt = ferry_store_get(store, &ferry_kind_kubevirt, "kubevirt", "kubevirt");
  FerryConfigSources sources = {.kubevirt = kubevirt, .vmi = vmi, .migration = migration};
  g_autoptr(json_t) config = ferry_config_resolve(&sources, NULL);
  FerryPlacementInput in = {.vmi = vmi,
                            .migration = migration,
                            .nodes = (json_t *const *)nodes->pdata,
                            .n_nodes = nodes->len,
                            .networks = (json_t *const *)networks->pdata,
                            .n_networks = networks->len,
                            .vmis = (json_t *const *)vmis->pdata,
                            .n_vmis = vmis->len,
                            .config = config};
  gboolean passing = FALSE;
  g_autoptr(json_t) all = ferry_migratable_reasons(vmi);
  for (gsize i = 0; i < G_N_ELEMENTS(conditions); i++) {
    const json_t *c =
        ferry_json_find(ferry_json_get(vmi, "status.conditions"), "type", conditions[i]);
    const char *text = ferry_json_str(c, "message"), *reason = ferry_json_str(c, "reason");
    /* It repeats the reasons above where there are any of the same kind. */
    if (g_strcmp0(ferry_json_str(c, "status"), "False") == 0 &&
        !ferry_json_find(all, "reason", reason ? reason : conditions[i]))
      json_array_append_new(all, json_pack("{s:s, s:s}", "reason", reason ? reason : conditions[i],
                                           "message", text ? text : "the VM cannot be migrated"));
  }
  gboolean of_vm = json_array_size(all) > 0;
  g_autoptr(json_t) of_node = ferry_placement_reasons(&in, node, &passing);
  add_reasons(all, of_node);
  if (json_array_size(all) == 0 || (!of_vm && passing && ferry_node_is_ready(node)))
    return TRUE; /* what passes by itself is waited for */
  g_autoptr(GString) text = g_string_new(NULL);
  g_autoptr(GError) refusal = g_error_new_literal(FERRY_ERROR, FERRY_ERROR_INVALID, "");
  gsize i;
  json_t *one;
  json_array_foreach(all, i, one) {
    const char *reason = ferry_json_str(one, "reason"), *message = ferry_json_str(one, "message");
    g_string_append_printf(text, "%s%s", i ? "; " : "", message);
    ferry_error_add_cause(refusal, "FieldValueInvalid", reason, "%s", message);
  }
  g_free(refusal->message);
  refusal->message =
      g_strdup_printf("VM %s cannot be migrated to %s: %s", ferry_json_str(vmi, "metadata.name"),
                      ferry_json_str(node, "metadata.name"), text->str);
  g_propagate_error(error, g_steal_pointer(&refusal));
  return FALSE;
}

/* ---- POST ---- */

/* "db-", from which the server makes the object's name. */
static char *generate_name(const json_t *vmi) {
  g_autofree char *base = g_strndup(ferry_json_str(vmi, "metadata.name"), 50);
  for (gsize n = strlen(base); n > 0 && !g_ascii_isalnum(base[n - 1]); n--)
    base[n - 1] = '\0';
  return g_strconcat(base, "-", NULL);
}

static json_t *new_migration(FerryKimchi *k, const json_t *vmi, const json_t *node, json_t *spec) {
  g_autofree char *name = generate_name(vmi);
  json_object_set(spec, "vmiName", ferry_json_get(vmi, "metadata.name"));
  json_object_set(spec, "targetNode", ferry_json_get(node, "metadata.name"));
  json_t *m = json_pack("{s:s, s:s, s:{s:s, s:s}, s:O}", "apiVersion", "kubevirt.io/v1", "kind",
                        "VirtualMachineInstanceMigration", "metadata", "generateName", name,
                        "namespace", ferry_json_str(vmi, "metadata.namespace"), "spec", spec);
  if (k->warnings->len) {
    g_ptr_array_add(k->warnings, NULL);
    g_autofree char *notes = g_strjoinv("\n", (char **)k->warnings->pdata);
    g_ptr_array_set_size(k->warnings, (gint)k->warnings->len - 1);
    json_object_set_new(json_object_get(m, "metadata"), "annotations",
                        json_pack("{s:s}", FERRY_KIMCHI_NOTES, notes));
  }
  return m;
}

gboolean ferry_kimchi_migrate(FerryKimchi *k, GError **error) {
  FerryStore *store = k->req->api->store;
  if (!ferry_kimchi_authorise(k, &ferry_kind_vmim, "create", NULL, NULL, NULL, error))
    return FALSE;
  g_autoptr(json_t) vmi = ferry_kimchi_find_vm(k, error);
  g_autoptr(json_t) body = vmi ? ferry_kimchi_body(k, error) : NULL;
  if (!body)
    return FALSE;
  g_autoptr(GPtrArray) nodes = ferry_store_list(store, &ferry_kind_node, NULL, NULL);
  g_autoptr(json_t) spec = json_object();
  FerryKimchiSettings asked;
  const json_t *node = read_destination(k, body, nodes);
  read_rest(k, body, spec);
  ferry_kimchi_settings_read(k, body, &asked);
  if (!ferry_kimchi_no_problems(k, error))
    return FALSE;
  set_settings(k, &asked, vmi, spec);
  g_autoptr(json_t) wish = new_migration(k, vmi, node, spec);
  const char *ns = ferry_json_str(vmi, "metadata.namespace");
  if (!ferry_kimchi_authorise(k, &ferry_kind_vmim, "create", NULL, ns, NULL, error) ||
      !check(k, vmi, node, nodes, wish, error))
    return FALSE;
  g_autoptr(json_t) made = ferry_resource_make(k->req, wish, error);
  if (!made)
    return FALSE;
  json_t *task = ferry_kimchi_task(k, made);
  g_autofree char *where =
      g_strdup_printf("%s/tasks/%s", k->prefix, ferry_json_str(made, "metadata.uid"));
  ferry_respond_header(k->req, "Location", where);
  ferry_kimchi_respond(k, 202, task);
  return TRUE;
}

/* ---- monitor and cancel ---- */

static gboolean is_final(const json_t *m) {
  const char *phase = ferry_json_str(m, "status.phase");
  return g_strcmp0(phase, "Succeeded") == 0 || g_strcmp0(phase, "Failed") == 0;
}

/* TRUE where `a` is what one asks for rather than `b`: the one that is not over, else the newer. */
static gboolean is_later(const json_t *a, const json_t *b) {
  if (is_final(a) != is_final(b))
    return is_final(b);
  int order = g_strcmp0(ferry_json_str(a, "metadata.creationTimestamp"),
                        ferry_json_str(b, "metadata.creationTimestamp"));
  return order ? order > 0 : ferry_object_revision(a) > ferry_object_revision(b);
}

/* The VM's present or last migration. */
static json_t *find_migration(FerryKimchi *k, GError **error) {
  g_autoptr(json_t) vmi = ferry_kimchi_find_vm(k, error);
  if (!vmi)
    return NULL;
  const char *name = ferry_json_str(vmi, "metadata.name");
  g_autoptr(GPtrArray) all = ferry_store_list(k->req->api->store, &ferry_kind_vmim,
                                              ferry_json_str(vmi, "metadata.namespace"), NULL);
  json_t *found = NULL;
  for (guint i = 0; i < all->len; i++) {
    json_t *m = g_ptr_array_index(all, i);
    if (g_strcmp0(ferry_json_str(m, "spec.vmiName"), name) == 0 && (!found || is_later(m, found)))
      found = m;
  }
  if (!found)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND,
                "VM %s has not been migrated; POST {\"remote_host\": \"HOST\"} here to do so",
                name);
  return found ? json_incref(found) : NULL;
}

gboolean ferry_kimchi_get_migrate(FerryKimchi *k, GError **error) {
  if (!ferry_kimchi_authorise(k, &ferry_kind_vmim, "get", NULL, NULL, NULL, error))
    return FALSE;
  g_autoptr(json_t) m = find_migration(k, error);
  if (!m)
    return FALSE;
  ferry_kimchi_respond(k, 200, ferry_kimchi_monitor(k, m));
  return TRUE;
}

gboolean ferry_kimchi_cancel(FerryKimchi *k, const json_t *migration, GError **error) {
  const char *ns = ferry_json_str(migration, "metadata.namespace");
  const char *name = ferry_json_str(migration, "metadata.name");
  if (!ferry_kimchi_authorise(k, &ferry_kind_vmim, "update", "cancel", ns, name, error) ||
      !ferry_resource_cancel(k->req, error))
    return FALSE;
  g_autoptr(json_t) now = ferry_store_get(k->req->api->store, &ferry_kind_vmim, ns, name);
  ferry_kimchi_respond(k, 202, ferry_kimchi_task(k, now ? now : migration));
  return TRUE;
}

gboolean ferry_kimchi_cancel_migrate(FerryKimchi *k, GError **error) {
  if (!ferry_kimchi_authorise(k, &ferry_kind_vmim, "update", "cancel", NULL, NULL, error))
    return FALSE;
  g_autoptr(json_t) m = find_migration(k, error);
  return m && ferry_kimchi_cancel(k, m, error);
}
