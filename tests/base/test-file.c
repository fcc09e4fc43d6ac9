// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/file.h"
#include <glib/gstdio.h>
#include <string.h>

static void test_write(void) {
  g_autofree char *dir = g_dir_make_tmp("ferry-file-XXXXXX", NULL);
  g_autofree char *path = g_build_filename(dir, "key", NULL);
  g_autoptr(GError) error = NULL;
  g_assert_true(ferry_file_write(path, "one", 3, 0600, &error));
  g_assert_true(ferry_file_write(path, "second", 6, 0600, &error));
  g_assert_no_error(error);
  GStatBuf st;
  g_assert_cmpint(g_stat(path, &st), ==, 0);
  g_assert_cmpint(st.st_mode & 0777, ==, 0600);
  gsize len;
  g_autofree char *text = ferry_file_read(path, 100, &len, &error);
  g_assert_cmpstr(text, ==, "second");
  g_assert_cmpint(len, ==, 6);
  g_assert_null(ferry_file_read(path, 5, NULL, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_TOO_LARGE);
  g_clear_error(&error);
  g_autofree char *nowhere = g_build_filename(dir, "no", "key", NULL);
  g_assert_false(ferry_file_write(nowhere, "x", 1, 0600, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE);
  g_assert_nonnull(strstr(error->message, nowhere));
  g_unlink(path);
  g_assert_cmpint(g_rmdir(dir), ==, 0); /* nothing temporary was left */
}

/* Two writes within a tick of the file system's clock, of the same length and in place, differ in
 * nothing that stat tells: what is young counts as changed until it has aged. */
static void test_changed_twice_in_a_tick(void) {
  g_autofree char *dir = g_dir_make_tmp("ferry-file-XXXXXX", NULL);
  g_autofree char *path = g_build_filename(dir, "tokens", NULL);
  struct stat seen = {0};
  g_assert_false(ferry_file_has_changed(path, &seen)); /* not there, as before */
  g_assert_true(g_file_set_contents_full(path, "one", 3, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
  g_assert_true(ferry_file_has_changed(path, &seen));
  g_assert_true(ferry_file_has_changed(path, &seen));
  gint64 until = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
  while (ferry_file_has_changed(path, &seen) && g_get_monotonic_time() < until)
    g_usleep(10000);
  g_assert_false(ferry_file_has_changed(path, &seen));
  g_unlink(path);
  g_assert_true(ferry_file_has_changed(path, &seen));
  g_assert_false(ferry_file_has_changed(path, &seen));
  g_rmdir(dir);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/file/write", test_write);
  g_test_add_func("/file/changed-twice", test_changed_twice_in_a_tick);
  return g_test_run();
}
