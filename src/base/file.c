// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"
#include "base/error.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define YOUNG_MS 100

static gboolean fail(GError **error, const char *what, const char *path) {
  int e = errno;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, "cannot %s %s: %s", what, path,
              g_strerror(e));
  return FALSE;
}

static gboolean write_all(int fd, const char *data, gsize len) {
  while (len > 0) {
    ssize_t n = write(fd, data, len);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return FALSE;
    data += n;
    len -= (gsize)n;
  }
  return TRUE;
}

gboolean ferry_file_write(const char *path, const char *data, gsize len, mode_t mode,
                          GError **error) {
  g_autofree char *temp = g_strdup_printf("%s.%d.tmp", path, (int)getpid());
  int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
  if (fd < 0)
    return fail(error, "create", temp);
  gboolean ok = fchmod(fd, mode) == 0 && write_all(fd, data, len) && fsync(fd) == 0;
  if (!ok)
    fail(error, "write", temp);
  close(fd);
  if (ok && rename(temp, path) < 0)
    ok = fail(error, "replace", path);
  if (!ok) {
    unlink(temp);
    return FALSE;
  }
  g_autofree char *folder = g_path_get_dirname(path);
  int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir >= 0) {
    fsync(dir);
    close(dir);
  }
  return TRUE;
}

char *ferry_file_read(const char *path, gsize max, gsize *len, GError **error) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    fail(error, "open", path);
    return NULL;
  }
  g_autoptr(GString) text = g_string_new(NULL);
  char chunk[16384];
  for (;;) {
    ssize_t n = read(fd, chunk, sizeof(chunk));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) {
      fail(error, "read", path);
      close(fd);
      return NULL;
    }
    if (n == 0)
      break;
    if (text->len + (gsize)n > max) {
      g_set_error(error, FERRY_ERROR, FERRY_ERROR_TOO_LARGE,
                  "%s is larger than %" G_GSIZE_FORMAT " bytes", path, max);
      close(fd);
      return NULL;
    }
    g_string_append_len(text, chunk, n);
  }
  close(fd);
  if (len)
    *len = text->len;
  return g_string_free(g_steal_pointer(&text), FALSE);
}

/* Its clock ticks every few milliseconds only: a file that was written just now may be written once
 * more in the same tick, with the same length. */
static gboolean is_young(const struct stat *st) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  gint64 age_ms = ((gint64)now.tv_sec - st->st_ctim.tv_sec) * 1000 +
                  (now.tv_nsec - st->st_ctim.tv_nsec) / 1000000;
  return age_ms >= 0 && age_ms < YOUNG_MS;
}

gboolean ferry_file_has_changed(const char *path, struct stat *seen) {
  struct stat st = {0};
  if (stat(path, &st) < 0)
    st = (struct stat){0};
  gboolean same =
      st.st_dev == seen->st_dev && st.st_ino == seen->st_ino && st.st_size == seen->st_size &&
      st.st_mtim.tv_sec == seen->st_mtim.tv_sec && st.st_mtim.tv_nsec == seen->st_mtim.tv_nsec &&
      st.st_ctim.tv_sec == seen->st_ctim.tv_sec && st.st_ctim.tv_nsec == seen->st_ctim.tv_nsec;
  *seen = st;
  if (is_young(&st))
    seen->st_size = -1; /* what is read now is read once more */
  return !same;
}
