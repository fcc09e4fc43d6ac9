// SPDX-License-Identifier: Apache-2.0
#include "client/skew.h"
#include "base/error.h"
#include <string.h>

static void test_note(void) {
  static const struct {
    const char *ours, *theirs, *says;
  } cases[] = {
      {"v0.2.0", "v0.1.9", "newer ferryd: it is v0.1.9, and ferry is v0.2.0"},
      {"v1.0.0", "0.9.0", "newer ferryd"},
      {"v0.2.0", "v0.3.0", "older than ferryd"},
      {"v0.9.0", "v1.0.0", "older than ferryd"},
      {"v0.10.0", "v0.9.0", "newer ferryd"},
      {"v0.2.0", "v0.2.7", NULL},
      {"v0.2.0", NULL, NULL},
      {"v0.2.0", "of today", NULL},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *note = ferry_skew_note(cases[i].ours, cases[i].theirs);
    if (!note != !cases[i].says || (note && !strstr(note, cases[i].says)))
      g_error("%s and %s: %s", cases[i].ours, cases[i].theirs, note);
  }
}

static void test_refusals(void) {
  static const struct {
    unsigned status;
    const char *message, *name;
    gboolean is;
  } cases[] = {
      {404, "the server could not find the requested resource", NULL, TRUE},
      {404, "virtualmachineinstances \"db\" not found", "db", FALSE},
      {405, "the server does not allow this method", NULL, TRUE},
      {415, "the body is of a form that is not known", NULL, TRUE},
      {422, "spec: unknown field \"spec.newest\"", "m", TRUE},
      {422, "no host fits", "m", FALSE},
      {403, "you may not", NULL, FALSE},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GError) error = g_error_new_literal(
        FERRY_ERROR, (gint)ferry_error_code_from_http(cases[i].status, NULL), cases[i].message);
    ferry_error_set_about(error, NULL, NULL, cases[i].name);
    g_assert_cmpint(ferry_skew_is_not_understood(cases[i].status, error), ==, cases[i].is);
  }
}

static void test_warnings(void) {
  static const char *const none[] = {"a rate is rounded", NULL};
  static const char *const one[] = {"a rate is rounded", "unknown field \"spec.x\"", NULL};
  g_assert_false(ferry_skew_is_warned_of(NULL));
  g_assert_false(ferry_skew_is_warned_of(none));
  g_assert_true(ferry_skew_is_warned_of(one));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/client/skew/note", test_note);
  g_test_add_func("/client/skew/refusals", test_refusals);
  g_test_add_func("/client/skew/warnings", test_warnings);
  return g_test_run();
}
