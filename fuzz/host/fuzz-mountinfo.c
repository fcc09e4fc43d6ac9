// SPDX-License-Identifier: Apache-2.0
// The kernel's list of mounts, whose paths anybody who may mount has named.
#include "fuzz.h"
#include "host/machine/shared_mounts.h"

static char *resolve(const char *directory) {
  return g_strdup(directory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const directories[] = {"/srv/images", NULL};
  g_autofree char *text = g_strndup((const char *)data, size);
  g_autoptr(json_t) list = ferry_shared_mounts(text, directories, resolve);
  return 0;
}
