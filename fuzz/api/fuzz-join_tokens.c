// SPDX-License-Identifier: Apache-2.0
// A join token that an agent shows, against a file of join tokens: the first line is the token, the
// second the node, the rest the file. What lets somebody in was in the file, unused, for that node,
// and lets nobody in twice. Where the input's length is odd the node's tokens are taken back first.
#include "api_request.h"
#include "api/auth/join_tokens.h"
#include "base/random.h"
#include "fuzz.h"
#include "scratch.h"
#include <string.h>

static const char csr[] = "-----BEGIN CERTIFICATE REQUEST-----\n"
                          "MIHrMIGSAgEAMDAxFTATBgNVBAoMDHN5c3RlbTpub2RlczEXMBUGA1UEAwwOc3lz\n"
                          "dGVtOm5vZGU6aDEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARnqJA4iM0rGSHP\n"
                          "nfBBqOo879nltxlzPkBI8GyHk8bYZgLcr5IEAxqPbWWMOsnemMRAZgx2sk1ztJyt\n"
                          "g+PEOjlLoAAwCgYIKoZIzj0EAwIDSAAwRQIgPgtFCScO4TDJ2D0sWdSu5tvBzHAk\n"
                          "Nx/MqdMAspciYqACIQCXK8Kgjo0bV5ZBt60n2BCpj0dorOxW14e3AJE9ZlWKlw==\n"
                          "-----END CERTIFICATE REQUEST-----\n";

static unsigned join(const char *token, const char *node) {
  g_auto(FerryRequest) req;
  fuzz_request_init(&req);
  fuzz_request_address(&req, "nobody", "POST", "/apis/ferry.migration/v1/join");
  g_autoptr(json_t) body = json_pack("{ss,ss,ss}", "token", token, "nodeName", node, "csr", csr);
  if (!body)
    return 0;
  g_autofree char *text = ferry_json_dump(body);
  g_byte_array_append(req.asked.body, (const guint8 *)text, (guint)strlen(text));
  fuzz_request_serve(&req);
  return req.answer.status;
}

/* Reads the file by itself: whether it has the token's secret for this node. */
static gboolean is_there(const char *file, const char *token, const char *node) {
  g_autoptr(json_t) all = json_loads(file, 0, NULL);
  const char *secret = strrchr(token, '.');
  g_autofree char *hash = secret ? ferry_sha256_hex(secret + 1, strlen(secret + 1)) : NULL;
  const json_t *entry = hash ? json_object_get(all, hash) : NULL;
  return g_strcmp0(json_string_value(json_object_get(entry, "node")), node) == 0 &&
         ferry_json_int(entry, "expires", 0) >= g_get_real_time() / 1000 - 10000;
}

/* A token that is good lets its node in: else all this is about what is refused for something else.
 */
static void check_good(void) {
  static gboolean checked;
  if (checked)
    return;
  checked = TRUE;
  g_autofree char *hash = ferry_sha256_hex("s", 1);
  g_autofree char *file =
      g_strdup_printf("{\"%s\":{\"node\":\"h1\",\"expires\":4102444800000}}", hash);
  fuzz_scratch_write("join-tokens.json", file, strlen(file));
  g_assert_cmpuint(join("ferry.0.h1.s", "h1"), ==, 201);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  g_autofree char *text = g_strndup((const char *)data, size);
  g_auto(GStrv) parts = g_strsplit(text, "\n", 3);
  if (g_strv_length(parts) != 3)
    return 0;
  check_good();
  const char *token = parts[0], *node = parts[1], *file = parts[2];
  fuzz_scratch_write("join-tokens.json", file, strlen(file));
  if (size % 2) {
    ferry_join_tokens_drop(fuzz_api()->api->join_tokens, node);
    g_assert_cmpuint(join(token, node), !=, 201);
  } else if (join(token, node) == 201) {
    g_assert_true(is_there(file, token, node));
    g_assert_cmpuint(join(token, node), ==, 401);
  }
  return 0;
}
