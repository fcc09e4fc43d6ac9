// SPDX-License-Identifier: Apache-2.0
#include "client/join_url.h"
#include <glib.h>

static void test_local(void) {
  g_assert_true(ferry_join_host_is_local("127.0.0.1"));
  g_assert_true(ferry_join_host_is_local("::1"));
  g_assert_true(ferry_join_host_is_local("localhost"));
  g_assert_false(ferry_join_host_is_local("10.0.0.1"));
  g_assert_false(ferry_join_host_is_local("localhost.example"));
}

/* An address of this machine alone is of no use to another one: its name takes the place. */
static void test_url(void) {
  g_autofree char *local = ferry_join_url("https://127.0.0.1:6443");
  g_autofree char *wanted = g_strdup_printf("https://%s:6443", g_get_host_name());
  g_autofree char *other = ferry_join_url("https://ferry.example:6443");
  g_autofree char *none = ferry_join_url("no URL");
  g_assert_cmpstr(local, ==, wanted);
  g_assert_cmpstr(other, ==, "https://ferry.example:6443");
  g_assert_cmpstr(none, ==, "no URL");
  g_assert_false(ferry_join_url_answers("no URL"));
  g_assert_false(ferry_join_url_answers("https://127.0.0.1"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/join-url/local", test_local);
  g_test_add_func("/join-url/url", test_url);
  return g_test_run();
}
