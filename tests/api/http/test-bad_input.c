// SPDX-License-Identifier: Apache-2.0
// Every kind and every route with what is wrong: the right status, a Status object with a message,
// and nothing changed. The cases come from the kinds' tables, so that a new kind is tested too.
#include "../http.h"

#define SIXTEEN "sixteen-letters-"
#define SIXTY_FOUR SIXTEEN SIXTEEN SIXTEEN SIXTEEN
#define LONG_MANAGER "?fieldManager=" SIXTY_FOUR SIXTY_FOUR "x"

typedef struct {
  const char *what, *method, *query, *headers, *body;
  long status;
} Case;

static char *collection(const FerryKind *kind) {
  g_autofree char *gv = *kind->group ? g_strdup_printf("/apis/%s/%s", kind->group, kind->version)
                                     : g_strdup_printf("/api/%s", kind->version);
  return g_strdup_printf("%s%s/%s", gv, kind->namespaced ? "/namespaces/default" : "",
                         kind->plural);
}

/* An object of the kind to aim at. */
static const char *target(Server *s, const FerryKind *kind) {
  if (kind == &ferry_kind_vmi)
    return "db";
  if (kind == &ferry_kind_node)
    return "h1";
  if (kind == &ferry_kind_namespace)
    return "default";
  json_t *object = json_object();
  if (kind == &ferry_kind_vmim)
    ferry_json_set_str(object, "spec.vmiName", "db");
  else if (kind == &ferry_kind_evacuation)
    ferry_json_set_str(object, "spec.nodeName", "h1");
  else if (kind == &ferry_kind_network)
    ferry_json_set(object, "spec.subnets", json_pack("[s]", "10.0.0.0/8"));
  else
    ferry_json_set(object, "spec", json_object());
  seed_put(s->store, kind, kind->namespaced ? "default" : "", "one", object);
  return "one";
}

static char *big_body(void) {
  GString *out = g_string_new("{\"metadata\":{\"annotations\":{\"a\":\"");
  for (int i = 0; i < 4 * 1024 * 1024; i++)
    g_string_append_c(out, 'x');
  g_string_append(out, "\"}}}");
  return g_string_free(out, FALSE);
}

static char *many_parameters(void) {
  GString *out = g_string_new("?a=1");
  for (int i = 0; i < 100; i++)
    g_string_append_printf(out, "&p%d=1", i);
  return g_string_free(out, FALSE);
}

static void check(Server *s, const FerryKind *kind, const char *path, const Case *c) {
  g_autofree char *url = g_strconcat(path, c->query ? c->query : "", NULL);
  gint64 before = ferry_store_revision(s->store);
  g_autoptr(Answer) a = http_full(s, "admin", c->method, url, c->headers, c->body,
                                  c->body ? (gssize)strlen(c->body) : 0);
  g_test_message("%s, %s: %s %.200s -> %ld %.300s", kind ? kind->kind : "route", c->what, c->method,
                 url, a->status, a->body);
  g_assert_cmpint(a->status, ==, c->status);
  g_assert_cmpstr(ferry_json_str(a->json, "kind"), ==, "Status");
  g_assert_cmpstr(ferry_json_str(a->json, "status"), ==, "Failure");
  const char *message = ferry_json_str(a->json, "message");
  g_assert_true(message && strlen(message) > 8);
  g_assert_cmpint(ferry_json_int(a->json, "code", 0), ==, c->status);
  if (c->status == 422)
    g_assert_cmpuint(json_array_size(ferry_json_get(a->json, "details.causes")), >, 0);
  if (c->status == 405)
    g_assert_nonnull(strcasestr(a->headers, "allow:"));
  g_assert_cmpint(ferry_store_revision(s->store), ==, before);
}

#define JSON_PATCH "Content-Type: application/json-patch+json"
#define STRATEGIC "Content-Type: application/strategic-merge-patch+json"
#define APPLY "Content-Type: application/apply-patch+yaml"

