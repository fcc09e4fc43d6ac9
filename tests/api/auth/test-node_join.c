// SPDX-License-Identifier: Apache-2.0
// Authentication and what an agent may do: joining, sessions, its own migrations and nothing else.
// A server is asked as its nodes, as other nodes and as strangers, each with what such a one could
// have: a token, a request, an epoch.
#include "csr.h"

static Answer *as(Server *s, const char *who, const char *method, const char *path,
                  const char *headers, const char *body) {
  return http_full(s, who, method, path, headers, body, body ? (gssize)strlen(body) : 0);
}

#define status_of(...)                                                                             \
  ({                                                                                               \
    g_autoptr(Answer) a_ = as(__VA_ARGS__);                                                        \
    a_->status;                                                                                    \
  })

static void strangers(Server *s, gconstpointer data) {
  static const char *const open_paths[] = {"/healthz", "/livez", "/readyz", "/version"};
  for (gsize i = 0; i < G_N_ELEMENTS(open_paths); i++)
    g_assert_cmpint(status_of(s, NULL, "GET", open_paths[i], NULL, NULL), ==, 200);
  static const char *const closed[] = {"/",
                                       "/api",
                                       "/apis",
                                       VMI,
                                       VMI "/db",
                                       "/metrics",
                                       "/openapi/v2",
                                       "/nope",
                                       "/healthz/../metrics",
                                       "/api/v1/nodes",
                                       "/api/v1/pods"};
  for (gsize i = 0; i < G_N_ELEMENTS(closed); i++)
    g_assert_cmpint(status_of(s, NULL, "GET", closed[i], NULL, NULL), ==, 401);
  g_assert_cmpint(status_of(s, NULL, "POST", "/apis/ferry.migration/v1/nodes/h1/token", NULL, "{}"),
                  ==, 401);
  g_assert_cmpint(
      status_of(s, NULL, "GET", VMI, "Authorization: Bearer 0123456789abcdef0123", NULL), ==, 401);
}

/* A certificate with an administrator's name from somebody else's CA. */
static void foreign_certificate(Server *s, gconstpointer data) {
  Server other = {0};
  server_up(&other, NULL);
  static const char *const files[] = {"admin.crt", "admin.key"};
  for (gsize i = 0; i < 2; i++) {
    g_autofree char *from = g_build_filename(other.dir, files[i], NULL);
    g_autofree char *name = g_strconcat("foreign-", files[i], NULL);
    g_autofree char *to = g_build_filename(s->dir, name, NULL);
    gsize len;
    g_autofree char *text = ferry_file_read(from, 65536, &len, NULL);
    g_assert_true(ferry_file_write(to, text, len, 0600, NULL));
  }
  server_down(&other, NULL);
  long status = status_of(s, "foreign-admin", "GET", VMI, NULL, NULL);
  g_assert_true(status == 401 || status == 0); /* 0: the handshake itself failed */
  g_assert_cmpint(status_of(s, "foreign-admin", "GET", "/healthz", NULL, NULL), !=, 200);
  /* the server's own certificate is not one of a client */
  long server = status_of(s, "server", "GET", VMI, NULL, NULL);
  g_assert_true(server == 401 || server == 0);
}

static void token_works_once(Server *s, gconstpointer data) {
  g_autoptr(Answer) made = http(s, "POST", "/apis/ferry.migration/v1/nodes/h1.lan/token", "{}");
  expect(made, 201);
  const char *token = ferry_json_str(made->json, "token");
  g_autoptr(Answer) other = try_join(s, token, "h2");
  expect(other, 401);
  g_autofree char *cut = g_strndup(token, strlen(token) - 1);
  g_autoptr(Answer) bad = try_join(s, cut, "h1.lan");
  expect(bad, 401);
  g_autoptr(Answer) first = try_join(s, token, "h1.lan");
  expect(first, 201);
  g_autoptr(Answer) again = try_join(s, token, "h1.lan");
  expect(again, 401);
  g_autofree char *path = g_build_filename(s->dir, "join-tokens.json", NULL);
  g_autofree char *file = ferry_file_read(path, 65536, NULL, NULL);
  g_assert_null(strstr(file, strrchr(token, '.') + 1));
}

static Answer *join_with(Server *s, const char *token, const char *csr) {
  g_autoptr(json_t) body =
      json_pack("{s:s, s:s, s:s}", "token", token, "nodeName", "h9", "csr", csr);
  g_autofree char *text = ferry_json_dump(body);
  return as(s, NULL, "POST", "/apis/ferry.migration/v1/join", NULL, text);
}

