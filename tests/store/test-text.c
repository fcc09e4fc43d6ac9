// SPDX-License-Identifier: Apache-2.0
// An object's text is what jansson would write, and its view is what the text says.
#include "helper.h"

static const char *const documents[] = {
    "{}",
    "{\"metadata\":{}}",
    "{\"metadata\":{\"resourceVersion\":\"5\",\"name\":\"a\"},\"spec\":{}}",
    "{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"5\"}}",
    "{\"metadata\":\"text\",\"kind\":\"A\"}",
    "{\"a\":[],\"metadata\":{\"labels\":{\"resourceVersion\":\"x\"}},\"z\":[1,[2,{}],null]}",
    "{\"spec\":{\"resourceVersion\":\"no\",\"metadata\":{\"resourceVersion\":\"no\"}}}",
    "{\"t\":\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f/\\u00e4\\u20ac\\ud83d\\ude00\"}",
    ("{\"n\":[0,-1,9223372036854775807,-9223372036854775808,0.1,1e300,-0.0,1.0],"
     "\"b\":[true,false,null]}"),
    "{\"nul\":\"a\\u0000b\",\"k\\\"ey\\n\":1}",
};

static void test_text(void) {
  g_autoptr(FerryViews) views = ferry_views_new(1 << 20);
  for (gsize i = 0; i < G_N_ELEMENTS(documents); i++) {
    json_auto_t *object = json_loads(documents[i], JSON_ALLOW_NUL, NULL);
    g_assert_nonnull(object);
    json_auto_t *wanted = ferry_view_with_revision(object, 1234567890123);
    char *plain = json_dumps(wanted, JSON_COMPACT);
    g_autoptr(FerryStored) stored = stored_of(views, object, 1234567890123);
    g_assert_cmpstr(ferry_stored_text(stored, NULL), ==, plain);
    free(plain);
    json_auto_t *view = ferry_stored_view(stored);
    g_assert_true(json_equal(view, wanted));
    g_autoptr(FerryStored) later = ferry_stored_with_revision(stored, 7);
    json_auto_t *then = ferry_view_with_revision(object, 7);
    json_auto_t *seen = ferry_stored_view(later);
    g_assert_true(json_equal(seen, then));
    g_auto(FerryText) text;
    g_assert_true(ferry_text_init(&text, then));
    g_assert_true(ferry_stored_is_text(stored, &text) && ferry_stored_is_text(later, &text));
  }
}

static void test_no_text(void) {
  FerryText text;
  json_auto_t *bad = json_pack("{s:o}", "t", json_string_nocheck("\xff"));
  g_assert_false(ferry_text_init(&text, bad));
  json_t *loop = json_object(), *inner = json_object();
  json_object_set_new(loop, "inner", inner);
  json_object_set_nocheck(inner, "outer", loop);
  g_assert_false(ferry_text_init(&text, loop));
  json_object_clear(inner);
  json_decref(loop);
}

/* Strings of all lengths, with each byte that is not itself at each place. */
static void test_strings(void) {
  static const char *const odd[] = {"\"", "\\", "\n", "\x01", "\x1f", "\x7f", "\xc3\xa9", "/", "~"};
  for (gsize len = 0; len < 20; len++)
    for (gsize at = 0; at <= len; at++)
      for (gsize i = 0; i < G_N_ELEMENTS(odd); i++) {
        g_autofree char *rest = g_strnfill(len, 'x');
        g_autofree char *value = g_strdup_printf("%.*s%s%s", (int)at, rest, odd[i], rest + at);
        json_auto_t *object =
            json_pack("{s:s, s:I, s:I, s:{}}", value, value, "n",
                      (json_int_t)G_MININT64 + (json_int_t)len, "m", (json_int_t)at, "metadata");
        json_object_set_new(json_object_get(object, "metadata"), "resourceVersion",
                            json_string(""));
        g_auto(FerryText) text;
        g_assert_true(ferry_text_init(&text, object));
        char *wanted = json_dumps(object, JSON_COMPACT);
        g_assert_cmpstr(text.bytes->str, ==, wanted);
        free(wanted);
      }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/text/text", test_text);
  g_test_add_func("/text/no-text", test_no_text);
  g_test_add_func("/text/strings", test_strings);
  return g_test_run();
}
