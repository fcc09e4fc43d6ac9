// SPDX-License-Identifier: Apache-2.0
// An agent's key, used by a program that speaks only HTTP: what it is refused, in every form that a
// write can have. Which fields are whose is tested in tests/model/agents/test-agent_rules.c.
#include "../http.h"

#include "base/file.h"

static void run_openssl(const char *const *argv) {
  g_autoptr(GError) error = NULL;
  g_autofree char *err = NULL;
  int status = 1;
  g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, &err, &status,
               &error);
  if (status)
    g_error("openssl: %s", error ? error->message : err);
}

/* Gets a certificate for the agent of `node` and begins its session; gives the epoch's header. */
static char *begin(Server *s, const char *node) {
  g_autofree char *key = g_strdup_printf("%s/%s.key", s->dir, node);
  g_autofree char *csr = g_strdup_printf("%s/%s.csr", s->dir, node);
  g_autofree char *crt = g_strdup_printf("%s/%s.crt", s->dir, node);
  g_autofree char *subject = g_strconcat("/CN=", node, NULL);
  run_openssl((const char *const[]){"openssl", "req", "-new", "-newkey", "ec", "-pkeyopt",
                                    "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-subj",
                                    subject, "-out", csr, NULL});
  g_autofree char *token = ferry_api_token_new(s->api, node, NULL);
  g_autofree char *pem = ferry_file_read(csr, 65536, NULL, NULL);
  g_autoptr(json_t) body =
      json_pack("{s:s, s:s, s:s}", "token", token, "nodeName", node, "csr", pem);
  g_autofree char *text = ferry_json_dump(body);
  g_autoptr(Answer) joined =
      http_full(s, NULL, "POST", "/apis/ferry.migration/v1/join", NULL, text, -1);
  expect(joined, 201);
  const char *certificate = ferry_json_str(joined->json, "certificate");
  g_assert_true(ferry_file_write(crt, certificate, strlen(certificate), 0644, NULL));
  g_autofree char *path = g_strdup_printf("/apis/ferry.migration/v1/nodes/%s/session", node);
  g_autoptr(Answer) a = http_full(s, node, "POST", path, NULL,
                                  "{\"version\":\"" FERRY_VERSION "\",\"mode\":\"local\"}", -1);
  expect(a, 201);
  return g_strdup_printf("Ferry-Agent-Epoch: %" G_GINT64_FORMAT,
                         ferry_json_int(a->json, "epoch", 0));
}

static void admin_sets(Server *s, const char *status) {
  g_autoptr(Answer) a = http_full(s, "admin", "PATCH", VMIM "/m/status", MERGE, status, -1);
  expect(a, 200);
}

static json_t *stored(Server *s) {
  return ferry_store_get(s->store, &ferry_kind_vmim, "default", "m");
}

#define RUNS                                                                                       \
  "{\"status\":{\"phase\":\"Running\",\"migrationState\":{\"sourceNode\":\"h1\",\"targetNode\":"   \
  "\"h2\",\"agents\":[\"h1\"],\"targetURI\":\"qemu+tls://h2/system\"}}}"

/* The field that a refusal must name, and the write in each form. */
static void forms(Server *s, gconstpointer data) {
  static const struct {
    const char *type, *body, *field;
  } writes[] = {
      {MERGE, "{'status':{'migrationState':{'targetURI':'qemu+ext://x/system?command=y'}}}",
       "status.migrationState.targetURI"},
      {MERGE, "{'status':{'migrationState':{'targetURI':null}}}",
       "status.migrationState.targetURI"},
      {MERGE, "{'status':null}", "status.phase"},
      {MERGE,
       "{'status':{'phase':'Scheduled','migrationState':{'sourceNode':'h2','vmiUID':"
       "'11111111-2222-3333-4444-555555555555','targetNode':'h1'}}}",
       "status.migrationState.sourceNode"},
      {MERGE, "{'status':{'migrationState':{'migrationConfiguration':{'disableTLS':true}}}}",
       "status.migrationState.migrationConfiguration"},
      {MERGE, "{'status':{'migrationState':{'agents':['h1','h3']}}}",
       "status.migrationState.agents"},
      {"Content-Type: application/strategic-merge-patch+json",
       "{'status':{'conditions':[{'type':'Ready','status':'True'}]}}", "status.conditions"},
      {"Content-Type: application/json-patch+json",
       "[{'op':'add','path':'/status/migrationState/abortRequested','value':true}]",
       "status.migrationState.abortRequested"},
      {"Content-Type: application/json-patch+json",
       "[{'op':'move','from':'/status/migrationState/targetNode','path':"
       "'/status/migrationState/network'}]",
       "status.migrationState.targetNode"},
      {"Content-Type: application/apply-patch+yaml",
       "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstanceMigration','metadata':{'name':"
       "'m'},'status':{'migrationState':{'network':'x'}}}",
       "status.migrationState.network"},
  };
  g_autofree char *epoch = begin(s, "h1");
  g_autoptr(Answer) made = http(s, "POST", VMIM, MIGRATION("m", "db"));
  expect(made, 201);
  admin_sets(s, RUNS);
  g_autoptr(json_t) before = stored(s);
  for (gsize i = 0; i < G_N_ELEMENTS(writes); i++) {
    g_autofree char *headers = g_strdup_printf("%s\n%s", writes[i].type, epoch);
    g_autofree char *body = g_strdelimit(g_strdup(writes[i].body), "'", '"');
    const char *path = strstr(writes[i].type, "apply-patch") ? VMIM
                           "/m/status?fieldManager=x&force=true"
                                                             : VMIM "/m/status";
    g_autoptr(Answer) a = http_full(s, "h1", "PATCH", path, headers, body, -1);
    expect(a, 403);
    g_assert_nonnull(
        ferry_json_find(ferry_json_get(a->json, "details.causes"), "field", writes[i].field));
    g_assert_nonnull(strstr(ferry_json_str(a->json, "message"), writes[i].field));
  }
  g_autoptr(json_t) after = stored(s);
  g_assert_true(json_equal(before, after));
  g_autofree char *whole = ferry_json_dump(before);
  g_autoptr(Answer) put = http_full(s, "h1", "PUT", VMIM "/m/status", epoch, whole, -1);
  expect(put, 403);
}

