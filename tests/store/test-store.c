// SPDX-License-Identifier: Apache-2.0
// What a caller of the store may rely on, run against each backend: revisions, compare-and-swap,
// batches that hold as a whole, limits, and snapshots that do not change.
#include "helper.h"

typedef struct {
  FerryStore *store;
  char *path; /* NULL: in memory */
} Fixture;

static void set_up(Fixture *f, gconstpointer on_disk) {
  f->path = on_disk != NULL ? folder_new() : NULL;
  f->store = must_open(f->path, NULL);
}

static void tear_down(Fixture *f, gconstpointer on_disk) {
  ferry_store_free(f->store);
  if (f->path != NULL)
    folder_remove(f->path);
}

static void test_create_get_delete(Fixture *f, gconstpointer data) {
  g_assert_cmpint(ferry_store_revision(f->store), ==, 1);
  json_auto_t *object = thing("a", "uid-a", 7);
  json_t *result = NULL;
  FerryWrite write = {FERRY_WRITE_CREATE, &kind_vm, "ns", "a", object, 0, FALSE};
  g_autoptr(GError) error = NULL;
  g_assert_true(ferry_store_commit(f->store, &write, 1, &result, &error));
  g_assert_cmpint(thing_revision(result), ==, 2);
  /* the caller's object is untouched */
  g_assert_cmpint(thing_revision(object), ==, -1);
  json_auto_t *got = ferry_store_get(f->store, &kind_vm, "ns", "a");
  g_assert_true(got == result);
  json_auto_t *by_uid = ferry_store_get_by_uid(f->store, &kind_vm, "uid-a");
  g_assert_true(by_uid == result);
  json_decref(result);
  g_assert_null(ferry_store_get(f->store, &kind_vm, "other", "a"));
  g_assert_null(ferry_store_get(f->store, &kind_host, "ns", "a"));
  g_assert_null(ferry_store_get_by_uid(f->store, &kind_host, "uid-a"));

  FerryWrite gone = {FERRY_WRITE_DELETE, &kind_vm, "ns", "a", NULL, 2, FALSE};
  g_assert_true(ferry_store_commit(f->store, &gone, 1, &result, &error));
  g_assert_cmpint(thing_value(result), ==, 7);
  g_assert_cmpint(thing_revision(result), ==, 3);
  json_decref(result);
  g_assert_null(ferry_store_get(f->store, &kind_vm, "ns", "a"));
  g_assert_null(ferry_store_get_by_uid(f->store, &kind_vm, "uid-a"));
  g_assert_cmpint(ferry_store_revision(f->store), ==, 3);
}

static void test_compare_and_swap(Fixture *f, gconstpointer data) {
  gint64 first = must_write(f->store, FERRY_WRITE_CREATE, &kind_vm, "ns", "a", 1);
  g_autoptr(GError) error = NULL;
  gint64 second =
      try_write(f->store, FERRY_WRITE_UPDATE, &kind_vm, "ns", "a", 2, first, FALSE, &error);
  g_assert_no_error(error);
  g_assert_cmpint(second, >, first);

  g_assert_cmpint(
      try_write(f->store, FERRY_WRITE_UPDATE, &kind_vm, "ns", "a", 3, first, FALSE, &error), ==, 0);
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT);
  g_assert_nonnull(strstr(error->message, "vms.kubevirt.io \"a\""));
  g_clear_error(&error);
  try_write(f->store, FERRY_WRITE_DELETE, &kind_vm, "ns", "a", 0, first, FALSE, &error);
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT);
  g_clear_error(&error);
  try_write(f->store, FERRY_WRITE_CREATE, &kind_vm, "ns", "a", 0, 0, FALSE, &error);
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_ALREADY_EXISTS);
  g_clear_error(&error);
  try_write(f->store, FERRY_WRITE_UPDATE, &kind_host, "", "b", 0, 0, FALSE, &error);
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND);
  g_assert_cmpstr(error->message, ==, "hosts \"b\" not found");
  g_clear_error(&error);
  try_write(f->store, FERRY_WRITE_DELETE, &kind_vm, "ns", "b", 0, 0, FALSE, &error);
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND);

  g_assert_cmpint(stored_value(f->store, &kind_vm, "ns", "a"), ==, 2);
  g_assert_cmpint(ferry_store_revision(f->store), ==, second);
  FerryStoreStats stats;
  ferry_store_stats(f->store, &stats);
  g_assert_cmpuint(stats.conflicts, ==, 2);
  g_assert_cmpuint(stats.writes, ==, 2);
  g_assert_cmpuint(stats.commits, ==, 7);
  g_assert_cmpuint(stats.objects, ==, 1);
}

