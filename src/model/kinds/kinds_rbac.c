// SPDX-License-Identifier: Apache-2.0
// Who may do what, as Kubernetes says it: Role and ClusterRole are lists of rights, RoleBinding and
// ClusterRoleBinding give them to users and groups.
#include "model/kinds/columns.h"
#include "model/kinds/shared_fields.h"
#include "model/field/object_meta.h"

#define WORDS_MAX 256
#define WORD_LENGTH 512

static const FerryField rbac_rule[] = {
    STRS("verbs",
         "What may be done: get, list, watch, create, update, patch, delete, "
         "deletecollection and others; * is all.",
         REQUIRED, .max = WORDS_MAX),
    STRS("apiGroups", "Groups of the resources; \"\" is the core group, * is all.",
         .max = WORDS_MAX),
    STRS("resources", "Plurals, or PLURAL/SUBRESOURCE; * is all, */SUBRESOURCE that of all.",
         .max = WORDS_MAX),
    STRS("resourceNames", "Names of the objects; none is all. It cannot hold for create.",
         .max = WORDS_MAX),
    STRS("nonResourceURLs", "Paths such as /metrics, or with * as the last character.",
         .max = WORDS_MAX),
    END,
};

static const FerryField rbac_aggregation[] = {
    ANY("clusterRoleSelectors", "Labels of the ClusterRoles to add up; it must be empty here."),
    END,
};

static const FerryField role_fields[] = {
    OBJS("rules", rbac_rule, "The rights; all of them add up.", .max = WORDS_MAX),
    END,
};

static const FerryField cluster_role_fields[] = {
    OBJ("aggregationRule", rbac_aggregation, "Not supported: say the rules themselves."),
    OBJS("rules", rbac_rule, "The rights; all of them add up.", .max = WORDS_MAX),
    END,
};

static const FerryField rbac_subject[] = {
    STR("kind", "User or Group.", REQUIRED, .max = 64),
    STR("apiGroup", FERRY_GROUP_RBAC ".", .max = WORD_LENGTH),
    STR("name", "Name of the user or group.", REQUIRED, .max = 1024),
    STR("namespace", "Not used: users and groups have none.", .max = WORD_LENGTH),
    END,
};

static const FerryField role_ref[] = {
    STR("apiGroup", FERRY_GROUP_RBAC ".", .max = WORD_LENGTH),
    STR("kind", "ClusterRole, or Role of the binding's namespace.", REQUIRED,
        .values = WORDS("ClusterRole", "Role")),
    STR("name", "Name of the role.", REQUIRED, .pattern = "path-segment", .max = NAME_MAX_LENGTH),
    END,
};

static const FerryField binding_fields[] = {
    OBJS("subjects", rbac_subject, "Who gets the rights.", .max = 1000),
    OBJ("roleRef", role_ref, "Which rights; cannot be changed.",
        .flags = FERRY_FIELD_REQUIRED | FERRY_FIELD_IMMUTABLE),
    END,
};

/* ---- rules across fields ---- */

static void kinds_rbac_check_rule(const json_t *one, gsize i, gboolean cluster, GError *error) {
  g_autofree char *at = g_strdup_printf("rules[%zu]", i);
  gsize urls = json_array_size(json_object_get(one, "nonResourceURLs"));
  gsize groups = json_array_size(json_object_get(one, "apiGroups"));
  gsize resources = json_array_size(json_object_get(one, "resources"));
  gsize names = json_array_size(json_object_get(one, "resourceNames"));
  if (json_array_size(json_object_get(one, "verbs")) == 0)
    ferry_error_add_cause(error, "FieldValueRequired", at,
                          "Required value: verbs must contain at least one value");
  if (urls > 0 && !cluster)
    ferry_error_add_cause(error, "FieldValueInvalid", at,
                          "Invalid value: namespaced rules cannot apply to non-resource URLs");
  if (urls > 0 && (groups > 0 || resources > 0 || names > 0))
    ferry_error_add_cause(error, "FieldValueInvalid", at,
                          "Invalid value: rules cannot apply to both regular resources and "
                          "non-resource URLs");
  if (urls == 0 && groups == 0)
    ferry_error_add_cause(error, "FieldValueRequired", at,
                          "Required value: resource rules must supply at least one api group");
  if (urls == 0 && resources == 0)
    ferry_error_add_cause(error, "FieldValueRequired", at,
                          "Required value: resource rules must supply at least one resource");
}

static void check_rules(const json_t *object, gboolean cluster, GError *error) {
  gsize i;
  json_t *one;
  json_array_foreach(json_object_get(object, "rules"), i, one)
      kinds_rbac_check_rule(one, i, cluster, error);
}

static void role_check(const json_t *object, const json_t *old, GError *error) {
  check_rules(object, FALSE, error);
}

