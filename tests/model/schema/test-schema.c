// SPDX-License-Identifier: Apache-2.0
#include "model/kinds/kind.h"
#include "model/schema/schema.h"
#include <string.h>

/* Every $ref below `value` must lead to a member of `definitions`. */
static void check_refs(const json_t *value, const json_t *definitions, const char *prefix) {
  const char *key;
  json_t *item;
  gsize i;
  json_object_foreach((json_t *)value, key, item) {
    if (g_str_equal(key, "$ref")) {
      g_assert_true(g_str_has_prefix(json_string_value(item), prefix));
      g_assert_nonnull(json_object_get(definitions, json_string_value(item) + strlen(prefix)));
    }
    check_refs(item, definitions, prefix);
  }
  if (json_is_array(value))
    json_array_foreach((json_t *)value, i, item) check_refs(item, definitions, prefix);
}

static void test_v2(void) {
  g_autoptr(json_t) document = ferry_schema_openapi_v2();
  json_t *definitions = json_object_get(document, "definitions");
  check_refs(document, definitions, "#/definitions/");
  json_t *vmim = json_object_get(definitions, "io.kubevirt.v1.VirtualMachineInstanceMigration");
  g_assert_cmpstr(ferry_json_str(vmim, "properties.spec.properties.maxDowntimeMs.type"), ==,
                  "integer");
  g_assert_cmpint(ferry_json_int(vmim, "properties.spec.properties.maxDowntimeMs.maximum", 0), ==,
                  2000000);
  g_assert_nonnull(ferry_json_str(vmim, "properties.spec.properties.vmiName.description"));
  json_t *gvk = json_array_get(json_object_get(vmim, "x-kubernetes-group-version-kind"), 0);
  g_assert_cmpstr(ferry_json_str(gvk, "group"), ==, "kubevirt.io");
  json_t *node = json_object_get(definitions, "io.k8s.api.core.v1.Node");
  g_assert_cmpstr(ferry_json_str(ferry_json_get(node, "properties.status.properties.conditions"),
                                 "x-kubernetes-patch-merge-key"),
                  ==, "type");
}

static void test_v3(void) {
  g_assert_null(ferry_schema_openapi_v3("kubevirt.io", "v2"));
  gsize n;
  const FerryKind *const *kinds = ferry_kinds(&n);
  for (gsize i = 0; i < n; i++) {
    g_autoptr(json_t) document = ferry_schema_openapi_v3(kinds[i]->group, kinds[i]->version);
    check_refs(document, ferry_json_get(document, "components.schemas"), "#/components/schemas/");
    g_autofree char *root = *kinds[i]->group
                                ? g_strdup_printf("/apis/%s/%s", kinds[i]->group, kinds[i]->version)
                                : g_strdup_printf("/api/%s", kinds[i]->version);
    g_autofree char *path = g_strdup_printf(
        "%s/%s%s", root, kinds[i]->namespaced ? "namespaces/{namespace}/" : "", kinds[i]->plural);
    json_t *item = json_object_get(json_object_get(document, "paths"), path);
    g_assert_cmpstr(ferry_json_str(item, "get.x-kubernetes-action"), ==, "list");
    g_assert_true((json_object_get(item, "post") != NULL) ==
                  ((kinds[i]->verbs & FERRY_VERB_CREATE) != 0));
    g_autofree char *one = g_strconcat(path, "/{name}", NULL);
    json_t *patch =
        ferry_json_get(json_object_get(json_object_get(document, "paths"), one), "patch");
    g_assert_true((patch != NULL) == ((kinds[i]->verbs & FERRY_VERB_PATCH) != 0));
    if (!patch)
      continue;
    g_assert_nonnull(ferry_json_find(json_object_get(patch, "parameters"), "name", "dryRun"));
    g_assert_cmpstr(
        ferry_json_str(json_object_get(patch, "x-kubernetes-group-version-kind"), "kind"), ==,
        kinds[i]->kind);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/schema/v2", test_v2);
  g_test_add_func("/schema/v3", test_v3);
  return g_test_run();
}
