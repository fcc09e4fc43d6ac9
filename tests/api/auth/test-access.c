// SPDX-License-Identifier: Apache-2.0
// Every route for every shipped role, for anonymous and for two agents, in every spelling of its
// path, against access.txt, which was written by hand. What is refused in one spelling must not be
// allowed in another.
#include "../http.h"
#include "api/router.h"
#include "api/auth/rbac.h"
#include "api/routes.h"

#define N_WHO 9

static const struct {
  const char *name, *groups[3], *role;
} people[N_WHO] = {
    {"system:anonymous", {"system:unauthenticated"}, NULL},
    {"basic", {"system:authenticated"}, NULL},
    {"of-view", {"system:authenticated"}, "view"},
    {"of-operate", {"system:authenticated"}, "operate"},
    {"of-edit", {"system:authenticated"}, "edit"},
    {"of-admin", {"system:authenticated"}, "admin"},
    {"of-all", {"system:authenticated"}, "cluster-admin"},
    {"system:node:h1", {"system:nodes", "system:authenticated"}, NULL},
    {"system:node:h2", {"system:nodes", "system:authenticated"}, NULL},
};

static void bind_role(Server *s, const char *user, const char *role) {
  g_autoptr(json_t) object =
      json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:s, s:s}, s:[{s:s, s:s}]}", "apiVersion",
                "rbac.authorization.k8s.io/v1", "kind", "ClusterRoleBinding", "metadata", "name",
                user, "uid", user, "roleRef", "kind", "ClusterRole", "name", role, "subjects",
                "kind", "User", "name", user);
  FerryWrite write = {.op = FERRY_WRITE_CREATE,
                      .kind = &ferry_kind_cluster_role_binding,
                      .ns = "",
                      .name = user,
                      .object = object};
  g_assert_true(ferry_store_commit(s->store, &write, 1, NULL, NULL));
}

static void access_up(Server *s, gconstpointer data) {
  server_up(s, data);
  for (gsize i = 0; i < N_WHO; i++)
    if (people[i].role)
      bind_role(s, people[i].name, people[i].role);
  g_autoptr(json_t) m =
      json_pack("{s:s, s:s, s:{s:s, s:s, s:s}, s:{s:s}, s:{s:{s:s, s:[s]}}}", "apiVersion",
                "kubevirt.io/v1", "kind", "VirtualMachineInstanceMigration", "metadata", "name",
                "m", "namespace", "default", "uid", "m", "spec", "vmiName", "db", "status",
                "migrationState", "sourceNode", "h1", "agents", "h1");
  FerryWrite write = {.op = FERRY_WRITE_CREATE,
                      .kind = &ferry_kind_vmim,
                      .ns = "default",
                      .name = "m",
                      .object = m};
  g_assert_true(ferry_store_commit(s->store, &write, 1, NULL, NULL));
}

/* What the HTTP library gives the router: the path decoded once, the query apart. `hits` counts the
 * rows that were found. */
static gboolean judged(Server *s, gsize who, const char *method, const char *url,
                       GHashTable *hits) {
  g_autofree char *copy = g_strdup(url);
  char *mark = strchr(copy, '?');
  g_autoptr(GHashTable) query = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  if (mark) {
    *mark = '\0';
    char *equals = strchr(mark + 1, '=');
    g_hash_table_insert(query, g_strndup(mark + 1, (gsize)(equals - mark - 1)),
                        g_strdup(equals + 1));
  }
  g_autofree char *path = g_uri_unescape_string(copy, NULL);
  g_assert_nonnull(path);
  g_autoptr(FerryUser) user = ferry_user_new(people[who].name, people[who].groups);
  g_auto(GStrv) segments = g_strsplit(path + 1, "/", 16);
  g_autoptr(GPtrArray) headers = g_ptr_array_new_with_free_func(g_free);
  FerryRequest req = {.api = s->api,
                      .asked.method = (char *)method,
                      .asked.path = path,
                      .asked.segments = segments,
                      .asked.query = query,
                      .user = user,
                      .answer.headers = headers};
  gboolean ok = ferry_route_judge(&req, NULL);
  if (ok && hits)
    g_hash_table_add(hits, (gpointer)req.found.route);
  return ok;
}

/* The same path in other words; NULL after the last. Free with g_free. */
static char *spelled(const char *url, guint how) {
  const char *mark = strchr(url, '?');
  g_autofree char *path = mark ? g_strndup(url, (gsize)(mark - url)) : g_strdup(url);
  const char *query = mark ? mark : "";
  const char *last = strrchr(path, '/');
  g_autofree char *head = g_strndup(path, (gsize)(last - path));
  g_auto(GStrv) parts = g_strsplit(path, "/", -1);
  g_autofree char *doubled = g_strjoinv("//", parts);
  g_autofree char *slashes = g_strjoinv("%2F", parts + 1);
  g_autofree char *upper = g_ascii_strup(path, -1);
  switch (how) {
  case 0:
    return g_strconcat(path, "/", query, NULL);
  case 1:
    return g_strconcat(path, "//", query, NULL);
  case 2:
    return g_strconcat("/", path, query, NULL);
  case 3:
    return g_strconcat(head, "/", last, query, NULL);
  case 4:
    return g_strconcat(doubled, query, NULL);
  case 5:
    return g_strdup_printf("%s/%%%02X%s%s", head, (guchar)last[1], last[1] ? last + 2 : "", query);
  case 6:
    return g_strconcat("/", slashes, query, NULL);
  case 7:
    return g_strconcat(upper, query, NULL);
  case 8:
    return g_strconcat(head, "/.", last, query, NULL);
  case 9:
    return g_strconcat(head, "/x/..", last, query, NULL);
  case 10:
    return g_strconcat("/./", path + 1, query, NULL);
  case 11:
    return g_strconcat("/healthz/../", path + 1, query, NULL);
  case 12:
    return g_strconcat(head, "/%2e%2e", last, query, NULL);
  case 13:
    return g_strconcat(head, "%2f", last + 1, query, NULL);
  case 14:
    return g_strconcat(path, "%20", query, NULL);
  default:
    return NULL;
  }
}

