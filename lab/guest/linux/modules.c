// SPDX-License-Identifier: Apache-2.0
#include "modules.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *const virtio[] = {"virtio_ring", "virtio", "virtio_pci_modern_dev",
                                     "virtio_pci_legacy_dev", "virtio_pci"};

static bool load(const char *name) {
  char path[64] = "/";
  int fd;

  strcat(strcat(path, name), ".ko");
  fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return true; // built into the kernel
  bool good = syscall(SYS_finit_module, fd, "", 0) >= 0 || errno == EEXIST;
  close(fd);
  return good;
}

bool ferry_modules_load(const char *const *names, unsigned n) {
  for (unsigned i = 0; i < sizeof virtio / sizeof virtio[0]; i++)
    if (!load(virtio[i]))
      return false;
  for (unsigned i = 0; i < n; i++)
    if (!load(names[i]))
      return false;
  return true;
}