static void cluster_role_check(const json_t *object, const json_t *old, GError *error) {
  check_rules(object, TRUE, error);
  const json_t *selectors = ferry_json_get(object, "aggregationRule.clusterRoleSelectors");
  if (json_is_array(selectors) && json_array_size(selectors) > 0)
    ferry_error_add_cause(error, "FieldValueForbidden", "aggregationRule",
                          "Forbidden: ClusterRoles are not added up by labels here; write the "
                          "rules into rules");
}

static void binding_check(const json_t *object, const json_t *old, GError *error) {
  gsize i;
  json_t *one;
  json_array_foreach(json_object_get(object, "subjects"), i, one) {
    g_autofree char *at = g_strdup_printf("subjects[%zu].kind", i);
    const char *kind = ferry_json_str(one, "kind");
    const char *group = ferry_json_str(one, "apiGroup");
    if (g_strcmp0(kind, "ServiceAccount") == 0)
      ferry_error_add_cause(error, "FieldValueNotSupported", at,
                            "Unsupported value: \"ServiceAccount\": there are no pods and no "
                            "service accounts here; make a User (ferry user create) and name it");
    else if (g_strcmp0(kind, "User") != 0 && g_strcmp0(kind, "Group") != 0)
      ferry_error_add_cause(error, "FieldValueNotSupported", at,
                            "Unsupported value: \"%.64s\": supported values: \"User\", \"Group\"",
                            kind ? kind : "");
    if (group && *group && !g_str_equal(group, FERRY_GROUP_RBAC))
      ferry_error_add_cause(error, "FieldValueNotSupported", at,
                            "Unsupported value: apiGroup \"%.64s\": expected " FERRY_GROUP_RBAC,
                            group);
  }
  const char *group = ferry_json_str(object, "roleRef.apiGroup");
  if (group && *group && !g_str_equal(group, FERRY_GROUP_RBAC))
    ferry_error_add_cause(error, "FieldValueNotSupported", "roleRef.apiGroup",
                          "Unsupported value: \"%.64s\": expected rbac.authorization.k8s.io",
                          group);
}

static void cluster_binding_check(const json_t *object, const json_t *old, GError *error) {
  binding_check(object, old, error);
  if (g_strcmp0(ferry_json_str(object, "roleRef.kind"), "Role") == 0)
    ferry_error_add_cause(error, "FieldValueNotSupported", "roleRef.kind",
                          "Unsupported value: \"Role\": a ClusterRoleBinding gives a ClusterRole");
}

/* ---- the kinds ---- */

static const FerryColumn role_columns[] = {
    COLUMN_NAME,
    COLUMN("Created At", "string", "metadata.creationTimestamp", "When it was created."),
};

static const FerryColumn binding_columns[] = {
    COLUMN_NAME,
    COLUMN_CELL("Role", "string", ferry_cell_binding_role, "The role that it gives."),
    COLUMN_AGE,
    COLUMN_WIDE_CELL("Users", "string", ferry_cell_binding_users, "Users who get it."),
    COLUMN_WIDE_CELL("Groups", "string", ferry_cell_binding_groups, "Groups that get it."),
};

#define RBAC_KIND                                                                                  \
  .group = FERRY_GROUP_RBAC, .version = "v1", .verbs = FERRY_VERB_ALL,                             \
  .read_by = FERRY_ROLE_ADMIN, .write_by = FERRY_ROLE_ADMIN, .name_format = "path-segment"

const FerryKind ferry_kind_role = {
    RBAC_KIND,
    .kind = "Role",
    .plural = "roles",
    .singular = "role",
    .namespaced = TRUE,
    .fields = role_fields,
    .columns = role_columns,
    .n_columns = G_N_ELEMENTS(role_columns),
    .doc = "Role is a list of rights within its namespace.",
    .check = role_check,
};

const FerryKind ferry_kind_cluster_role = {
    RBAC_KIND,
    .kind = "ClusterRole",
    .plural = "clusterroles",
    .singular = "clusterrole",
    .fields = cluster_role_fields,
    .columns = role_columns,
    .n_columns = G_N_ELEMENTS(role_columns),
    .doc = "ClusterRole is a list of rights, in the whole cluster or in a binding's namespace.",
    .check = cluster_role_check,
};

const FerryKind ferry_kind_role_binding = {
    RBAC_KIND,
    .kind = "RoleBinding",
    .plural = "rolebindings",
    .singular = "rolebinding",
    .namespaced = TRUE,
    .fields = binding_fields,
    .columns = binding_columns,
    .n_columns = G_N_ELEMENTS(binding_columns),
    .doc = "RoleBinding gives a role's rights to users and groups within its namespace.",
    .check = binding_check,
};

const FerryKind ferry_kind_cluster_role_binding = {
    RBAC_KIND,
    .kind = "ClusterRoleBinding",
    .plural = "clusterrolebindings",
    .singular = "clusterrolebinding",
    .fields = binding_fields,
    .columns = binding_columns,
    .n_columns = G_N_ELEMENTS(binding_columns),
    .doc = "ClusterRoleBinding gives a ClusterRole's rights to users and groups everywhere.",
    .check = cluster_binding_check,
};
