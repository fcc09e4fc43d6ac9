// SPDX-License-Identifier: Apache-2.0
// The roles that Ferry ships, as data: what each kind says of its own objects, and a row for each
// right beside; a right is given to the role named and to all above it. They are objects like any
// other and are put back to this at each start, unless their annotation
// rbac.authorization.kubernetes.io/autoupdate says "false", as in Kubernetes.
#include "api/auth/node_rules.h"
#include "api/auth/rbac.h"
#include "base/random.h"
#include "base/rfc3339.h"
#include "model/field/object_meta.h"

#include <string.h>

#define AUTOUPDATE "rbac.authorization.kubernetes.io/autoupdate"
#define BOOTSTRAPPING "kubernetes.io/bootstrapping"
#define READ "get,list,watch"

static const struct {
  const char *name, *doc;
} shipped_levels[] = {
    [FERRY_ROLE_VIEW] = {"view",
                         "Sees VMs, hosts, migrations, policies and networks; changes nothing."},
    [FERRY_ROLE_OPERATE] =
        {"operate",
         "Also moves VMs: migrate, change, cancel, resolve, forecast, drain, cordon, roll out."},
    [FERRY_ROLE_EDIT] = {"edit",
                         "Also writes policies, networks, namespaces and the labels of VMs."},
    [FERRY_ROLE_ADMIN] = {"admin", "Also says who may do what, as far as it may itself, and lets "
                                   "hosts in."},
};

/* Beside what the kinds say of themselves (FerryKind.read_by and write_by). */
static const struct {
  FerryRole level;
  const char *verbs, *group, *resources; /* words with commas; group NULL: paths */
} shipped_rights[] = {
    {FERRY_ROLE_VIEW, "get", NULL, "/metrics"},
    {FERRY_ROLE_OPERATE, "update", "kubevirt.io",
     "virtualmachineinstancemigrations/cancel,virtualmachineinstancemigrations/change,"
     "virtualmachineinstancemigrations/resolve"},
    {FERRY_ROLE_OPERATE, "update", "subresources.kubevirt.io", "virtualmachines/migrate"},
    {FERRY_ROLE_OPERATE, "create", "", "pods/eviction"},
    {FERRY_ROLE_OPERATE, "update", "ferry.migration", "rollouts/done"},
    {FERRY_ROLE_OPERATE, "patch,update", "", "nodes"},
    {FERRY_ROLE_ADMIN, "create", "ferry.migration",
     "users/token,users/certificate,users/revoke,nodes/token"},
    {FERRY_ROLE_ADMIN, "list", "ferry.migration", "certificates"},
    {FERRY_ROLE_ADMIN, "delete,deletecollection", "", "nodes"},
    {FERRY_ROLE_ADMIN, "create", FERRY_GROUP_AUTHORIZATION,
     "subjectaccessreviews,localsubjectaccessreviews"},
    {FERRY_ROLE_ADMIN, "create", "kubevirt.io",
     "virtualmachineinstancemigrations/uris,virtualmachineinstancemigrations/destinationxml,"
     "virtualmachineinstancemigrations/unsafe,virtualmachineinstancemigrations/trust"},
};

static json_t *rbac_shipped_words(const char *text) {
  json_t *out = json_array();
  g_auto(GStrv) list = g_strsplit(text, ",", -1);
  for (gsize i = 0; list[i]; i++)
    json_array_append_new(out, json_string(list[i]));
  return out;
}

static json_t *rule_of(const char *verbs, const char *group, const char *resources) {
  if (!group)
    return json_pack("{s:o, s:o}", "verbs", rbac_shipped_words(verbs), "nonResourceURLs",
                     rbac_shipped_words(resources));
  return json_pack("{s:o, s:[s], s:o}", "verbs", rbac_shipped_words(verbs), "apiGroups", group,
                   "resources", rbac_shipped_words(resources));
}

