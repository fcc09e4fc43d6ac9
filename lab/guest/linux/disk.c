// SPDX-License-Identifier: Apache-2.0
// Theory of operation. A block on disk is like a page in memory: index and
// generation in its header, a body known from the index, and the generation of
// its last write kept in memory. I/O is direct, so that what is read was on the
// (migrated) disk and not in the guest's cache. Before a block is rewritten it
// is read and checked; every few writes the next block in order is checked, too.
#include "disk.h"
#include "modules.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum {
  FILL_BLOCKS = 64,       // blocks per request while filling
  INTERVAL_NS = 10000000, // one rewrite and one check each
  MAX_BLOCKS = 1 << 20,   // 4 GiB; the rest of a larger disk stays untouched
};

const char *ferry_disk_open(FerryDisk *self, FerryReportError report) {
  struct timespec wait = {0, 10000000};
  uint64_t size;
  const char *const driver = "virtio_blk";

  if (!ferry_modules_load(&driver, 1))
    return "can't load the virtio-blk driver's modules";
  // The device appears some milliseconds after its driver.
  for (int tries = 0; (self->fd = open("/dev/vda", O_RDWR | O_DIRECT | O_CLOEXEC)) < 0; tries++) {
    if (tries == 500)
      return "there is no /dev/vda: does the domain have a virtio disk?";
    nanosleep(&wait, NULL);
  }
  if (ioctl(self->fd, BLKGETSIZE64, &size) < 0)
    return "can't get the size of /dev/vda";
  self->count =
      size / FERRY_PAGE_SIZE < MAX_BLOCKS ? (uint32_t)(size / FERRY_PAGE_SIZE) : MAX_BLOCKS;
  self->generations = calloc(self->count ? self->count : 1, sizeof *self->generations);
  self->report = report;
  errno = self->count ? ENOMEM : ENOSPC;
  return self->count && self->generations ? NULL : "can't use /dev/vda";
}

static void found_error(FerryDisk *self, FerryCheckError *error) {
  error->kind = FERRY_ERROR_BLOCK;
  __atomic_add_fetch(&self->errors, 1, __ATOMIC_ACQ_REL);
  self->report(error);
}

// An I/O error is a check error, too: expected and found are bytes.
static bool transfer_good(FerryDisk *self, uint32_t block, ssize_t done, uint32_t expected) {
  if (done == (ssize_t)expected)
    return true;
  FerryCheckError error = {FERRY_ERROR_BLOCK, block, 0, expected, done < 0 ? 0 : (uint32_t)done};
  found_error(self, &error);
  return false;
}

static void write_blocks(FerryDisk *self, uint32_t *buffer, uint32_t first, uint32_t n) {
  for (uint32_t i = 0; i < n; i++)
    ferry_page_fill(buffer + (size_t)i * FERRY_PAGE_WORDS, first + i,
                    ++self->generations[first + i]);
  ssize_t done =
      pwrite(self->fd, buffer, (size_t)n * FERRY_PAGE_SIZE, (off_t)first * FERRY_PAGE_SIZE);
  transfer_good(self, first, done, n * FERRY_PAGE_SIZE);
  __atomic_store_n(&self->written, self->written + n, __ATOMIC_RELAXED);
}

static void check_block(FerryDisk *self, uint32_t *buffer, uint32_t block) {
  FerryCheckError error;
  ssize_t done = pread(self->fd, buffer, FERRY_PAGE_SIZE, (off_t)block * FERRY_PAGE_SIZE);

  if (!transfer_good(self, block, done, FERRY_PAGE_SIZE))
    return;
  __atomic_store_n(&self->checked, self->checked + 1, __ATOMIC_RELAXED);
  if (!ferry_page_check(buffer, block, self->generations[block], FERRY_PAGE_WORDS, &error)) {
    found_error(self, &error);
    write_blocks(self, buffer, block, 1); // counted once
  }
}

void *ferry_disk_run(void *data) {
  FerryDisk *self = data;
  uint32_t *buffer = aligned_alloc(FERRY_PAGE_SIZE, (size_t)FILL_BLOCKS * FERRY_PAGE_SIZE);
  struct timespec interval = {0, INTERVAL_NS};
  uint32_t random = 0x5eed, next = 0;

  if (!buffer)
    return NULL; // never ready: the host's deadline reports it
  for (uint32_t at = 0; at < self->count; at += FILL_BLOCKS)
    write_blocks(self, buffer, at, self->count - at < FILL_BLOCKS ? self->count - at : FILL_BLOCKS);
  __atomic_store_n(&self->filled, 1, __ATOMIC_RELEASE);

  for (;;) {
    uint32_t block = ferry_random(&random) % self->count;

    check_block(self, buffer, block);
    write_blocks(self, buffer, block, 1);
    check_block(self, buffer, next);
    next = next + 1 < self->count ? next + 1 : 0;
    nanosleep(&interval, NULL);
  }
}
