// SPDX-License-Identifier: Apache-2.0
// The guests' workload: rate, debt, and that each kind of damage is found.
#include <glib.h>
#include <string.h>

#include "../../lab/guest/report.h"

enum { COUNT = 3000 };

static FerryCheckError last;

static void remember(const FerryCheckError *error) {
  last = *error;
}

typedef struct {
  FerryWorkload w;
  uint64_t now_us;
} Fixture;

static void set_up(Fixture *f, gconstpointer pattern) {
  memset(f, 0, sizeof *f);
  f->w.pages = g_malloc((gsize)COUNT * FERRY_PAGE_SIZE);
  f->w.generations = g_new0(uint32_t, COUNT);
  f->w.sums = g_new0(uint32_t, ferry_workload_chunks(COUNT));
  f->w.count = COUNT;
  f->w.rate = 5000;
  f->w.scan_rate = 512;
  f->w.report = remember;
  g_assert_true(ferry_pattern_parse(pattern ? pattern : "uniform", &f->w.pattern));
  ferry_workload_init(&f->w, 1000);
  g_assert_true(ferry_workload_fill(&f->w, COUNT));
  f->now_us = 1000;
}

static void tear_down(Fixture *f, gconstpointer unused) {
  g_free(f->w.pages);
  g_free(f->w.generations);
  g_free(f->w.sums);
}

static void run_ms(Fixture *f, int ms) {
  for (uint64_t end = f->now_us + (uint64_t)ms * 1000; f->now_us < end;)
    ferry_workload_step(&f->w, f->now_us += 5000);
}

static void verify(Fixture *f, uint32_t id) {
  f->w.verify_request = id;
  run_ms(f, 200);
  g_assert_cmpuint(f->w.verified, ==, id);
}

static void test_rate(Fixture *f, gconstpointer pattern) {
  run_ms(f, 2000);
  g_assert_cmpuint(f->w.written, ==, 10000);
  g_assert_cmpuint(f->w.due, ==, 10000);
  verify(f, 1);
  g_assert_cmpuint(f->w.errors, ==, 0);
}

static void test_phased(Fixture *f, gconstpointer pattern) {
  run_ms(f, 8000); // 6 s busy, 2 s at a twentieth
  g_assert_cmpuint(f->w.written, >=, 30300);
  g_assert_cmpuint(f->w.written, <=, 30700);
  verify(f, 1);
  g_assert_cmpuint(f->w.errors, ==, 0);
}

static void test_idle(Fixture *f, gconstpointer pattern) {
  run_ms(f, 1000);
  g_assert_cmpuint(f->w.written, ==, 0);
  g_assert_cmpuint(f->w.checked, >, 0);
}

static void test_skewed(Fixture *f, gconstpointer pattern) {
  uint64_t hot = 0;

  run_ms(f, 4000);
  for (int i = 0; i < COUNT / 5; i++)
    hot += f->w.generations[i] - 1;
  g_assert_cmpfloat((double)hot / (double)f->w.written, >, 0.77);
  g_assert_cmpfloat((double)hot / (double)f->w.written, <, 0.83);
}

static void test_debt_is_capped(Fixture *f, gconstpointer pattern) {
  ferry_workload_step(&f->w, f->now_us += 1000000);
  g_assert_cmpuint(f->w.due, ==, 5000);
  g_assert_cmpuint(f->w.written, ==, 5000 * FERRY_DEBT_US / 1000000);
}

static void test_any_flipped_bit_is_found(Fixture *f, gconstpointer pattern) {
  for (uint32_t page = 0; page < COUNT; page += 331) {
    f->w.flip_request = page + 1;
    run_ms(f, 5);
    verify(f, page + 7);
    g_assert_cmpuint(f->w.errors, ==, page / 331 + 1); // once each
    g_assert_cmpuint(last.kind, ==, FERRY_ERROR_PAGE);
    g_assert_cmpuint(last.page, ==, page);
  }
}

static void test_a_stale_page_is_found(Fixture *f, gconstpointer pattern) {
  f->w.rate = 0;
  ferry_page_fill(f->w.pages + 77 * FERRY_PAGE_WORDS, 77, 0);
  verify(f, 1);
  g_assert_cmpuint(f->w.errors, ==, 1);
  g_assert_cmpuint(last.page, ==, 77);
}

