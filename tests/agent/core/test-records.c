// SPDX-License-Identifier: Apache-2.0
#include "agent/core/records.h"
#include <glib/gstdio.h>
#include <string.h>

static const FerryRecords notes = {"notes", "a note", 1000, 10};

static void put(const char *dir, const char *file, const char *text) {
  g_autofree char *path = g_build_filename(dir, "notes", file, NULL);
  g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static gboolean collect(const char *name, json_t *record, gpointer data) {
  if (!json_object_get(record, "good"))
    return FALSE;
  g_string_append_printf(data, "%s=%s ", name, ferry_json_str(record, "good"));
  return TRUE;
}

static void assert_records(const char *state_dir, const char *expected) {
  g_autoptr(GString) seen = g_string_new(NULL);
  ferry_records_each(state_dir, &notes, collect, seen);
  g_assert_cmpstr(seen->str, ==, expected);
}

static void test_records(void) {
  g_autofree char *dir = g_dir_make_tmp("ferry-records-XXXXXX", NULL);
  assert_records(dir, ""); /* where nothing was ever written */
  g_autoptr(json_t) first = json_pack("{s:s}", "good", "1");
  g_autoptr(json_t) second = json_pack("{s:s}", "good", "2");
  ferry_record_write(dir, &notes, "a", first);
  assert_records(dir, "a=1 ");
  ferry_record_write(dir, &notes, "a", second);
  assert_records(dir, "a=2 ");
  g_autoptr(json_t) read = ferry_record_read(dir, &notes, "a");
  g_assert_cmpstr(ferry_json_str(read, "good"), ==, "2");
  g_assert_null(ferry_record_read(dir, &notes, "b"));
  g_autofree char *path = g_build_filename(dir, "notes/a.json", NULL),
                  *folder = g_path_get_dirname(path);
  GStatBuf st;
  g_assert_cmpint(g_stat(path, &st), ==, 0);
  g_assert_cmpint(st.st_mode & 0777, ==, 0600);
  g_assert_cmpint(g_stat(folder, &st), ==, 0);
  g_assert_cmpint(st.st_mode & 0777, ==, 0700);

  /* What is no record is left alone, and the others are found all the same. */
  g_autofree char *long_text = g_strnfill(1001, ' ');
  memcpy(long_text, "{\"good\":\"3\"}", 12);
  static const char *const bad[] = {"list.json", "empty.json", "other.json", "long.json",
                                    "note.txt"};
  const char *texts[] = {"[1]", "", "{\"bad\":\"1\"}", long_text, "{\"good\":\"4\"}"};
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
    put(dir, bad[i], texts[i]);
  assert_records(dir, "a=2 ");
  g_assert_null(ferry_record_read(dir, &notes, "list"));
  g_assert_null(ferry_record_read(dir, &notes, "long"));
  ferry_record_remove(dir, &notes, "a");
  ferry_record_remove(dir, &notes, "a");
  assert_records(dir, "");
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autofree char *file = g_build_filename(folder, bad[i], NULL);
    g_assert_cmpint(g_unlink(file), ==, 0);
  }
  g_assert_cmpint(g_rmdir(folder), ==, 0);
  g_assert_cmpint(g_rmdir(dir), ==, 0);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_log_set_always_fatal(G_LOG_FATAL_MASK); /* a warning is what is expected */
  g_test_add_func("/records/kept-and-found", test_records);
  return g_test_run();
}
