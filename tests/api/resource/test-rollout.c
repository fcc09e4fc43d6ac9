// SPDX-License-Identifier: Apache-2.0
// What is asked of a Rollout before it is taken, who may make one, and when a host may be said to
// be done.
#include "../auth/rights.h"

#define ROLLOUTS "/apis/ferry.migration/v1/rollouts"
#define ROLLOUT(name, spec)                                                                        \
  "{\"apiVersion\":\"ferry.migration/v1\",\"kind\":\"Rollout\",\"metadata\":{\"name\":\"" name     \
  "\"},\"spec\":{" spec "}}"
#define DONE ROLLOUTS "/r/done"

static void patch(Server *s, const char *path, const char *body) {
  g_autoptr(Answer) a = http_full(s, "admin", "PATCH", path, MERGE, body, (gssize)strlen(body));
  expect(a, 200);
}

/* A rollout with h1 in that phase, and h2 whose turn is to come. */
static void begin(Server *s, const char *phase) {
  g_autoptr(Answer) made = http(s, "POST", ROLLOUTS, ROLLOUT("r", ""));
  expect(made, 201);
  g_autofree char *text =
      g_strdup_printf("{\"status\":{\"phase\":\"Running\",\"hosts\":[{\"nodeName\":\"h1\","
                      "\"phase\":\"%s\",\"message\":\"so it is\"},{\"nodeName\":\"h2\","
                      "\"phase\":\"Queued\"}]}}",
                      phase);
  patch(s, ROLLOUTS "/r/status", text);
}

static void is_taken(Server *s, gconstpointer data) {
  g_autoptr(Answer) a =
      http(s, "POST", ROLLOUTS, ROLLOUT("r", "\"selector\":\"kubernetes.io/hostname in (h1,h2)\""));
  expect(a, 201);
  g_assert_cmpstr(ferry_json_str(a->json, "status.phase"), ==, "Pending");
  g_assert_cmpint(ferry_json_int(a->json, "spec.maxUnavailable", 0), ==, 1);
  g_assert_nonnull(ferry_json_get(a->json, "metadata.finalizers"));
  /* which hosts they are can't be changed; how many at a time, and a stop, can */
  static const char other[] = "{\"spec\":{\"selector\":\"rack=b\"}}";
  g_autoptr(Answer) changed =
      http_full(s, "admin", "PATCH", ROLLOUTS "/r", MERGE, other, (gssize)strlen(other));
  expect(changed, 422);
  patch(s, ROLLOUTS "/r", "{\"spec\":{\"paused\":true,\"maxUnavailable\":2}}");
  g_autoptr(Answer) gone = http(s, "DELETE", ROLLOUTS "/r", NULL);
  expect(gone, 200); /* it goes once its hosts are as they were */
  g_autoptr(Answer) goes = http(s, "GET", ROLLOUTS "/r", NULL);
  expect(goes, 200);
  g_assert_nonnull(ferry_json_get(goes->json, "metadata.deletionTimestamp"));
}

static void is_refused(Server *s, gconstpointer data) {
  static const struct {
    const char *body;
    long status;
    const char *part;
  } cases[] = {
      {ROLLOUT("x", "\"selector\":\"rack=nowhere\""), 422, "no node has these labels"},
      {ROLLOUT("x", "\"selector\":\"a in (\""), 422, "spec.selector"},
      {ROLLOUT("x", "\"maxUnavailable\":0"), 422, "maxUnavailable"},
      {ROLLOUT("x", "\"maxUnavailable\":10001"), 422, "maxUnavailable"},
      {ROLLOUT("x", ""), 409, "in rollout \\\"r\\\" already"},
  };
  begin(s, "Emptying");
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Answer) a = http(s, "POST", ROLLOUTS, cases[i].body);
    g_test_message("%s", cases[i].body);
    expect(a, cases[i].status);
    g_assert_nonnull(strstr(a->body, cases[i].part));
  }
  patch(s, ROLLOUTS "/r/status", "{\"status\":{\"phase\":\"Succeeded\"}}");
  g_autoptr(Answer) next = http(s, "POST", ROLLOUTS, ROLLOUT("x", ""));
  expect(next, 201);
}

/* One that was made just now has not chosen its hosts: they are those of its labels. */
static void is_refused_before_the_first_step(Server *s, gconstpointer data) {
  static const struct {
    const char *body;
    long status;
  } asked[] = {{ROLLOUT("r", "\"selector\":\"kubernetes.io/hostname in (h1)\""), 201},
               {ROLLOUT("x", ""), 409},
               {ROLLOUT("x", "\"selector\":\"kubernetes.io/hostname in (h2)\""), 201}};
  for (gsize i = 0; i < G_N_ELEMENTS(asked); i++) {
    g_autoptr(Answer) a = http(s, "POST", ROLLOUTS, asked[i].body);
    expect(a, asked[i].status);
  }
}

