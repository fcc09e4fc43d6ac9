// SPDX-License-Identifier: Apache-2.0
// Where another host connects to: which URIs are taken apart and how they are put together again,
// and those that would run programs, choose keys or lead elsewhere, by hand and at random.
#include "model/migration/peer_uri.h"
#include "model/validate/validate.h"
#include <string.h>

static void test_good(void) {
  static const struct {
    const char *uri, *scheme, *host, *user, *built;
    int port;
  } good[] = {
      {"qemu+tls://h2/system", "tls", "h2", NULL, NULL, 0},
      {"qemu+tls://H2.Example.com/system", "tls", "h2.example.com", NULL,
       "qemu+tls://h2.example.com/system", 0},
      {"qemu+tls://h2:16515/system", "tls", "h2", NULL, NULL, 16515},
      {"qemu+ssh://root@h2/system", "ssh", "h2", "root", NULL, 0},
      {"qemu+ssh://_mig-1@10.0.0.2:2222/system", "ssh", "10.0.0.2", "_mig-1", NULL, 2222},
      {"qemu+ssh://h2/system", "ssh", "h2", NULL, NULL, 0},
      {"qemu+tcp://10.0.0.2/system", "tcp", "10.0.0.2", NULL, NULL, 0},
      {"qemu+tls://[2001:db8::2]/system", "tls", "2001:db8::2", NULL, NULL, 0},
      {"qemu+tls://[2001:DB8::2]:1/system", "tls", "2001:db8::2", NULL,
       "qemu+tls://[2001:db8::2]:1/system", 1},
      {"qemu+tls://1-2.a1/system", "tls", "1-2.a1", NULL, NULL, 0},
      {"qemu+tls://xn--bcher-kva.example/system", "tls", "xn--bcher-kva.example", NULL, NULL, 0},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) peer = ferry_peer_parse(good[i].uri, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(ferry_json_str(peer, "scheme"), ==, good[i].scheme);
    g_assert_cmpstr(ferry_json_str(peer, "host"), ==, good[i].host);
    g_assert_cmpstr(ferry_json_str(peer, "user"), ==, good[i].user);
    g_assert_cmpint(ferry_json_int(peer, "port", 0), ==, good[i].port);
    g_autofree char *uri = ferry_peer_uri(peer, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(uri, ==, good[i].built ? good[i].built : good[i].uri);
  }
}

static void refused(const char *uri) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) peer = ferry_peer_parse(uri, &error);
  if (peer)
    g_error("taken: %s", uri);
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID);
  g_assert_true(g_utf8_validate(error->message, -1, NULL));
}

