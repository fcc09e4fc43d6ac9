// SPDX-License-Identifier: Apache-2.0
// What a value costs, and that no more of it is looked at than fits.
#include "base/json_size.h"
#include "base/error.h"
#include "base/json.h"

static void test_cost(void) {
  static const struct {
    const char *json;
    gsize bytes, nodes;
  } cases[] = {{"null", 1, 1},    {"12345", 1, 1}, /* digits are not counted */
               {"\"abc\"", 5, 1}, {"[]", 2, 1},    {"[1,2]", 4, 3}, {"{\"k\":true}", 2 + 5 + 1, 2}};
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(json_t) value = json_loads(cases[i].json, JSON_DECODE_ANY, NULL);
    g_autoptr(GError) error = NULL;
    FerryJsonSize exact = {cases[i].bytes, cases[i].nodes};
    g_assert_true(ferry_json_size_spend(&exact, value, 0, &error));
    g_assert_cmpuint(exact.bytes + exact.nodes, ==, 0);
    FerryJsonSize few = {cases[i].bytes - 1, cases[i].nodes};
    g_assert_false(ferry_json_size_spend(&few, value, 0, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_TOO_LARGE);
    FerryJsonSize none = {cases[i].bytes, cases[i].nodes - 1};
    g_assert_false(ferry_json_size_spend(&none, value, 0, NULL));
  }
}

static void test_depth(void) {
  g_autoptr(json_t) value = json_array();
  g_autoptr(GError) error = NULL;
  FerryJsonSize left = FERRY_JSON_SIZE_FULL;
  g_assert_true(ferry_json_size_spend(&left, value, FERRY_JSON_MAX_DEPTH - 1, NULL));
  g_assert_false(ferry_json_size_spend(&left, value, FERRY_JSON_MAX_DEPTH, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID);
  g_assert_false(ferry_json_size_spend(&left, value, G_MAXUINT, NULL));
  g_autoptr(json_t) number = json_integer(1);
  g_assert_true(ferry_json_size_spend(&left, number, FERRY_JSON_MAX_DEPTH, NULL));
}

/* No text is longer, whatever has to be escaped in it. */
static void test_most(void) {
  static const char *const texts[] = {
      "{}", "[]", "[1,-9223372036854775808,true,null,0.1234567890123456]",
      "{\"a\\u0001\\u0002\":\"\\u0001\\u0002\\u0003\\\"\\\\\",\"b\":[[],{},\"\"]}"};
  for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_autoptr(json_t) value = json_loads(texts[i], 0, NULL);
    g_assert_nonnull(value);
    g_assert_cmpuint(ferry_json_size_most(value), >=, json_dumpb(value, NULL, 0, JSON_COMPACT));
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/base/json_size/cost", test_cost);
  g_test_add_func("/base/json_size/depth", test_depth);
  g_test_add_func("/base/json_size/most", test_most);
  return g_test_run();
}
