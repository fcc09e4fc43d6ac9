// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/yaml.h"
#include <string.h>

static void reads_as(const char *yaml, const char *json) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) got = ferry_yaml_parse(yaml, strlen(yaml), &error);
  g_assert_no_error(error);
  g_autofree char *text = ferry_json_dump(got);
  g_assert_cmpstr(text, ==, json);
}

static void refused(const char *yaml) {
  g_autoptr(GError) error = NULL;
  g_assert_null(ferry_yaml_parse(yaml, strlen(yaml), &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST);
}

static void test_parse(void) {
  reads_as("a: 1\nb: [x, 'y', \"2\", true, null, 1.5]\n",
           "[{\"a\":1,\"b\":[\"x\",\"y\",\"2\",true,null,1.5]}]");
  reads_as("---\na: 1\n---\n# nothing\n---\nb: 217Ki\n", "[{\"a\":1},{\"b\":\"217Ki\"}]");
  reads_as("{\"a\": {\"b\": []}}", "[{\"a\":{\"b\":[]}}]");
  reads_as("v: 2019-03-29T03:37:52Z\nw: 10.1.2.3\n",
           "[{\"v\":\"2019-03-29T03:37:52Z\",\"w\":\"10.1.2.3\"}]");
  refused("a: &x 1\nb: *x\n");
  refused("a: !!int 1\n");
  refused("a: 1\na: 2\n");
  refused("a: [1\n");
  refused("[a]: 1\n");
  g_autofree char *deep = g_strnfill(200, '[');
  refused(deep);
}

/* Whatever ends their lines. */
static void test_directives(void) {
  static const char *const breaks[] = {"\n",       "\r",           "\r\n",
                                       "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9"};
  for (gsize i = 0; i < G_N_ELEMENTS(breaks); i++) {
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint k = 0; k < 64; k++)
      g_string_append_printf(text, "%%TAG !a%u! b%s", k, breaks[i]);
    g_autofree char *most = g_strconcat(text->str, "--- {}\n", NULL);
    reads_as(most, "[{}]");
    g_autofree char *more = g_strconcat("%TAG !a! b", breaks[i], most, NULL);
    g_autoptr(GError) error = NULL;
    g_assert_null(ferry_yaml_parse(more, strlen(more), &error));
    g_assert_nonnull(strstr(error->message, "more than 64 %TAG directives"));
  }
  /* UTF-16, in which they would be spelled otherwise, is not read at all. */
  static const char wide[] = "\xff\xfe{\0}\0\n\0";
  g_autoptr(GError) error = NULL;
  g_assert_null(ferry_yaml_parse(wide, sizeof wide - 1, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST);
  reads_as("\xef\xbb\xbf{}\n", "[{}]");
  g_autofree char *words = g_strnfill(3000, '%');
  g_autofree char *value = g_strdup_printf("a: '%%TAG %%TAG %s'\n", words);
  g_autofree char *json = g_strdup_printf("[{\"a\":\"%%TAG %%TAG %s\"}]", words);
  reads_as(value, json);
}

static void test_round_trip(void) {
  static const char text[] =
      "{\"s\":\"true\",\"n\":\"12\",\"e\":\"\",\"d\":\"2020-01-02\",\"m\":\"a\\nb\\n\",\"y\":"
      "\"yes\",\"u\":\"\xc3\xa9: #x\",\"l\":[],\"o\":{},\"b\":false,\"z\":null,\"i\":-3,"
      "\"list\":[{\"a\":1,\"b\":[\"c\"]}]}";
  g_autoptr(json_t) value = json_loads(text, 0, NULL);
  g_autofree char *yaml = ferry_yaml_dump(value);
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) back = ferry_yaml_parse(yaml, strlen(yaml), &error);
  g_assert_no_error(error);
  g_test_message("%s", yaml);
  g_assert_true(json_equal(json_array_get(back, 0), value));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/yaml/parse", test_parse);
  g_test_add_func("/yaml/directives", test_directives);
  g_test_add_func("/yaml/round-trip", test_round_trip);
  return g_test_run();
}
