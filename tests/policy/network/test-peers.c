// SPDX-License-Identifier: Apache-2.0
// What speaks against a host as a target because of where it is reached: as placement says it, with
// the reason. A migration waits for it to be mended and says why.
#include "policy/network/peers.h"
#include "policy/choice.h"

#include <string.h>

static json_t *node(const char *name, const char *scheme, const char *host) {
  json_t *n = json_pack("{s{ss},s{},s{}}", "metadata", "name", name, "spec", "status");
  ferry_json_set_str(n, "status.capacity.memory", "8Gi");
  ferry_json_set(n, "status.conditions", json_pack("[{ss,ss}]", "type", "Ready", "status", "True"));
  if (scheme)
    ferry_json_set(n, "status.hypervisor.peer",
                   json_pack("{ss,ss}", "scheme", scheme, "host", host));
  return n;
}

static void bind_peer(json_t *n, const char *scheme, const char *host) {
  ferry_json_set(n, "spec.peer", json_pack("{ss,ss}", "scheme", scheme, "host", host));
}

/* The one reason against nodes[1], or NULL; `message` gets what is said of it. */
static char *reason_against(json_t **nodes, const json_t *config, char **message) {
  g_autoptr(json_t) vmi =
      json_pack("{s{ss},s{ss}}", "metadata", "uid", "u", "status", "nodeName", "h1");
  g_autoptr(json_t) migration = json_object();
  FerryPlacementInput in = {
      .vmi = vmi, .migration = migration, .nodes = nodes, .n_nodes = 2, .config = config};
  gboolean transient = FALSE;
  g_autoptr(json_t) reasons = ferry_placement_reasons(&in, nodes[1], &transient);
  g_assert_cmpuint(json_array_size(reasons), <=, 1);
  if (json_array_size(reasons) == 0)
    return NULL;
  g_assert_true(transient);
  if (message)
    *message = g_strdup(ferry_json_str(json_array_get(reasons, 0), "message"));
  return g_strdup(ferry_json_str(json_array_get(reasons, 0), "reason"));
}

#define AGAINST(nodes, config, wanted)                                                             \
  do {                                                                                             \
    g_autofree char *reason_ = reason_against(nodes, config, NULL);                                \
    g_assert_cmpstr(reason_, ==, wanted);                                                          \
  } while (0)

/* tcp is for those who said that they want it, whoever named the peer. */
static void test_tcp(void) {
  g_autoptr(json_t) no = json_pack("{sb}", "allowTCPPeers", FALSE);
  g_autoptr(json_t) yes = json_pack("{sb}", "allowTCPPeers", TRUE);
  g_autoptr(json_t) empty = json_object();
  g_autoptr(json_t) h1 = node("h1", "tls", "h1.lan");
  g_autoptr(json_t) h2 = node("h2", "tcp", "h2.lan");
  json_t *nodes[] = {h1, h2};
  g_autofree char *said = NULL;
  g_autofree char *reason = reason_against(nodes, empty, &said);
  g_assert_cmpstr(reason, ==, "TCPNotAllowed");
  g_assert_nonnull(strstr(said, "h2.lan"));
  g_assert_nonnull(strstr(said, "allowTCPPeers"));
  AGAINST(nodes, no, "TCPNotAllowed");
  AGAINST(nodes, yes, NULL);
  bind_peer(h2, "tcp", "h2.lan");
  AGAINST(nodes, no, "TCPNotAllowed");
  bind_peer(h2, "tls", "h2.lan"); /* the administrator's word wins */
  AGAINST(nodes, no, NULL);
}

/* What is another node's is not believed: its peer, its name, its address. */
static void test_conflict(void) {
  static const char *const claimed[] = {"h1.lan", "h1", "10.0.0.1"};
  g_autoptr(json_t) config = json_object();
  for (gsize i = 0; i < G_N_ELEMENTS(claimed); i++) {
    g_autoptr(json_t) h1 = node("h1", "tls", "h1.lan");
    g_autoptr(json_t) h2 = node("h2", "tls", claimed[i]);
    ferry_json_set(h1, "status.addresses",
                   json_pack("[{ss,ss}]", "type", "InternalIP", "address", "10.0.0.1"));
    json_t *nodes[] = {h1, h2};
    g_autofree char *said = NULL;
    g_autofree char *reason = reason_against(nodes, config, &said);
    g_assert_cmpstr(reason, ==, "PeerConflict");
    g_assert_nonnull(strstr(said, claimed[i]));
    g_assert_nonnull(strstr(said, "node h1's"));
    bind_peer(h2, "tls", claimed[i]); /* said by an administrator it is no claim */
    AGAINST(nodes, config, NULL);
  }
}

/* A claim that was dropped when it was reported is told as it was then; a host that said nothing is
 * asked. */
static void test_no_peer(void) {
  g_autoptr(json_t) config = json_object();
  g_autoptr(json_t) h1 = node("h1", "tls", "h1.lan");
  g_autoptr(json_t) h2 = node("h2", NULL, NULL);
  json_t *nodes[] = {h1, h2};
  AGAINST(nodes, config, "NoPeerURI");
  json_array_append_new(
      ferry_json_get(h2, "status.conditions"),
      json_pack("{ss,ss,ss}", "type", "PeerConflict", "status", "True", "message", "it said h1"));
  g_autofree char *said = NULL;
  g_autofree char *reason = reason_against(nodes, config, &said);
  g_assert_cmpstr(reason, ==, "PeerConflict");
  g_assert_cmpstr(said, ==, "it said h1");
  bind_peer(h2, "ssh", "h2.lan");
  AGAINST(nodes, config, NULL);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/peers/tcp", test_tcp);
  g_test_add_func("/peers/conflict", test_conflict);
  g_test_add_func("/peers/none", test_no_peer);
  return g_test_run();
}
