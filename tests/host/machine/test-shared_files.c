// SPDX-License-Identifier: Apache-2.0
#include "host/machine/shared_files.h"
#include <glib/gstdio.h>
#include <string.h>

static void test_directories(void) {
  g_auto(GStrv) none =
      ferry_shared_directories("#shared_filesystems = [ \"/no\" ]\nuser = \"x\"\n");
  g_assert_cmpuint(g_strv_length(none), ==, 0);
  g_auto(GStrv) two = ferry_shared_directories(
      "user = \"root\"\n shared_filesystems = [\n  \"/srv/images\",\n  '/srv/more',\n]\n");
  g_assert_cmpuint(g_strv_length(two), ==, 2);
  g_assert_cmpstr(two[0], ==, "/srv/images");
  g_assert_cmpstr(two[1], ==, "/srv/more");
}

static void test_files(void) {
  g_autoptr(GError) error = NULL;
  g_autofree char *dir = g_dir_make_tmp("ferry-shared-XXXXXX", &error);
  g_assert_no_error(error);
  g_autofree char *path = g_build_filename(dir, "disk.raw", NULL);
  g_assert_true(g_file_set_contents(path, "x", 1, NULL));
  const char *own[] = {dir, NULL}, *other[] = {"/srv", NULL};
  g_autofree char *longer = g_strconcat(dir, "-not", NULL);
  const char *prefix[] = {longer, NULL};
  g_assert_cmpint(ferry_file_is_shared(path, NULL), ==, FALSE);
  g_assert_cmpint(ferry_file_is_shared(path, other), ==, FALSE);
  g_assert_cmpint(ferry_file_is_shared(path, prefix), ==, FALSE);
  g_assert_cmpint(ferry_file_is_shared(path, own), ==, TRUE);
  g_assert_cmpint(ferry_file_is_shared("/no/such/file", own), ==, -1);
  g_unlink(path);
  g_rmdir(dir);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/shared_files/directories", test_directories);
  g_test_add_func("/shared_files/files", test_files);
  return g_test_run();
}
