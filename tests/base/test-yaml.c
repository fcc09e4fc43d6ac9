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
  g_test_add_func("/yaml/round-trip", test_round_trip);
  return g_test_run();
}