static void test_hostile(void) {
  static const char *const bad[] = {"",
                                    "qemu:///system",
                                    "qemu+tls:///system",
                                    "qemu+tls://h2",
                                    "qemu+tls://h2/",
                                    "qemu+tls://h2/session",
                                    "qemu+tls://h2/system/",
                                    "qemu+tls://h2//system",
                                    "qemu+tls://h2/system/../x",
                                    "QEMU+TLS://h2/system",
                                    " qemu+tls://h2/system",
                                    "qemu+tls://h2/system ",
                                    "qemu+tls://h2/system\n",
                                    "qemu+tls://h 2/system",
                                    "qemu+ext://h2/system",
                                    "qemu+ext://h2/system?command=/bin/sh",
                                    "qemu+unix://h2/system",
                                    "qemu+unix:///system?socket=/tmp/x",
                                    "qemu+libssh://h2/system",
                                    "qemu+libssh2://h2/system",
                                    "test:///default",
                                    "xen+ssh://h2/system",
                                    "ch+tls://h2/system",
                                    "qemu+tls+ext://h2/system",
                                    "sim://h2/system",
                                    "qemu+tls://h2/system?no_verify=1",
                                    "qemu+tls://h2/system?pkipath=/tmp",
                                    "qemu+ssh://h2/system?netcat=/tmp/x",
                                    "qemu+ssh://h2/system?keyfile=/tmp/k",
                                    "qemu+ssh://h2/system?sshauth=agent",
                                    "qemu+ssh://h2/system?proxy=native",
                                    "qemu+ssh://h2/system?mode=direct",
                                    "qemu+tls://h2?x/system",
                                    "qemu+tls://h2#/system",
                                    "qemu+tls://h2/system#x",
                                    "qemu+tls://root@h2/system",
                                    "qemu+tcp://root@h2/system",
                                    "qemu+ssh://@h2/system",
                                    "qemu+ssh://a@b@h2/system",
                                    "qemu+ssh://root:pw@h2/system",
                                    "qemu+ssh://-oProxyCommand=x@h2/system",
                                    "qemu+ssh://-l@h2/system",
                                    "qemu+ssh://-oProxyCommand=x/system",
                                    "qemu+ssh://Root@h2/system",
                                    "qemu+ssh://r%6fot@h2/system",
                                    "qemu+ssh://root;id@h2/system",
                                    "qemu+ssh://$(id)@h2/system",
                                    "qemu+ssh://root@/system",
                                    "qemu+ssh://root@:22/system",
                                    "qemu+tls://h2:/system",
                                    "qemu+tls://h2:0/system",
                                    "qemu+tls://h2:65536/system",
                                    "qemu+tls://h2:022/system",
                                    "qemu+tls://h2:-1/system",
                                    "qemu+tls://h2:+1/system",
                                    "qemu+tls://h2: 1/system",
                                    "qemu+tls://h2:1e3/system",
                                    "qemu+tls://h2:22:23/system",
                                    "qemu+tls://h2:99999999999/system",
                                    "qemu+tls://h2%00/system",
                                    "qemu+tls://h2%2fx/system",
                                    "qemu+tls://h%32/system",
                                    "qemu+tls://h2\\x/system",
                                    "qemu+tls://h2;x/system",
                                    "qemu+tls://h2,h3/system",
                                    "qemu+tls://h2&x/system",
                                    "qemu+tls://h2'/system",
                                    "qemu+tls://h2\"/system",
                                    "qemu+tls://h2`id`/system",
                                    "qemu+tls://h2|id/system",
                                    "qemu+tls://h_2/system",
                                    "qemu+tls://-h2/system",
                                    "qemu+tls://h2-/system",
                                    "qemu+tls://h2./system",
                                    "qemu+tls://h2../system",
                                    "qemu+tls://.h2/system",
                                    "qemu+tls://h2..x/system",
                                    "qemu+tls://h\xc3\xbc/system",
                                    "qemu+tls://h\xff/system",
                                    "qemu+tls://h\xe2\x80\xae/system",
                                    "qemu+tls://\xef\xbd\x88/system",
                                    "qemu+tls://127.0.0.1/system",
                                    "qemu+tls://127.1/system",
                                    "qemu+tls://0/system",
                                    "qemu+tls://2130706433/system",
                                    "qemu+tls://0x7f000001/system",
                                    "qemu+tls://0x7f.1/system",
                                    "qemu+tls://h2.0x7f/system",
                                    "qemu+tls://10.0.2/system",
                                    "qemu+tls://010.0.0.2/system",
                                    "qemu+tls://10.0.0.256/system",
                                    "qemu+tls://10.0.0.2./system",
                                    "qemu+tls://0.0.0.0/system",
                                    "qemu+tls://224.0.0.1/system",
                                    "qemu+tls://255.255.255.255/system",
                                    "qemu+tls://169.254.1.1/system",
                                    "qemu+tls://localhost/system",
                                    "qemu+tls://LOCALHOST/system",
                                    "qemu+tls://localhost.localdomain/system",
                                    "qemu+tls://x.localhost/system",
                                    "qemu+tls://2001:db8::2/system",
                                    "qemu+tls://[2001:db8::2/system",
                                    "qemu+tls://2001:db8::2]/system",
                                    "qemu+tls://[[2001:db8::2]]/system",
                                    "qemu+tls://[2001:db8::2]x/system",
                                    "qemu+tls://[2001:db8::2]22/system",
                                    "qemu+tls://[fe80::1%25eth0]/system",
                                    "qemu+tls://[fe80::1%eth0]/system",
                                    "qemu+tls://[fe80::1]/system",
                                    "qemu+tls://[::1]/system",
                                    "qemu+tls://[::]/system",
                                    "qemu+tls://[::ffff:10.0.0.2]/system",
                                    "qemu+tls://[::10.0.0.2]/system",
                                    "qemu+tls://[ff02::1]/system",
                                    "qemu+tls://[2001:db8:0:0:0:0:0:2]/system",
                                    "qemu+tls://[2001:0db8::2]/system",
                                    "qemu+tls://[10.0.0.2]/system",
                                    "qemu+tls://[h2]/system",
                                    "qemu+tls://[]/system",
                                    "qemu+tls://[]:22/system"};
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
    refused(bad[i]);
  g_autofree char *label = g_strnfill(64, 'a');
  g_autofree char *long_label = g_strdup_printf("qemu+tls://%s/system", label);
  refused(long_label);
  g_autofree char *much = g_strnfill(1 << 20, 'a');
  g_autofree char *long_host = g_strdup_printf("qemu+tls://%s/system", much);
  refused(long_host);
  g_autofree char *long_user = g_strdup_printf("qemu+ssh://%s@h2/system", much);
  refused(long_user);
}