static void test_a_zero_or_foreign_page_is_found(Fixture *f, gconstpointer pattern) {
  f->w.rate = 0;
  memset(f->w.pages + 5 * FERRY_PAGE_WORDS, 0, FERRY_PAGE_SIZE);
  memcpy(f->w.pages + 9 * FERRY_PAGE_WORDS, f->w.pages + 8 * FERRY_PAGE_WORDS, FERRY_PAGE_SIZE);
  verify(f, 1);
  g_assert_cmpuint(f->w.errors, ==, 2);
}

// Page and table agree, both as they were: only the sum knows.
static void test_a_stale_table_is_found(Fixture *f, gconstpointer pattern) {
  run_ms(f, 500);
  f->w.rate = 0;
  f->w.generations[2000]--;
  ferry_page_fill(f->w.pages + 2000 * FERRY_PAGE_WORDS, 2000, f->w.generations[2000]);
  verify(f, 1);
  g_assert_cmpuint(f->w.errors, >=, 1);
}

// Page, table and sum agree, all as they were: only the number of writes knows.
static void test_stale_sums_are_found(Fixture *f, gconstpointer pattern) {
  run_ms(f, 500);
  f->w.rate = 0;
  f->w.generations[2000]--;
  f->w.sums[2000 / FERRY_CHUNK_PAGES]--;
  ferry_page_fill(f->w.pages + 2000 * FERRY_PAGE_WORDS, 2000, f->w.generations[2000]);
  verify(f, 1);
  g_assert_cmpuint(f->w.errors, ==, 1);
  g_assert_cmpuint(last.kind, ==, FERRY_ERROR_TOTAL);
  verify(f, 2);
  g_assert_cmpuint(f->w.errors, ==, 1);
}

static void test_parameters(void) {
  FerryParameters p = {0};
  const char *bad = NULL;

  g_assert_true(
      ferry_parameters_parse("/k quiet ferry.rate=5120 ferry.ws=7 ferry.pattern=skewed", &p, &bad));
  g_assert_cmpuint(p.rate, ==, 5120);
  g_assert_cmpuint(p.working_set, ==, 7);
  g_assert_cmpint(p.pattern, ==, FERRY_PATTERN_SKEWED);
  g_assert_false(ferry_parameters_parse("ferry.rate=5x", &p, &bad));
  g_assert_false(ferry_parameters_parse("ferry.rate=99999999999", &p, &bad));
  g_assert_false(ferry_parameters_parse("x ferry.pattern=none", &p, &bad));
  g_assert_cmpstr(bad, ==, "ferry.pattern=none");
  g_assert_false(ferry_parameters_parse("ferry.unknown=1", &p, &bad));
}

static void test_commands(void) {
  g_assert_cmpint(ferry_command_parse("flip 12").kind, ==, FERRY_COMMAND_FLIP);
  g_assert_cmpuint(ferry_command_parse("verify 4000000000").number, ==, 4000000000U);
  g_assert_cmpint(ferry_command_parse("flip-table 1").kind, ==, FERRY_COMMAND_FLIP_TABLE);
  g_assert_cmpint(ferry_command_parse("flip x").kind, ==, FERRY_COMMAND_NONE);
  g_assert_cmpint(ferry_command_parse("nothing").kind, ==, FERRY_COMMAND_NONE);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
#define ADD(path, function, pattern)                                                               \
  g_test_add("/guest/workload/" path, Fixture, pattern, set_up, function, tear_down)
  ADD("rate/uniform", test_rate, "uniform");
  ADD("rate/cyclic", test_rate, "cyclic");
  ADD("rate/skewed", test_rate, "skewed");
  ADD("phased", test_phased, "phased");
  ADD("idle", test_idle, "idle");
  ADD("skewed", test_skewed, "skewed");
  ADD("debt", test_debt_is_capped, NULL);
  ADD("flip", test_any_flipped_bit_is_found, NULL);
  ADD("stale-page", test_a_stale_page_is_found, NULL);
  ADD("zero-page", test_a_zero_or_foreign_page_is_found, NULL);
  ADD("stale-table", test_a_stale_table_is_found, NULL);
  ADD("stale-sums", test_stale_sums_are_found, NULL);
  g_test_add_func("/guest/report/parameters", test_parameters);
  g_test_add_func("/guest/report/commands", test_commands);
  return g_test_run();
}