/* A stranger's request for a certificate is not read: whatever it is, the answer is about the
 * token, and a bad request uses no token up. */
static void token_comes_first(Server *s, gconstpointer data) {
  g_autofree char *token = ferry_api_token_new(s->api, "h9", NULL);
  g_autofree char *wrong = g_strdup(token);
  gsize last = strlen(wrong) - 1;
  wrong[last] = wrong[last] == '0' ? '1' : '0';
  g_autofree char *elsewhere = ferry_api_token_new(s->api, "h8", NULL);
  const char *const tokens[] = {wrong, elsewhere, "x"};
  g_autofree char *good = make_csr(s, "h9", "h9");
  g_autofree char *filler = g_strnfill(17 * 1024, '\n');
  g_autofree char *large = g_strconcat(good, filler, NULL);
  g_autofree char *cut = g_strndup(good, strlen(good) / 2);
  g_autofree char *weak = make_rsa_csr(1024);
  g_autofree char *huge = make_rsa_csr(9216);
  const char *const requests[] = {"garbage", "", large, cut, weak, huge};
  for (gsize i = 0; i < G_N_ELEMENTS(requests); i++) {
    for (gsize t = 0; t < G_N_ELEMENTS(tokens); t++) {
      g_autoptr(Answer) a = join_with(s, tokens[t], requests[i]);
      expect(a, 401);
      g_assert_nonnull(strstr(a->body, "the join token is"));
    }
    g_autoptr(Answer) bad = join_with(s, token, requests[i]);
    expect(bad, 400);
    g_assert_true(g_str_has_prefix(ferry_json_str(bad->json, "message"), "csr: expected"));
  }
  g_autoptr(Answer) done = join_with(s, token, good);
  expect(done, 201);
  g_autoptr(Answer) again = join_with(s, token, good);
  expect(again, 401);
}

static void request_gives_no_rights(Server *s, gconstpointer data) {
  join_node(s, "h1"); /* the request asked for CN=admin, O=system:masters */
  g_autoptr(Answer) a = as(s, "h1", "GET", VMI, NULL, NULL);
  expect(a, 403);
  g_assert_cmpstr(ferry_json_str(a->json, "message"), ==,
                  "virtualmachineinstances.kubevirt.io is forbidden: User \"system:node:h1\" "
                  "cannot list resource \"virtualmachineinstances\" in API group \"kubevirt.io\" "
                  "in the namespace \"default\"");
}

static gint64 session(Server *s, const char *who, const char *node) {
  g_autofree char *path = g_strdup_printf("/apis/ferry.migration/v1/nodes/%s/session", node);
  g_autoptr(Answer) a =
      as(s, who, "POST", path, NULL, "{\"version\":\"" FERRY_VERSION "\",\"mode\":\"local\"}");
  return a->status == 201 ? ferry_json_int(a->json, "epoch", -1) : -a->status;
}

static void sessions_and_reports(Server *s, gconstpointer data) {
  join_node(s, "h1");
  join_node(s, "new");
  g_assert_cmpint(session(s, "h1", "h2"), ==, -403);
  gint64 first = session(s, "h1", "h1"), second = session(s, "h1", "h1");
  g_assert_cmpint(first, >, 1);
  g_assert_cmpint(second, ==, first + 1);
  g_assert_cmpint(session(s, "new", "new"), >, 0); /* makes the Node */
  g_assert_cmpint(status_of(s, "new", "GET", "/api/v1/nodes/new", NULL, NULL), ==, 200);
#define REPORT "/apis/ferry.migration/v1/nodes/h1/report"
  g_autofree char *old = g_strdup_printf("{\"epoch\":%" G_GINT64_FORMAT "}", first);
  g_autofree char *now = g_strdup_printf("{\"epoch\":%" G_GINT64_FORMAT "}", second);
  g_assert_cmpint(status_of(s, "h1", "POST", REPORT, NULL, old), ==, 409);
  g_assert_cmpint(status_of(s, "h1", "POST", REPORT, NULL, "{}"), ==, 400);
  g_assert_cmpint(status_of(s, "new", "POST", REPORT, NULL, now), ==, 403);
  g_assert_cmpuint(s->reports, ==, 0);
  g_assert_cmpint(status_of(s, "h1", "POST", REPORT, NULL, now), ==, 200);
  g_assert_cmpuint(s->reports, ==, 1);
}

#define STATUS VMIM "/m/status"
#define ALL "/apis/kubevirt.io/v1/virtualmachineinstancemigrations"
#define OWN "?fieldSelector=status.migrationState.sourceNode%3D"
#define NAMED "?fieldSelector=status.migrationState.agents%3D"