/* What a rollout has ferryd do its maker must be allowed to do himself. */
static void rights_are_his_own(Server *s, gconstpointer data) {
  bind_to(s, NULL, "operate", "olga");
  give(s, NULL, "rolls", RULE("\"create\",\"update\",\"patch\"", "ferry.migration", "rollouts", ""),
       "rolf");
  give(s, NULL, "says", RULE("\"update\"", "ferry.migration", "rollouts/done", ""), "dora");
  EXPECT("rolf", "POST", ROLLOUTS, ROLLOUT("r", ""), 403);
  EXPECT("dora", "POST", ROLLOUTS, ROLLOUT("r", ""), 403);
  EXPECT("olga", "POST", ROLLOUTS, ROLLOUT("r", ""), 201);
  EXPECT("rolf", "PATCH", ROLLOUTS "/r", "{\"spec\":{\"maxUnavailable\":3}}", 403);
  EXPECT("dora", "PATCH", ROLLOUTS "/r", "{\"spec\":{\"paused\":true}}", 403);
  EXPECT("olga", "PATCH", ROLLOUTS "/r", "{\"spec\":{\"paused\":true}}", 200);
  patch(s, ROLLOUTS "/r/status",
        "{\"status\":{\"hosts\":[{\"nodeName\":\"h3\",\"phase\":\"Empty\"}]}}");
  give(s, NULL, "tells", RULE("\"update\",\"patch\"", "ferry.migration", "rollouts/status", ""),
       "stan");
  EXPECT("stan", "PATCH", ROLLOUTS "/r/status", "{\"status\":{\"phase\":\"Running\"}}", 403);
  EXPECT("rolf", "PUT", DONE, "{\"nodeName\":\"h3\"}", 403);
  EXPECT("dora", "PUT", DONE, "{\"nodeName\":\"h3\"}", 200);
  EXPECT("olga", "PATCH", ROLLOUTS "/r/status", "{\"status\":{\"phase\":\"Succeeded\"}}", 403);
}

static void done_is_noted(Server *s, gconstpointer data) {
  begin(s, "Empty");
  patch(s, VMI "/db/status", "{\"status\":{\"phase\":\"Stopped\"}}");
  g_autoptr(Answer) dry = http(s, "PUT", DONE "?dryRun=All", "{\"nodeName\":\"h1\"}");
  expect(dry, 200);
  g_autoptr(Answer) a = http(s, "PUT", DONE, "{\"nodeName\":\"h1\"}");
  expect(a, 200);
  const json_t *host = json_array_get(ferry_json_get(a->json, "status.hosts"), 0);
  g_assert_cmpstr(ferry_json_str(host, "doneBy"), ==, "admin");
  g_assert_nonnull(ferry_json_str(host, "doneAt"));
  g_autoptr(Answer) again = http(s, "PUT", DONE, "{\"nodeName\":\"h1\"}");
  expect(again, 200);
  g_assert_cmpstr(ferry_json_str(again->json, "metadata.resourceVersion"), ==,
                  ferry_json_str(a->json, "metadata.resourceVersion"));
}

/* Never while a VM is there, and only of a host that is known to be empty. */
static void done_comes_too_early(Server *s, gconstpointer data) {
  static const struct {
    const char *phase, *body;
    long status;
    const char *part;
  } cases[] = {
      {"Empty", "{}", 400, "nodeName"},
      {"Empty", "{\"nodeName\":7}", 400, "nodeName"},
      {"Empty", "{\"host\":\"h1\"}", 400, "unknown field"},
      {"Empty", "{\"nodeName\":\"h9\"}", 409, "not one of its hosts"},
      {"Empty", "{\"nodeName\":\"h2\"}", 409, "turn of h2 has not come"},
      {"Empty", "{\"nodeName\":\"h1\"}", 409, "1 VMs run on h1 yet"},
      {"Emptying", "{\"nodeName\":\"h1\"}", 409, "1 VMs run on h1 yet"},
      {"Succeeded", "{\"nodeName\":\"h1\"}", 409, "h1: so it is"},
  };
  begin(s, "Empty");
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *text =
        g_strdup_printf("{\"status\":{\"hosts\":[{\"nodeName\":\"h1\",\"phase\":\"%s\","
                        "\"message\":\"so it is\"},{\"nodeName\":\"h2\",\"phase\":\"Queued\"}]}}",
                        cases[i].phase);
    patch(s, ROLLOUTS "/r/status", text);
    g_test_message("%s %s", cases[i].phase, cases[i].body);
    g_autoptr(Answer) a = http(s, "PUT", DONE, cases[i].body);
    expect(a, cases[i].status);
    g_assert_nonnull(strstr(a->body, cases[i].part));
  }
  patch(s, VMI "/db/status", "{\"status\":{\"phase\":\"Stopped\"}}");
  patch(s, ROLLOUTS "/r/status",
        "{\"status\":{\"hosts\":[{\"nodeName\":\"h1\",\"phase\":\"Blocked\"}]}}");
  g_autoptr(Answer) blocked = http(s, "PUT", DONE, "{\"nodeName\":\"h1\"}");
  expect(blocked, 409);
  g_assert_nonnull(strstr(blocked->body, "not known to be empty (Blocked)"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  curl_global_init(CURL_GLOBAL_DEFAULT);
#define ADD(f) g_test_add("/api/rollout/" #f, Server, NULL, server_up, f, server_down)
  ADD(is_taken);
  ADD(is_refused);
  ADD(is_refused_before_the_first_step);
  ADD(rights_are_his_own);
  ADD(done_is_noted);
  ADD(done_comes_too_early);
  return g_test_run();
}
