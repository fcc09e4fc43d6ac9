// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a rule is a product of lists (verbs, groups, resources, names, or verbs and
// paths). A request is one point, and a rule covers it where each list has the point's word or a
// wildcard. To compare two roles, one is broken down into its points, wildcards standing for
// themselves ("*" is covered by "*" only), and each point is asked for like a request. The number
// of points is bounded, as a role of a few lists can mean millions.
#include "api/auth/rbac_rules.h"

#include <string.h>

static gboolean has_word(const json_t *rule, const char *key, const char *word) {
  const json_t *list = json_object_get(rule, key);
  return ferry_json_has_word(list, "*") || ferry_json_has_word(list, word);
}

/* "*", "RESOURCE" or "RESOURCE/SUB" to the letter, or "*" "/SUB". */
static gboolean has_resource(const json_t *rule, const char *resource, const char *sub) {
  gsize i;
  json_t *one;
  gsize len = strlen(resource);
  json_array_foreach(json_object_get(rule, "resources"), i, one) {
    const char *text = json_string_value(one);
    if (!text)
      continue;
    if (g_str_equal(text, "*"))
      return TRUE;
    if (!sub && g_str_equal(text, resource))
      return TRUE;
    if (sub && strncmp(text, resource, len) == 0 && text[len] == '/' &&
        g_str_equal(text + len + 1, sub))
      return TRUE;
    if (sub && g_str_has_prefix(text, "*/") && g_str_equal(text + 2, sub))
      return TRUE;
  }
  return FALSE;
}

static gboolean has_path(const json_t *rule, const char *path) {
  gsize i;
  json_t *one;
  json_array_foreach(json_object_get(rule, "nonResourceURLs"), i, one) {
    const char *text = json_string_value(one);
    gsize len = text ? strlen(text) : 0;
    if (len == 0)
      continue;
    if (g_str_equal(text, path) || (text[len - 1] == '*' && strncmp(text, path, len - 1) == 0))
      return TRUE;
  }
  return FALSE;
}

gboolean ferry_rbac_rule_covers(const json_t *rule, const FerryAccess *a) {
  if (!a->verb || !has_word(rule, "verbs", a->verb))
    return FALSE;
  if (a->path)
    return has_path(rule, a->path);
  if (!a->resource || !a->group || !has_word(rule, "apiGroups", a->group) ||
      !has_resource(rule, a->resource, a->subresource))
    return FALSE;
  const json_t *names = json_object_get(rule, "resourceNames");
  return json_array_size(names) == 0 || (a->name && ferry_json_has_word(names, a->name));
}

/* ---- one role against another ---- */

static gboolean any_covers(const GPtrArray *owned, const FerryAccess *a) {
  for (guint i = 0; i < owned->len; i++)
    if (ferry_rbac_rule_covers(g_ptr_array_index(owned, i), a))
      return TRUE;
  return FALSE;
}

static char *rbac_rules_describe(const FerryAccess *a) {
  if (a->path)
    return g_strdup_printf("{verbs: [\"%s\"], nonResourceURLs: [\"%s\"]}", a->verb, a->path);
  g_autofree char *names =
      a->name ? g_strdup_printf(", resourceNames: [\"%s\"]", a->name) : g_strdup("");
  return g_strdup_printf("{verbs: [\"%s\"], apiGroups: [\"%s\"], resources: [\"%s%s%s\"]%s}",
                         a->verb, a->group, a->resource, a->subresource ? "/" : "",
                         a->subresource ? a->subresource : "", names);
}

static gsize at_least_one(const json_t *list) {
  return MAX(json_array_size(list), 1);
}

static const char *word_at(const json_t *rule, const char *key, gsize i) {
  const char *text = json_string_value(json_array_get(json_object_get(rule, key), i));
  return text ? text : "";
}

/* Whether all names of a rule's one (verb, group, resource) are covered. */
static gboolean names_covered(const GPtrArray *owned, const json_t *rule, FerryAccess *a) {
  const json_t *names = json_object_get(rule, "resourceNames");
  for (gsize n = 0; n < at_least_one(names); n++) {
    a->name = json_array_size(names) ? word_at(rule, "resourceNames", n) : NULL;
    if (!any_covers(owned, a))
      return FALSE;
  }
  return TRUE;
}

static gboolean resources_covered(const GPtrArray *owned, const json_t *rule, const char *verb,
                                  char **missing) {
  gsize groups = json_array_size(json_object_get(rule, "apiGroups"));
  gsize resources = json_array_size(json_object_get(rule, "resources"));
  for (gsize g = 0; g < groups; g++)
    for (gsize r = 0; r < resources; r++) {
      const char *text = word_at(rule, "resources", r), *slash = strchr(text, '/');
      g_autofree char *resource = slash ? g_strndup(text, (gsize)(slash - text)) : g_strdup(text);
      FerryAccess a = {.verb = verb,
                       .group = word_at(rule, "apiGroups", g),
                       .resource = resource,
                       .subresource = slash ? slash + 1 : NULL};
      if (names_covered(owned, rule, &a))
        continue;
      *missing = rbac_rules_describe(&a);
      return FALSE;
    }
  return TRUE;
}

static gboolean rule_covered(const GPtrArray *owned, const json_t *rule, char **missing) {
  gsize verbs = json_array_size(json_object_get(rule, "verbs"));
  gsize urls = json_array_size(json_object_get(rule, "nonResourceURLs"));
  for (gsize v = 0; v < verbs; v++) {
    const char *verb = word_at(rule, "verbs", v);
    if (!resources_covered(owned, rule, verb, missing))
      return FALSE;
    for (gsize u = 0; u < urls; u++) {
      FerryAccess a = {.verb = verb, .path = word_at(rule, "nonResourceURLs", u)};
      if (any_covers(owned, &a))
        continue;
      *missing = rbac_rules_describe(&a);
      return FALSE;
    }
  }
  return TRUE;
}

/* Each list is at most a few hundred long (the kind's table), so nothing here overflows. */
static guint64 count_rights(const json_t *wanted) {
  guint64 sum = 0;
  gsize i;
  json_t *rule;
  json_array_foreach((json_t *)wanted, i, rule) {
    guint64 resources = (guint64)json_array_size(json_object_get(rule, "apiGroups")) *
                        json_array_size(json_object_get(rule, "resources")) *
                        at_least_one(json_object_get(rule, "resourceNames"));
    sum += json_array_size(json_object_get(rule, "verbs")) *
           (resources + json_array_size(json_object_get(rule, "nonResourceURLs")));
  }
  return sum;
}

gboolean ferry_rbac_rules_cover(const GPtrArray *owned, const json_t *wanted, char **missing) {
  gsize i;
  json_t *rule;
  if (count_rights(wanted) > FERRY_RBAC_MAX_RIGHTS) {
    *missing = g_strdup_printf("more than %d combinations of verb, group, resource and name, which "
                               "are not looked through; use fewer or wildcards",
                               FERRY_RBAC_MAX_RIGHTS);
    return FALSE;
  }
  json_array_foreach((json_t *)wanted, i, rule) {
    if (!rule_covered(owned, rule, missing))
      return FALSE;
  }
  return TRUE;
}
