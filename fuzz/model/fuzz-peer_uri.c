// SPDX-License-Identifier: Apache-2.0
// Where a host says that others connect to, as a URI or as a peer's fields: what comes out of
// either names a host and nothing else, and is the same when it is read again.
#include "fuzz.h"
#include "model/migration/peer_uri.h"
#include <string.h>

/* By its bytes alone, whatever the parser thinks of it. */
static void check_uri(const char *uri) {
  static const char *const heads[] = {"qemu+tls://", "qemu+ssh://", "qemu+tcp://"};
  gboolean known = FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS(heads); i++)
    known = known || g_str_has_prefix(uri, heads[i]);
  g_assert_true(known);
  const char *host = uri + strlen(heads[0]);
  size_t len = strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.:-_@[]");
  g_assert_cmpstr(host + len, ==, "/system");
  g_assert_cmpuint(len, >, 0);
  g_assert_null(memchr(host, '@', len) && !g_str_has_prefix(uri, heads[1]) ? uri : NULL);
}

static void check_peer(const json_t *peer) {
  g_autofree char *uri = ferry_peer_uri(peer, NULL);
  if (!uri)
    return;
  check_uri(uri);
  g_autoptr(json_t) again = ferry_peer_parse(uri, NULL);
  g_autofree char *same = again ? ferry_peer_uri(again, NULL) : NULL;
  g_assert_cmpstr(same, ==, uri);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  g_autofree char *text = g_strndup((const char *)data, size);
  g_autoptr(json_t) fields = *text == '{' ? ferry_json_parse(text, strlen(text), NULL) : NULL;
  g_autoptr(json_t) peer = ferry_peer_parse(text, NULL);
  if (fields)
    check_peer(fields);
  if (!peer)
    return 0;
  g_autofree char *uri = ferry_peer_uri(peer, NULL);
  g_assert_nonnull(uri); /* what was understood can be said */
  check_peer(peer);
  return 0;
}