/* A report is JSON, not text: other types and other members are what to think of. */
static void test_fields(void) {
  static const char *const bad[] = {"{}",
                                    "{\"scheme\":\"tls\"}",
                                    "{\"host\":\"h2\"}",
                                    "{\"scheme\":\"ext\",\"host\":\"h2\"}",
                                    "{\"scheme\":\"TLS\",\"host\":\"h2\"}",
                                    "{\"scheme\":\"tls\",\"host\":\"H2\"}",
                                    "{\"scheme\":\"tls\",\"host\":\"\"}",
                                    "{\"scheme\":\"tls\",\"host\":7}",
                                    "{\"scheme\":\"tls\",\"host\":[\"h2\"]}",
                                    "{\"scheme\":\"tls\",\"host\":\"h2/x\"}",
                                    "{\"scheme\":\"tls\",\"host\":\"h2?command=x\"}",
                                    "{\"scheme\":\"tls\",\"host\":\"[::2]\"}",
                                    "{\"scheme\":\"tls\",\"host\":\"h2:22\"}",
                                    "{\"scheme\":\"tls\",\"host\":\"x@h2\"}",
                                    "{\"scheme\":\"tls\",\"host\":\"h2\",\"port\":\"22\"}",
                                    "{\"scheme\":\"tls\",\"host\":\"h2\",\"port\":-1}",
                                    "{\"scheme\":\"tls\",\"host\":\"h2\",\"port\":65536}",
                                    "{\"scheme\":\"tls\",\"host\":\"h2\",\"port\":4294967318}",
                                    "{\"scheme\":\"tls\",\"host\":\"h2\",\"port\":2.5}",
                                    "{\"scheme\":\"tls\",\"host\":\"h2\",\"user\":\"root\"}",
                                    "{\"scheme\":\"ssh\",\"host\":\"h2\",\"user\":\"-oX\"}",
                                    "{\"scheme\":\"ssh\",\"host\":\"h2\",\"user\":\"\"}",
                                    "{\"scheme\":\"ssh\",\"host\":\"h2\",\"user\":{}}",
                                    "{\"scheme\":\"tls\",\"host\":\"h2\",\"command\":\"id\"}",
                                    "{\"scheme\":\"ssh\",\"host\":\"h2\",\"netcat\":\"/tmp/x\"}",
                                    "{\"scheme\":\"tls\",\"host\":\"h2\",\"path\":\"/session\"}"};
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) peer = ferry_json_parse(bad[i], strlen(bad[i]), NULL);
    g_assert_nonnull(peer);
    g_autofree char *uri = ferry_peer_uri(peer, &error);
    if (uri)
      g_error("taken: %s", bad[i]);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID);
  }
  g_assert_null(ferry_peer_uri(NULL, NULL));
}

