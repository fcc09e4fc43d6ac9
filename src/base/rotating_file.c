// SPDX-License-Identifier: Apache-2.0
// Theory of operation: the descriptor is kept between lines; before each line the path is looked
// at, so that a file that logrotate has moved away gets no more. A line that does not fit on the
// disk is cut off again, so that what comes after it starts on a line of its own.
#include "base/rotating_file.h"
#include "base/error.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct FerryRotatingFile {
  char *path;
  gint64 max_bytes;
  guint keep;
  int fd; /* -1: closed after an error */
};

static gboolean rotating_file_fail(const FerryRotatingFile *f, const char *doing, int problem,
                                   GError **error) {
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, "cannot %s %s: %s", doing, f->path,
              g_strerror(problem));
  return FALSE;
}

static void close_descriptor(FerryRotatingFile *f) {
  if (f->fd >= 0)
    close(f->fd);
  f->fd = -1;
}

static gboolean open_descriptor(FerryRotatingFile *f, GError **error) {
  struct stat st;
  close_descriptor(f);
  /* O_NONBLOCK: a FIFO without a reader is an error, not a wait. */
  f->fd = open(f->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  if (f->fd < 0)
    return rotating_file_fail(f, "open", errno, error);
  if (fstat(f->fd, &st) == 0 && S_ISREG(st.st_mode))
    return TRUE;
  close_descriptor(f);
  return rotating_file_fail(f, "append to", EINVAL, error);
}

static gboolean is_still_there(const FerryRotatingFile *f) {
  struct stat there, ours;
  return f->fd >= 0 && lstat(f->path, &there) == 0 && fstat(f->fd, &ours) == 0 &&
         there.st_ino == ours.st_ino && there.st_dev == ours.st_dev;
}

/* PATH becomes PATH.1, PATH.1 becomes PATH.2 ...; the one beyond `keep` is replaced or removed. */
static gboolean rotating_file_rotate(FerryRotatingFile *f, GError **error) {
  for (guint i = f->keep; i > 0; i--) {
    g_autofree char *from = i == 1 ? g_strdup(f->path) : g_strdup_printf("%s.%u", f->path, i - 1);
    g_autofree char *to = g_strdup_printf("%s.%u", f->path, i);
    if (rename(from, to) < 0 && errno != ENOENT)
      return rotating_file_fail(f, "rotate", errno, error);
  }
  if (f->keep == 0 && unlink(f->path) < 0 && errno != ENOENT)
    return rotating_file_fail(f, "rotate", errno, error);
  return open_descriptor(f, error);
}

FerryRotatingFile *ferry_rotating_file_open(const char *path, gint64 max_bytes, guint keep,
                                            GError **error) {
  g_autoptr(FerryRotatingFile) f = g_new0(FerryRotatingFile, 1);
  f->path = g_strdup(path);
  f->max_bytes = max_bytes;
  f->keep = keep;
  f->fd = -1;
  return open_descriptor(f, error) ? g_steal_pointer(&f) : NULL;
}

gboolean ferry_rotating_file_append(FerryRotatingFile *f, const char *line, GError **error) {
  struct stat st;
  if (!is_still_there(f) && !open_descriptor(f, error))
    return FALSE;
  if (fstat(f->fd, &st) < 0)
    return rotating_file_fail(f, "look at", errno, error);
  g_autofree char *whole = g_strconcat(line, "\n", NULL);
  size_t len = strlen(whole);
  if (st.st_size > 0 && (gint64)st.st_size + (gint64)len > f->max_bytes) {
    if (!rotating_file_rotate(f, error) || fstat(f->fd, &st) < 0)
      return FALSE;
  }
  ssize_t n = write(f->fd, whole, len);
  if (n == (ssize_t)len)
    return TRUE;
  int problem = n < 0 ? errno : ENOSPC;
  if (n > 0 && ftruncate(f->fd, st.st_size) < 0)
    close_descriptor(f);
  return rotating_file_fail(f, "write to", problem, error);
}

void ferry_rotating_file_close(FerryRotatingFile *f) {
  if (!f)
    return;
  close_descriptor(f);
  g_free(f->path);
  g_free(f);
}
