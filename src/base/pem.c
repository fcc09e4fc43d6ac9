// SPDX-License-Identifier: Apache-2.0
#include "base/pem.h"
#include <string.h>

const char *ferry_pem_certificate(const char *text) {
  return text ? strstr(text, FERRY_PEM_CERTIFICATE) : NULL;
}