/* An agent's clock that is years ahead leaves no mark that ferryd reckons with. */
static void clocks(Server *s, gconstpointer data) {
  g_autofree char *epoch = begin(s, "h1");
  g_autofree char *headers = g_strdup_printf("%s\n%s", MERGE, epoch);
  g_autoptr(Answer) made = http(s, "POST", VMIM, MIGRATION("m", "db"));
  expect(made, 201);
  admin_sets(s, RUNS);
  g_autoptr(Answer) a =
      http_full(s, "h1", "PATCH", VMIM "/m/status", headers,
                "{\"status\":{\"migrationState\":{\"agentResult\":{\"returned\":true,"
                "\"sourceState\":\"gone\",\"endedAt\":\"2199-01-01T00:00:00Z\"}}}}",
                -1);
  expect(a, 200);
  const char *at = ferry_json_str(a->json, "status.migrationState.agentResult.endedAt");
  g_assert_cmpint(ferry_rfc3339_parse(at), <=, g_get_real_time() / 1000);
}

static Answer *tell(Server *s, const char *about, const char *more) {
  g_autofree char *body = g_strdup_printf(
      "{\"metadata\":{\"name\":\"mine\",\"annotations\":{\"a\":\"b\"}},\"involvedObject\":{%s},"
      "\"reason\":\"X\",\"message\":\"y\",\"type\":\"Normal\"%s}",
      about, more);
  return http_full(s, "h1", "POST", "/api/v1/namespaces/default/events", NULL, body, -1);
}

/* About its own host only, by ferryd's name and time, and not without end. */
static void events(Server *s, gconstpointer data) {
  static const char *const foreign[] = {
      "\"kind\":\"Node\",\"name\":\"h2\"",
      "\"kind\":\"VirtualMachineInstance\",\"name\":\"web\",\"namespace\":\"default\"",
      "\"kind\":\"VirtualMachineInstance\",\"name\":\"none\"",
      "\"kind\":\"VirtualMachineInstanceMigration\",\"name\":\"m\"",
      "\"kind\":\"KubeVirt\",\"name\":\"kubevirt\""};
  g_autofree char *epoch = begin(s, "h1");
  for (gsize i = 0; i < G_N_ELEMENTS(foreign); i++) {
    g_autoptr(Answer) a = tell(s, foreign[i], "");
    expect(a, 403);
  }
  g_autoptr(Answer) own = tell(s, "\"kind\":\"VirtualMachineInstance\",\"name\":\"db\"",
                               ",\"source\":{\"host\":\"h2\",\"component\":\"ferryd\"},"
                               "\"lastTimestamp\":\"2199-01-01T00:00:00Z\",\"count\":999");
  expect(own, 201);
  g_assert_cmpstr(ferry_json_str(own->json, "source.host"), ==, "h1");
  g_assert_cmpstr(ferry_json_str(own->json, "source.component"), ==, "ferry-agentd");
  g_assert_true(g_str_has_prefix(ferry_json_str(own->json, "metadata.name"), "db."));
  g_assert_null(ferry_json_get(own->json, "metadata.annotations"));
  g_assert_cmpint(ferry_json_int(own->json, "count", 0), ==, 1);
  g_assert_cmpint(ferry_rfc3339_parse(ferry_json_str(own->json, "lastTimestamp")), <=,
                  g_get_real_time() / 1000);
  guint taken = 1;
  for (long status = 201; status == 201 && taken < 200; taken += status == 201) {
    g_autoptr(Answer) a = tell(s, "\"kind\":\"Node\",\"name\":\"h1\"", "");
    status = a->status;
    if (status != 201)
      expect(a, 429);
  }
  g_assert_cmpuint(taken, >=, 50);
  g_assert_cmpuint(taken, <, 150);
}

