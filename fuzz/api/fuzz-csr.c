// SPDX-License-Identifier: Apache-2.0
// A certificate request of whoever has a join token: refused, or signed for that node's name alone.
#include "api/pki/pki_private.h"
#include "api/pki/pki.h"
#include "fuzz.h"
#include "scratch.h"
#include <string.h>

#define NOW_MS G_GINT64_CONSTANT(1767225600000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static FerryPki *pki;
  if (!pki)
    pki = ferry_pki_open(fuzz_scratch(), NULL, NOW_MS, NULL);
  g_autofree char *pem = g_strndup((const char *)data, size);
  FerryPkiIssued issued = {0};
  if (ferry_pki_sign_client(pki, pem, "system:nodes", "system:node:h1", NOW_MS, 86400, &issued,
                            NULL) &&
      !strstr(issued.pem, "-----BEGIN CERTIFICATE-----"))
    abort();
  ferry_pki_issued_clear(&issued);
  return 0;
}
