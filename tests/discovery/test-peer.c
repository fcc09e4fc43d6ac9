// SPDX-License-Identifier: Apache-2.0
// What is made of announcements, good, bad and hostile.
#include "discovery/peer.h"

#include <string.h>

#define HASH "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"
#define LOWER "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static FerryPeer *peer(const char *host, guint16 port, const char *txt) {
  g_auto(GStrv) lines = g_strsplit(txt, "|", -1);
  return ferry_peer_new("some", host, "10.0.0.2", port, (const char *const *)lines);
}

/* What one announces, the other reads. */
static void test_round_trip(void) {
  FerryAnnouncement own = {.role = "ferryd",
                           .name = "ferryd on h1",
                           .port = 6443,
                           .node = NULL,
                           .server = "https://ferry.example:6443",
                           .ca = HASH,
                           .id = "abc"};
  g_auto(GStrv) txt = ferry_announcement_txt(&own);
  g_autoptr(FerryPeer) p =
      ferry_peer_new(own.name, "H1.local.", "10.0.0.1", own.port, (const char *const *)txt);
  g_assert_nonnull(p);
  g_assert_cmpstr(p->host, ==, "h1.local");
  g_assert_cmpstr(p->name, ==, "ferryd on h1");
  g_assert_cmpstr(p->ca, ==, LOWER);
  g_assert_cmpstr(p->id, ==, "abc");
  g_assert_null(p->node);
  g_autofree char *url = ferry_peer_url(p);
  g_assert_cmpstr(url, ==, "https://ferry.example:6443");
}