/* The target's agent of a forecast reads it, and writes where it listens: nothing else. Gives the
   headers with its epoch. */
static char *forecast_target(Server *s) {
  const char *named =
      "{\"status\":{\"migrationState\":{\"agents\":[\"h1\",\"h2\"],\"targetNode\":\"h2\","
      "\"targetNodeAddress\":\"10.0.0.2\"}}}";
  const char *probe = "{\"status\":{\"migrationState\":{\"bandwidthProbe\":"
                      "{\"address\":\"10.0.0.2\",\"port\":49214}}}}";
  char *epoch2 =
      g_strdup_printf(MERGE "\nFerry-Agent-Epoch: %" G_GINT64_FORMAT, session(s, "h2", "h2"));
  g_assert_cmpint(status_of(s, "h2", "PATCH", STATUS, epoch2, probe), ==, 403); /* not named yet */
  g_assert_cmpint(status_of(s, "admin", "PATCH", STATUS, MERGE, named), ==, 200);
  g_assert_cmpint(status_of(s, "h2", "GET", VMIM "/m", NULL, NULL), ==, 200);
  g_assert_cmpint(status_of(s, "h2", "PATCH", STATUS, epoch2, probe), ==, 200);
  g_assert_cmpint(status_of(s, "h2", "PATCH", STATUS, MERGE, probe), ==, 400);
  g_assert_cmpint(
      status_of(s, "h2", "PATCH", STATUS, epoch2, "{\"status\":{\"phase\":\"Running\"}}"), ==, 403);
  g_assert_cmpint(
      status_of(s, "h2", "PATCH", STATUS, epoch2, "{\"status\":{\"progress\":{\"percent\":6}}}"),
      ==, 403);
  return epoch2;
}

/* What h1's agent may read of other nodes, and what it may make. */
static void check_reach(Server *s) {
  g_assert_cmpint(status_of(s, "h1", "GET", "/api/v1/nodes/h2", NULL, NULL), ==, 200);
  g_assert_cmpint(status_of(s, "h1", "GET", "/api/v1/nodes", NULL, NULL), ==, 403);
  g_assert_cmpint(status_of(s, "h1", "POST", "/apis/ferry.migration/v1/nodes/h1/token", NULL, "{}"),
                  ==, 403);
  g_assert_cmpint(
      status_of(
          s, "h1", "POST", "/api/v1/namespaces/default/events", NULL,
          "{\"metadata\":{\"generateName\":\"db.\"},\"involvedObject\":{\"kind\":"
          "\"VirtualMachineInstance\",\"name\":\"db\",\"namespace\":\"default\"},"
          "\"reason\":\"X\",\"message\":\"y\",\"type\":\"Normal\",\"source\":{\"host\":\"h2\"}}"),
      ==, 201);
}

