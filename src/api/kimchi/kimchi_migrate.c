// SPDX-License-Identifier: Apache-2.0
// POST, GET and DELETE of /vms/NAME/migrate: start, monitor and cancel a migration.
//
// The checks of Kimchi's proposal (the destination's libvirtd can be reached, same architecture, no
// passed-through device, disks the destination can use) are made before anything is stored, and all
// that is wrong is answered at once. What only libvirt can know shows in the task's message.
#include "api/http/respond.h"
#include "api/resource/write.h"
#include "model/field/object_meta.h"
#include "store/store.h"
#include "api/kimchi/kimchi.h"
#include "model/kinds/policy_layers.h"
#include "model/migration/migration.h"
#include "policy/flags/migratable.h"
#include "policy/migration_admission.h"
#include "policy/flags/migration_flags_rules.h"
#include "policy/network/network.h"
#include "policy/placement.h"
#include "model/migration/condition.h"

#include <string.h>

#define MAX_REMOTE_HOST 512

/* What a request is judged by: the same as admission's, so that the two cannot differ. */
typedef struct {
  FerryAdmissionState state;
  GPtrArray *vmis, *nodes, *policies, *networks;
  json_t *kubevirt, *ns;
} World;

static void world_load(World *w, FerryStore *store, const char *ns) {
  w->vmis = ferry_store_list(store, &ferry_kind_vmi, NULL, NULL);
  w->nodes = ferry_store_list(store, &ferry_kind_node, NULL, NULL);
  w->policies = ferry_store_list(store, &ferry_kind_migration_policy, NULL, NULL);
  w->networks = ferry_store_list(store, &ferry_kind_network, NULL, NULL);
  w->kubevirt = ferry_store_get(store, &ferry_kind_kubevirt, "kubevirt", "kubevirt");
  w->ns = ferry_store_get(store, &ferry_kind_namespace, "", ns);
  w->state = (FerryAdmissionState){.vmis = (json_t *const *)w->vmis->pdata,
                                   .n_vmis = w->vmis->len,
                                   .nodes = (json_t *const *)w->nodes->pdata,
                                   .n_nodes = w->nodes->len,
                                   .kubevirt = w->kubevirt,
                                   .policies = (json_t *const *)w->policies->pdata,
                                   .n_policies = w->policies->len,
                                   .ns_labels = ferry_json_get(w->ns, "metadata.labels"),
                                   .networks = (json_t *const *)w->networks->pdata,
                                   .n_networks = w->networks->len};
}

