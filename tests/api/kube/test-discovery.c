// SPDX-License-Identifier: Apache-2.0
// Discovery as the oldest and the newest kubectl ask for it, its cache validators, and what it
// promises: each verb that is listed works. Besides, forms of answers that are negotiated alike.
#include "../http.h"

#define CLAUSE(version)                                                                            \
  "application/json;g=apidiscovery.k8s.io;v=" version ";as=APIGroupDiscoveryList"
#define TABLE "Accept: application/json;as=Table;v=v1;g=meta.k8s.io,application/json"

static Answer *get(Server *s, const char *path, const char *headers) {
  return http_full(s, "admin", "GET", path, headers, NULL, 0);
}

/* The value of a header, NULL where there is none. Free with g_free. */
static char *header(const Answer *a, const char *name) {
  g_auto(GStrv) lines = g_strsplit(a->headers, "\r\n", -1);
  gsize n = strlen(name);
  for (gsize i = 0; lines[i]; i++)
    if (g_ascii_strncasecmp(lines[i], name, n) == 0 && lines[i][n] == ':')
      return g_strdup(g_strstrip(lines[i] + n + 1));
  return NULL;
}

static void aggregated(Server *s, gconstpointer data) {
  static const struct {
    const char *accept, *version; /* of the answer; NULL: the plain form */
  } asked[] = {
      {CLAUSE("v2") "," CLAUSE("v2beta1") ",application/json", "v2"}, /* 1.30 and newer */
      {CLAUSE("v2beta1") ",application/json", "v2beta1"},             /* 1.27 to 1.29 */
      {CLAUSE("v9") ",application/json", NULL},
      {"application/json, */*", NULL}, /* 1.20 */
  };
  for (gsize i = 0; i < G_N_ELEMENTS(asked); i++)
    for (int core = 0; core < 2; core++) {
      g_autofree char *accept = g_strconcat("Accept: ", asked[i].accept, NULL);
      g_autoptr(Answer) a = get(s, core ? "/api" : "/apis", accept);
      expect(a, 200);
      g_autofree char *type = header(a, "Content-Type");
      g_autofree char *vary = header(a, "Vary");
      g_assert_cmpstr(vary, ==, "Accept");
      if (!asked[i].version) {
        g_assert_cmpstr(ferry_json_str(a->json, "kind"), ==, core ? "APIVersions" : "APIGroupList");
        g_assert_true(g_str_has_prefix(type, "application/json"));
        g_assert_null(strstr(type, "apidiscovery"));
        continue;
      }
      g_autofree char *version = g_strconcat("apidiscovery.k8s.io/", asked[i].version, NULL);
      g_autofree char *clause = g_strdup_printf(
          "application/json;g=apidiscovery.k8s.io;v=%s;as=APIGroupDiscoveryList", asked[i].version);
      g_assert_cmpstr(type, ==, clause);
      g_assert_cmpstr(ferry_json_str(a->json, "kind"), ==, "APIGroupDiscoveryList");
      g_assert_cmpstr(ferry_json_str(a->json, "apiVersion"), ==, version);
      const json_t *items = ferry_json_get(a->json, "items");
      g_assert_cmpuint(json_array_size(items), >, core ? 0 : 3);
      const char *name = ferry_json_str(json_array_get(items, 0), "metadata.name");
      g_assert_true(core ? name == NULL : name != NULL);
    }
}