static void test_update_without_change(Fixture *f, gconstpointer data) {
  gint64 first = must_write(f->store, FERRY_WRITE_CREATE, &kind_vm, "ns", "a", 1);
  g_autoptr(GError) error = NULL;
  FerryWatch *watch =
      ferry_store_watch(f->store, NULL, NULL, ferry_store_revision(f->store), NULL, NULL, &error);
  g_assert_cmpint(must_write(f->store, FERRY_WRITE_UPDATE, &kind_vm, "ns", "a", 1), ==, first);
  g_assert_cmpint(ferry_store_revision(f->store), ==, first);
  g_assert_null(ferry_watch_next(watch, &error));
  g_assert_no_error(error);
  /* but a stale one is still a conflict */
  try_write(f->store, FERRY_WRITE_UPDATE, &kind_vm, "ns", "a", 1, first + 5, FALSE, &error);
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT);
  ferry_watch_free(watch);
}

static void test_batch_is_whole(Fixture *f, gconstpointer data) {
  must_write(f->store, FERRY_WRITE_CREATE, &kind_vm, "ns", "a", 1);
  gint64 before = ferry_store_revision(f->store);
  json_auto_t *a2 = thing("a", NULL, 2), *b1 = thing("b", "uid-b", 1), *b2 = thing("b", "uid-b", 2);
  FerryWrite writes[] = {
      {FERRY_WRITE_UPDATE, &kind_vm, "ns", "a", a2, 0, FALSE},
      {FERRY_WRITE_CREATE, &kind_vm, "ns", "b", b1, 0, FALSE},
      {FERRY_WRITE_DELETE, &kind_vm, "ns", "missing", NULL, 0, FALSE},
  };
  json_t *results[3];
  g_autoptr(GError) error = NULL;
  g_assert_false(ferry_store_commit(f->store, writes, 3, results, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND);
  g_clear_error(&error);
  for (int i = 0; i < 3; i++)
    g_assert_null(results[i]);
  g_assert_cmpint(stored_value(f->store, &kind_vm, "ns", "a"), ==, 1);
  g_assert_null(ferry_store_get(f->store, &kind_vm, "ns", "b"));
  g_assert_null(ferry_store_get_by_uid(f->store, &kind_vm, "uid-b"));
  g_assert_cmpint(ferry_store_revision(f->store), ==, before);

  /* Later writes of a batch see the earlier ones. */
  writes[2] = (FerryWrite){FERRY_WRITE_UPDATE, &kind_vm, "ns", "b", b2, before + 2, FALSE};
  g_assert_true(ferry_store_commit(f->store, writes, 3, results, &error));
  for (int i = 0; i < 3; i++) {
    g_assert_cmpint(thing_revision(results[i]), ==, before + 1 + i);
    json_decref(results[i]);
  }
  FerryWrite swap[] = {
      {FERRY_WRITE_DELETE, &kind_vm, "ns", "b", NULL, 0, FALSE},
      {FERRY_WRITE_CREATE, &kind_vm, "ns", "b", b1, 0, FALSE},
      {FERRY_WRITE_CREATE, &kind_vm, "ns", "c", b1, 0, FALSE},
      {FERRY_WRITE_DELETE, &kind_vm, "ns", "c", NULL, 0, FALSE},
  };
  g_assert_true(ferry_store_commit(f->store, swap, 4, NULL, &error));
  g_assert_cmpint(stored_value(f->store, &kind_vm, "ns", "b"), ==, 1);
  g_assert_null(ferry_store_get(f->store, &kind_vm, "ns", "c"));
  if (f->path != NULL) {
    ferry_store_free(f->store);
    f->store = must_open(f->path, NULL);
    g_assert_cmpint(stored_value(f->store, &kind_vm, "ns", "b"), ==, 1);
    g_assert_null(ferry_store_get(f->store, &kind_vm, "ns", "c"));
  }
}

static void test_list_order(Fixture *f, gconstpointer data) {
  static const char *const keys[][2] = {
      {"b", "x"}, {"a", "z"}, {"ab", "y"}, {"a", "a"}, {"b", "a"}};
  for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
    must_write(f->store, FERRY_WRITE_CREATE, &kind_vm, keys[i][0], keys[i][1], (gint64)i);
  must_write(f->store, FERRY_WRITE_CREATE, &kind_host, "", "h1", 9);
  gint64 revision = 0;
  g_autoptr(GPtrArray) all = ferry_store_list(f->store, &kind_vm, NULL, &revision);
  static const gint64 wanted[] = {3, 1, 2, 4, 0};
  g_assert_cmpuint(all->len, ==, 5);
  for (guint i = 0; i < 5; i++)
    g_assert_cmpint(thing_value(g_ptr_array_index(all, i)), ==, wanted[i]);
  g_assert_cmpint(revision, ==, ferry_store_revision(f->store));
  g_autoptr(GPtrArray) one = ferry_store_list(f->store, &kind_vm, "a", NULL);
  g_assert_cmpuint(one->len, ==, 2);
  g_assert_cmpstr(thing_name(g_ptr_array_index(one, 0)), ==, "a");
  g_autoptr(GPtrArray) none = ferry_store_list(f->store, &kind_vm, "aa", NULL);
  g_assert_cmpuint(none->len, ==, 0);
  g_autoptr(GPtrArray) hosts = ferry_store_list(f->store, &kind_host, NULL, NULL);
  g_assert_cmpuint(hosts->len, ==, 1);
}

static void test_bad_writes(Fixture *f, gconstpointer data) {
  json_auto_t *list = json_array(), *object = thing("a", NULL, 1);
  const FerryWrite bad[] = {
      {FERRY_WRITE_CREATE, &kind_vm, "ns", "a", NULL, 0, FALSE},
      {FERRY_WRITE_UPDATE, &kind_vm, "ns", "a", list, 0, FALSE},
      {FERRY_WRITE_CREATE, &kind_vm, "ns", "", object, 0, FALSE},
      {FERRY_WRITE_CREATE, &kind_vm, NULL, "a", object, 0, FALSE},
      {FERRY_WRITE_CREATE, NULL, "ns", "a", object, 0, FALSE},
      {(FerryWriteOp)7, &kind_vm, "ns", "a", object, 0, FALSE},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(GError) error = NULL;
    g_assert_false(ferry_store_commit(f->store, &bad[i], 1, NULL, &error));
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL);
  }
  g_autoptr(GError) error = NULL;
  g_assert_true(ferry_store_commit(f->store, NULL, 0, NULL, &error));
  g_assert_cmpint(ferry_store_revision(f->store), ==, 1);
}

