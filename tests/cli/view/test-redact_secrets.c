// SPDX-License-Identifier: Apache-2.0
#include "cli/view/redact_secrets.h"
#include <string.h>

#define HEX "0123456789abcdef0123456789abcdef"

static void test_gone(void) {
  static const char *const texts[] = {
      "-----BEGIN PRIVATE KEY-----\nMIIhunter2\nAA==\n-----END PRIVATE KEY-----",
      "cut off: -----BEGIN EC PRIVATE KEY-----\nhunter2",
      "<domain type='kvm'>\n<graphics passwd='x'/>hunter2</domain> after",
      "Authorization: Bearer hunter2hunter2",
      "Cookie: a=hunter2; b=c",
      "oidc-client-secret = my hunter2 words",
      "graphics passwd='hunter2' listen='all'",
      "\"joinToken\": \"hunter2\"",
      "password=hunter2,port=5",
      "passphrase: hunter2",
      "-object secret,id=x,data=hunter2hunter2==,format=base64",
      "sent bearer hunter2hunter2",
      "https://nina:hunter2@proxy/x",
      "token ferrytoken.0123456789ab." HEX HEX "hunter2",
      "join with ferry.0123456789ab.h1.hunter2",
      "eyJhbGciOiJub25lIn0.eyJzdWIiOiJodW50ZXIyIn0.hunter2",
      "api_key=hunter2",
  };
  for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_autofree char *out = ferry_redact_secrets(texts[i]);
    if (strstr(out, "hunter2") || !strstr(out, "(redacted)"))
      g_error("\"%s\" became \"%s\"", texts[i], out);
  }
}

static void test_long_words(void) {
  g_autofree char *hex = ferry_redact_secrets("hash " HEX HEX " end");
  g_assert_cmpstr(hex, ==, "hash (redacted) end");
  g_autofree char *word = g_strnfill(4 * 1024 * 1024, 'w'); /* in time, and gone */
  g_autofree char *out = ferry_redact_secrets(word);
  g_assert_cmpstr(out, ==, "(redacted)");
}

static void test_kept(void) {
  static const char *const texts[] = {
      "2026-01-02T03:04:05Z ferryd[7]: db: from h1 to h2, 64Mi left",
      "apiVersion: ferry.migration/v1",
      "qemu+ssh://root@h1/system",
      "uuid 6c7a2f60-97f1-4f0e-9d4a-2b7d6f2f8a11",
      "listen = 0.0.0.0:6443",
      "the secret of the volume has no value",
      "",
  };
  for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_autofree char *out = ferry_redact_secrets(texts[i]);
    g_assert_cmpstr(out, ==, texts[i]);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/cli/redact_secrets/gone", test_gone);
  g_test_add_func("/cli/redact_secrets/long-words", test_long_words);
  g_test_add_func("/cli/redact_secrets/kept", test_kept);
  return g_test_run();
}
