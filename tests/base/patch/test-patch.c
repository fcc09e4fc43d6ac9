// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/patch/patch.h"
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

/* Patches of about 1 KB, whatever they grow by: the error comes before the memory is taken. */
static void test_bounded(void) {
  static const struct {
    const char *what, *begin, *step;
    guint steps;
    int code;
  } cases[] = {
      {"a copy into itself doubles", "{\"op\":\"add\",\"path\":\"/a\",\"value\":{\"b\":\"text\"}}",
       ",{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/c%u\"}", 40, FERRY_ERROR_TOO_LARGE},
      {"a list in itself", "{\"op\":\"add\",\"path\":\"/a\",\"value\":[[],[]]}",
       ",{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/-\"}", 30, FERRY_ERROR_TOO_LARGE},
      {"nesting", "{\"op\":\"add\",\"path\":\"/a\",\"value\":{}}",
       ",{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b%u\"},{\"op\":\"add\",\"path\":\"/"
       "a\",\"value\":{}},"
       "{\"op\":\"copy\",\"from\":\"\",\"path\":\"/a/x\"}",
       70, FERRY_ERROR_TOO_LARGE},
      {"copies over each other", "{\"op\":\"add\",\"path\":\"/a\",\"value\":\"$BIG\"}",
       ",{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b\"}", 40, FERRY_ERROR_TOO_LARGE},
      {"moves to and fro", "{\"op\":\"add\",\"path\":\"/a\",\"value\":\"$BIG\"}",
       ",{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/b\"},{\"op\":\"move\",\"from\":\"/"
       "b\",\"path\":\"/a\"}",
       40, FERRY_ERROR_TOO_LARGE},
  };
  g_autofree char *big = g_strnfill(100000, 'x');
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GString) text = g_string_new("[");
    g_string_append(text, cases[i].begin);
    for (guint n = 0; n < cases[i].steps; n++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
      g_string_append_printf(text, cases[i].step, n);
#pragma GCC diagnostic pop
    }
    g_string_append_c(text, ']');
    g_string_replace(text, "$BIG", big, 0);
    g_test_message("%s", cases[i].what);
    g_autoptr(GError) error = NULL;
    g_assert_null(apply("{}", text->str, &error));
    g_assert_error(error, FERRY_ERROR, cases[i].code);
  }
}

/* A value of 40 levels put below another of 40. */
static void test_depth(void) {
  g_autoptr(GString) deep = g_string_new(NULL);
  for (guint i = 0; i < 40; i++)
    g_string_append(deep, "{\"x\":");
  g_string_append(deep, "1");
  for (guint i = 0; i < 40; i++)
    g_string_append_c(deep, '}');
  g_autoptr(GString) pointer = g_string_new("/a");
  for (guint i = 0; i < 39; i++)
    g_string_append(pointer, "/x");
  g_autofree char *target = g_strdup_printf("{\"a\":%s}", deep->str);
  static const char *const ops[] = {"copy", "move"};
  for (gsize i = 0; i < G_N_ELEMENTS(ops); i++) {
    g_autofree char *patch = g_strdup_printf("[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b\"},"
                                             "{\"op\":\"%s\",\"from\":\"/b\",\"path\":\"%s/y\"}]",
                                             ops[i], pointer->str);
    g_autoptr(GError) error = NULL;
    g_assert_null(apply(target, patch, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID);
    g_assert_nonnull(strstr(error->message, "64 levels"));
  }
}

/* 1,000 insertions at the front of a list of 400,000 would move 400 million elements. */
static void test_list_moves(void) {
  g_autoptr(json_t) target = json_object(), patch = json_array();
  json_t *list = json_array();
  for (guint i = 0; i < 400000; i++)
    json_array_append_new(list, json_integer(1));
  json_object_set_new(target, "a", list);
  for (guint i = 0; i < 1000; i++)
    json_array_append_new(patch,
                          json_pack("{s:s, s:s, s:i}", "op", "add", "path", "/a/0", "value", 1));
  g_autoptr(GError) error = NULL;
  g_assert_null(ferry_patch_json(target, patch, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_TOO_LARGE);
}

/* An error names a pointer by its beginning: it isn't twice as long as the patch. */
static void test_long_pointers(void) {
  static const char *const ops[] = {"test", "copy", "move", "add", "remove", "replace"};
  g_autofree char *steps = g_strnfill(20000, '/');
  g_autoptr(json_t) target = json_object();
  for (gsize i = 0; i < G_N_ELEMENTS(ops); i++) {
    g_autoptr(json_t) patch = json_pack("[{s:s, s:s, s:s, s:i}]", "op", ops[i], "path", steps,
                                        "from", steps + i % 2, "value", 1);
    g_autoptr(GError) error = NULL;
    g_assert_null(ferry_patch_json(target, patch, &error));
    g_assert_cmpuint(strlen(error->message), <, 400);
  }
}

/* What a patch does not name is not copied, and what it is applied to stays as it is. */
static void test_shared(void) {
  g_autoptr(json_t) target = json_pack("{s:{s:{s:i}, s:{s:i}}, s:{s:i}}", "status", "a", "x", 1,
                                       "b", "y", 1, "spec", "z", 1);
  g_autoptr(json_t) before = json_deep_copy(target);
  g_autoptr(json_t) patch = json_pack("{s:{s:{s:i, s:n}}}", "status", "a", "x", 2, "gone");
  for (guint i = 0; i < 2; i++) {
    g_autoptr(json_t) out = i ? ferry_patch_strategic(target, patch, NULL, NULL, NULL)
                              : ferry_patch_merge(target, patch);
    g_assert_cmpint(ferry_json_int(out, "status.a.x", 0), ==, 2);
    g_assert_true(json_equal(target, before));
    g_assert_true(json_object_get(out, "spec") == json_object_get(target, "spec"));
    g_assert_true(ferry_json_get(out, "status.b") == ferry_json_get(target, "status.b"));
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/patch/merge", test_merge);
  g_test_add_func("/patch/json", test_json);
  g_test_add_func("/patch/bounded", test_bounded);
  g_test_add_func("/patch/depth", test_depth);
  g_test_add_func("/patch/list-moves", test_list_moves);
  g_test_add_func("/patch/long-pointers", test_long_pointers);
  g_test_add_func("/patch/strategic", test_strategic);
  g_test_add_func("/patch/shared", test_shared);
  return g_test_run();
}
