// SPDX-License-Identifier: Apache-2.0
// A certificate request of whoever has a join token: refused, or signed for that node's name alone.
#include "api/auth/pki.h"
#include "fuzz.h"
#include <glib/gstdio.h>
#include <string.h>

#define NOW_MS G_GINT64_CONSTANT(1767225600000)

static FerryPki *pki_in_scratch(void) {
  static const char *const files[] = {"ca.crt",     "ca.key",    "server.crt",
                                      "server.key", "admin.crt", "admin.key"};
  g_autofree char *dir = g_dir_make_tmp("ferry-fuzz-XXXXXX", NULL);
  FerryPki *pki = ferry_pki_open(dir, NULL, NOW_MS, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
    g_autofree char *path = g_build_filename(dir, files[i], NULL);
    g_remove(path);
  }
  g_rmdir(dir);
  return pki;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static FerryPki *pki;
  if (!pki)
    pki = pki_in_scratch();
  g_autofree char *pem = g_strndup((const char *)data, size);
  FerryPkiIssued issued = {0};
  if (ferry_pki_sign_client(pki, pem, "system:nodes", "system:node:h1", NOW_MS, 86400, &issued,
                            NULL) &&
      !strstr(issued.pem, "-----BEGIN CERTIFICATE-----"))
    abort();
  ferry_pki_issued_clear(&issued);
  return 0;
}
