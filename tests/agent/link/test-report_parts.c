// SPDX-License-Identifier: Apache-2.0
#include "agent/link/report_parts.h"

static json_t *report(guint n, gsize bytes, gboolean full) {
  json_t *domains = json_array();
  g_autofree char *text = g_strnfill(bytes, 'x');
  for (guint i = 0; i < n; i++) {
    g_autofree char *uuid = g_strdup_printf("%08x-2222-3333-4444-555555555555", i);
    json_array_append_new(domains, json_pack("{ss,ss}", "uuid", uuid, "name", text));
  }
  return json_pack("{si,sb,so,s[s],s{si}}", "epoch", 7, "full", full, "domains", domains, "removed",
                   "gone", "node", "runningVMs", 3);
}

/* Ten thousand domains of the largest size that libvirt's usual domains have, and what fits. */
static void test_parts(void) {
  static const struct {
    guint domains;
    gsize bytes;
    gboolean full;
  } cases[] = {{0, 1, TRUE},        {1, 10, TRUE},       {500, 100, TRUE},     {501, 100, TRUE},
               {501, 100, FALSE},   {10000, 1500, TRUE}, {10000, 1500, FALSE}, {7, 400000, TRUE},
               {3, 2000000, FALSE}, {1, 2500000, TRUE}};
  for (gsize c = 0; c < G_N_ELEMENTS(cases); c++) {
    g_autoptr(json_t) whole = report(cases[c].domains, cases[c].bytes, cases[c].full);
    g_autoptr(GPtrArray) parts = ferry_report_parts(whole);
    g_autoptr(GHashTable) told = g_hash_table_new(g_str_hash, g_str_equal);
    gsize earlier = 0, k;
    json_t *d;
    for (guint i = 0; i < parts->len; i++) {
      const json_t *part = g_ptr_array_index(parts, i);
      const json_t *list = json_object_get(part, "domains");
      gboolean last = i + 1 == parts->len;
      g_assert_cmpuint(json_dumpb(part, NULL, 0, JSON_COMPACT), <, FERRY_JSON_MAX_BYTES);
      g_assert_cmpint(ferry_json_int(part, "epoch", 0), ==, 7);
      g_assert_cmpint(ferry_json_bool(part, "full", FALSE), ==, last && cases[c].full);
      g_assert_cmpint(json_object_get(part, "node") != NULL, ==, i == 0);
      g_assert_cmpint(json_array_size(json_object_get(part, "removed")), ==, last ? 1 : 0);
      if (last)
        g_assert_cmpuint(json_array_size(json_object_get(part, "present")), ==,
                         cases[c].full ? earlier : 0);
      json_array_foreach((json_t *)list, k, d)
          g_assert_true(g_hash_table_add(told, (gpointer)ferry_json_str(d, "uuid")));
      earlier += json_array_size(list);
    }
    g_assert_cmpuint(g_hash_table_size(told), ==, cases[c].domains);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/report-parts/parts", test_parts);
  return g_test_run();
}
