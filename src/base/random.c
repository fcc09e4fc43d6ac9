// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"

#include <string.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

static void random_bytes(void *out, gsize n) {
  if (gnutls_rnd(GNUTLS_RND_KEY, out, n) < 0)
    g_error("the system has no source of random numbers");
}

char *ferry_random_uuid(void) {
  guint8 b[16];
  random_bytes(b, sizeof(b));
  b[6] = (guint8)((b[6] & 0x0f) | 0x40);
  b[8] = (guint8)((b[8] & 0x3f) | 0x80);
  return g_strdup_printf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                         b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11],
                         b[12], b[13], b[14], b[15]);
}

char *ferry_random_suffix(guint n) {
  static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";
  char *out = g_malloc(n + 1);
  for (guint i = 0; i < n;) {
    guint8 b;
    random_bytes(&b, 1);
    if (b < 256 / (sizeof(alphabet) - 1) * (sizeof(alphabet) - 1))
      out[i++] = alphabet[b % (sizeof(alphabet) - 1)];
  }
  out[n] = '\0';
  return out;
}

static char *random_hex(const guint8 *data, gsize n) {
  char *out = g_malloc(2 * n + 1);
  for (gsize i = 0; i < n; i++)
    g_snprintf(out + 2 * i, 3, "%02x", data[i]);
  out[2 * n] = '\0';
  return out;
}

char *ferry_random_hex(guint bytes) {
  g_autofree guint8 *data = g_malloc(bytes);
  random_bytes(data, bytes);
  return random_hex(data, bytes);
}

char *ferry_sha256_hex(const void *data, gsize len) {
  guint8 digest[32];
  gnutls_hash_fast(GNUTLS_DIG_SHA256, data, len, digest);
  return random_hex(digest, sizeof(digest));
}

gboolean ferry_secret_equal(const char *a, const char *b) {
  gsize n = strlen(a);
  guint8 differs = n != strlen(b);
  for (gsize i = 0; !differs && i < n; i++)
    differs |= (guint8)(a[i] ^ b[i]);
  return !differs;
}