/* The verbs with which a kind's objects can be written, with commas. Free with g_free. */
static char *rbac_shipped_writing(const FerryKind *kind) {
  static const struct {
    FerryVerbs verb;
    const char *words;
  } all[] = {{FERRY_VERB_CREATE, "create"},
             {FERRY_VERB_DELETE, "delete,deletecollection"},
             {FERRY_VERB_PATCH, "patch"},
             {FERRY_VERB_UPDATE, "update"}};
  g_autoptr(GString) out = g_string_new(NULL);
  for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
    if (kind->verbs & all[i].verb)
      g_string_append_printf(out, "%s%s", out->len ? "," : "", all[i].words);
  return g_string_free(g_steal_pointer(&out), FALSE);
}

static json_t *rules_of_level(FerryRole level) {
  json_t *rules = json_array();
  gsize n;
  const FerryKind *const *kinds = ferry_kinds(&n);
  for (gsize i = 0; i < n; i++) {
    const FerryKind *kind = kinds[i];
    g_autofree char *verbs = rbac_shipped_writing(kind);
    g_autofree char *seen = kind->has_status
                                ? g_strdup_printf("%s,%s/status", kind->plural, kind->plural)
                                : g_strdup(kind->plural);
    if (kind->read_by && kind->read_by <= level)
      json_array_append_new(rules, rule_of(READ, kind->group, seen));
    if (kind->write_by && kind->write_by <= level)
      json_array_append_new(rules, rule_of(verbs, kind->group, kind->plural));
  }
  for (gsize i = 0; i < G_N_ELEMENTS(shipped_rights); i++)
    if (shipped_rights[i].level <= level)
      json_array_append_new(rules, rule_of(shipped_rights[i].verbs, shipped_rights[i].group,
                                           shipped_rights[i].resources));
  return rules;
}

static json_t *rules_of_everything(void) {
  return json_pack("[{s:[s], s:[s], s:[s]}, {s:[s], s:[s]}]", "verbs", "*", "apiGroups", "*",
                   "resources", "*", "verbs", "*", "nonResourceURLs", "*");
}

static json_t *rules_of_discovery(void) {
  json_t *rules = json_array();
  json_array_append_new(
      rules, rule_of("get", NULL,
                     "/api,/api/*,/apis,/apis/*,/openapi,/openapi/*,/version,/healthz,/livez,"
                     "/readyz"));
  return rules;
}

static json_t *rules_of_basic_user(void) {
  json_t *rules = json_array();
  json_array_append_new(rules, rule_of("create", FERRY_GROUP_AUTHORIZATION,
                                       "selfsubjectaccessreviews,selfsubjectrulesreviews"));
  json_array_append_new(rules, rule_of("create", "authentication.k8s.io", "selfsubjectreviews"));
  json_array_append_new(rules, rule_of("create", NULL, "/web/link,/web/session"));
  return rules;
}

/* ---- objects ---- */

/* Stores the object of that kind and name unless it is there already and the same, or is to be left
 * alone. `body` (taken) is all but its metadata. */
