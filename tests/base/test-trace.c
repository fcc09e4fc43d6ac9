// SPDX-License-Identifier: Apache-2.0
#include "base/trace.h"
#include <string.h>

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"

static void test_new(void) {
  g_autofree char *a = ferry_trace_new();
  g_autofree char *b = ferry_trace_new();
  g_assert_true(ferry_trace_is_valid(a));
  g_assert_cmpstr(a, !=, b);
}

static void test_round_trip(void) {
  g_autofree char *header = ferry_trace_format(TRACE);
  g_autofree char *trace = ferry_trace_parse(header);
  g_assert_cmpuint(strlen(header), ==, 55);
  g_assert_cmpstr(trace, ==, TRACE);
}

static void test_parse(void) {
  static const struct {
    const char *header;
    gboolean good;
  } cases[] = {
      {"00-" TRACE "-" SPAN "-01", TRUE},
      {"00-" TRACE "-" SPAN "-00", TRUE},
      {"cc-" TRACE "-" SPAN "-01-what-the-future-brings", TRUE},
      {"cc-" TRACE "-" SPAN "-01.x", FALSE},
      {"00-" TRACE "-" SPAN "-01-more", FALSE},
      {"ff-" TRACE "-" SPAN "-01", FALSE},
      {"00-" TRACE "-0000000000000000-01", FALSE},
      {"00-00000000000000000000000000000000-" SPAN "-01", FALSE},
      {"00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01", FALSE},
      {"00-" TRACE "-" SPAN, FALSE},
      {"00-" TRACE "_" SPAN "-01", FALSE},
      {"0g-" TRACE "-" SPAN "-01", FALSE},
      {"", FALSE},
      {NULL, FALSE},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *trace = ferry_trace_parse(cases[i].header);
    g_assert_cmpstr(trace, ==, cases[i].good ? TRACE : NULL);
  }
  g_autofree char *longest = g_strnfill(600, 'a');
  memcpy(longest, "cc-" TRACE "-" SPAN "-01-", 56);
  g_assert_null(ferry_trace_parse(longest));
}

static void test_valid(void) {
  g_assert_true(ferry_trace_is_valid(TRACE));
  g_assert_false(ferry_trace_is_valid(NULL));
  g_assert_false(ferry_trace_is_valid(TRACE "0"));
  g_assert_false(ferry_trace_is_valid("4bf92f3577b34da6a3ce929d0e0e473\n"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/trace/new", test_new);
  g_test_add_func("/trace/round-trip", test_round_trip);
  g_test_add_func("/trace/parse", test_parse);
  g_test_add_func("/trace/valid", test_valid);
  return g_test_run();
}
