// SPDX-License-Identifier: Apache-2.0
// Theory of operation: what one may do, as a list (SelfSubjectRulesReview). A binding in a
// namespace gives nothing that belongs to none (hosts, policies), and no status (authz.c), whatever
// its role says; so that the list tells the truth, what such a binding doesn't give is left out of
// it. What a wildcard means can't be told apart: it stays.
#include "api/auth/own_rules.h"
#include "api/auth/node_rules.h"
#include "api/http/route.h"
#include "api/auth/rbac.h"

#include <string.h>

gboolean ferry_authz_in_namespaces(FerryApi *api, const char *group, const char *resource) {
  const FerryKind *kind = ferry_kind_by_plural(group, NULL, resource);
  if (kind) /* a namespace is in itself */
    return kind->namespaced || kind == &ferry_kind_namespace;
  gboolean known = FALSE;
  for (gsize i = 0; i < api->n_routes; i++) {
    const FerryApiRoute *r = &api->routes[i];
    if (r->rule != FERRY_RULE_RESOURCE || !g_str_equal(r->group, group) ||
        !g_str_equal(r->resource, resource))
      continue;
    known = TRUE;
    if (strstr(r->path, "{ns}") || r->query_ns || r->in_ns)
      return TRUE;
  }
  return !known;
}

/* Whether a namespace has such a resource ("nodes", "nodes/token") in one of the rule's groups. */
static gboolean is_in_one(FerryApi *api, const json_t *rule, const char *text) {
  g_autofree char *resource = g_strndup(text, strcspn(text, "/"));
  gsize i;
  json_t *group;
  json_array_foreach(json_object_get(rule, "apiGroups"), i, group) {
    const char *name = json_string_value(group);
    if (!name || g_str_equal(name, "*") || g_str_equal(resource, "*") ||
        ferry_authz_in_namespaces(api, name, resource))
      return TRUE;
  }
  return FALSE;
}

/* Takes `resources`. */
static void add_rule(GPtrArray *out, const json_t *rule, json_t *resources, json_t *verbs) {
  if (json_array_size(resources) && json_array_size(verbs)) {
    json_t *copy = json_copy((json_t *)rule);
    json_object_set(copy, "resources", resources);
    json_object_set(copy, "verbs", verbs);
    g_ptr_array_add(out, copy);
  }
  json_decref(resources);
}

static json_t *reading_verbs(const json_t *verbs) {
  static const char *const reads[] = {"get", "list", "watch"};
  json_t *out = json_array();
  for (gsize i = 0; i < G_N_ELEMENTS(reads); i++)
    if (ferry_json_has_word(verbs, "*") || ferry_json_has_word(verbs, reads[i]))
      json_array_append_new(out, json_string(reads[i]));
  return out;
}

/* What a rule gives in one namespace. */
static void add_local(FerryApi *api, GPtrArray *out, const json_t *rule) {
  json_t *plain = json_array(), *status = json_array(), *one;
  gsize i;
  json_array_foreach(json_object_get(rule, "resources"), i, one) {
    const char *text = json_string_value(one);
    if (text && is_in_one(api, rule, text))
      json_array_append(g_str_has_suffix(text, "/status") ? status : plain, one);
  }
  g_autoptr(json_t) reads = reading_verbs(json_object_get(rule, "verbs"));
  add_rule(out, rule, plain, json_object_get(rule, "verbs"));
  add_rule(out, rule, status, reads);
}

json_t *ferry_authz_rules(FerryApi *api, const FerryUser *user, const char *ns, gboolean urls) {
  g_autoptr(GPtrArray) all = ferry_rbac_rules_of(api, user, urls ? NULL : ns);
  g_autoptr(GPtrArray) everywhere = ferry_rbac_rules_of(api, user, NULL);
  g_autoptr(GPtrArray) rules = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
  for (guint i = 0; i < all->len; i++) {
    json_t *rule = g_ptr_array_index(all, i);
    if (g_ptr_array_find(everywhere, rule, NULL)) /* the same rule of the same role */
      g_ptr_array_add(rules, json_incref(rule));
    else
      add_local(api, rules, rule);
  }
  if (user->admin) {
    g_ptr_array_add(rules, json_pack("{s:[s], s:[s], s:[s]}", "verbs", "*", "apiGroups", "*",
                                     "resources", "*"));
    g_ptr_array_add(rules, json_pack("{s:[s], s:[s]}", "verbs", "*", "nonResourceURLs", "*"));
  }
  g_autoptr(json_t) own = user->node ? ferry_node_rules_list() : NULL;
  for (gsize i = 0; i < json_array_size(own); i++)
    g_ptr_array_add(rules, json_incref(json_array_get(own, i)));
  json_t *out = json_array();
  for (guint i = 0; i < rules->len; i++) {
    json_t *rule = g_ptr_array_index(rules, i);
    gboolean is_url = json_array_size(json_object_get(rule, "nonResourceURLs")) > 0;
    if (is_url == urls)
      json_array_append(out, rule);
  }
  return out;
}