static guint n_events(Server *s, const char *reason) {
  g_autoptr(GPtrArray) all = ferry_store_list(s->store, &ferry_kind_event, "default", NULL);
  guint n = 0;
  for (guint i = 0; i < all->len; i++)
    n += g_strcmp0(ferry_json_str(g_ptr_array_index(all, i), "reason"), reason) == 0;
  return n;
}

/* Tells of the VM db, but for `path`, which is `value`. */
static Answer *tell_other(Server *s, const char *path, const char *value) {
  g_autoptr(json_t) event =
      json_pack("{s{ss},s{ss,ss},ss,ss,ss,ss}", "metadata", "name", "mine", "involvedObject",
                "kind", "VirtualMachineInstance", "name", "db", "reason", "X", "message", "y",
                "type", "Normal", "action", "Seen");
  if (path)
    ferry_json_set_str(event, path, value);
  g_autofree char *body = ferry_json_dump(event);
  return http_full(s, "h1", "POST", "/api/v1/namespaces/default/events", NULL, body, -1);
}

/* The same told again is one object with a count; whatever differs is another one. */
static void repeated(Server *s, gconstpointer data) {
  static const char *const others[][2] = {
      {"message", "z"}, {"type", "Warning"}, {"action", "Moved"}, {"involvedObject.uid", "1"}};
  g_autofree char *epoch = begin(s, "h1");
  g_autofree char *name = NULL;
  for (guint i = 1; i <= 5; i++) {
    g_autoptr(Answer) a = tell_other(s, "lastTimestamp", "2199-01-01T00:00:00Z");
    expect(a, 201);
    g_assert_cmpint(ferry_json_int(a->json, "count", 0), ==, i);
    g_assert_cmpint(ferry_rfc3339_parse(ferry_json_str(a->json, "firstTimestamp")), <=,
                    ferry_rfc3339_parse(ferry_json_str(a->json, "lastTimestamp")));
    if (name)
      g_assert_cmpstr(ferry_json_str(a->json, "metadata.name"), ==, name);
    g_free(name);
    name = g_strdup(ferry_json_str(a->json, "metadata.name"));
  }
  g_assert_cmpuint(n_events(s, "X"), ==, 1);
  for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
    g_autoptr(Answer) a = tell_other(s, others[i][0], others[i][1]);
    expect(a, 201);
    g_assert_cmpint(ferry_json_int(a->json, "count", 0), ==, 1);
  }
  g_assert_cmpuint(n_events(s, "X"), ==, 1 + G_N_ELEMENTS(others));
}

/* Who took the name of a story before keeps his object as it is. */
static void name_is_taken(Server *s, gconstpointer data) {
  g_autofree char *epoch = begin(s, "h1");
  g_autoptr(Answer) first = tell_other(s, NULL, NULL);
  expect(first, 201);
  g_autofree char *path = g_strdup_printf("/api/v1/namespaces/default/events/%s",
                                          ferry_json_str(first->json, "metadata.name"));
  g_autoptr(Answer) edited =
      http_full(s, "admin", "PATCH", path, MERGE, "{\"message\":\"mine\"}", -1);
  expect(edited, 200);
  g_autoptr(Answer) second = tell_other(s, NULL, NULL);
  expect(second, 201);
  g_assert_cmpstr(ferry_json_str(second->json, "metadata.name"), !=,
                  ferry_json_str(first->json, "metadata.name"));
  g_autoptr(Answer) still = http(s, "GET", path, NULL);
  g_assert_cmpstr(ferry_json_str(still->json, "message"), ==, "mine");
  g_assert_cmpint(ferry_json_int(still->json, "count", 0), ==, 1);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL); /* refusals are warnings */
  curl_global_init(CURL_GLOBAL_DEFAULT);
#define ADD(f) g_test_add("/api/node_restriction/" #f, Server, NULL, server_up, f, server_down)
  ADD(forms);
  ADD(clocks);
  ADD(repeated);
  ADD(name_is_taken);
  ADD(events); /* the last: then h1 has said too much */
  return g_test_run();
}