static void world_clear(World *w) {
  g_ptr_array_unref(w->vmis);
  g_ptr_array_unref(w->nodes);
  g_ptr_array_unref(w->policies);
  g_ptr_array_unref(w->networks);
  json_decref(w->kubevirt);
  json_decref(w->ns);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(World, world_clear)

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

static gboolean kimchi_migrate_has_address(const json_t *node, const char *host) {
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
static const json_t *kimchi_migrate_find_node(GPtrArray *nodes, const char *host) {
  g_autofree char *lower = g_ascii_strdown(host, -1);
  if (g_str_has_suffix(lower, ".local"))
    lower[strlen(lower) - strlen(".local")] = '\0';
  for (guint i = 0; i < nodes->len; i++)
    if (g_strcmp0(ferry_json_str(g_ptr_array_index(nodes, i), "metadata.name"), lower) == 0)
      return g_ptr_array_index(nodes, i);
  for (guint i = 0; i < nodes->len; i++)
    if (kimchi_migrate_has_address(g_ptr_array_index(nodes, i), host) ||
        kimchi_migrate_has_address(g_ptr_array_index(nodes, i), lower))
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
  const json_t *node = kimchi_migrate_find_node(nodes, host);
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

static gboolean read_flag(FerryKimchi *k, const json_t *body, const char *name) {
  const json_t *value = json_object_get(body, name);
  if (value && !json_is_null(value) && !json_is_boolean(value))
    ferry_kimchi_problem(k, name, "expected true or false");
  return json_is_true(value);
}

static void read_rest(FerryKimchi *k, const json_t *body, json_t *spec, gboolean *rdma) {
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
      ferry_kimchi_problem(
          k, key,
          "it is not known here; known are remote_host, tunnelled, enable_rdma, %s, %s "
          "and %s",
          known[5], known[6], known[7]);
  }
  if (json_object_get(body, "user") || json_object_get(body, "password"))
    ferry_kimchi_warn(k, "user, password: not needed and not kept: the hosts know each other by "
                         "their certificates");
  if (read_flag(k, body, "tunnelled"))
    json_object_set_new(spec, "tunnelled", json_true());
  *rdma = read_flag(k, body, "enable_rdma");
}

/* ---- settings ---- */

/* Whether a policy or the VM itself says something about any of these fields. */
static gboolean has_own_policy(const json_t *origins, const char *const *fields) {
  for (; *fields; fields++) {
    const char *origin = json_string_value(json_object_get(origins, *fields));
    if (origin && !ferry_origin_is_default(origin) && !ferry_origin_is_cluster(origin))
      return TRUE;
  }
  return FALSE;
}

/* The request's own settings count above all; Kimchi's configuration and defaults only where
 * neither a policy nor the VM says something. */
static void set_settings(FerryKimchi *k, const FerryKimchiSettings *asked, const json_t *origins,
                         json_t *spec) {
  static const char *const timeout[] = {"completionTimeoutSeconds", "completionTimeoutPerGiB",
                                        NULL};
  static const char *const bandwidth[] = {"bandwidthPerMigration", NULL};
  static const char *const downtime[] = {FERRY_FIELD_MAX_DOWNTIME, NULL};
  FerryKimchiSettings full = *asked;
  ferry_kimchi_settings_complete(k->req->api, &full);
  if (asked->timeout_s >= 0 || !has_own_policy(origins, timeout))
    json_object_set_new(spec, timeout[0], json_integer(full.timeout_s));
  if (asked->bandwidth_mib >= 0 || !has_own_policy(origins, bandwidth))
    json_object_set_new(spec, bandwidth[0], json_integer(full.bandwidth_mib << 20));
  if (asked->downtime_ms >= 0 || !has_own_policy(origins, downtime))
    json_object_set_new(spec, downtime[0], json_integer(full.downtime_ms));
}

static const json_t *find_by_name(GPtrArray *nodes, const char *name) {
  for (guint i = 0; i < nodes->len; i++)
    if (g_strcmp0(ferry_json_str(g_ptr_array_index(nodes, i), "metadata.name"), name) == 0)
      return g_ptr_array_index(nodes, i);
  return NULL;
}

/* The data goes to the address that it would go to over TCP. QEMU has no TLS over RDMA; where there
 * is no such address the check says why. */
static void set_rdma(const World *w, const json_t *config, const json_t *vmi, const json_t *node,
                     json_t *spec) {
  const json_t *source = find_by_name(w->nodes, ferry_json_str(vmi, "status.nodeName"));
  const char *name = ferry_json_str(node, "metadata.name");
  g_auto(FerryRoute) route = {0};
  g_autofree char *problem = NULL;
  gboolean known = source && ferry_network_route(w->state.networks, w->state.n_networks,
                                                 ferry_json_str(config, "network"), source, node,
                                                 &route, &problem);
  const char *host = known && route.address ? route.address : name;
  json_object_set_new(spec, "migrateURI",
                      json_sprintf(strchr(host, ':') ? "rdma://[%s]" : "rdma://%s", host));
  json_object_set_new(spec, "disableTLS", json_true());
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

/* What libvirt's flags and parameters, as policies and the request set them, are refused for. What
 * the target lacks is among placement's reasons, so that it is not asked about here. */
static void add_flags(json_t *all, const World *w, const json_t *config, const json_t *origins,
                      const json_t *vmi) {
  FerryFlagsContext context = {.config = config,
                               .origins = origins,
                               .vmi = vmi,
                               .source =
                                   find_by_name(w->nodes, ferry_json_str(vmi, "status.nodeName"))};
  g_autoptr(GError) causes = g_error_new_literal(FERRY_ERROR, FERRY_ERROR_INVALID, "");
  ferry_migration_flags_check(&context, causes);
  for (guint i = 0; i < ferry_error_n_causes(causes); i++) {
    const FerryCause *cause = ferry_error_cause(causes, i);
    json_array_append_new(all, json_pack("{s:s, s:o}", "reason", cause->field, "message",
                                         json_sprintf("%s: %s", cause->field, cause->message)));
  }
}

/* What the VM's condition says, unless a reason of the same kind is there already. The flags tell
 * of its storage. */
static void add_condition(json_t *all, const json_t *vmi) {
  const json_t *c = ferry_condition_find(vmi, FERRY_CONDITION_LIVE_MIGRATABLE);
  const char *text = ferry_json_str(c, "message"), *reason = ferry_json_str(c, "reason");
  if (!reason)
    reason = ferry_condition_name(FERRY_CONDITION_LIVE_MIGRATABLE);
  if (ferry_condition_fails(vmi, FERRY_CONDITION_LIVE_MIGRATABLE) &&
      !ferry_json_find(all, "reason", reason))
    json_array_append_new(all, json_pack("{s:s, s:s}", "reason", reason, "message",
                                         text ? text : "the VM cannot be migrated"));
}

/* Everything that speaks against moving the VM to `node`, in one error. */
static gboolean kimchi_migrate_check(const World *w, const json_t *vmi, const json_t *node,
                                     const json_t *migration, GError **error) {
  json_t *origins_new = NULL;
  g_autoptr(json_t) config = ferry_admission_config(&w->state, migration, vmi, &origins_new);
  g_autoptr(json_t) origins = origins_new;
  g_autoptr(FerryAffinity) affinity =
      ferry_affinity_new(config, vmi, w->state.vmis, w->state.n_vmis, NULL, 0);
  ferry_affinity_take_nodes(affinity, w->state.nodes, w->state.n_nodes);
  FerryPlacementInput in = {.vmi = vmi,
                            .migration = migration,
                            .nodes = w->state.nodes,
                            .n_nodes = w->state.n_nodes,
                            .networks = w->state.networks,
                            .n_networks = w->state.n_networks,
                            .vmis = w->state.vmis,
                            .n_vmis = w->state.n_vmis,
                            .config = config,
                            .affinity = affinity};
  gboolean passing = FALSE;
  g_autoptr(json_t) all = ferry_migratable_reasons(vmi);
  add_condition(all, vmi);
  if (ferry_json_bool(config, "unsafeMigrationOverride", FALSE))
    json_array_clear(all); /* as admission does */
  g_autoptr(json_t) of_node = ferry_placement_reasons(&in, node, &passing);
  gboolean of_vm = json_array_size(all) > 0;
  add_reasons(all, of_node);
  gsize before = json_array_size(all);
  add_flags(all, w, config, origins, vmi);
  of_vm |= json_array_size(all) > before; /* it does not pass by itself either */
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
static char *kimchi_migrate_generate_name(const json_t *vmi) {
  g_autofree char *base = g_strndup(ferry_json_str(vmi, "metadata.name"), 50);
  for (gsize n = strlen(base); n > 0 && !g_ascii_isalnum(base[n - 1]); n--)
    base[n - 1] = '\0';
  return g_strconcat(base, "-", NULL);
}

static json_t *new_migration(FerryKimchi *k, const json_t *vmi, const json_t *node, json_t *spec) {
  g_autofree char *name = kimchi_migrate_generate_name(vmi);
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
  g_autoptr(json_t) vmi = ferry_kimchi_find_vm(k, error);
  g_autoptr(json_t) body = vmi ? ferry_kimchi_body(k, error) : NULL;
  if (!body)
    return FALSE;
  const char *ns = ferry_json_str(vmi, "metadata.namespace");
  g_auto(World) w = {0};
  world_load(&w, k->req->api->store, ns);
  g_autoptr(json_t) spec = json_object();
  FerryKimchiSettings asked;
  gboolean rdma = FALSE;
  const json_t *node = read_destination(k, body, w.nodes);
  read_rest(k, body, spec, &rdma);
  ferry_kimchi_settings_read(k, body, &asked);
  if (!ferry_kimchi_no_problems(k, error))
    return FALSE;
  json_t *origins_new = NULL; /* without Kimchi's own settings */
  g_autoptr(json_t) config = ferry_admission_config(&w.state, NULL, vmi, &origins_new);
  g_autoptr(json_t) origins = origins_new;
  set_settings(k, &asked, origins, spec);
  if (rdma)
    set_rdma(&w, config, vmi, node, spec);
  g_autoptr(json_t) wish = new_migration(k, vmi, node, spec);
  if (!ferry_kimchi_authorise(k, &ferry_kind_vmim, "create", NULL, ns, NULL, error) ||
      !kimchi_migrate_check(&w, vmi, node, wish, error))
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

/* TRUE where `a` is what one asks for rather than `b`: what runs, then what is put off, then the
 * newer. */
static gboolean is_later(const json_t *a, const json_t *b) {
  guint presence = ferry_migration_presence(a);
  if (presence != ferry_migration_presence(b))
    return presence > ferry_migration_presence(b);
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
    if (g_strcmp0(ferry_json_str(m, "spec.vmiName"), name) == 0 &&
        !ferry_migration_is_forecast(m) && (!found || is_later(m, found)))
      found = m;
  }
  if (!found)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND,
                "VM %s has not been migrated; POST {\"remote_host\": \"HOST\"} here to do so",
                name);
  return found ? json_incref(found) : NULL;
}

gboolean ferry_kimchi_get_migrate(FerryKimchi *k, GError **error) {
  g_autoptr(json_t) m = find_migration(k, error);
  if (!m)
    return FALSE;
  ferry_kimchi_respond(k, 200, ferry_kimchi_monitor(k, m));
  return TRUE;
}

gboolean ferry_kimchi_cancel_migrate(FerryKimchi *k, GError **error) {
  g_autoptr(json_t) m = find_migration(k, error);
  return m && ferry_kimchi_cancel(k, m, error);
}
