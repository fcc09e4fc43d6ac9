// SPDX-License-Identifier: Apache-2.0
#include "model/field/object_meta.h"

static void test_annotation(void) {
  g_autoptr(json_t) object = json_pack("{s:{s:{s:s, s:i}}}", "metadata", "annotations",
                                       "ferry.migration/evacuates", "h1", "other.example/n", 3);
  g_assert_cmpstr(ferry_object_annotation(object, "ferry.migration/evacuates"), ==, "h1");
  g_assert_null(ferry_object_annotation(object, "other.example/n")); /* no text */
  g_assert_null(ferry_object_annotation(object, "ferry"));
  g_autoptr(json_t) bare = json_pack("{s:{}}", "metadata");
  g_assert_null(ferry_object_annotation(bare, "ferry.migration/evacuates"));
  g_assert_null(ferry_object_annotation(NULL, "ferry.migration/evacuates"));
}

static void test_finalizers(void) {
  g_autoptr(json_t) object = json_pack("{s:{}}", "metadata");
  g_assert_false(ferry_object_has_finalizer(object, "a/b"));
  g_assert_false(ferry_object_drop_finalizer(object, "a/b"));
  ferry_object_add_finalizer(object, "a/b");
  ferry_object_add_finalizer(object, "c/d");
  ferry_object_add_finalizer(object, "a/b"); /* is there */
  const json_t *list = ferry_json_get(object, "metadata.finalizers");
  g_assert_cmpuint(json_array_size(list), ==, 2);
  g_assert_true(ferry_object_drop_finalizer(object, "a/b"));
  g_assert_false(ferry_object_drop_finalizer(object, "a/b"));
  g_assert_false(ferry_object_has_finalizer(object, "a/b"));
  g_assert_true(ferry_object_has_finalizer(object, "c/d"));
  g_assert_cmpuint(json_array_size(list), ==, 1);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/object_meta/annotation", test_annotation);
  g_test_add_func("/object_meta/finalizers", test_finalizers);
  return g_test_run();
}