static void agents_write_their_own(Server *s, gconstpointer data) {
  join_node(s, "h1");
  join_node(s, "h2");
  gint64 epoch = session(s, "h1", "h1");
  g_autofree char *with = g_strdup_printf(MERGE "\nFerry-Agent-Epoch: %" G_GINT64_FORMAT, epoch);
  g_autofree char *stale =
      g_strdup_printf(MERGE "\nFerry-Agent-Epoch: %" G_GINT64_FORMAT, epoch - 1);
  g_autofree char *fast = g_strconcat(with, "\nFerry-Telemetry: 1", NULL);
  g_autoptr(Answer) made = http(s, "POST", VMIM,
                                "{\"metadata\":{\"name\":\"m\"},\"spec\":{\"vmiName\":\"db\","
                                "\"forecastOnly\":true}}");
  expect(made, 201);
  const char *progress = "{\"status\":{\"progress\":{\"percent\":5}}}";
  const char *phase = "{\"status\":{\"phase\":\"PreparingTarget\"}}";
  g_assert_cmpint(status_of(s, "h1", "PATCH", STATUS, with, phase), ==, 403); /* not given yet */
  const char *scheduled =
      "{\"status\":{\"phase\":\"Scheduled\",\"migrationState\":{\"sourceNode\":\"h1\"}}}";
  g_assert_cmpint(status_of(s, "admin", "PATCH", STATUS, MERGE, scheduled), ==, 200);
  g_assert_cmpint(status_of(s, "h2", "PATCH", STATUS, with, phase), ==, 403);
  g_assert_cmpint(status_of(s, "h1", "PATCH", STATUS, MERGE, phase), ==, 400);
  g_assert_cmpint(status_of(s, "h1", "PATCH", STATUS, stale, phase), ==, 409);
  g_assert_cmpint(status_of(s, "h1", "PATCH", STATUS, with, phase), ==, 200);
  g_assert_cmpint(status_of(s, "h1", "PATCH", STATUS, fast, phase), ==, 200); /* changes nothing */
  /* nothing moves yet */
  g_assert_cmpint(status_of(s, "h1", "PATCH", STATUS, fast, progress), ==, 403);
  static const char *const steps[] = {"{\"status\":{\"phase\":\"TargetReady\"}}",
                                      "{\"status\":{\"phase\":\"Running\"}}"};
  g_assert_cmpint(status_of(s, "h1", "PATCH", STATUS, fast, "{\"status\":{\"phase\":\"Running\"}}"),
                  ==, 400);
  g_assert_cmpint(status_of(s, "h1", "PATCH", VMIM "/m", with, "{\"metadata\":{}}"), ==, 403);
  g_assert_cmpint(status_of(s, "h1", "PUT", VMIM "/m/cancel", NULL, "{}"), ==, 403);
  g_assert_cmpint(status_of(s, "h1", "GET", VMIM "/m", NULL, NULL), ==, 200);
  g_assert_cmpint(status_of(s, "h2", "GET", VMIM "/m", NULL, NULL), ==, 403);
  g_assert_cmpint(status_of(s, "h1", "GET", ALL, NULL, NULL), ==, 403);
  g_assert_cmpint(status_of(s, "h1", "GET", ALL OWN "h2", NULL, NULL), ==, 403);
  g_assert_cmpint(status_of(s, "h1", "GET", ALL OWN "h1", NULL, NULL), ==, 200);
  g_autofree char *epoch2 = forecast_target(s);
  for (gsize i = 0; i < G_N_ELEMENTS(steps); i++)
    g_assert_cmpint(status_of(s, "h1", "PATCH", STATUS, with, steps[i]), ==, 200);
  g_assert_cmpint(status_of(s, "h1", "PATCH", STATUS, fast, progress), ==, 200);
  g_assert_cmpint(status_of(s, "h2", "PATCH", STATUS, epoch2, progress), ==, 200); /* unchanged */
  g_assert_cmpint(status_of(s, "h1", "GET", ALL NAMED "h2", NULL, NULL), ==, 403);
  g_assert_cmpint(status_of(s, "h1", "GET", ALL NAMED "h1", NULL, NULL), ==, 200);
  check_reach(s);
}

/* An agent that was away when its migration was given up can't begin it any more. */
static void late_agents_begin_nothing(Server *s, gconstpointer data) {
  join_node(s, "h1");
  g_autofree char *with =
      g_strdup_printf(MERGE "\nFerry-Agent-Epoch: %" G_GINT64_FORMAT, session(s, "h1", "h1"));
  g_autoptr(Answer) made = http(s, "POST", VMIM, MIGRATION("m", "db"));
  expect(made, 201);
  const char *given_up =
      "{\"status\":{\"phase\":\"Failed\",\"migrationState\":{\"sourceNode\":\"h1\"}}}";
  g_assert_cmpint(status_of(s, "admin", "PATCH", STATUS, MERGE, given_up), ==, 200);
  static const char *const phases[] = {"PreparingTarget", "TargetReady", "Running"};
  for (gsize i = 0; i < G_N_ELEMENTS(phases); i++) {
    g_autofree char *body = g_strdup_printf("{\"status\":{\"phase\":\"%s\"}}", phases[i]);
    g_assert_cmpint(status_of(s, "h1", "PATCH", STATUS, with, body), ==, 422);
  }
  const char *result = "{\"status\":{\"migrationState\":{\"agentResult\":{\"error\":\"x\"}}}}";
  g_assert_cmpint(status_of(s, "h1", "PATCH", STATUS, with, result), ==, 200);
  g_autoptr(Answer) still = http(s, "GET", VMIM "/m", NULL);
  g_assert_cmpstr(ferry_json_str(still->json, "status.phase"), ==, "Failed");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL); /* refusals are warnings */
  curl_global_init(CURL_GLOBAL_DEFAULT);
#define ADD(f) g_test_add("/api/node_join/" #f, Server, NULL, server_up, f, server_down)
  ADD(strangers);
  ADD(foreign_certificate);
  ADD(token_works_once);
  ADD(token_comes_first);
  ADD(request_gives_no_rights);
  ADD(sessions_and_reports);
  ADD(agents_write_their_own);
  ADD(late_agents_begin_nothing);
  return g_test_run();
}