static json_t *node_with(const char *peer, const char *where) {
  json_t *node =
      json_pack("{ss,ss,s{ss}}", "apiVersion", "v1", "kind", "Node", "metadata", "name", "h2");
  ferry_json_set(node, where, ferry_json_parse(peer, strlen(peer), NULL));
  return node;
}

/* The kind's own table refuses the same, wherever a Node is written. */
static void test_kind(void) {
  static const char *const bad[] = {
      "{\"scheme\":\"ext\",\"host\":\"h2\"}",
      "{\"scheme\":\"tls\",\"host\":\"h2?command=x\"}",
      "{\"scheme\":\"tls\",\"host\":\"127.0.0.1\"}",
      "{\"scheme\":\"tls\"}",
      "\"qemu+tls://h2\"",
      "{\"scheme\":\"tls\",\"host\":\"h2\",\"port\":70000}",
      "{\"scheme\":\"ssh\",\"host\":\"h2\",\"user\":\"-oProxyCommand=x\"}"};
  static const char *const places[] = {"spec.peer", "status.hypervisor.peer"};
  for (gsize p = 0; p < 2; p++) {
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
      g_autoptr(json_t) node = node_with(bad[i], places[p]);
      g_autoptr(json_t) out =
          ferry_validate(&ferry_kind_node, node, NULL, FERRY_UNKNOWN_STRICT, NULL, NULL);
      g_assert_null(out);
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) good = node_with("{\"scheme\":\"tls\",\"host\":\"h2\"}", places[p]);
    g_autoptr(json_t) out =
        ferry_validate(&ferry_kind_node, good, NULL, FERRY_UNKNOWN_STRICT, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(ferry_json_str(ferry_peer_of_node(out), "host"), ==, "h2");
  }
  g_autoptr(json_t) user =
      node_with("{\"scheme\":\"tls\",\"host\":\"h2\",\"user\":\"root\"}", "spec.peer");
  g_assert_null(ferry_validate(&ferry_kind_node, user, NULL, FERRY_UNKNOWN_STRICT, NULL, NULL));
}

/* Whatever is taken is built again the same: one host, one spelling. */
static void test_random(void) {
  static const char *const parts[] = {
      "qemu+", "tls", "ssh", "tcp",     "://", "h2", "10.0.0.2", "[", "]", ":",  "::2",
      "@",     "22",  "/",   "/system", "?",   "%",  "root",     ".", "-", "\\", "2001:db8::2"};
  g_autoptr(GRand) random = g_rand_new_with_seed(9);
  for (int i = 0; i < 200000; i++) {
    g_autoptr(GString) text = g_string_new(g_rand_int_range(random, 0, 4) ? "qemu+ssh://" : "");
    for (int n = g_rand_int_range(random, 1, 7); n > 0; n--)
      g_string_append(text, parts[g_rand_int_range(random, 0, G_N_ELEMENTS(parts))]);
    g_autoptr(json_t) peer = ferry_peer_parse(text->str, NULL);
    g_autofree char *uri = peer ? ferry_peer_uri(peer, NULL) : NULL;
    if (peer)
      g_assert_cmpstr(uri, ==, text->str);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/model/peer_uri/good", test_good);
  g_test_add_func("/model/peer_uri/hostile", test_hostile);
  g_test_add_func("/model/peer_uri/fields", test_fields);
  g_test_add_func("/model/peer_uri/kind", test_kind);
  g_test_add_func("/model/peer_uri/random", test_random);
  return g_test_run();
}
