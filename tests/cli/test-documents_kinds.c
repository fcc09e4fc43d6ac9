// SPDX-License-Identifier: Apache-2.0
#include "cli/documents_kinds.h"
#include <string.h>

/* Of every kind: its doc, each of its top fields and columns, and no line that mdoc takes for a
 * macro by mistake. */
static void test_all(void) {
  gsize n;
  const FerryKind *const *kinds = ferry_kinds(&n);
  g_assert_cmpuint(n, >, 10);
  for (gsize i = 0; i < n; i++) {
    g_autofree char *page = ferry_documents_kind(kinds[i], "word");
    g_assert_nonnull(strstr(page, ".Dt FERRY-WORD 5\n"));
    g_autofree char *says = g_strdup_printf("\nkind: %s\n", kinds[i]->kind);
    g_assert_nonnull(strstr(page, says));
    for (const FerryField *f = kinds[i]->fields; f->name; f++) {
      g_autofree char *item = g_strdup_printf(".It Cm %s", f->name);
      if (!(f->flags & FERRY_FIELD_KEPT) && !strstr(page, item))
        g_error("%s: no field %s", kinds[i]->kind, f->name);
    }
    g_auto(GStrv) lines = g_strsplit(page, "\n", -1);
    for (gsize k = 0; lines[k]; k++)
      if (*lines[k] == '\'' ||
          (*lines[k] == '.' && !g_ascii_isupper(lines[k][1]) && lines[k][1] != '\\'))
        g_error("%s: line \"%s\"", kinds[i]->kind, lines[k]);
  }
}

static void test_one(void) {
  g_autofree char *page = ferry_documents_kind(&ferry_kind_network, "network");
  g_assert_nonnull(strstr(page, "apiVersion: ferry.migration/v1\n"));
  g_assert_nonnull(strstr(page, ".It Cm spec.subnets[] Pq list"));
  g_assert_nonnull(strstr(page, ".Cm view\nis the first that may read it"));
  g_assert_null(strstr(page, "namespace: NAMESPACE"));
  g_autofree char *vmim = ferry_documents_kind(&ferry_kind_vmim, "vmim");
  g_assert_nonnull(strstr(vmim, "  namespace: NAMESPACE\n"));
  g_assert_nonnull(strstr(vmim, ".It Cm spec.vmiName Pq text, required\n"));
  g_assert_nonnull(strstr(vmim, ".Ql virtualmachineinstancemigrations/cancel"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/cli/documents_kinds/all", test_all);
  g_test_add_func("/cli/documents_kinds/one", test_one);
  return g_test_run();
}
