// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/json.h"
#include <string.h>

static void refused(const char *text, int code) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) v = ferry_json_parse(text, strlen(text), &error);
  g_assert_null(v);
  g_assert_error(error, FERRY_ERROR, code);
}

static void test_parse(void) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) v = ferry_json_parse("{\"a\":{\"b\":[1]}}", 15, &error);
  g_assert_no_error(error);
  g_assert_cmpint(json_array_size(ferry_json_get(v, "a.b")), ==, 1);
  refused("{\"a\":1,\"a\":2}", FERRY_ERROR_BAD_REQUEST);
  refused("{} x", FERRY_ERROR_BAD_REQUEST);
  refused("// c\n{}", FERRY_ERROR_BAD_REQUEST);
  refused("", FERRY_ERROR_BAD_REQUEST);
  g_autofree char *deep = g_strnfill(FERRY_JSON_MAX_DEPTH + 1, '[');
  refused(deep, FERRY_ERROR_BAD_REQUEST);
  /* brackets inside of strings are not depth */
  g_autofree char *inner = g_strnfill(500, '[');
  g_autofree char *text = g_strdup_printf("\"%s\"", inner);
  g_autoptr(json_t) string = ferry_json_parse(text, strlen(text), &error);
  g_assert_no_error(error);
  g_autofree char *big = g_malloc(FERRY_JSON_MAX_BYTES + 1);
  memset(big, ' ', FERRY_JSON_MAX_BYTES + 1);
  g_autoptr(GError) large = NULL;
  g_assert_null(ferry_json_parse(big, FERRY_JSON_MAX_BYTES + 1, &large));
  g_assert_error(large, FERRY_ERROR, FERRY_ERROR_TOO_LARGE);
}

static void test_paths(void) {
  g_autoptr(json_t) o = json_object();
  ferry_json_set_str(o, "status.migrationState.sourceNode", "h1");
  ferry_json_set_int(o, "status.n", 7);
  ferry_json_set_bool(o, "status.done", TRUE);
  g_assert_cmpstr(ferry_json_str(o, "status.migrationState.sourceNode"), ==, "h1");
  g_assert_cmpint(ferry_json_int(o, "status.n", 0), ==, 7);
  g_assert_true(ferry_json_bool(o, "status.done", FALSE));
  g_assert_cmpint(ferry_json_int(o, "status.missing.deep", 42), ==, 42);
  ferry_json_set(o, "status.n", NULL);
  g_assert_null(ferry_json_get(o, "status.n"));
  ferry_json_set_str(o, "cut", "caf\xc3"); /* a character cut in two is no reason to say nothing */
  g_assert_cmpstr(ferry_json_str(o, "cut"), ==, "caf\xef\xbf\xbd");
  ferry_json_set(o, "no.such.path", NULL);
  g_assert_null(ferry_json_get(o, "no"));
}

static void test_copy_along(void) {
  g_autoptr(json_t) o = json_object();
  ferry_json_set_int(o, "status.progress.percent", 1);
  ferry_json_set_int(o, "spec.x", 1);
  g_autoptr(json_t) copy = ferry_json_copy_along(o, "status.progress");
  ferry_json_set_int(copy, "status.progress.percent", 2);
  g_assert_cmpint(ferry_json_int(o, "status.progress.percent", 0), ==, 1);
  g_assert_true(json_object_get(o, "spec") == json_object_get(copy, "spec"));
}

/* What others hold too stays as it is, whatever is set below a copy of one level. */
static void test_own(void) {
  g_autoptr(json_t) o =
      json_pack("{s:{s:{s:i}, s:[{s:s, s:i}, {s:s}]}, s:{}}", "status", "progress", "percent", 1,
                "list", "name", "a", "n", 1, "name", "b", "spec");
  g_autoptr(json_t) before = json_deep_copy(o);
  g_autoptr(json_t) copy = json_copy(o);
  ferry_json_set_int(copy, "status.progress.percent", 2);
  json_t *list = ferry_json_own(copy, "status.list");
  ferry_json_set_int(ferry_json_own_found(list, "name", "a"), "n", 2);
  ferry_json_set_int(ferry_json_own_item(list, 1), "n", 3);
  json_array_append_new(list, json_integer(7));
  ferry_json_set(copy, "status.progress.more", NULL);
  g_assert_true(json_equal(o, before));
  g_assert_cmpint(ferry_json_int(copy, "status.progress.percent", 0), ==, 2);
  g_assert_cmpint(ferry_json_int(json_array_get(list, 0), "n", 0), ==, 2);
  g_assert_cmpint(ferry_json_int(json_array_get(list, 1), "n", 0), ==, 3);
  g_assert_true(json_object_get(o, "spec") == json_object_get(copy, "spec"));
  /* what is its own already is changed where it is */
  g_assert_true(ferry_json_own(copy, "status.list") == list);
  g_assert_null(ferry_json_own(copy, "status.nothing.here"));
  g_assert_null(ferry_json_own(copy, "status.progress.percent"));
  g_assert_null(ferry_json_own_found(list, "name", "c"));
  g_assert_null(ferry_json_own_item(list, 9));
}

static void test_has_word(void) {
  g_autoptr(json_t) list = json_pack("[s, n, i, s]", "a", 7, "b");
  g_assert_true(ferry_json_has_word(list, "b"));
  g_assert_false(ferry_json_has_word(list, "c"));
  g_assert_false(ferry_json_has_word(list, NULL));
  g_assert_false(ferry_json_has_word(NULL, "a"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/json/parse", test_parse);
  g_test_add_func("/json/paths", test_paths);
  g_test_add_func("/json/has-word", test_has_word);
  g_test_add_func("/json/copy-along", test_copy_along);
  g_test_add_func("/json/own", test_own);
  return g_test_run();
}
