// SPDX-License-Identifier: Apache-2.0
// However small the pieces are in which a list is taken, they are its text and as long as was said.
#include "api/resource/list_body.h"
#include "store/views.h"

#include <string.h>

/* The text of a list of `n` objects, of which the i-th has i letters. */
static char *taken(guint n, gsize piece) {
  g_autoptr(FerryViews) views = ferry_views_new(1 << 20);
  g_autoptr(GPtrArray) objects = g_ptr_array_new_with_free_func((GDestroyNotify)ferry_stored_unref);
  for (guint i = 0; i < n; i++) {
    g_autofree char *letters = g_strnfill(i, 'x');
    g_autoptr(json_t) object = json_pack("{s:{}, s:s}", "metadata", "s", letters);
    g_auto(FerryText) text;
    g_assert_true(ferry_text_init(&text, object));
    g_ptr_array_add(objects, ferry_stored_new(views, &text, 7, NULL));
  }
  g_autoptr(json_t) head = json_pack("{s:s}", "kind", "XList");
  FerryBody *body = ferry_list_body_new(head, objects);
  GString *out = g_string_new(NULL);
  g_autofree char *buf = g_malloc(piece);
  while (out->len < body->size) {
    gsize len = body->read(body, buf, piece);
    g_assert_cmpuint(len, >, 0);
    g_assert_cmpuint(len, <=, piece);
    g_string_append_len(out, buf, (gssize)len);
  }
  g_assert_cmpuint(out->len, ==, body->size);
  g_assert_cmpuint(body->read(body, buf, piece), ==, 0);
  ferry_body_free(body);
  return g_string_free(out, FALSE);
}

static void pieces(void) {
  static const gsize sizes[] = {1, 2, 7, 64, 4096, 1 << 20};
  for (guint n = 0; n < 40; n += 13) {
    g_autofree char *whole = taken(n, 1 << 20);
    g_autoptr(json_t) list = json_loads(whole, 0, NULL);
    g_assert_nonnull(list);
    g_assert_cmpstr(ferry_json_str(list, "kind"), ==, "XList");
    const json_t *items = json_object_get(list, "items");
    g_assert_cmpuint(json_array_size(items), ==, n);
    for (guint i = 0; i < n; i++) {
      g_assert_cmpuint(strlen(ferry_json_str(json_array_get(items, i), "s")), ==, i);
      g_assert_cmpstr(ferry_json_str(json_array_get(items, i), "metadata.resourceVersion"), ==,
                      "7");
    }
    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
      g_autofree char *text = taken(n, sizes[i]);
      g_assert_cmpstr(text, ==, whole);
    }
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/list-body/pieces", pieces);
  return g_test_run();
}
