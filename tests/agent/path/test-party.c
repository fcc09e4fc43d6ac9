// SPDX-License-Identifier: Apache-2.0
#include "agent/path/party.h"
#include "base/json.h"

#define STATE(config)                                                                              \
  "{'metadata':{'uid':'u'},'status':{'migrationState':{'targetNodeAddress':'10.0.0.2',"            \
  "'migrationConfiguration':{" config "}}}}"

static json_t *migration(const char *text) {
  g_autofree char *json = g_strdelimit(g_strdup(text), "'", '"');
  json_t *m = json_loads(json, 0, NULL);
  g_assert_nonnull(m);
  return m;
}

static void test_obstacle(void) {
  char pem[] = "pem";
  FerryClientConfig own = {.cert_pem = pem, .key_pem = pem, .ca_pem = pem}, bare = {0};
  g_autoptr(json_t) good = migration(STATE(""));
  g_assert_null(ferry_party_obstacle(&own, TRUE, good));
  g_assert_nonnull(ferry_party_obstacle(NULL, TRUE, good));
  g_assert_nonnull(ferry_party_obstacle(&bare, TRUE, good));
  g_assert_nonnull(ferry_party_obstacle(&own, FALSE, good));
  static const char *const others[] = {STATE("'offline':true"), STATE("'tunnelled':true"),
                                       "{'status':{'migrationState':{}}}"};
  for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
    g_autoptr(json_t) m = migration(others[i]);
    g_assert_nonnull(ferry_party_obstacle(&own, TRUE, m));
  }
}

static void test_fill(void) {
  char cert[] = "c", key[] = "k", ca[] = "a";
  FerryClientConfig own = {.cert_pem = cert, .key_pem = key, .ca_pem = ca};
  FerryBandwidthParty party;
  g_autoptr(json_t) m = migration(STATE("'disableTLS':true"));
  ferry_party_fill(&own, m, "h2", &party);
  g_assert_cmpstr(party.peer, ==, "h2");
  g_assert_cmpstr(party.id, ==, "u");
  g_assert_cmpstr(party.key_pem, ==, "k");
  g_assert_true(party.clear);
  g_autoptr(json_t) tls = migration(STATE(""));
  ferry_party_fill(&own, tls, "h2", &party);
  g_assert_false(party.clear);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/party/obstacle", test_obstacle);
  g_test_add_func("/party/fill", test_fill);
  return g_test_run();
}
