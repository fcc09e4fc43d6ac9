// SPDX-License-Identifier: Apache-2.0
// A person's word which of two copies of a VM goes on.
#include "../http.h"

#define RESOLVE VMIM "/m/resolve"

static void status_is(Server *s, const char *status) {
  g_autoptr(Answer) a =
      http_full(s, "admin", "PATCH", VMIM "/m/status", MERGE, status, (gssize)strlen(status));
  expect(a, 200);
}

/* A migration of db from h1 to h2, with that phase and those members of migrationState. */
static void begin(Server *s, const char *phase, const char *state) {
  g_autoptr(Answer) made = http(s, "POST", VMIM, MIGRATION("m", "db"));
  expect(made, 201);
  g_autofree char *text =
      g_strdup_printf("{\"status\":{\"phase\":\"%s\",\"migrationState\":{\"sourceNode\":\"h1\","
                      "\"targetNode\":\"h2\"%s}}}",
                      phase, state);
  status_is(s, text);
}

#define IN_DOUBT ",\"doubt\":{\"source\":{\"state\":\"Suspended\"}}"

static void is_noted(Server *s, gconstpointer data) {
  begin(s, "Failed", IN_DOUBT);
  g_autoptr(Answer) dry = http(s, "PUT", RESOLVE "?dryRun=All", "{\"keepNode\":\"h1\"}");
  expect(dry, 200);
  g_autoptr(Answer) a = http(s, "PUT", RESOLVE, "{\"keepNode\":\"h2\"}");
  expect(a, 200);
  g_assert_cmpstr(ferry_json_str(a->json, "status.migrationState.keepNode"), ==, "h2");
  g_assert_cmpstr(ferry_json_str(a->json, "status.migrationState.keepRequestedBy"), ==, "admin");
  g_assert_nonnull(ferry_json_str(a->json, "status.migrationState.keepTimestamp"));
  /* the same again changes nothing; another word comes too late */
  g_autoptr(Answer) again = http(s, "PUT", RESOLVE, "{\"keepNode\":\"h2\"}");
  expect(again, 200);
  g_assert_cmpstr(ferry_json_str(again->json, "metadata.resourceVersion"), ==,
                  ferry_json_str(a->json, "metadata.resourceVersion"));
  g_autoptr(Answer) other = http(s, "PUT", RESOLVE, "{\"keepNode\":\"h1\"}");
  expect(other, 409);
  g_assert_nonnull(strstr(other->body, "h2 was named before"));
}

static void refuses_what_is_wrong(Server *s, gconstpointer data) {
  begin(s, "Failed", IN_DOUBT);
  static const struct {
    const char *body;
    long status;
    const char *part;
  } cases[] = {
      {"{}", 400, "keepNode"},
      {"[]", 400, "keepNode"},
      {"{\"keepNode\":7}", 400, "keepNode"},
      {"{\"keep\":\"h1\"}", 400, "unknown field"},
      {"{\"keepNode\":\"h3\"}", 409, "name h1 or h2"},
      {"{\"keepNode\":\"\"}", 409, "name h1 or h2"},
  };
  gint64 before = ferry_store_revision(s->store);
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Answer) a = http(s, "PUT", RESOLVE, cases[i].body);
    g_test_message("%s", cases[i].body);
    expect(a, cases[i].status);
    g_assert_nonnull(strstr(a->body, cases[i].part));
  }
  g_assert_cmpint(ferry_store_revision(s->store), ==, before);
}

/* Where there is one copy nobody's word is needed, and it could destroy that one. */
static void only_where_there_are_two(Server *s, gconstpointer data) {
  begin(s, "Running", "");
  g_autoptr(Answer) one = http(s, "PUT", RESOLVE, "{\"keepNode\":\"h2\"}");
  expect(one, 409);
  g_assert_nonnull(strstr(one->body, "one copy"));
  status_is(s, "{\"status\":{\"migrationState\":{\"doubt\":{\"source\":{\"state\":\"GoesOn\"},"
               "\"target\":{\"state\":\"Destroyed\"}}}}}");
  g_autoptr(Answer) gone = http(s, "PUT", RESOLVE, "{\"keepNode\":\"h2\"}");
  expect(gone, 409);
  g_assert_nonnull(strstr(gone->body, "is gone"));
}

/* Both hosts report an active domain, though no agent of theirs was in doubt. */
static void two_that_run(Server *s, gconstpointer data) {
  begin(s, "Failed", "");
  static const char both[] =
      "{\"status\":{\"domains\":[{\"nodeName\":\"h1\",\"state\":\"running\",\"active\":true},"
      "{\"nodeName\":\"h2\",\"state\":\"running\",\"active\":true}]}}";
  g_autoptr(Answer) reported =
      http_full(s, "admin", "PATCH", VMI "/db/status", MERGE, both, (gssize)strlen(both));
  expect(reported, 200);
  g_autoptr(Answer) a = http(s, "PUT", RESOLVE, "{\"keepNode\":\"h1\"}");
  expect(a, 200);
}

/* A record that a copy waits for goes by a force alone. */
static void deleted_by_force(Server *s, gconstpointer data) {
  begin(s, "Failed", IN_DOUBT);
  status_is(s, "{\"status\":{\"migrationState\":{\"endTimestamp\":\"2020-01-01T00:00:00Z\"}}}");
  static const char here[] =
      "{\"status\":{\"domains\":[{\"nodeName\":\"h1\",\"state\":\"paused\",\"active\":true}]}}";
  g_autoptr(Answer) reported =
      http_full(s, "admin", "PATCH", VMI "/db/status", MERGE, here, (gssize)strlen(here));
  expect(reported, 200);
  g_autoptr(Answer) waits = http(s, "DELETE", VMIM "/m", NULL);
  expect(waits, 409);
  g_autoptr(Answer) forced = http(s, "DELETE", VMIM "/m?gracePeriodSeconds=0", NULL);
  expect(forced, 200);
  g_autoptr(Answer) gone = http(s, "GET", VMIM "/m", NULL);
  expect(gone, 404);
}

/* An agent's word that its own host's report denies keeps nothing. */
static void deleted_where_no_copy_is(Server *s, gconstpointer data) {
  begin(s, "Failed", IN_DOUBT);
  status_is(s, "{\"status\":{\"migrationState\":{\"endTimestamp\":\"2020-01-01T00:00:00Z\"}}}");
  static const char off[] =
      "{\"status\":{\"domains\":[{\"nodeName\":\"h1\",\"state\":\"shutoff\",\"active\":false}]}}";
  g_autoptr(Answer) reported =
      http_full(s, "admin", "PATCH", VMI "/db/status", MERGE, off, (gssize)strlen(off));
  expect(reported, 200);
  g_autoptr(Answer) a = http(s, "DELETE", VMIM "/m", NULL);
  expect(a, 200);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  curl_global_init(CURL_GLOBAL_DEFAULT);
#define ADD(f) g_test_add("/api/resolve/" #f, Server, NULL, server_up, f, server_down)
  ADD(is_noted);
  ADD(refuses_what_is_wrong);
  ADD(only_where_there_are_two);
  ADD(two_that_run);
  ADD(deleted_by_force);
  ADD(deleted_where_no_copy_is);
  return g_test_run();
}
