// SPDX-License-Identifier: Apache-2.0
// Networks beside each other, and beside the migrations that they carry.
#include "../http.h"

#include <string.h>

#define NETWORKS "/apis/ferry.migration/v1/networks"
#define NETWORK(name, spec)                                                                        \
  "{\"apiVersion\":\"ferry.migration/v1\",\"kind\":\"Network\",\"metadata\":{\"name\":\"" name     \
  "\"},\"spec\":" spec "}"
#define FAST NETWORK("fast", "{\"subnets\":[\"10.1.0.0/24\"]}")
#define APPLY "Content-Type: application/apply-patch+yaml"

static Answer *deliver(Server *s, const char *method, const char *path, const char *type,
                       const char *body) {
  return http_full(s, "admin", method, path, type, body, body ? (gssize)strlen(body) : 0);
}

static Answer *patch(Server *s, const char *path, const char *body) {
  return deliver(s, "PATCH", path, MERGE, body);
}

static long code(Answer *answer) {
  g_autoptr(Answer) a = answer;
  return a->status;
}

/* It says the field, who has the role, and what to do. */
static void assert_held(Answer *answer) {
  g_autoptr(Answer) a = answer;
  expect(a, 422);
  const json_t *cause = json_array_get(ferry_json_get(a->json, "details.causes"), 0);
  g_assert_cmpstr(ferry_json_str(cause, "field"), ==, "spec.roles");
  g_assert_nonnull(strstr(ferry_json_str(cause, "message"), "Network \"fast\" has the role"));
  g_assert_nonnull(strstr(ferry_json_str(cause, "message"), "take it from there first"));
}

static void one_holder(Server *s, gconstpointer data) {
  const char *second = NETWORK("slow", "{\"subnets\":[\"10.2.0.0/24\"]}");
  g_assert_cmpint(code(http(s, "POST", NETWORKS, FAST)), ==, 201);
  assert_held(http(s, "POST", NETWORKS, second)); /* a Network is for migrations unless it says */
  assert_held(http(s, "POST", NETWORKS "?dryRun=All", second));
  assert_held(deliver(s, "PATCH", NETWORKS "/slow?fieldManager=a", APPLY, second));
  const char *none = NETWORK("slow", "{\"roles\":[],\"subnets\":[\"10.2.0.0/24\"]}");
  g_assert_cmpint(code(http(s, "POST", NETWORKS, none)), ==, 201);
  const char *role = "{\"spec\":{\"roles\":[\"migration\"]}}";
  assert_held(patch(s, NETWORKS "/slow", role));
  assert_held(patch(s, NETWORKS "/slow?dryRun=All", role));
  g_assert_cmpint(code(patch(s, NETWORKS "/fast", "{\"metadata\":{\"labels\":{\"a\":\"b\"}}}")), ==,
                  200);
  g_assert_cmpint(code(patch(s, NETWORKS "/fast", "{\"spec\":{\"roles\":[]}}")), ==, 200);
  g_assert_cmpint(code(patch(s, NETWORKS "/slow", role)), ==, 200);
}

/* Two that have the role since an older version: either is changed and cured. */
static void two_of_old(Server *s, gconstpointer data) {
  for (int i = 0; i < 2; i++)
    seed_put(s->store, &ferry_kind_network, "", i ? "b" : "a",
             json_pack("{s{s[s],s[s]}}", "spec", "roles", "migration", "subnets", "10.1.0.0/24"));
  g_assert_cmpint(code(patch(s, NETWORKS "/b", "{\"spec\":{\"fallback\":\"deny\"}}")), ==, 200);
  g_assert_cmpint(code(patch(s, NETWORKS "/b", "{\"spec\":{\"roles\":[]}}")), ==, 200);
  g_assert_cmpint(code(patch(s, NETWORKS "/b", "{\"spec\":{\"roles\":[\"migration\"]}}")), ==, 422);
}

static void assert_busy(Answer *answer, const char *what) {
  g_autoptr(Answer) a = answer;
  expect(a, 409);
  const char *message = ferry_json_str(a->json, "message");
  if (!strstr(message, what) || !strstr(message, "(default/m)"))
    g_error("expected \"%s\" and default/m in: %s", what, message);
}

static void set_state(Server *s, const char *body) {
  g_assert_cmpint(code(patch(s, VMIM "/m/status", body)), ==, 200);
}

static void in_use(Server *s, gconstpointer data) {
  static const struct {
    const char *body, *what;
  } cases[] = {
      {"{\"spec\":{\"roles\":[]}}", "the role \"migration\" cannot be taken from it"},
      {"{\"spec\":{\"subnets\":[\"10.9.0.0/24\"]}}", "its subnets cannot be changed"},
      {"{\"spec\":{\"interface\":\"bond0\"}}", "its interface cannot be changed"},
  };
  g_assert_cmpint(code(http(s, "POST", NETWORKS, FAST)), ==, 201);
  g_assert_cmpint(code(http(s, "POST", VMIM, MIGRATION("m", "db"))), ==, 201);
  set_state(s, "{\"status\":{\"phase\":\"Running\",\"migrationState\":{\"network\":\"fast\"}}}");
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    assert_busy(patch(s, NETWORKS "/fast", cases[i].body), cases[i].what);
    assert_busy(patch(s, NETWORKS "/fast?dryRun=All", cases[i].body), cases[i].what);
  }
  assert_busy(http(s, "DELETE", NETWORKS "/fast", NULL), "it cannot be deleted");
  assert_busy(http(s, "DELETE", NETWORKS "/fast?dryRun=All", NULL), "it cannot be deleted");
  assert_busy(http(s, "DELETE", NETWORKS, NULL), "it cannot be deleted");
  /* what no migration has read is free, and so is all of it once they have ended */
  g_assert_cmpint(code(patch(s, NETWORKS "/fast", "{\"spec\":{\"fallback\":\"allow\"}}")), ==, 200);
  set_state(s, "{\"status\":{\"phase\":\"Failed\"}}");
  g_assert_cmpint(code(patch(s, NETWORKS "/fast", cases[1].body)), ==, 200);
  g_assert_cmpint(code(http(s, "DELETE", NETWORKS "/fast", NULL)), ==, 200);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
#define T(name, f) g_test_add("/networks/" name, Server, NULL, server_up, f, server_down)
  T("one-holder", one_holder);
  T("two-of-old", two_of_old);
  T("in-use", in_use);
  return g_test_run();
}