static void test_urls(void) {
  static const struct {
    const char *host;
    guint16 port;
    const char *txt, *url;
  } cases[] = {
      {"h2.local", 6443, "role=ferryd", "https://h2.local:6443"},
      {"h2.local", 6443, "ROLE=ferryd|server=https://[fd00::1]", "https://[fd00::1]:443"},
      {"h2.local", 6443, "role=ferryd|server=https://127.0.0.1:6443", "https://h2.local:6443"},
      {"h2.local", 6443, "role=ferryd|server=https://localhost:1", "https://h2.local:6443"},
      {"h2.local", 6443, "role=ferryd|server=http://h3:1", "https://h2.local:6443"},
      {"h2.local", 6443, "role=ferryd|server=https://u:p@h3:1", "https://h2.local:6443"},
      {"h2.local", 6443, "role=ferryd|server=https://h3:1/x?y", "https://h2.local:6443"},
      {"h2.local", 6443, "role=ferryd|server=https://h3:1/", "https://h3:1"},
      {"h2.local", 6443, "role=ferryd|server=javascript:alert(1)", "https://h2.local:6443"},
      {"h2.local", 0, "role=agent|node=h2", NULL},
      {"h2.local", 99, "role=agent|node=h2", NULL}, /* an agent opens no port, whatever it says */
      {"h2.local", 0, "role=agent|server=https://10.0.0.9:6443", "https://10.0.0.9:6443"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(FerryPeer) p = peer(cases[i].host, cases[i].port, cases[i].txt);
    g_assert_nonnull(p);
    g_autofree char *url = ferry_peer_url(p);
    g_assert_cmpstr(url, ==, cases[i].url);
  }
}

static void test_no_peers(void) {
  static const struct {
    const char *host;
    guint16 port;
    const char *txt;
  } cases[] = {
      {"h2", 6443, ""},
      {"h2", 6443, "role"},
      {"h2", 6443, "role=printer"},
      {"h2", 0, "role=ferryd"},
      {"", 6443, "role=ferryd"},
      {".", 6443, "role=ferryd"},
      {"-x", 6443, "role=ferryd"},
      {"h2/../etc", 6443, "role=ferryd"},
      {"h2\"><script>", 6443, "role=ferryd"},
      {"h2 h3", 6443, "role=ferryd"},
      {"h2@evil", 6443, "role=ferryd"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(FerryPeer) p = peer(cases[i].host, cases[i].port, cases[i].txt);
    if (p)
      g_error("case %zu is taken for a peer", i);
  }
  g_autofree char *longer = g_strnfill(254, 'a');
  g_assert_null(peer(longer, 1, "role=ferryd"));
  g_assert_null(ferry_peer_new("x", NULL, NULL, 1, NULL));
}

static void test_bad_values(void) {
  g_autoptr(FerryPeer) p = peer("h2", 1, "role=ferryd|ca=123|node=a b|id=\001|server=");
  g_assert_nonnull(p);
  g_assert_null(p->ca);
  g_assert_null(p->node);
  g_assert_null(p->id);
  g_assert_null(p->server);
  const char *const txt[] = {"role=ferryd", "\xff=\xfe", NULL};
  g_autoptr(FerryPeer) q = ferry_peer_new("\xff\xfe", "h2", "not an address", 1, txt);
  g_assert_nonnull(q);
  g_assert_cmpstr(q->name, ==, "h2");
  g_assert_null(q->address);
}

/* Each URL once, in order, without one's own control plane. */
static void test_list(void) {
  FerryPeer *peers[] = {
      peer("b.local", 6443, "role=ferryd|ca=" LOWER),
      peer("c.local", 6443, "role=ferryd"),
      peer("h9.local", 0, "role=agent|server=https://c.local:6443"),
      peer("a.local", 6443, "role=ferryd"),
      peer("h1.local", 0, "role=agent|server=https://b.local:6443|ca=" HASH),
      peer("h8.local", 0, "role=agent|node=h8"),
  };
  g_auto(GStrv) others = ferry_peer_urls(peers, G_N_ELEMENTS(peers), LOWER);
  g_autofree char *text = g_strjoinv(" ", others);
  g_assert_cmpstr(text, ==, "https://a.local:6443 https://c.local:6443");
  g_auto(GStrv) all = ferry_peer_urls(peers, G_N_ELEMENTS(peers), NULL);
  g_assert_cmpuint(g_strv_length(all), ==, 3);
  g_auto(GStrv) servers = ferry_peer_servers(peers, G_N_ELEMENTS(peers), HASH);
  g_autofree char *found = g_strjoinv(" ", servers);
  g_assert_cmpstr(found, ==, "https://10.0.0.2:6443"); /* by its address, and no agent */
  g_auto(GStrv) none = ferry_peer_servers(peers + 1, 5, HASH);
  g_assert_cmpuint(g_strv_length(none), ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS(peers); i++)
    ferry_peer_free(peers[i]);
}

static void test_limits(void) {
  g_autofree char *host = g_strnfill(300, 'a');
  g_autofree char *url = g_strconcat("https://", host, NULL);
  FerryAnnouncement own = {.role = "agent", .name = "x", .server = url};
  g_auto(GStrv) txt = ferry_announcement_txt(&own);
  for (gsize i = 0; txt[i]; i++)
    g_assert_cmpuint(strlen(txt[i]), <=, 255);
  g_assert_false(g_strv_contains((const char *const *)txt, url));
}

static void test_fingerprint(void) {
  g_autofree char *hash = ferry_peer_fingerprint("junk\n-----BEGIN CERTIFICATE-----\nYWJj\n"
                                                 "-----END CERTIFICATE-----\n");
  g_assert_cmpstr(hash, ==, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  g_assert_null(ferry_peer_fingerprint("-----BEGIN CERTIFICATE-----\nYWJj\n"));
  /* found by fuzzing: the two lines share their dashes */
  g_assert_null(ferry_peer_fingerprint("-----BEGIN CERTIFICATE-----END CERTIFICATE-----"));
  g_assert_null(ferry_peer_fingerprint(""));
  g_assert_null(ferry_peer_fingerprint(NULL));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/peer/round-trip", test_round_trip);
  g_test_add_func("/peer/urls", test_urls);
  g_test_add_func("/peer/no-peers", test_no_peers);
  g_test_add_func("/peer/bad-values", test_bad_values);
  g_test_add_func("/peer/list", test_list);
  g_test_add_func("/peer/limits", test_limits);
  g_test_add_func("/peer/fingerprint", test_fingerprint);
  return g_test_run();
}
