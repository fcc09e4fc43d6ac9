// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

static gpointer other_thread(gpointer data) {
  ferry_info("other thread");
  ferry_log_set_context(data);
  ferry_info("with the same", "FERRY_X", "1");
  return NULL;
}

static void child(void) {
  g_assert_true(ferry_log_init("test", "info"));
  g_autoptr(FerryLogContext) c = ferry_log_context_new("ns/m", "ns/vm", "h1", "abc");
  {
    ferry_log_scope(c);
    ferry_info("within", "FERRY_MIGRATION", "m", "FERRY_X", "y");
    {
      g_autoptr(FerryLogContext) inner = ferry_log_context_new("ns/n", NULL, NULL, NULL);
      ferry_log_scope(inner);
      ferry_info("deeper", "FERRY_NODE", "own");
    }
    ferry_info("back");
    ferry_debug("never shown");
    g_thread_join(g_thread_new("other", other_thread, c));
  }
  ferry_info("after", "FERRY_NODE", "h9");
}

static void test_context(void) {
  if (g_test_subprocess()) {
    child();
    return;
  }
  g_test_trap_subprocess(NULL, 0, 0);
  g_test_trap_assert_passed();
  g_test_trap_assert_stderr("*info: within x=y migration=ns/m vm=ns/vm node=h1 trace=abc\n*");
  g_test_trap_assert_stderr("*info: deeper node=own migration=ns/n\n*");
  g_test_trap_assert_stderr("*info: back migration=ns/m vm=ns/vm node=h1 trace=abc\n*");
  g_test_trap_assert_stderr("*info: other thread\n*");
  g_test_trap_assert_stderr("*info: with the same x=1 migration=ns/m*");
  g_test_trap_assert_stderr("*info: after node=h9\n*");
  g_test_trap_assert_stderr_unmatched("*never shown*");
}

static void test_levels(void) {
  if (g_test_subprocess()) {
    g_assert_false(ferry_log_init("test", "loud"));
    return;
  }
  g_test_trap_subprocess(NULL, 0, 0);
  g_test_trap_assert_passed();
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/log/context", test_context);
  g_test_add_func("/log/levels", test_levels);
  return g_test_run();
}
