// SPDX-License-Identifier: Apache-2.0
// The disk workload of the linux guest: fills /dev/vda, then rewrites random
// blocks and checks them, as the memory workload does with pages.
#ifndef FERRY_LAB_GUEST_LINUX_DISK_H
#define FERRY_LAB_GUEST_LINUX_DISK_H

#include "../workload.h"

typedef struct {
  int fd;         // 0: no disk
  uint32_t count; // blocks of FERRY_PAGE_SIZE
  uint32_t *generations;
  FerryReportError report;
  // For others, atomic.
  uint32_t filled; // 1: every block has been written once
  uint32_t errors;
  uint64_t written;
  uint64_t checked;
} FerryDisk;

// Loads the driver's modules from the initrd and opens the disk. NULL, or what
// went wrong (errno says why).
const char *ferry_disk_open(FerryDisk *self, FerryReportError report);

// Thread function: runs the workload for ever; data is a FerryDisk.
void *ferry_disk_run(void *data);

#endif
