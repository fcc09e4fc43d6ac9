// SPDX-License-Identifier: Apache-2.0
// What tar itself reads of it is in tests/cli/test_report.py.
#include "base/archive.h"
#include "base/error.h"
#include "base/file.h"
#include <glib/gstdio.h>
#include <string.h>

static void remove_file(const char *folder, const char *name) {
  g_autofree char *path = g_build_filename(folder, name, NULL);
  g_assert_cmpint(g_remove(path), ==, 0);
}

static void test_folder(void) {
  g_autofree char *dir = g_dir_make_tmp("ferry-archive-XXXXXX", NULL);
  g_autofree char *where = g_build_filename(dir, "report", NULL);
  g_autofree char *file = g_build_filename(where, "b.log", NULL);
  g_autoptr(GError) error = NULL;
  g_autoptr(FerryArchive) archive = ferry_archive_new("report", 64, 1000000000);
  ferry_archive_add(archive, "a.yaml", "a: 1\n");
  g_autofree char *line = g_strnfill(100, 'x');
  g_autofree char *text = g_strconcat(line, "end\n", NULL);
  ferry_archive_add(archive, "b.log", text);
  g_assert_true(ferry_archive_write_folder(archive, where, &error));
  g_assert_no_error(error);
  gsize len = 0;
  g_autofree char *kept = ferry_file_read(file, 1000, &len, NULL);
  g_assert_true(g_str_has_prefix(kept, "(the beginning was left out)\n"));
  g_assert_true(g_str_has_suffix(kept, "xend\n"));
  g_assert_cmpuint(len, ==, 64 - strlen("a: 1\n"));
  GStatBuf st;
  g_assert_cmpint(g_stat(file, &st), ==, 0);
  g_assert_cmpint(st.st_mode & 0777, ==, 0600);
  g_assert_false(ferry_archive_write_folder(archive, where, &error)); /* it is there */
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID);
  remove_file(where, "a.yaml");
  remove_file(where, "b.log");
  g_rmdir(where);
  g_rmdir(dir);
}

static void test_file(void) {
  g_autofree char *dir = g_dir_make_tmp("ferry-archive-XXXXXX", NULL);
  g_autofree char *where = g_build_filename(dir, "r.tar.gz", NULL);
  g_autoptr(GError) error = NULL;
  g_autoptr(FerryArchive) archive = ferry_archive_new("r", 1000, 1000000000);
  ferry_archive_add(archive, "a.yaml", "a: 1\n");
  g_assert_true(ferry_archive_write_file(archive, where, &error));
  g_assert_no_error(error);
  gsize len = 0;
  g_autofree char *bytes = ferry_file_read(where, 100000, &len, NULL);
  g_assert_cmpuint(len, >, 18);
  g_assert_true((guchar)bytes[0] == 0x1f && (guchar)bytes[1] == 0x8b);
  remove_file(dir, "r.tar.gz");
  g_rmdir(dir);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/base/archive/folder", test_folder);
  g_test_add_func("/base/archive/file", test_file);
  return g_test_run();
}
