// SPDX-License-Identifier: Apache-2.0
// What is kept of local migrations for the next agent.
#include "agent/rpc/keep.h"
#include <glib/gstdio.h>
#include <string.h>

#define VM "5f6c3c1e-5a6c-4b0a-9d52-0d3b1c8f7a11"

static void count(const char *vm, const json_t *record, gpointer data) {
  g_assert_cmpstr(vm, ==, VM);
  g_assert_cmpstr(ferry_json_str(record, "object.status.phase"), ==, "Running");
  ++*(int *)data;
}

/* what the next agent adopts is on disk until it has ended; what is no record is left alone */
static void test_kept(void) {
  g_autofree char *dir = g_dir_make_tmp("ferry-rpc-XXXXXX", NULL);
  int n = 0;
  ferry_local_kept(dir, count, &n); /* nothing was ever kept */
  g_autoptr(json_t) record = json_pack("{s:{s:{s:s}}}", "object", "status", "phase", "Running");
  ferry_local_keep(dir, VM, record);
  ferry_local_keep(dir, VM, record);
  g_autofree char *folder = g_build_filename(dir, "local", NULL);
  g_autofree char *bad = g_build_filename(folder, "x.json", NULL);
  g_assert_true(g_file_set_contents(bad, "{", 1, NULL));
  ferry_local_kept(dir, count, &n);
  g_assert_cmpint(n, ==, 1);
  g_assert_true(g_file_test(bad, G_FILE_TEST_EXISTS));
  ferry_local_forget(dir, VM);
  g_unlink(bad);
  ferry_local_kept(dir, count, &n);
  g_assert_cmpint(n, ==, 1);
  g_rmdir(folder);
  g_rmdir(dir);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_log_set_always_fatal(G_LOG_FATAL_MASK); /* a warning of a bad file is meant */
  g_test_add_func("/rpc/kept", test_kept);
  return g_test_run();
}