static void reads(Server *s, const FerryKind *kind, const char *all, const char *one) {
  static const Case on_all[] = {
      {"selector", "GET", "?labelSelector=a%20in", NULL, NULL, 400},
      {"selector", "GET", "?labelSelector=a%3D%3D%3Db", NULL, NULL, 400},
      {"selector", "GET", "?labelSelector=%ff", NULL, NULL, 400},
      {"unknown field", "GET", "?fieldSelector=spec.colour%3Dred", NULL, NULL, 400},
      {"field syntax", "GET", "?fieldSelector=metadata.name", NULL, NULL, 400},
      {"limit", "GET", "?limit=many", NULL, NULL, 400},
      {"limit", "GET", "?limit=-1", NULL, NULL, 400},
      {"continue", "GET", "?limit=1&continue=abc", NULL, NULL, 400},
      {"old continue", "GET", "?limit=1&continue=ZmVycnkxOmFiYzoxOjE%3D", NULL, NULL, 410},
      {"revision", "GET", "?resourceVersion=new", NULL, NULL, 400},
      {"revision of the future", "GET", "?resourceVersion=99999999", NULL, NULL, 504},
      {"match", "GET", "?resourceVersion=1&resourceVersionMatch=Nearly", NULL, NULL, 400},
      {"watch timeout", "GET", "?watch=1&timeoutSeconds=soon", NULL, NULL, 400},
      {"watch revision", "GET", "?watch=1&resourceVersion=x", NULL, NULL, 400},
      {"only protobuf", "GET", NULL, "Accept: application/vnd.kubernetes.protobuf", NULL, 406},
      {"method", "BREW", NULL, NULL, NULL, 405},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(on_all); i++)
    check(s, kind, all, &on_all[i]);
  g_autofree char *many = many_parameters();
  Case parameters = {"too many parameters", "GET", many, NULL, NULL, 400};
  check(s, kind, all, &parameters);
  static const Case on_one[] = {
      {"revision", "GET", "?resourceVersion=new", NULL, NULL, 400},
      {"only xml", "GET", NULL, "Accept: text/xml", NULL, 406},
      {"method", "POST", NULL, NULL, "{}", 405},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(on_one); i++)
    check(s, kind, one, &on_one[i]);
  g_autofree char *sub = g_strconcat(one, "/colour", NULL);
  Case subresource = {"subresource", "GET", NULL, NULL, NULL, 404};
  check(s, kind, sub, &subresource);
}

