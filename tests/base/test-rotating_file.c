// SPDX-License-Identifier: Apache-2.0
#include "base/rotating_file.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
  char *dir, *path;
} Place;

static void up(Place *p, gconstpointer data) {
  p->dir = g_dir_make_tmp("ferry-rotating-XXXXXX", NULL);
  p->path = g_build_filename(p->dir, "log", NULL);
}

static void down(Place *p, gconstpointer data) {
  static const char *const names[] = {"log", "log.1", "log.2", "log.3", "target"};
  for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *path = g_build_filename(p->dir, names[i], NULL);
    g_remove(path);
  }
  g_assert_cmpint(g_rmdir(p->dir), ==, 0);
  g_free(p->path);
  g_free(p->dir);
}

static char *content(const Place *p, const char *name) {
  g_autofree char *path = g_build_filename(p->dir, name, NULL);
  char *text = NULL;
  g_file_get_contents(path, &text, NULL, NULL);
  return text;
}

static void append(FerryRotatingFile *f, const char *line) {
  g_autoptr(GError) error = NULL;
  gboolean ok = ferry_rotating_file_append(f, line, &error);
  g_assert_no_error(error);
  g_assert_true(ok);
}

static void test_rotation(Place *p, gconstpointer data) {
  g_autoptr(FerryRotatingFile) f = ferry_rotating_file_open(p->path, 10, 2, NULL);
  for (int i = 0; i < 8; i++) {
    g_autofree char *line = g_strdup_printf("line%d", i); /* two fit */
    append(f, line);
  }
  g_autofree char *now = content(p, "log"), *one = content(p, "log.1"), *two = content(p, "log.2"),
                  *three = content(p, "log.3");
  g_assert_cmpstr(now, ==, "line7\n");
  g_assert_cmpstr(one, ==, "line6\n");
  g_assert_cmpstr(two, ==, "line5\n");
  g_assert_null(three);
  struct stat st;
  g_assert_cmpint(stat(p->path, &st), ==, 0);
  g_assert_cmpuint(st.st_mode & 0777, ==, 0600);
}

static void test_keep_none(Place *p, gconstpointer data) {
  g_autoptr(FerryRotatingFile) f = ferry_rotating_file_open(p->path, 10, 0, NULL);
  append(f, "first line");
  append(f, "second");
  g_autofree char *now = content(p, "log"), *one = content(p, "log.1");
  g_assert_cmpstr(now, ==, "second\n");
  g_assert_null(one);
}

static void test_moved(Place *p, gconstpointer data) {
  g_autoptr(FerryRotatingFile) f = ferry_rotating_file_open(p->path, 1000, 2, NULL);
  g_autofree char *aside = g_build_filename(p->dir, "target", NULL);
  append(f, "a");
  g_assert_cmpint(g_rename(p->path, aside), ==, 0);
  append(f, "b");
  g_assert_cmpint(g_remove(p->path), ==, 0);
  append(f, "c");
  g_autofree char *moved = content(p, "target"), *now = content(p, "log");
  g_assert_cmpstr(moved, ==, "a\n");
  g_assert_cmpstr(now, ==, "c\n");
}

static void test_no_room(Place *p, gconstpointer data) {
  struct rlimit old, small;
  g_autoptr(FerryRotatingFile) f = ferry_rotating_file_open(p->path, 1000, 2, NULL);
  append(f, "whole");
  signal(SIGXFSZ, SIG_IGN);
  g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &old), ==, 0);
  small = (struct rlimit){10, old.rlim_max}; /* four bytes of the next line fit */
  g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &small), ==, 0);
  g_autoptr(GError) error = NULL;
  gboolean ok = ferry_rotating_file_append(f, "cut in two", &error);
  setrlimit(RLIMIT_FSIZE, &old);
  g_assert_false(ok);
  g_assert_nonnull(strstr(error->message, p->path));
  g_autofree char *text = content(p, "log");
  g_assert_cmpstr(text, ==, "whole\n");
  append(f, "again");
  g_autofree char *after = content(p, "log");
  g_assert_cmpstr(after, ==, "whole\nagain\n");
}

static void test_no_file(Place *p, gconstpointer data) {
  g_autofree char *target = g_build_filename(p->dir, "target", NULL);
  g_autoptr(GError) error = NULL;
  g_assert_cmpint(symlink(target, p->path), ==, 0);
  g_assert_null(ferry_rotating_file_open(p->path, 1000, 2, &error));
  g_assert_nonnull(strstr(error->message, p->path));
  g_assert_false(g_file_test(target, G_FILE_TEST_EXISTS));
  g_assert_null(ferry_rotating_file_open("/dev/null", 1000, 2, NULL));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add("/rotating-file/rotation", Place, NULL, up, test_rotation, down);
  g_test_add("/rotating-file/keep-none", Place, NULL, up, test_keep_none, down);
  g_test_add("/rotating-file/moved-by-another", Place, NULL, up, test_moved, down);
  g_test_add("/rotating-file/no-room", Place, NULL, up, test_no_room, down);
  g_test_add("/rotating-file/no-regular-file", Place, NULL, up, test_no_file, down);
  return g_test_run();
}
