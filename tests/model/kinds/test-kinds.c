// SPDX-License-Identifier: Apache-2.0
#include "model/kinds/kind.h"
#include "model/validate/validate.h"
#include <string.h>

static void test_words(void) {
  static const struct {
    const char *word;
    const FerryKind *kind;
  } cases[] = {
      {"vmi", &ferry_kind_vmi},
      {"VMIs", &ferry_kind_vmi},
      {"VirtualMachineInstance", &ferry_kind_vmi},
      {"virtualmachineinstancemigrations.kubevirt.io", &ferry_kind_vmim},
      {"virtualmachineinstancemigrations.v1.kubevirt.io", &ferry_kind_vmim},
      {"kv", &ferry_kind_kubevirt},
      {"kubevirt", &ferry_kind_kubevirt},
      {"no", &ferry_kind_node},
      {"net", &ferry_kind_network},
      {"evac", &ferry_kind_evacuation},
      {"ev", &ferry_kind_event},
      {"ns", &ferry_kind_namespace},
      {"migrationpolicies", &ferry_kind_migration_policy},
      {"pods", &ferry_kind_pod},
      {"pudding", NULL},
      {"", NULL},
      {"nodes.", NULL},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
    g_assert_true(ferry_kind_by_word(cases[i].word) == cases[i].kind);
  g_assert_null(ferry_kind_by_word(NULL));
}

static void test_gvk(void) {
  g_assert_true(ferry_kind_by_gvk("kubevirt.io/v1", "Kubevirt") == &ferry_kind_kubevirt);
  g_assert_true(ferry_kind_by_gvk("v1", "Node") == &ferry_kind_node);
  g_assert_null(ferry_kind_by_gvk("/v1x", "Node"));
  g_assert_null(ferry_kind_by_gvk("kubevirt.io/v2", "KubeVirt"));
  g_assert_null(ferry_kind_by_gvk("kubevirt.io", "KubeVirt"));
  g_assert_true(ferry_kind_by_plural("", NULL, "nodes") == &ferry_kind_node);
  g_assert_null(ferry_kind_by_plural("kubevirt.io", "v1", "nodes"));
}

static void check_fields(const FerryField *fields) {
  g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
  for (const FerryField *f = fields; f->name; f++) {
    if (!g_hash_table_add(names, (char *)f->name))
      g_error("%s twice", f->name);
    g_assert_nonnull(f->doc);
    if (f->type != FERRY_TYPE_OBJECT || f->fields)
      g_assert_true(g_str_has_suffix(f->doc, "."));
    g_assert_cmpint(f->min, <=, MAX(f->max, f->min));
    if (f->pattern) {
      const char *problem = NULL;
      g_assert_false(ferry_format_check(f->pattern, "/ /", &problem));
      g_assert_cmpstr(problem, !=, "unknown format");
    }
    if (f->def)
      json_decref(json_loads(f->def, JSON_DECODE_ANY, NULL));
    if (f->fields)
      check_fields(f->fields);
  }
}

/* Each table is complete: docs, no name twice, formats that exist, columns with cells. */
static void test_tables(void) {
  gsize n;
  const FerryKind *const *kinds = ferry_kinds(&n);
  g_assert_cmpuint(n, ==, 18);
  for (gsize i = 0; i < n; i++) {
    g_autofree char *api_version = ferry_kind_api_version(kinds[i]);
    g_assert_true(ferry_kind_by_gvk(api_version, kinds[i]->kind) == kinds[i]);
    g_assert_true(ferry_kind_by_word(kinds[i]->plural) == kinds[i]);
    g_assert_nonnull(kinds[i]->doc);
    check_fields(kinds[i]->fields);
    g_assert_cmpuint(kinds[i]->n_columns, >, 0);
    for (gsize c = 0; c < kinds[i]->n_columns; c++)
      g_assert_true((kinds[i]->columns[c].path != NULL) != (kinds[i]->columns[c].cell != NULL));
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/kinds/words", test_words);
  g_test_add_func("/kinds/gvk", test_gvk);
  g_test_add_func("/kinds/tables", test_tables);
  return g_test_run();
}