/* The plain and the aggregated form tell of the same resources. */
static void the_same_in_both(Server *s, gconstpointer data) {
  g_autoptr(Answer) all = get(s, "/apis", "Accept: " CLAUSE("v2"));
  gsize i, j, k, checked = 0;
  json_t *group, *version, *resource;
  json_array_foreach(ferry_json_get(all->json, "items"), i, group) {
    json_array_foreach(json_object_get(group, "versions"), j, version) {
      g_autofree char *path = g_strdup_printf("/apis/%s/%s", ferry_json_str(group, "metadata.name"),
                                              ferry_json_str(version, "version"));
      g_autoptr(Answer) plain = get(s, path, NULL);
      expect(plain, 200);
      json_array_foreach(json_object_get(version, "resources"), k, resource) {
        gboolean found = json_array_size(json_object_get(resource, "verbs")) == 0;
        /* client-go before 0.27 crashes without */
        g_assert_nonnull(ferry_json_str(resource, "responseKind.kind"));
        gsize n;
        json_t *sub;
        json_array_foreach(json_object_get(resource, "subresources"), n, sub)
            g_assert_nonnull(ferry_json_str(sub, "responseKind.kind"));
        gsize l;
        json_t *entry;
        json_array_foreach(ferry_json_get(plain->json, "resources"), l,
                           entry) if (g_strcmp0(ferry_json_str(entry, "name"),
                                                ferry_json_str(resource, "resource")) == 0) {
          found = TRUE;
          g_assert_true(
              json_equal(json_object_get(entry, "verbs"), json_object_get(resource, "verbs")));
          g_assert_cmpstr(ferry_json_str(entry, "kind"), ==,
                          ferry_json_str(resource, "responseKind.kind"));
          checked++;
        }
        g_assert_true(found);
      }
    }
  }
  g_assert_cmpuint(checked, >, 5);
}

static void cached(Server *s, gconstpointer data) {
  static const char *const paths[] = {"/api", "/apis", "/api/v1", "/apis/kubevirt.io/v1",
                                      "/openapi/v3"};
  for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
    g_autoptr(Answer) first = get(s, paths[i], NULL);
    expect(first, 200);
    g_autofree char *etag = header(first, "ETag");
    g_assert_nonnull(etag);
    g_autofree char *match = g_strconcat("If-None-Match: ", etag, NULL);
    g_autoptr(Answer) again = get(s, paths[i], match);
    expect(again, 304);
    g_assert_cmpstr(again->body, ==, "");
    g_autoptr(Answer) other = get(s, paths[i], "If-None-Match: \"another\"");
    expect(other, 200);
  }
}

/* What is listed works: a verb of another kind than asked is answered 405, never a listed one. */
static void listed_verbs_work(Server *s, gconstpointer data) {
  static const struct {
    const char *verb, *method;
    gboolean one;
  } verbs[] = {{"get", "GET", TRUE},
               {"list", "GET", FALSE},
               {"create", "POST", FALSE},
               {"update", "PUT", TRUE},
               {"patch", "PATCH", TRUE},
               {"delete", "DELETE", TRUE},
               {"deletecollection", "DELETE", FALSE}};
  gsize n, tried = 0;
  const FerryKind *const *kinds = ferry_kinds(&n);
  for (gsize i = 0; i < n; i++) {
    const FerryKind *kind = kinds[i];
    g_autofree char *gv = *kind->group ? g_strdup_printf("/apis/%s/%s", kind->group, kind->version)
                                       : g_strdup_printf("/api/%s", kind->version);
    g_autoptr(Answer) list = get(s, gv, NULL);
    gsize k, l;
    json_t *entry, *verb;
    json_array_foreach(ferry_json_get(list->json, "resources"), k, entry) {
      if (g_strcmp0(ferry_json_str(entry, "name"), kind->plural) != 0)
        continue;
      for (gsize v = 0; v < G_N_ELEMENTS(verbs); v++) {
        gboolean listed = FALSE;
        json_array_foreach(json_object_get(entry, "verbs"), l, verb) listed |=
            g_strcmp0(json_string_value(verb), verbs[v].verb) == 0;
        g_autofree char *path = g_strdup_printf("%s%s/%s%s?labelSelector=none%%3Dat-all", gv,
                                                kind->namespaced ? "/namespaces/default" : "",
                                                kind->plural, verbs[v].one ? "/not-there" : "");
        g_autoptr(Answer) a =
            http(s, verbs[v].method, path, g_str_equal(verbs[v].method, "GET") ? NULL : "{}");
        g_test_message("%s %s -> %ld", verbs[v].method, path, a->status);
        g_assert_true(listed == (a->status != 405));
        tried++;
      }
    }
  }
  g_assert_cmpuint(tried, >, 40);
}

