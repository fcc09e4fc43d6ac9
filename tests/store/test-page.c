// SPDX-License-Identifier: Apache-2.0
// Pages of a list show the store as it was at the first one's revision, whatever is written
// meanwhile, and cost what they give.
#include "helper.h"
#include "store/page.h"

enum { NAMES = 40 };

static void write_any(FerryStore *store, GRand *rand, gint64 value) {
  g_autofree char *name = g_strdup_printf("n%02d", g_rand_int_range(rand, 0, NAMES));
  const char *ns = g_rand_boolean(rand) ? "a" : "b";
  gboolean there = stored_value(store, &kind_vm, ns, name) >= 0;
  FerryWriteOp op = !there                              ? FERRY_WRITE_CREATE
                    : g_rand_int_range(rand, 0, 3) == 0 ? FERRY_WRITE_DELETE
                                                        : FERRY_WRITE_UPDATE;
  must_write(store, op, &kind_vm, ns, name, value);
}

/* "name=value@revision " of each object. */
static void note_objects(GString *out, const GPtrArray *objects) {
  for (guint i = 0; i < objects->len; i++) {
    json_auto_t *object = ferry_stored_view(g_ptr_array_index(objects, i));
    g_string_append_printf(out, "%s=%" G_GINT64_FORMAT "@%" G_GINT64_FORMAT " ", thing_name(object),
                           thing_value(object), thing_revision(object));
  }
}

static void read_by_pages(FerryStore *store, GRand *rand, const char *ns) {
  gint64 at;
  g_autoptr(GPtrArray) whole = ferry_store_texts(store, &kind_vm, ns, NULL, NULL, G_MAXUINT, &at);
  g_autoptr(GString) wanted = g_string_new(NULL), got = g_string_new(NULL);
  note_objects(wanted, whole);
  g_autofree char *after_ns = NULL, *after = NULL;
  for (gboolean more = TRUE; more;) {
    g_autoptr(GError) error = NULL;
    g_auto(FerryPage) page = {0};
    FerryPageWish wish = {&kind_vm, ns, after_ns, after, (guint)g_rand_int_range(rand, 1, 9), at};
    g_assert_true(ferry_store_page_at(store, &wish, &page, &error));
    g_assert_no_error(error);
    g_assert_cmpint(page.revision, ==, at);
    g_assert_cmpuint(page.total, ==, whole->len);
    g_assert_cmpuint(page.objects->len, <=, wish.max);
    g_assert_true(!page.more || page.objects->len == wish.max);
    note_objects(got, page.objects);
    more = page.more;
    g_free(after_ns);
    g_free(after);
    after_ns = g_steal_pointer(&page.ns);
    after = g_steal_pointer(&page.name);
    for (int i = g_rand_int_range(rand, 0, 5); i > 0; i--)
      write_any(store, rand, i);
  }
  g_assert_cmpstr(got->str, ==, wanted->str);
}

static void test_as_it_was(void) {
  g_autoptr(FerryStore) store = must_open(NULL, NULL);
  g_autoptr(GRand) rand = g_rand_new_with_seed(7);
  read_by_pages(store, rand, NULL);
  for (int i = 0; i < 100; i++) {
    write_any(store, rand, i);
    read_by_pages(store, rand, i % 3 == 0 ? NULL : i % 3 == 1 ? "a" : "b");
  }
}

static void test_too_old(void) {
  FerryStoreOptions options = {.log_entries = 10};
  g_autoptr(FerryStore) store = must_open(NULL, &options);
  gint64 first = must_write(store, FERRY_WRITE_CREATE, &kind_vm, "ns", "a", 0);
  for (int i = 1; i <= 12; i++)
    must_write(store, FERRY_WRITE_UPDATE, &kind_vm, "ns", "a", i);
  const gint64 bad[] = {first, first + 100};
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(GError) error = NULL;
    g_auto(FerryPage) page = {0};
    FerryPageWish wish = {.kind = &kind_vm, .max = 5, .at = bad[i]};
    g_assert_false(ferry_store_page_at(store, &wish, &page, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_EXPIRED);
  }
}

static void test_costs_what_it_gives(void) {
  g_autoptr(FerryStore) store = must_open(NULL, NULL);
  for (int i = 0; i < 1000; i++) {
    g_autofree char *name = g_strdup_printf("n%04d", i);
    must_write(store, FERRY_WRITE_CREATE, &kind_vm, "ns", name, i);
  }
  FerryStoreStats before, after;
  ferry_store_stats(store, &before);
  g_auto(FerryPage) page = {0};
  FerryPageWish wish = {.kind = &kind_vm, .after_ns = "ns", .after_name = "n0500", .max = 10};
  g_assert_true(ferry_store_page_at(store, &wish, &page, NULL));
  ferry_store_stats(store, &after);
  g_assert_cmpuint(after.visited - before.visited, ==, 10);
  g_assert_cmpuint(after.parsed, ==, before.parsed);
  g_assert_cmpuint(page.total, ==, 1000);
  g_assert_cmpstr(page.name, ==, "n0510");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/page/as-it-was", test_as_it_was);
  g_test_add_func("/page/too-old", test_too_old);
  g_test_add_func("/page/costs-what-it-gives", test_costs_what_it_gives);
  return g_test_run();
}