/* A spelling that is a request of its own: below a root that is open to all, or discovery. */
static gboolean is_other(const char *url) {
  return g_str_has_prefix(url, "/healthz/") || g_str_has_prefix(url, "/livez/") ||
         g_str_has_prefix(url, "/readyz/") || g_str_has_prefix(url, "/openapi/") ||
         g_str_has_prefix(url, "/web/");
}

static void check_line(Server *s, char **words, GHashTable *hits, guint *cases) {
  const char *method = words[0], *url = words[1];
  for (gsize who = 0; who < N_WHO; who++) {
    gboolean expected = g_str_equal(words[2 + who], "x");
    if (judged(s, who, method, url, hits) != expected)
      g_error("%s %s for %s: expected %s", method, url, people[who].name,
              expected ? "allowed" : "refused");
    ++*cases;
    for (guint how = 0; !expected; how++) {
      g_autofree char *other = spelled(url, how);
      if (!other)
        break;
      if (!is_other(other) && judged(s, who, method, other, NULL))
        g_error("%s %s is refused for %s, but %s is allowed", method, url, people[who].name, other);
      ++*cases;
    }
  }
}

static void walk(Server *s, gconstpointer data) {
  g_autofree char *text = NULL;
  g_assert_true(g_file_get_contents(ACCESS_FILE, &text, NULL, NULL));
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  g_autoptr(GHashTable) hits = g_hash_table_new(NULL, NULL);
  guint cases = 0;
  for (gsize i = 0; lines[i]; i++) {
    if (!*lines[i] || *lines[i] == '#')
      continue;
    g_auto(GStrv) raw = g_strsplit(lines[i], " ", -1);
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    for (gsize w = 0; raw[w]; w++)
      if (*raw[w])
        g_ptr_array_add(words, raw[w]);
    g_assert_cmpuint(words->len, ==, 2 + N_WHO);
    check_line(s, (char **)words->pdata, hits, &cases);
  }
  gsize n;
  const FerryApiRoute *routes = ferry_routes(&n);
  for (gsize i = 0; i < n; i++)
    if (!g_hash_table_contains(hits, &routes[i]))
      g_error("no line of access.txt leads to the route %s %s %s", routes[i].method, routes[i].path,
              routes[i].subresource ? routes[i].subresource : "");
  g_test_message("%u requests judged", cases);
}

/* Every verb and subresource of every kind: no role but cluster-admin has what no row of its rights
 * names, and anonymous and agents have nothing of kinds that are not theirs. */
static void strangers(Server *s, gconstpointer data) {
  static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
  gsize n;
  const FerryKind *const *kinds = ferry_kinds(&n);
  for (gsize k = 0; k < n; k++) {
    const FerryKind *kind = kinds[k];
    g_autofree char *version = ferry_kind_api_version(kind);
    g_autofree char *all =
        g_strdup_printf("/%s/%s/%s%s", *kind->group ? "apis" : "api", version,
                        kind->namespaced ? "namespaces/default/" : "", kind->plural);
    g_autofree char *one = g_strconcat(all, "/x", NULL);
    g_autofree char *status = g_strconcat(one, "/status", NULL);
    const char *const urls[] = {all, one, status};
    for (gsize m = 0; m < G_N_ELEMENTS(methods); m++)
      for (gsize u = 0; u < G_N_ELEMENTS(urls); u++) {
        gboolean agents = kind == &ferry_kind_node || kind == &ferry_kind_event;
        g_assert_false(judged(s, 0, methods[m], urls[u], NULL));
        g_assert_false(judged(s, 1, methods[m], urls[u], NULL));
        if (!agents)
          g_assert_false(judged(s, 7, methods[m], urls[u], NULL));
        if (!g_str_equal(methods[m], "GET"))
          g_assert_false(judged(s, 2, methods[m], urls[u], NULL));
      }
  }
}

static void table_is_ruled(void) {
  g_autoptr(GString) missing = g_string_new(NULL);
  if (!ferry_routes_check(missing))
    g_error("%s", missing->str);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  g_test_add("/api/access/walk", Server, NULL, access_up, walk, server_down);
  g_test_add("/api/access/strangers", Server, NULL, access_up, strangers, server_down);
  g_test_add_func("/api/access/table-is-ruled", table_is_ruled);
  return g_test_run();
}