static gboolean rbac_shipped_ship(FerryApi *api, const FerryKind *kind, const char *name,
                                  const char *doc, json_t *body, GError **error) {
  g_autoptr(json_t) object = body;
  g_autoptr(json_t) there = ferry_store_get(api->store, kind, "", name);
  const char *follow = ferry_object_annotation(there, AUTOUPDATE);
  gboolean same = there != NULL && g_strcmp0(follow, "false") != 0;
  const char *key;
  json_t *value;
  json_object_foreach(object, key, value) {
    same = same && json_equal(value, json_object_get(there, key));
  }
  if (same || g_strcmp0(follow, "false") == 0)
    return TRUE;
  g_autofree char *version = ferry_kind_api_version(kind);
  g_autofree char *uid = ferry_random_uuid();
  g_autofree char *now = ferry_rfc3339_format(ferry_clock_wall_ms(api->clock));
  json_object_set_new(object, "apiVersion", json_string(version));
  json_object_set_new(object, "kind", json_string(kind->kind));
  json_object_set_new(object, "metadata",
                      there ? json_deep_copy(json_object_get(there, "metadata"))
                            : json_pack("{s:s, s:s, s:s, s:i, s:{s:s}, s:{s:s, s:s*}}", "name",
                                        name, "uid", uid, "creationTimestamp", now, "generation", 1,
                                        "labels", BOOTSTRAPPING, "rbac-defaults", "annotations",
                                        AUTOUPDATE, "true", "ferry.migration/description", doc));
  FerryWrite write = {.op = there ? FERRY_WRITE_UPDATE : FERRY_WRITE_CREATE,
                      .kind = kind,
                      .ns = "",
                      .name = name,
                      .object = object,
                      .revision = there ? ferry_object_revision(there) : 0};
  return ferry_store_commit(api->store, &write, 1, NULL, error);
}

static gboolean ship_role(FerryApi *api, const char *name, const char *doc, json_t *rules,
                          GError **error) {
  return rbac_shipped_ship(api, &ferry_kind_cluster_role, name, doc,
                           json_pack("{s:o}", "rules", rules), error);
}

/* A binding of Ferry's own: its subject is put back, those that were added to it stay. */
static gboolean ship_binding(FerryApi *api, const char *name, const char *role, const char *group,
                             GError **error) {
  static const char rbac[] = FERRY_GROUP_RBAC;
  g_autoptr(json_t) there = ferry_store_get(api->store, &ferry_kind_cluster_role_binding, "", name);
  json_t *subjects = json_deep_copy(json_object_get(there, "subjects"));
  if (!json_is_array(subjects)) {
    json_decref(subjects);
    subjects = json_array();
  }
  gsize i;
  json_t *one;
  gboolean named = FALSE;
  json_array_foreach(subjects, i, one) {
    named |= g_strcmp0(ferry_json_str(one, "kind"), "Group") == 0 &&
             g_strcmp0(ferry_json_str(one, "name"), group) == 0;
  }
  if (!named)
    json_array_append_new(
        subjects, json_pack("{s:s, s:s, s:s}", "kind", "Group", "apiGroup", rbac, "name", group));
  return rbac_shipped_ship(api, &ferry_kind_cluster_role_binding, name, NULL,
                           json_pack("{s:{s:s, s:s, s:s}, s:o}", "roleRef", "apiGroup", rbac,
                                     "kind", "ClusterRole", "name", role, "subjects", subjects),
                           error);
}

gboolean ferry_rbac_ship(FerryApi *api, GError **error) {
  static const struct {
    const char *name, *role, *group;
  } bindings[] = {{"cluster-admin", "cluster-admin", "system:masters"},
                  {"system:discovery", "system:discovery", "system:authenticated"},
                  {"system:basic-user", "system:basic-user", "system:authenticated"},
                  {"ferry:viewers", "view", "ferry:viewers"}};
  for (FerryRole i = FERRY_ROLE_VIEW; i <= FERRY_ROLE_ADMIN; i++)
    if (!ship_role(api, shipped_levels[i].name, shipped_levels[i].doc, rules_of_level(i), error))
      return FALSE;
  if (!ship_role(api, "cluster-admin", "May do all.", rules_of_everything(), error) ||
      !ship_role(api, "system:discovery", "Sees what kinds there are.", rules_of_discovery(),
                 error) ||
      !ship_role(api, "system:basic-user", "Asks what it may do itself, and logs in to the page.",
                 rules_of_basic_user(), error) ||
      !ship_role(api, "system:node",
                 "What an agent may do, of its own host's; agents have it without a binding.",
                 ferry_node_rules_list(), error))
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS(bindings); i++)
    if (!ship_binding(api, bindings[i].name, bindings[i].role, bindings[i].group, error))
      return FALSE;
  return TRUE;
}