static void add(const char *name, void (*test)(Fixture *, gconstpointer)) {
  g_autofree char *memory = g_strdup_printf("/store/memory/%s", name);
  g_autofree char *disk = g_strdup_printf("/store/sqlite/%s", name);
  g_test_add(memory, Fixture, NULL, set_up, test, tear_down);
  g_test_add(disk, Fixture, "disk", set_up, test, tear_down);
}

static json_t *space(const char *name, gboolean ending) {
  json_t *object = thing(name, NULL, 0);
  if (ending)
    json_object_set_new(json_object_get(object, "metadata"), "deletionTimestamp", json_string("x"));
  return object;
}

/* What is made in a namespace, and the namespace's end, are judged where nothing comes between. */
static void test_namespaces(Fixture *f, gconstpointer data) {
  json_auto_t *ns = space("team", FALSE), *ending = space("team", TRUE),
              *role = thing("r", NULL, 1);
  const FerryKind *kind = &ferry_kind_role;
  FerryWrite make_ns = {.op = FERRY_WRITE_CREATE,
                        .kind = &ferry_kind_namespace,
                        .ns = "",
                        .name = "team",
                        .object = ns};
  FerryWrite end_ns = {.op = FERRY_WRITE_DELETE,
                       .kind = &ferry_kind_namespace,
                       .ns = "",
                       .name = "team",
                       .leaves_empty = TRUE};
  FerryWrite make = {.op = FERRY_WRITE_CREATE,
                     .kind = kind,
                     .ns = "team",
                     .name = "r",
                     .object = role,
                     .in_namespace = TRUE};
  FerryWrite unmake = {.op = FERRY_WRITE_DELETE, .kind = kind, .ns = "team", .name = "r"};
  g_autoptr(GError) error = NULL;
  g_assert_false(ferry_store_commit(f->store, &make, 1, NULL, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT);
  FerryWrite both[] = {make_ns, make};
  g_assert_true(ferry_store_commit(f->store, both, 2, NULL, NULL));
  g_clear_error(&error);
  g_assert_false(ferry_store_commit(f->store, &end_ns, 1, NULL, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT);
  FerryWrite mark = make_ns;
  mark.op = FERRY_WRITE_UPDATE;
  mark.object = ending;
  mark.leaves_empty = TRUE;
  g_assert_false(ferry_store_commit(f->store, &mark, 1, NULL, NULL));
  FerryWrite emptied[] = {mark, unmake};
  g_assert_true(ferry_store_commit(f->store, emptied, 2, NULL, NULL));
  g_clear_error(&error);
  g_assert_false(ferry_store_commit(f->store, &make, 1, NULL, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT);
  /* made by the batch that ends it */
  make.in_namespace = FALSE;
  FerryWrite refilled[] = {end_ns, make};
  g_assert_false(ferry_store_commit(f->store, refilled, 2, NULL, NULL));
  g_assert_true(ferry_store_commit(f->store, &end_ns, 1, NULL, NULL));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  add("create-get-delete", test_create_get_delete);
  add("compare-and-swap", test_compare_and_swap);
  add("update-without-change", test_update_without_change);
  add("batch-is-whole", test_batch_is_whole);
  add("list-order", test_list_order);
  add("bad-writes", test_bad_writes);
  add("namespaces", test_namespaces);
  return g_test_run();
}
