// SPDX-License-Identifier: Apache-2.0
#include "agent/core/inventory.h"

#define UUID "49485e48-7f4c-4aae-953d-67bbb89e2f57"
#define OTHER "5f6c3c1e-5a6c-4b0a-9d52-0d3b1c8f7a11"
#define SECONDS(n) (g_get_monotonic_time() + (n)*G_USEC_PER_SEC)

typedef struct {
  FerryAgentContext *context;
  FerryAgentInventory *inventory;
} Bed;

static Bed bed_new(void) {
  Bed b = {ferry_context_new("h1", "/nowhere", NULL, NULL), NULL};
  b.inventory = ferry_inventory_new(b.context);
  return b;
}

static void bed_free(Bed *b) {
  ferry_inventory_free(b->inventory);
  ferry_context_free(b->context);
}

static void test_names(void) {
  g_assert_true(ferry_inventory_name_matches("web", "web", UUID));
  g_assert_true(ferry_inventory_name_matches("web-1-49485e48", "Web 1", UUID));
  g_assert_false(ferry_inventory_name_matches("web-1-49485e49", "Web 1", UUID));
  g_assert_false(ferry_inventory_name_matches("other", "web", UUID));
  g_assert_false(ferry_inventory_name_matches("49485e48", "web", UUID));
}

static void test_domains(void) {
  Bed b = bed_new();
  g_autoptr(json_t) two =
      json_pack("[{s:s, s:s, s:s, s:b, s:i, s:i}, {s:s, s:s, s:b, s:i, s:i}]", "uuid", UUID, "name",
                "web", "namespace", "prod", "active", 1, "memoryBytes", 100, "vcpus", 3, "uuid",
                OTHER, "name", "db", "active", 0, "memoryBytes", 7, "vcpus", 2);
  g_assert_false(ferry_inventory_is_ready(b.inventory));
  ferry_inventory_replace(b.inventory, two);
  g_assert_true(ferry_inventory_is_ready(b.inventory));
  FerryInventoryTotals totals;
  ferry_inventory_totals(b.inventory, &totals);
  g_assert_cmpint(totals.running, ==, 1);
  g_assert_cmpint(totals.memory, ==, 100); /* of what is active alone */
  g_assert_cmpint(totals.processors, ==, 3);
  g_assert_cmpint(ferry_inventory_domain_memory(b.inventory, OTHER), ==, 7);
  g_assert_cmpint(ferry_inventory_domain_memory(b.inventory, "none"), ==, 0);
  g_autofree char *web = ferry_inventory_resolve(b.inventory, "prod", "web");
  g_assert_cmpstr(web, ==, UUID);
  g_assert_null(ferry_inventory_resolve(b.inventory, "default", "web"));
  g_autofree char *suffixed = ferry_inventory_resolve(b.inventory, "default", "x-5f6c3c1e");
  g_assert_cmpstr(suffixed, ==, OTHER);
  ferry_inventory_forget(b.inventory, UUID);
  g_assert_null(ferry_inventory_domain_name(b.inventory, UUID));
  bed_free(&b);
}

/* What other hosts must be looked at for, in order and once. */
static void test_looks(void) {
  Bed b = bed_new();
  g_autoptr(json_t) two = json_pack(
      "[{ss, ss, s[{ss,ss}{ss,ss}]}, {ss, ss, s[{ss,ss}{ss,ss}]}]", "uuid", UUID, "name", "web",
      "needs", "kind", "file", "name", "/b", "kind", "pool", "name", "p", "uuid", OTHER, "name",
      "db", "needs", "kind", "file", "name", "/b", "kind", "file", "name", "/a");
  ferry_inventory_replace(b.inventory, two);
  g_autoptr(json_t) looks = ferry_inventory_looks(b.inventory);
  g_assert_cmpuint(json_array_size(looks), ==, 2);
  g_assert_cmpstr(ferry_json_str(json_array_get(looks, 0), "name"), ==, "/a");
  g_assert_cmpstr(ferry_json_str(json_array_get(looks, 1), "name"), ==, "/b");
  ferry_inventory_forget(b.inventory, OTHER);
  g_autoptr(json_t) fewer = ferry_inventory_looks(b.inventory);
  g_assert_cmpuint(json_array_size(fewer), ==, 1);
  bed_free(&b);
}

/* a state is reported at once; what is due later waits; both are told once */
static void test_news(void) {
  Bed b = bed_new();
  g_autoptr(GPtrArray) marked = NULL;
  ferry_inventory_mark(b.inventory, OTHER, FALSE);
  ferry_inventory_mark(b.inventory, UUID, TRUE);
  ferry_inventory_mark(b.inventory, UUID, FALSE);
  g_assert_cmpint(ferry_inventory_wait(b.inventory, SECONDS(60), &marked), ==, FERRY_NEWS_SOME);
  g_assert_cmpuint(marked->len, ==, 2);
  g_clear_pointer(&marked, g_ptr_array_unref);
  g_assert_cmpint(ferry_inventory_wait(b.inventory, 0, &marked), ==, FERRY_NEWS_SOME);
  g_assert_cmpuint(marked->len, ==, 0); /* a sign of life */
  g_clear_pointer(&marked, g_ptr_array_unref);
  ferry_inventory_mark(b.inventory, UUID, FALSE);
  ferry_inventory_mark(b.inventory, "33333333-0000-4000-8000-000000000003", TRUE);
  ferry_inventory_mark_network(b.inventory);
  g_assert_cmpint(ferry_inventory_wait(b.inventory, SECONDS(60), &marked), ==, FERRY_NEWS_NETWORK);
  g_assert_null(marked); /* what else was marked still is */
  g_assert_cmpint(ferry_inventory_wait(b.inventory, SECONDS(60), &marked), ==, FERRY_NEWS_SOME);
  g_assert_cmpuint(marked->len, ==, 2);
  g_clear_pointer(&marked, g_ptr_array_unref);
  ferry_inventory_mark_all(b.inventory);
  g_assert_cmpint(ferry_inventory_wait(b.inventory, SECONDS(60), &marked), ==, FERRY_NEWS_ALL);
  g_assert_null(marked);
  g_assert_cmpint(ferry_inventory_wait(b.inventory, 0, &marked), ==, FERRY_NEWS_SOME);
  g_assert_cmpuint(marked->len, ==, 0); /* all includes it */
  bed_free(&b);
}

static gpointer stop_soon(gpointer context) {
  g_usleep(20000); /* long enough for the other to wait, mostly */
  ferry_context_stop(context);
  return NULL;
}

static void test_stop_wakes(void) {
  Bed b = bed_new();
  GPtrArray *marked = NULL;
  GThread *thread = g_thread_new("stop", stop_soon, b.context);
  g_assert_cmpint(ferry_inventory_wait(b.inventory, SECONDS(600), &marked), ==, FERRY_NEWS_ENDED);
  g_assert_null(marked);
  g_assert_false(ferry_context_sleep(b.context, 600000));
  g_thread_join(thread);
  bed_free(&b);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/agent/inventory/names", test_names);
  g_test_add_func("/agent/inventory/domains", test_domains);
  g_test_add_func("/agent/inventory/news", test_news);
  g_test_add_func("/agent/inventory/looks", test_looks);
  g_test_add_func("/agent/inventory/stop-wakes", test_stop_wakes);
  return g_test_run();
}
