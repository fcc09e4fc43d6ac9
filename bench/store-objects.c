// SPDX-License-Identifier: Apache-2.0
// Where the bytes of the store's objects go, and what reading them costs, with objects that a real
// ferryd had of real hosts (bench/recorded.json: a guest, the same after a migration, a host, a
// migration). Prints one line a figure. Usage: store-objects RECORDED [OBJECTS].
#include "store/page.h"
#include "store/views.h"

#include <malloc.h>
#include <stdlib.h>

#define PAGE 500

static gint64 clock_us;

static void start_clock(void) {
  clock_us = g_get_monotonic_time();
}

static double elapsed_ms(void) {
  return (double)(g_get_monotonic_time() - clock_us) / 1000;
}

static gsize heap(void) {
  malloc_trim(0);
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

static void stop(const char *message) {
  g_printerr("store-objects: %s\n", message);
  exit(1);
}

/* One of the recorded objects with a name and a UUID of its own. */
static json_t *another(const json_t *recorded, guint i) {
  json_t *object = json_deep_copy(json_array_get(recorded, i % json_array_size(recorded)));
  g_autofree char *name = g_strdup_printf("object-%06u", i);
  g_autofree char *uid = g_strdup_printf("%08x-2222-4333-8444-555555555555", i);
  ferry_json_set_str(object, "metadata.name", name);
  ferry_json_set_str(object, "metadata.uid", uid);
  if (ferry_json_get(object, "spec.domainName"))
    ferry_json_set_str(object, "spec.domainName", name);
  return object;
}

static void fill(FerryStore *store, const FerryKind *kind, const json_t *recorded, guint n) {
  for (guint i = 0; i < n; i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) object = another(recorded, i);
    const char *ns = ferry_json_str(object, "metadata.namespace");
    FerryWrite write = {.op = FERRY_WRITE_CREATE,
                        .kind = kind,
                        .ns = ns ? ns : "",
                        .name = ferry_json_str(object, "metadata.name"),
                        .object = object};
    if (!ferry_store_commit(store, &write, 1, NULL, &error))
      stop(error->message);
  }
}

/* The same objects as trees, as every look made and the store once kept them. */
static gsize tree_bytes(const json_t *recorded, guint n) {
  g_autoptr(GPtrArray) trees = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
  gsize before = heap();
  for (guint i = 0; i < n; i++) {
    g_autoptr(json_t) object = another(recorded, i);
    g_autofree char *text = ferry_json_dump(object);
    g_ptr_array_add(trees, json_loads(text, 0, NULL));
  }
  return heap() - before;
}

static void measure_memory(const FerryKind *kind, const json_t *recorded, guint n) {
  FerryStoreOptions options = {.log_entries = 1, .view_bytes = 1};
  gsize before = heap();
  g_autoptr(FerryStore) store = ferry_store_open(NULL, &options, NULL);
  fill(store, kind, recorded, n);
  gsize all = heap() - before, trees = tree_bytes(recorded, MIN(n, 2000)) / MIN(n, 2000);
  FerryStoreStats stats;
  ferry_store_stats(store, &stats);
  gsize text = stats.bytes / n;
  g_print("%-34s %8zu bytes kept: %zu text, %zu head and indexes; as a tree %zu\n", kind->plural,
          all / n, text, all / n - text, trees);
}

static void write_list(const GPtrArray *objects, GString *out) {
  for (guint i = 0; i < objects->len; i++) {
    gsize len;
    const char *text = ferry_stored_text(g_ptr_array_index(objects, i), &len);
    g_string_append_len(out, text, (gssize)len);
    g_string_append_c(out, ',');
  }
}

static void measure_lists(const json_t *recorded, guint n) {
  g_autoptr(FerryStore) store = ferry_store_open(NULL, NULL, NULL);
  const FerryKind *kind = &ferry_kind_vmi;
  fill(store, kind, recorded, n);
  start_clock();
  g_autoptr(GPtrArray) all = ferry_store_texts(store, kind, NULL, NULL, NULL, G_MAXUINT, NULL);
  g_autoptr(GString) text = g_string_new(NULL);
  write_list(all, text);
  g_print("list of %u, %zu bytes:      %8.1f ms\n", n, text->len, elapsed_ms());
  start_clock();
  g_autoptr(GPtrArray) trees = ferry_store_list(store, kind, NULL, NULL);
  g_print("the same parsed:                 %8.1f ms\n", elapsed_ms());
  start_clock();
  for (guint i = 0; i < trees->len; i++)
    g_free(ferry_json_dump(g_ptr_array_index(trees, i)));
  g_print("the trees written as text:       %8.1f ms\n", elapsed_ms());
  g_autofree char *middle = g_strdup_printf("object-%06u", n / 2);
  FerryPageWish wish = {.kind = kind, .after_ns = "default", .after_name = middle, .max = PAGE};
  g_auto(FerryPage) page = {0};
  start_clock();
  ferry_store_page_at(store, &wish, &page, NULL);
  g_autoptr(GString) some = g_string_new(NULL);
  write_list(page.objects, some);
  g_print("page of %u in its middle:       %8.1f ms\n", page.objects->len, elapsed_ms());
}

int main(int argc, char **argv) {
  g_autoptr(GError) error = NULL;
  guint n = argc > 2 ? (guint)g_ascii_strtoull(argv[2], NULL, 10) : 10000;
  g_autofree char *text = NULL;
  if (argc < 2 || n == 0 || !g_file_get_contents(argv[1], &text, NULL, &error))
    stop(error ? error->message
               : "give the file with recorded objects, and how many there shall be");
  g_autoptr(json_t) recorded = json_loads(text, 0, NULL);
  const FerryKind *const kinds[] = {&ferry_kind_vmi, &ferry_kind_node, &ferry_kind_vmim};
  for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
    const json_t *some = json_object_get(recorded, kinds[i]->plural);
    if (json_array_size(some) == 0)
      stop("the file has no objects of a kind that is measured");
    measure_memory(kinds[i], some, n);
  }
  measure_lists(json_object_get(recorded, ferry_kind_vmi.plural), n);
  return 0;
}
