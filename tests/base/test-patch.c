// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/patch.h"
#include <string.h>

static json_t *j(const char *text) {
  json_t *v = json_loads(text, JSON_DECODE_ANY, NULL);
  g_assert_nonnull(v);
  return v;
}

static void equal(json_t *got, const char *wanted) {
  g_autoptr(json_t) w = j(wanted);
  g_autoptr(json_t) g = got;
  g_autofree char *text = g ? ferry_json_dump(g) : NULL;
  g_test_message("got %s, wanted %s", text, wanted);
  g_assert_true(g && json_equal(g, w));
}

/* the cases of RFC 7386's appendix */
static void test_merge(void) {
  static const char *const cases[][3] = {
      {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
      {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
      {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
      {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
      {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
      {"[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"},
      {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
      {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(json_t) target = j(cases[i][0]), patch = j(cases[i][1]);
    equal(ferry_patch_merge(target, patch), cases[i][2]);
  }
}

static json_t *apply(const char *target, const char *patch, GError **error) {
  g_autoptr(json_t) t = j(target), p = j(patch);
  return ferry_patch_json(t, p, error);
}

static void test_json(void) {
  equal(apply("{\"a\":[1,2]}", "[{\"op\":\"add\",\"path\":\"/a/1\",\"value\":9}]", NULL),
        "{\"a\":[1,9,2]}");
  equal(apply("{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a/-\",\"value\":2}]", NULL),
        "{\"a\":[1,2]}");
  equal(apply("{\"a/b\":1,\"m~n\":2}", "[{\"op\":\"remove\",\"path\":\"/a~1b\"}]", NULL),
        "{\"m~n\":2}");
  equal(apply("{\"a\":{\"b\":1}}", "[{\"op\":\"move\",\"from\":\"/a/b\",\"path\":\"/c\"}]", NULL),
        "{\"a\":{},\"c\":1}");
  static const struct {
    const char *patch;
    int code;
  } wrong[] = {
      {"{}", FERRY_ERROR_BAD_REQUEST},
      {"[{\"op\":\"test\",\"path\":\"/a\",\"value\":2}]", FERRY_ERROR_INVALID},
      {"[{\"op\":\"replace\",\"path\":\"/x\",\"value\":2}]", FERRY_ERROR_INVALID},
      {"[{\"op\":\"add\",\"path\":\"a\",\"value\":2}]", FERRY_ERROR_BAD_REQUEST},
      {"[{\"op\":\"grow\",\"path\":\"/a\"}]", FERRY_ERROR_BAD_REQUEST},
      {"[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/b\"}]", FERRY_ERROR_INVALID},
      {"[{\"op\":\"add\",\"path\":\"/a/7\",\"value\":2}]", FERRY_ERROR_INVALID},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_autoptr(GError) error = NULL;
    g_assert_null(apply("{\"a\":1}", wrong[i].patch, &error));
    g_assert_error(error, FERRY_ERROR, wrong[i].code);
  }
}

static const char *keys(const char *path, gpointer data) {
  if (g_str_equal(path, "status.conditions"))
    return "type";
  return g_str_equal(path, "metadata.finalizers") ? "" : NULL;
}

static void test_strategic(void) {
  g_autoptr(json_t) target =
      j("{\"metadata\":{\"finalizers\":[\"a\"],\"labels\":{\"x\":\"1\",\"y\":\"2\"}},"
        "\"spec\":{\"taints\":[{\"key\":\"k\"}]},"
        "\"status\":{\"conditions\":[{\"type\":\"A\",\"status\":\"True\"},{\"type\":\"B\"}]}}");
  g_autoptr(json_t) patch =
      j("{\"metadata\":{\"finalizers\":[\"b\",\"a\"],\"labels\":{\"x\":null}},"
        "\"spec\":{\"taints\":[{\"key\":\"n\"}]},"
        "\"status\":{\"$setElementOrder/conditions\":[{\"type\":\"A\"}],\"conditions\":["
        "{\"type\":\"A\",\"status\":\"False\"},{\"type\":\"B\",\"$patch\":\"delete\"},"
        "{\"type\":\"C\"}]}}");
  equal(ferry_patch_strategic(target, patch, keys, NULL, NULL),
        "{\"metadata\":{\"finalizers\":[\"a\",\"b\"],\"labels\":{\"y\":\"2\"}},"
        "\"spec\":{\"taints\":[{\"key\":\"n\"}]},"
        "\"status\":{\"conditions\":[{\"type\":\"A\",\"status\":\"False\"},{\"type\":\"C\"}]}}");
  g_autoptr(json_t) lists = j("{\"metadata\":{\"finalizers\":[\"a\",\"b\",\"c\"],\"n\":1}}");
  g_autoptr(json_t) fewer =
      j("{\"metadata\":{\"$deleteFromPrimitiveList/finalizers\":[\"b\",\"x\"]}}");
  equal(ferry_patch_strategic(lists, fewer, keys, NULL, NULL),
        "{\"metadata\":{\"finalizers\":[\"a\",\"c\"],\"n\":1}}");
  g_autoptr(json_t) retained = j("{\"metadata\":{\"$retainKeys\":[\"n\",\"m\"],\"m\":2}}");
  equal(ferry_patch_strategic(lists, retained, keys, NULL, NULL),
        "{\"metadata\":{\"n\":1,\"m\":2}}");
  g_autoptr(json_t) replaced = j("{\"metadata\":{\"$patch\":\"replace\",\"m\":2}}");
  equal(ferry_patch_strategic(lists, replaced, keys, NULL, NULL), "{\"metadata\":{\"m\":2}}");
  g_autoptr(json_t) instead = j(
      "{\"status\":{\"conditions\":[{\"type\":\"N\"},{\"$patch\":\"replace\"},{\"type\":\"M\"}]}}");
  g_autoptr(json_t) conditions =
      j("{\"status\":{\"conditions\":[{\"type\":\"A\"},{\"type\":\"B\"}]}}");
  equal(ferry_patch_strategic(conditions, instead, keys, NULL, NULL),
        "{\"status\":{\"conditions\":[{\"type\":\"N\"},{\"type\":\"M\"}]}}");
  equal(json_incref(lists), "{\"metadata\":{\"finalizers\":[\"a\",\"b\",\"c\"],\"n\":1}}");
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) bad = j("{\"status\":{\"conditions\":[{\"status\":\"True\"}]}}");
  g_assert_null(ferry_patch_strategic(target, bad, keys, NULL, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/patch/merge", test_merge);
  g_test_add_func("/patch/json", test_json);
  g_test_add_func("/patch/strategic", test_strategic);
  return g_test_run();
}
