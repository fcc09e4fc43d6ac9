// SPDX-License-Identifier: Apache-2.0
// An object's text is what jansson would write, its view is what the text says, and of views only
// the hot ones are kept.
#include "helper.h"

static FerryStored *stored_of(FerryViews *views, const json_t *object, gint64 revision) {
  g_auto(FerryText) text;
  g_assert_true(ferry_text_init(&text, object));
  return ferry_stored_new(views, &text, revision, NULL);
}

static const char *const documents[] = {
    "{}",
    "{\"metadata\":{}}",
    "{\"metadata\":{\"resourceVersion\":\"5\",\"name\":\"a\"},\"spec\":{}}",
    "{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"5\"}}",
    "{\"metadata\":\"text\",\"kind\":\"A\"}",
    "{\"a\":[],\"metadata\":{\"labels\":{\"resourceVersion\":\"x\"}},\"z\":[1,[2,{}],null]}",
    "{\"spec\":{\"resourceVersion\":\"no\",\"metadata\":{\"resourceVersion\":\"no\"}}}",
    "{\"t\":\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f/\\u00e4\\u20ac\\ud83d\\ude00\"}",
    "{\"n\":[0,-1,9223372036854775807,-9223372036854775808,0.1,1e300,-0.0,1.0],"
    "\"b\":[true,false,null]}",
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

/* As many as fit, the last looked at; a view that somebody holds outlives its place. */
static void test_hot_views(void) {
  enum { N = 50, FIT = 10 };
  json_auto_t *object = thing("a-name", NULL, 1);
  g_autoptr(FerryViews) none = ferry_views_new(0);
  g_autoptr(FerryStored) one = stored_of(none, object, 1000);
  gsize len;
  ferry_stored_text(one, &len);
  g_autoptr(FerryViews) views = ferry_views_new(FIT * len * FERRY_VIEW_FACTOR);
  g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify)ferry_stored_unref);
  json_auto_t *held = NULL;
  for (gint64 i = 0; i < N; i++) {
    g_ptr_array_add(all, stored_of(views, object, 1000 + i));
    json_t *view = ferry_stored_view(g_ptr_array_index(all, i));
    g_assert_cmpint(thing_revision(view), ==, 1000 + i);
    if (i == 0)
      held = view;
    else
      json_decref(view);
  }
  gsize bytes;
  guint64 parsed;
  ferry_views_stats(views, &bytes, &parsed);
  g_assert_cmpuint(bytes, ==, FIT * len * FERRY_VIEW_FACTOR);
  g_assert_cmpuint(parsed, ==, N);
  for (guint i = 0; i < N; i++) {
    json_auto_t *hot = ferry_stored_hot_view(g_ptr_array_index(all, i));
    g_assert_cmpint(hot != NULL, ==, i >= N - FIT);
  }
  g_assert_cmpint(thing_revision(held), ==, 1000);
  g_ptr_array_set_size(all, 0);
  ferry_views_stats(views, &bytes, &parsed);
  g_assert_cmpuint(bytes, ==, 0);
}

static gpointer look(gpointer data) {
  GPtrArray *all = data;
  for (guint i = 0; i < 20000; i++) {
    guint which = (i * 7919) % all->len;
    json_auto_t *view = ferry_stored_view(g_ptr_array_index(all, which));
    g_assert_cmpint(thing_value(view), ==, which);
  }
  return NULL;
}

static void test_threads(void) {
  g_autoptr(FerryViews) views = ferry_views_new(20000);
  g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify)ferry_stored_unref);
  for (guint i = 0; i < 100; i++) {
    json_auto_t *object = thing("a", NULL, i);
    g_ptr_array_add(all, stored_of(views, object, i + 1));
  }
  GThread *threads[4];
  for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
    threads[i] = g_thread_new("look", look, all);
  for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
    g_thread_join(threads[i]);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/stored/text", test_text);
  g_test_add_func("/stored/no-text", test_no_text);
  g_test_add_func("/stored/hot-views", test_hot_views);
  g_test_add_func("/stored/threads", test_threads);
  return g_test_run();
}