static void creates(Server *s, const FerryKind *kind, const char *all) {
  const Case cases[] = {
      {"no body", "POST", NULL, NULL, "", 400},
      {"no JSON", "POST", NULL, NULL, "{", 400},
      {"a list", "POST", NULL, NULL, "[]", 400},
      {"a string", "POST", NULL, NULL, "\"x\"", 400},
      {"twice the same key", "POST", NULL, NULL, "{\"kind\":\"a\",\"kind\":\"b\"}", 400},
      {"not UTF-8", "POST", NULL, NULL, "{\"kind\":\"\xff\"}", 400},
      {"metadata of a wrong type", "POST", NULL, NULL, "{\"metadata\":[]}", 400},
      {"another kind", "POST", NULL, NULL, "{\"kind\":\"Pudding\"}", 400},
      {"another version", "POST", NULL, NULL, "{\"apiVersion\":\"v9\"}", 400},
      {"no name", "POST", NULL, NULL, "{\"spec\":{}}", 422},
      {"a bad name", "POST", NULL, NULL, "{\"metadata\":{\"name\":\"A_b/%\"}}", 422},
      {"a revision", "POST", NULL, NULL,
       "{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"5\"}}", 400},
      {"a bad label", "POST", NULL, NULL,
       "{\"metadata\":{\"name\":\"a\",\"labels\":{\"a b\":\"c\"}}}", 422},
      {"media type", "POST", NULL, "Content-Type: text/xml", "<a/>", 415},
      {"broken protobuf", "POST", NULL, "Content-Type: application/vnd.kubernetes.protobuf", "k8s",
       400},
      {"encoding", "POST", NULL, "Content-Encoding: gzip\nContent-Type: application/json", "x",
       415},
      {"dryRun", "POST", "?dryRun=Some", NULL, "{\"metadata\":{\"name\":\"a\"}}", 400},
      {"fieldValidation", "POST", "?fieldValidation=Maybe", NULL, "{\"metadata\":{\"name\":\"a\"}}",
       400},
      {"a manager too long", "POST", LONG_MANAGER, NULL, "{\"metadata\":{\"name\":\"a\"}}", 400},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
    check(s, kind, all, &cases[i]);
  g_autofree char *big = big_body();
  Case size = {"size", "POST", NULL, NULL, big, 413};
  check(s, kind, all, &size);
}

static void changes(Server *s, const FerryKind *kind, const char *one) {
  const Case cases[] = {
      {"no body", "PATCH", NULL, MERGE, "", 400},
      {"no JSON", "PATCH", NULL, MERGE, "{", 400},
      {"a list", "PATCH", NULL, MERGE, "[]", 400},
      {"media type", "PATCH", NULL, "Content-Type: text/plain", "{}", 415},
      {"plain JSON", "PATCH", NULL, "Content-Type: application/json", "{}", 415},
      {"another name", "PATCH", NULL, MERGE, "{\"metadata\":{\"name\":\"x\"}}", 400},
      {"another kind", "PATCH", NULL, MERGE, "{\"kind\":\"Pudding\"}", 400},
      {"another uid", "PATCH", NULL, MERGE, "{\"metadata\":{\"uid\":\"1\"}}", 409},
      {"an old revision", "PATCH", NULL, MERGE, "{\"metadata\":{\"resourceVersion\":\"1\"}}", 409},
      {"a bad label", "PATCH", NULL, MERGE, "{\"metadata\":{\"labels\":{\"a b\":\"c\"}}}", 422},
      {"metadata of a wrong type", "PATCH", NULL, MERGE, "{\"metadata\":[]}", 400},
      {"no list of operations", "PATCH", NULL, JSON_PATCH, "{}", 400},
      {"operation", "PATCH", NULL, JSON_PATCH, "[{\"op\":\"bake\",\"path\":\"/a\"}]", 400},
      {"a path that is not there", "PATCH", NULL, JSON_PATCH,
       "[{\"op\":\"remove\",\"path\":\"/metadata/nothing\"}]", 422},
      {"a test that fails", "PATCH", NULL, JSON_PATCH,
       "[{\"op\":\"test\",\"path\":\"/kind\",\"value\":\"x\"}]", 422},
      {"directive", "PATCH", NULL, STRATEGIC, "{\"metadata\":{\"$patch\":\"bake\"}}", 400},
      {"apply without manager", "PATCH", NULL, APPLY, "{}", 400},
      {"apply of broken YAML", "PATCH", "?fieldManager=a", APPLY, "a: [", 400},
      {"dryRun", "PATCH", "?dryRun=Some", MERGE, "{}", 400},
      {"fieldValidation", "PATCH", "?fieldValidation=Maybe", MERGE, "{}", 400},
      {"a manager that cannot be printed", "PATCH", "?fieldManager=a%07", MERGE, "{}", 400},
      {"a manager that is no UTF-8", "PATCH", "?fieldManager=%FF", MERGE, "{}", 400},
      {"a manager too long", "PATCH", LONG_MANAGER, MERGE, "{}", 400},
      {"unknown field", "PATCH", "?fieldValidation=Strict", MERGE, "{\"colour\":\"red\"}", 400},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
    check(s, kind, one, &cases[i]);
  static const Case removal[] = {
      {"options", "DELETE", NULL, NULL, "[]", 400},
      {"options", "DELETE", NULL, NULL, "{", 400},
      {"dryRun", "DELETE", NULL, NULL, "{\"dryRun\":[\"Some\"]}", 400},
      {"dryRun", "DELETE", NULL, NULL, "{\"dryRun\":[\"All\",\"Some\"]}", 400},
      {"dryRun that is a text", "DELETE", NULL, NULL, "{\"dryRun\":\"All\"}", 400},
      {"dryRun that is a list of numbers", "DELETE", NULL, NULL, "{\"dryRun\":[1]}", 400},
      {"preconditions", "DELETE", NULL, NULL, "{\"preconditions\":\"x\"}", 400},
      {"uid that is a number", "DELETE", NULL, NULL, "{\"preconditions\":{\"uid\":7}}", 400},
      {"revision that is a number", "DELETE", NULL, NULL,
       "{\"preconditions\":{\"resourceVersion\":5}}", 400},
      {"broken protobuf", "DELETE", NULL, "Content-Type: application/vnd.kubernetes.protobuf", "x",
       400},
      {"uid", "DELETE", NULL, NULL, "{\"preconditions\":{\"uid\":\"1\"}}", 409},
      {"revision", "DELETE", NULL, NULL, "{\"preconditions\":{\"resourceVersion\":\"1\"}}", 409},
  };
  for (gsize i = 0; kind->verbs & FERRY_VERB_DELETE && i < G_N_ELEMENTS(removal); i++)
    check(s, kind, one, &removal[i]);
}

static void replaces(Server *s, const FerryKind *kind, const char *one, const char *missing) {
  const char *name = strrchr(one, '/') + 1;
  g_autofree char *stale =
      g_strdup_printf("{\"metadata\":{\"name\":\"%s\",\"resourceVersion\":\"1\"}}", name);
  g_autofree char *new =
      g_strdup_printf("{\"metadata\":{\"name\":\"%s\",\"resourceVersion\":\"new\"}}", name);
  g_autofree char *uid = g_strdup_printf("{\"metadata\":{\"name\":\"%s\",\"uid\":\"1\"}}", name);
  g_autofree char *label =
      g_strdup_printf("{\"metadata\":{\"name\":\"%s\",\"labels\":{\"a b\":\"c\"}}}", name);
  const Case cases[] = {
      {"no body", "PUT", NULL, NULL, "", 400},
      {"no JSON", "PUT", NULL, NULL, "{", 400},
      {"a list", "PUT", NULL, NULL, "[]", 400},
      {"not UTF-8", "PUT", NULL, NULL, "{\"kind\":\"\xff\"}", 400},
      {"metadata of a wrong type", "PUT", NULL, NULL, "{\"metadata\":[]}", 400},
      {"another kind", "PUT", NULL, NULL, "{\"kind\":\"Pudding\"}", 400},
      {"another version", "PUT", NULL, NULL, "{\"apiVersion\":\"v9\"}", 400},
      {"another name", "PUT", NULL, NULL, "{\"metadata\":{\"name\":\"x\"}}", 400},
      {"an old revision", "PUT", NULL, NULL, stale, 409},
      {"a revision that is none", "PUT", NULL, NULL, new, 409},
      {"another uid", "PUT", NULL, NULL, uid, 409},
      {"a bad label", "PUT", NULL, NULL, label, 422},
      {"media type", "PUT", NULL, "Content-Type: text/xml", "<a/>", 415},
      {"encoding", "PUT", NULL, "Content-Encoding: gzip\nContent-Type: application/json", "x", 415},
      {"dryRun", "PUT", "?dryRun=Some", NULL, "{}", 400},
      {"fieldValidation", "PUT", "?fieldValidation=Maybe", NULL, "{}", 400},
      {"a manager that cannot be printed", "PUT", "?fieldManager=a%07", NULL, "{}", 400},
      {"a manager that is no UTF-8", "PUT", "?fieldManager=%FF", NULL, "{}", 400},
      {"a manager too long", "PUT", LONG_MANAGER, NULL, "{}", 400},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
    check(s, kind, one, &cases[i]);
  Case none = {"not there", "PUT", NULL, NULL, "{\"metadata\":{\"name\":\"not-there\"}}", 404};
  check(s, kind, missing, &none);
}

/* What would take more than was meant must take nothing. */
static void removals(Server *s, const FerryKind *kind, const char *all) {
  static const Case cases[] = {
      {"selector", "DELETE", "?labelSelector=a%20in", NULL, NULL, 400},
      {"unknown field", "DELETE", "?fieldSelector=spec.colour%3Dred", NULL, NULL, 400},
      {"field syntax", "DELETE", "?fieldSelector=metadata.name", NULL, NULL, 400},
      {"dryRun", "DELETE", "?dryRun=Some", NULL, NULL, 400},
      {"options", "DELETE", NULL, NULL, "[]", 400},
      {"options", "DELETE", NULL, NULL, "{", 400},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
    check(s, kind, all, &cases[i]);
}

static void wrong_verbs(Server *s, const FerryKind *kind, const char *all, const char *one) {
  Case create = {"verb", "POST", NULL, NULL, "{}", 405};
  Case remove = {"verb", "DELETE", NULL, NULL, NULL, 405};
  Case put = {"verb", "PUT", NULL, NULL, "{}", 405};
  check(s, kind, all, &put);
  if (!(kind->verbs & FERRY_VERB_CREATE))
    check(s, kind, all, &create);
  if (!(kind->verbs & FERRY_VERB_DELETE))
    check(s, kind, one, &remove);
}

static void every_kind(Server *s, gconstpointer data) {
  gsize n;
  const FerryKind *const *kinds = ferry_kinds(&n);
  for (gsize i = 0; i < n; i++) {
    const FerryKind *kind = kinds[i];
    g_autofree char *all = collection(kind);
    g_autofree char *one = g_strconcat(all, "/", target(s, kind), NULL);
    g_autofree char *missing = g_strconcat(all, "/not-there", NULL);
    Case none = {"not there", "GET", NULL, NULL, NULL, 404};
    check(s, kind, missing, &none);
    reads(s, kind, all, one);
    if (kind->verbs & FERRY_VERB_CREATE)
      creates(s, kind, all);
    if (kind->verbs & FERRY_VERB_PATCH)
      changes(s, kind, one);
    if (kind->verbs & FERRY_VERB_UPDATE)
      replaces(s, kind, one, missing);
    if (kind->verbs & FERRY_VERB_DELETE)
      removals(s, kind, all);
    wrong_verbs(s, kind, all, one);
  }
}

static void other_routes(Server *s, gconstpointer data) {
  const struct {
    const char *path;
    Case c;
  } cases[] = {
      {"/nothing", {"path", "GET", NULL, NULL, NULL, 404}},
      {"/api/v2", {"path", "GET", NULL, NULL, NULL, 404}},
      {"/apis/nobody.example", {"path", "GET", NULL, NULL, NULL, 404}},
      {"/apis/kubevirt.io/v9", {"path", "GET", NULL, NULL, NULL, 404}},
      {"/apis/kubevirt.io/v1/namespaces//virtualmachineinstances",
       {"empty namespace", "GET", NULL, NULL, NULL, 404}},
      {"/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q", {"depth", "GET", NULL, NULL, NULL, 404}},
      {"/api", {"method", "POST", NULL, NULL, "{}", 405}},
      {"/apis/kubevirt.io/v1", {"method", "DELETE", NULL, NULL, NULL, 405}},
      {"/version", {"method", "POST", NULL, NULL, "{}", 405}},
      {"/healthz", {"method", "PUT", NULL, NULL, "{}", 405}},
      {"/openapi/v2", {"method", "POST", NULL, NULL, "{}", 405}},
      {"/openapi/v3/apis/nobody/v1", {"path", "GET", NULL, NULL, NULL, 404}},
      {"/metrics", {"method", "POST", NULL, NULL, "{}", 405}},
      {"/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
       {"method", "GET", NULL, NULL, NULL, 405}},
      {"/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
       {"body", "POST", NULL, NULL, "{", 400}},
      {"/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
       {"only protobuf", "POST", NULL, "Accept: application/vnd.kubernetes.protobuf", "{}", 406}},
      {"/api/v1/pods",
       {"only protobuf", "GET", NULL, "Accept: application/vnd.kubernetes.protobuf", NULL, 406}},
      {"/apis",
       {"only a table", "GET", NULL, "Accept: application/json;as=Table;v=v1;g=meta.k8s.io", NULL,
        406}},
      {"/apis/authorization.k8s.io/v1/subjectaccessreviews",
       {"nobody is named", "POST", NULL, NULL, "{}", 400}},
      {"/apis/subresources.kubevirt.io/v1/namespaces/default/virtualmachines/db/pause",
       {"path", "PUT", NULL, NULL, "{}", 404}},
      {VMIM "/none/cancel", {"not there", "PUT", NULL, NULL, "{}", 404}},
      {VMIM "/none/cancel", {"method", "POST", NULL, NULL, "{}", 405}},
      {"/apis/ferry.migration/v1/nodes/h1/session", {"method", "GET", NULL, NULL, NULL, 405}},
      {"/apis/ferry.migration/v1/nodes/h1/colour", {"path", "POST", NULL, NULL, "{}", 404}},
      {"/apis/ferry.migration/v1/join", {"method", "GET", NULL, NULL, NULL, 405}},
      {"/apis/ferry.migration/v1/join", {"body", "POST", NULL, NULL, "[]", 400}},
      {"/apis/ferry.migration/v1/evacuations",
       {"no such node", "POST", NULL, NULL,
        "{\"metadata\":{\"name\":\"e\"},\"spec\":{\"nodeName\":\"h9\"}}", 422}},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
    check(s, NULL, cases[i].path, &cases[i].c);
}

/* Calls that start a migration without naming its kind. */
static void actions(Server *s, gconstpointer data) {
  static const struct {
    const char *path, *method, *wrong;
  } routes[] = {
      {"/apis/subresources.kubevirt.io/v1/namespaces/default/virtualmachines/db/migrate", "PUT",
       "POST"},
      {"/apis/subresources.kubevirt.io/v1alpha3/namespaces/default/virtualmachines/db/migrate",
       "PUT", "POST"},
      {"/api/v1/namespaces/default/pods/virt-launcher-db-h1/eviction", "POST", "PUT"},
  };
  g_autofree char *big = big_body();
  g_autofree char *many = many_parameters();
  for (gsize i = 0; i < G_N_ELEMENTS(routes); i++) {
    const char *m = routes[i].method;
    const Case cases[] = {
        {"no JSON", m, NULL, NULL, "{", 400},
        {"a list", m, NULL, NULL, "[]", 400},
        {"a string", m, NULL, NULL, "\"x\"", 400},
        {"twice the same key", m, NULL, NULL, "{\"kind\":\"a\",\"kind\":\"b\"}", 400},
        {"not UTF-8", m, NULL, NULL, "{\"kind\":\"\xff\"}", 400},
        {"media type", m, NULL, "Content-Type: text/xml", "<a/>", 415},
        {"broken protobuf", m, NULL, "Content-Type: application/vnd.kubernetes.protobuf", "k8s",
         400},
        {"encoding", m, NULL, "Content-Encoding: gzip\nContent-Type: application/json", "x", 415},
        {"size", m, NULL, NULL, big, 413},
        {"dryRun", m, "?dryRun=Some", NULL, "{}", 400},
        {"too many parameters", m, many, NULL, "{}", 400},
        {"method", routes[i].wrong, NULL, NULL, "{}", 405},
        {"method", "DELETE", NULL, NULL, NULL, 405},
    };
    for (gsize j = 0; j < G_N_ELEMENTS(cases); j++)
      check(s, NULL, routes[i].path, &cases[j]);
  }
  g_autoptr(GPtrArray) none = ferry_store_list(s->store, &ferry_kind_vmim, NULL, NULL);
  g_assert_cmpuint(none->len, ==, 0);
}

/* Every route that takes a body of its own, with what is no body: refused, and nothing changed. */
static void bodies(Server *s, gconstpointer data) {
  static const struct {
    const char *path, *method;
    gboolean kimchi; /* its errors have Kimchi's form */
  } routes[] = {
      {"/vms/db/migrate", "POST", TRUE},
      {"/plugins/kimchi/vms/db/migrate", "POST", TRUE},
      {VMIM "/one/change", "PUT", FALSE},
      {VMIM "/one/resolve", "PUT", FALSE},
      {VMIM "/one/status", "PUT", FALSE},
      {VMIM "/one/status", "PATCH", FALSE},
      {"/apis/ferry.migration/v1/join", "POST", FALSE},
      {"/apis/ferry.migration/v1/nodes/h1/session", "POST", FALSE},
      {"/apis/ferry.migration/v1/nodes/h1/report", "POST", FALSE},
  };
  target(s, &ferry_kind_vmim);
  g_autofree char *big = big_body();
  for (gsize i = 0; i < G_N_ELEMENTS(routes); i++) {
    const char *json = g_str_equal(routes[i].method, "PATCH")
                           ? "Content-Type: application/merge-patch+json"
                           : "Content-Type: application/json";
    g_autofree char *packed = g_strconcat("Content-Encoding: gzip\n", json, NULL);
    const struct {
      const char *what, *headers, *body;
      long status;
    } cases[] = {
        {"no JSON", json, "{", 400},
        {"a list", json, "[]", 400},
        {"a text", json, "\"x\"", 400},
        {"twice the same key", json, "{\"spec\":1,\"spec\":2}", 400},
        {"not UTF-8", json, "{\"spec\":\"\xff\"}", 400},
        {"media type", "Content-Type: text/xml", "<a/>", 415},
        {"encoding", packed, "x", 415},
        {"size", json, big, 413},
    };
    for (gsize k = 0; k < G_N_ELEMENTS(cases); k++) {
      gint64 before = ferry_store_revision(s->store);
      g_autoptr(Answer) a = http_full(s, "admin", routes[i].method, routes[i].path,
                                      cases[k].headers, cases[k].body, -1);
      g_test_message("%s %s, %s -> %ld %.200s", routes[i].method, routes[i].path, cases[k].what,
                     a->status, a->body);
      g_assert_cmpint(a->status, ==, cases[k].status);
      const char *words = ferry_json_str(a->json, routes[i].kimchi ? "reason" : "message");
      g_assert_true(words && strlen(words) > 8);
      g_assert_cmpint(ferry_store_revision(s->store), ==, before);
    }
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  http_keep_connections();
  g_test_add("/bad-input/every-kind", Server, NULL, server_up, every_kind, server_down);
  g_test_add("/bad-input/other-routes", Server, NULL, server_up, other_routes, server_down);
  g_test_add("/bad-input/actions", Server, NULL, server_up, actions, server_down);
  g_test_add("/bad-input/bodies", Server, NULL, server_up, bodies, server_down);
  return g_test_run();
}
