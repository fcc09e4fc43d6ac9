// SPDX-License-Identifier: Apache-2.0
// Theory of operation: glibc's malloc has an arena for each few threads, and keeps in each what was
// once needed there: a request that takes 100 MB for a moment, done by each of 20 threads, would
// leave 2 GB with the process for good. It can be asked to give that back, which is worth the time
// only after much was taken.
#include "base/memory.h"

#include <malloc.h>
#include <string.h>
#include <unistd.h>

gsize ferry_memory_resident(void) {
  g_autofree char *text = NULL;
  guint64 pages = 0;
  if (g_file_get_contents("/proc/self/statm", &text, NULL, NULL)) {
    const char *second = strchr(text, ' ');
    pages = second ? g_ascii_strtoull(second, NULL, 10) : 0;
  }
  return (gsize)pages * (gsize)sysconf(_SC_PAGESIZE);
}

gboolean ferry_memory_trim(gsize *settled) {
  gsize now = ferry_memory_resident();
  if (now < *settled)
    *settled = now;
  if (now - *settled < FERRY_MEMORY_GROWTH)
    return FALSE;
  malloc_trim(0);
  *settled = ferry_memory_resident();
  return TRUE;
}
