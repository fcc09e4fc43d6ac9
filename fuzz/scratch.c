// SPDX-License-Identifier: Apache-2.0
#include "scratch.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <unistd.h>

#define IN_MEMORY "/dev/shm"

static char *made;

static void remove_made(void) {
  const char *name;
  g_autoptr(GDir) dir = g_dir_open(made, 0, NULL);
  while (dir && (name = g_dir_read_name(dir))) {
    g_autofree char *path = g_build_filename(made, name, NULL);
    g_remove(path);
  }
  g_rmdir(made);
  g_clear_pointer(&made, g_free);
}

const char *fuzz_scratch(void) {
  if (made)
    return made;
  const char *above = access(IN_MEMORY, W_OK | X_OK) == 0 ? IN_MEMORY : g_get_tmp_dir();
  made = g_build_filename(above, "ferry-fuzz-XXXXXX", NULL);
  g_assert_nonnull(g_mkdtemp(made));
  atexit(remove_made);
  return made;
}

void fuzz_scratch_write(const char *name, const void *data, size_t size) {
  g_autofree char *path = g_build_filename(fuzz_scratch(), name, NULL);
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  g_assert_true(fd >= 0 && write(fd, data, size) == (ssize_t)size);
  close(fd);
}