/* Rows carry metadata, the whole object, or nothing, as asked. */
static void table_rows(Server *s, gconstpointer data) {
  static const struct {
    const char *query, *kind;
  } asked[] = {{"", "PartialObjectMetadata"},
               {"?includeObject=Metadata", "PartialObjectMetadata"},
               {"?includeObject=Object", "VirtualMachineInstance"},
               {"?includeObject=None", NULL}};
  for (gsize i = 0; i < G_N_ELEMENTS(asked); i++) {
    g_autofree char *path = g_strconcat(VMI, asked[i].query, NULL);
    g_autoptr(Answer) a = get(s, path, TABLE);
    expect(a, 200);
    g_assert_cmpstr(ferry_json_str(a->json, "kind"), ==, "Table");
    const json_t *row = json_array_get(ferry_json_get(a->json, "rows"), 0);
    g_assert_cmpuint(json_array_size(json_object_get(row, "cells")), ==,
                     json_array_size(ferry_json_get(a->json, "columnDefinitions")));
    g_assert_cmpstr(ferry_json_str(row, "object.kind"), ==, asked[i].kind);
    g_assert_true((asked[i].kind && g_str_equal(asked[i].kind, "VirtualMachineInstance")) ==
                  (ferry_json_get(row, "object.spec") != NULL));
  }
}

/* kubectl --as looks for the kinds first; what it then asks for is refused with the reason. */
static void with_impersonation(Server *s, gconstpointer data) {
  static const char *const paths[] = {"/api", "/apis", "/api/v1", "/apis/kubevirt.io/v1"};
  for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
    g_autoptr(Answer) a = get(s, paths[i], "Impersonate-User: bob");
    expect(a, 200);
    g_autoptr(Answer) b = http_full(s, NULL, "GET", paths[i], "Impersonate-User: bob", NULL, 0);
    expect(b, 401);
  }
  g_autoptr(Answer) a = get(s, "/api/v1/nodes", "Impersonate-User: bob");
  expect(a, 403);
}

/* kubectl finds `kind: Kubevirt` by it, and api-resources leaves out what has no verbs. */
static void another_spelling(Server *s, gconstpointer data) {
  g_autoptr(Answer) a = get(s, "/apis/kubevirt.io/v1", NULL);
  expect(a, 200);
  const json_t *alias = ferry_json_find(ferry_json_get(a->json, "resources"), "kind", "Kubevirt");
  g_assert_nonnull(alias);
  g_assert_cmpuint(json_array_size(json_object_get(alias, "verbs")), ==, 0);
  const json_t *kind = ferry_json_find(ferry_json_get(a->json, "resources"), "kind", "KubeVirt");
  g_assert_cmpuint(json_array_size(json_object_get(kind, "verbs")), >, 0);
}

static void revision_of_the_future(Server *s, gconstpointer data) {
  g_autoptr(Answer) a = get(s, VMI "?resourceVersion=99999999", NULL);
  expect(a, 504);
  const json_t *cause = json_array_get(ferry_json_get(a->json, "details.causes"), 0);
  g_assert_cmpstr(ferry_json_str(cause, "reason"), ==, "ResourceVersionTooLarge");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  g_test_add("/discovery/aggregated", Server, NULL, server_up, aggregated, server_down);
  g_test_add("/discovery/same", Server, NULL, server_up, the_same_in_both, server_down);
  g_test_add("/discovery/cached", Server, NULL, server_up, cached, server_down);
  g_test_add("/discovery/verbs", Server, NULL, server_up, listed_verbs_work, server_down);
  g_test_add("/discovery/table-rows", Server, NULL, server_up, table_rows, server_down);
  g_test_add("/discovery/impersonation", Server, NULL, server_up, with_impersonation, server_down);
  g_test_add("/discovery/spelling", Server, NULL, server_up, another_spelling, server_down);
  g_test_add("/discovery/future", Server, NULL, server_up, revision_of_the_future, server_down);
  return g_test_run();
}
