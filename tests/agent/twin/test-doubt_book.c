// SPDX-License-Identifier: Apache-2.0
// What an agent has suspended in doubt is in a book that the next one reads.
#include "agent/twin/doubt_book.h"
#include <glib/gstdio.h>

#define ONE "6f9c1c38-2f3e-4c06-9a43-0e6f4a1d8f01"
#define DOMAIN "6f9c1c38-2f3e-4c06-9a43-0e6f4a1d8fff"
#define OTHER "6f9c1c38-2f3e-4c06-9a43-0e6f4a1d8f02"

static void wipe(const char *dir) {
  g_autoptr(GDir) all = g_dir_open(dir, 0, NULL);
  const char *name;
  while (all && (name = g_dir_read_name(all))) {
    g_autofree char *path = g_build_filename(dir, name, NULL);
    if (g_file_test(path, G_FILE_TEST_IS_DIR))
      wipe(path);
    else
      g_assert_no_errno(g_unlink(path));
  }
  g_assert_no_errno(g_rmdir(dir));
}

static void test_kept(void) {
  g_autofree char *dir = g_dir_make_tmp("ferry-doubts-XXXXXX", NULL);
  gint64 ran_ms = -7;
  g_assert_false(ferry_doubt_book_find(dir, ONE, &ran_ms));
  g_assert_cmpint(ran_ms, ==, -7);
  ferry_doubt_book_note(dir, ONE, DOMAIN, 1234);
  ferry_doubt_book_note(dir, OTHER, DOMAIN, 0);
  g_assert_true(ferry_doubt_book_find(dir, ONE, &ran_ms));
  g_assert_cmpint(ran_ms, ==, 1234);
  g_assert_true(ferry_doubt_book_find(dir, OTHER, &ran_ms));
  g_assert_cmpint(ran_ms, ==, 0);
  g_assert_false(ferry_doubt_book_find(dir, NULL, &ran_ms));
  ferry_doubt_book_note(dir, ONE, DOMAIN, 99); /* the last word counts */
  g_assert_true(ferry_doubt_book_find(dir, ONE, &ran_ms));
  g_assert_cmpint(ran_ms, ==, 99);
  ferry_doubt_book_forget(dir, ONE);
  g_assert_false(ferry_doubt_book_find(dir, ONE, &ran_ms));
  g_assert_true(ferry_doubt_book_find(dir, OTHER, &ran_ms));
  wipe(dir);
}

/* A later migration of a VM asks whether an earlier one has its copy here in doubt. */
static void test_by_domain(void) {
  g_autofree char *dir = g_dir_make_tmp("ferry-doubts-XXXXXX", NULL);
  gint64 ran_ms;
  g_assert_false(ferry_doubt_book_has_domain(dir, DOMAIN, OTHER));
  ferry_doubt_book_note(dir, ONE, DOMAIN, 5);
  g_assert_true(ferry_doubt_book_has_domain(dir, DOMAIN, OTHER));
  g_assert_true(ferry_doubt_book_has_domain(dir, DOMAIN, NULL));
  g_assert_false(ferry_doubt_book_has_domain(dir, DOMAIN, ONE)); /* its own */
  g_assert_false(ferry_doubt_book_has_domain(dir, ONE, OTHER));
  g_assert_false(ferry_doubt_book_has_domain(dir, NULL, OTHER));
  ferry_doubt_book_note(dir, OTHER, NULL, 5); /* of an earlier version: of no domain */
  g_assert_false(ferry_doubt_book_has_domain(dir, DOMAIN, ONE));
  ferry_doubt_book_forget_domain(dir, DOMAIN, ONE);
  ferry_doubt_book_forget_domain(dir, NULL, NULL);
  g_assert_true(ferry_doubt_book_has_domain(dir, DOMAIN, OTHER));
  ferry_doubt_book_forget_domain(dir, DOMAIN, OTHER);
  g_assert_false(ferry_doubt_book_has_domain(dir, DOMAIN, OTHER));
  g_assert_true(ferry_doubt_book_find(dir, OTHER, &ran_ms));
  wipe(dir);
}

/* A uid is part of a file's name: what is none is not noted, and nothing is removed for it. */
static void test_no_uid(void) {
  g_autofree char *dir = g_dir_make_tmp("ferry-doubts-XXXXXX", NULL);
  static const char *const bad[] = {NULL, "", "../doubts", ONE "/.."};
  gint64 ran_ms;
  ferry_doubt_book_note(dir, ONE, DOMAIN, 5);
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    ferry_doubt_book_note(dir, bad[i], DOMAIN, 5);
    ferry_doubt_book_forget(dir, bad[i]);
    g_assert_false(ferry_doubt_book_find(dir, bad[i], &ran_ms));
  }
  g_assert_true(ferry_doubt_book_find(dir, ONE, &ran_ms));
  wipe(dir);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/doubt-book/kept", test_kept);
  g_test_add_func("/doubt-book/by_domain", test_by_domain);
  g_test_add_func("/doubt-book/no-uid", test_no_uid);
  return g_test_run();
}
