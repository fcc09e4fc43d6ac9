// SPDX-License-Identifier: Apache-2.0
// Of the views of objects only the hot ones are kept, whoever looks at them at once.
#include "helper.h"

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

/* Who changes what the store gave out is found out. */
static void test_changed_in_place(void) {
  if (g_test_subprocess()) {
    json_auto_t *object = thing("a-name", NULL, 1);
    g_autoptr(FerryViews) views = ferry_views_new(1 << 20);
    g_autoptr(FerryStored) one = stored_of(views, object, 1000);
    ferry_views_verify_every(1);
    json_auto_t *view = ferry_stored_view(one), *again = ferry_stored_view(one);
    json_object_set_new(json_object_get(view, "metadata"), "name", json_string("another"));
    json_auto_t *seen = ferry_stored_view(one);
    return;
  }
  g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_failed();
  g_test_trap_assert_stderr("*a stored object was changed in place*another*");
}

/* What it saw is released after it has ended: jansson's count of references is atomic, but nothing
 * tells ThreadSanitizer that who takes the last one away comes after all others. */
static gpointer look(gpointer data) {
  GPtrArray *all = data, *seen = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
  for (guint i = 0; i < 3000; i++) {
    guint which = (i * 7919) % all->len;
    json_t *view = ferry_stored_view(g_ptr_array_index(all, which));
    g_assert_cmpint(thing_value(view), ==, which);
    g_ptr_array_add(seen, view);
  }
  return seen;
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
    g_ptr_array_unref(g_thread_join(threads[i]));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/views/hot", test_hot_views);
  g_test_add_func("/views/threads", test_threads);
  g_test_add_func("/views/changed-in-place", test_changed_in_place);
  return g_test_run();
}
