// SPDX-License-Identifier: Apache-2.0
// A kubeconfig that somebody was given.
#include "client/client.h"
#include "fuzz.h"
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  int fd = memfd_create("kubeconfig", MFD_CLOEXEC);
  if (fd < 0 || write(fd, data, size) != (ssize_t)size) {
    if (fd >= 0)
      close(fd);
    return 0;
  }
  g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
  g_autoptr(FerryClientConfig) config = ferry_client_config_load(path, NULL, NULL);
  g_autoptr(FerryClientConfig) copy = config ? ferry_client_config_copy(config) : NULL;
  close(fd);
  return 0;
}
