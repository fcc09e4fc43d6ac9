// SPDX-License-Identifier: Apache-2.0
// work-count SMALL LARGE: does each piece of work on an input of about so many parts, for
// count_work.py, which runs it under valgrind. Each leaves a dump of the instructions it took,
// named "CASE N". Once before anything is counted each is done, so that what is made only once is
// there.
#include "model/listing/selector.h"
#include "model/validate/validate.h"
#include "store/store.h"
#include "api/resource/field_paths.h"
#include "base/patch/patch.h"
#include "base/yaml.h"

#include <string.h>
#include <valgrind/callgrind.h>

static const char *merge_key(const char *path, gpointer data) {
  return g_str_equal(path, "set") ? "" : g_str_equal(path, "keyed") ? "name" : NULL;
}

static json_t *words(guint n, guint from) {
  json_t *list = json_array();
  for (guint i = 0; i < n; i++)
    json_array_append_new(list, json_sprintf("word-%u", from + i));
  return list;
}

static json_t *named(guint n, guint from) {
  json_t *list = json_array();
  for (guint i = 0; i < n; i++) {
    g_autofree char *name = g_strdup_printf("n%u", from + i);
    json_array_append_new(list, json_pack("{s:s, s:i}", "name", name, "v", (int)i));
  }
  return list;
}

static json_t *map(guint n) {
  json_t *out = json_object();
  for (guint i = 0; i < n; i++) {
    g_autofree char *key = g_strdup_printf("k%u", i);
    json_object_set_new(out, key, json_integer(i));
  }
  return out;
}

static json_t *wrap(const char *key, json_t *value) {
  return json_pack("{s:o}", key, value);
}

/* Takes both. */
static void strategic(json_t *target, json_t *patch) {
  json_decref(ferry_patch_strategic(target, patch, merge_key, NULL, NULL));
  json_decref(target);
  json_decref(patch);
}

static void case_json_parse(guint n) {
  g_autoptr(json_t) value = named(n, 0);
  g_autofree char *text = ferry_json_dump(value);
  json_decref(ferry_json_parse(text, strlen(text), NULL));
}

static void case_yaml_parse(guint n) {
  g_autoptr(json_t) value = named(n, 0);
  g_autofree char *text = ferry_yaml_dump(value);
  json_decref(ferry_yaml_parse(text, strlen(text), NULL));
}

static void case_merge_patch(guint n) {
  g_autoptr(json_t) target = map(n), patch = map(n + n / 2);
  json_decref(ferry_patch_merge(target, patch));
}

static void case_merge_patch_deep(guint n) {
  json_t *target = map(n), *patch = json_object();
  for (guint i = 0; i < 60; i++) {
    target = wrap("a", target);
    patch = wrap("a", patch);
  }
  json_decref(ferry_patch_merge(target, patch));
  json_decref(target);
  json_decref(patch);
}

static void case_json_patch(guint n) {
  g_autoptr(json_t) target = wrap("a", map(n)), patch = json_array();
  for (guint i = 0; i < 20; i++)
    json_array_append_new(
        patch, json_pack("{s:s, s:s, s:s}", "op", "copy", "from", "/a/k1", "path", "/a/x"));
  json_decref(ferry_patch_json(target, patch, NULL));
}

static void case_strategic_set(guint n) {
  strategic(wrap("set", words(n, 0)), wrap("set", words(n, n / 2)));
}

static void case_strategic_keyed(guint n) {
  strategic(wrap("keyed", named(n, 0)), wrap("keyed", named(n, n / 2)));
}

static void case_strategic_keyed_delete(guint n) {
  json_t *gone = named(n, 0), *item;
  gsize i;
  json_array_foreach(gone, i, item) json_object_set_new(item, "$patch", json_string("delete"));
  strategic(wrap("keyed", named(n, 0)), wrap("keyed", gone));
}

static void case_strategic_primitives(guint n) {
  strategic(wrap("set", words(n, 0)), wrap("$deleteFromPrimitiveList/set", words(n, n / 2)));
}

static void case_strategic_retain(guint n) {
  strategic(map(n), wrap("$retainKeys", words(n, 0)));
}

static void case_strategic_lists(guint n) {
  json_t *lists = json_object();
  for (guint i = 0; i < n; i++) {
    g_autofree char *key = g_strdup_printf("k%u", i);
    json_object_set_new(lists, key, json_array());
  }
  g_autofree char *path = g_strnfill(10 * n, 'p'); /* a long name above many lists */
  strategic(json_object(), wrap(path, lists));
}

static void case_field_paths(guint n) {
  g_autofree char *key = g_strnfill(10 * n, 'p');
  g_autoptr(json_t) object = wrap("spec", wrap(key, map(n)));
  g_autoptr(GHashTable) paths = ferry_field_paths_of(&ferry_kind_vmim, object, FALSE);
  g_autoptr(json_t) fields = ferry_field_paths_write(paths);
  g_hash_table_unref(ferry_field_paths_read(fields));
}

static void case_field_paths_remove(guint n) {
  g_autoptr(json_t) object = wrap("metadata", wrap("finalizers", words(n, 0)));
  g_autoptr(GHashTable) gone = ferry_field_paths_of(&ferry_kind_vmim, object, FALSE);
  g_autoptr(GHashTable) kept = g_hash_table_new(g_str_hash, g_str_equal);
  ferry_field_paths_remove(object, gone, kept);
  g_assert_true(n == 0 || !ferry_json_get(object, "metadata.finalizers"));
}

static void case_labels(guint n) {
  g_autoptr(json_t) object = json_pack("{s:{s:s, s:s, s:o}}", "metadata", "name", "a", "namespace",
                                       "default", "labels", map(n));
  g_autoptr(GError) error = NULL;
  json_decref(ferry_validate(&ferry_kind_vmim, object, NULL, FERRY_UNKNOWN_WARN, NULL, &error));
}

static void case_unknown_fields(guint n) {
  g_autoptr(json_t) object = map(n);
  g_autoptr(GError) error = NULL;
  json_decref(ferry_validate(&ferry_kind_vmim, object, NULL, FERRY_UNKNOWN_STRICT, NULL, &error));
}

static void case_selector(guint n) {
  g_autoptr(GString) text = g_string_new("a in (x");
  for (guint i = 0; i < n && text->len < 16000; i++)
    g_string_append_printf(text, ",v%u", i);
  g_string_append_c(text, ')');
  ferry_selector_free(ferry_selector_parse_labels(text->str, NULL));
}

/* Must be found: it looks through what it has for each element. */
static void case_canary(guint n) {
  g_autoptr(json_t) from = words(n, 0), out = json_array();
  gsize i;
  json_t *item;
  json_array_foreach(from, i, item) {
    if (!ferry_json_has_word(out, json_string_value(item)))
      json_array_append(out, item);
  }
}

/* A VM that is asked for by a name, which nobody has, or a domain's. */
static void case_names_of_vms(guint n) {
  g_autoptr(FerryStore) store = ferry_store_open(NULL, NULL, NULL);
  for (guint i = 0; i < n; i++) {
    g_autofree char *name = g_strdup_printf("vm-%u", i), *domain = g_strdup_printf("Vm %u", i);
    g_autoptr(json_t) vmi = json_pack("{s:{s:s, s:s}, s:{s:s}}", "metadata", "name", name,
                                      "namespace", "default", "spec", "domainName", domain);
    FerryWrite write = {.op = FERRY_WRITE_CREATE,
                        .kind = &ferry_kind_vmi,
                        .ns = "default",
                        .name = name,
                        .object = vmi};
    ferry_store_commit(store, &write, 1, NULL, NULL);
  }
  for (guint i = 0; i < 100 * n; i++) {
    g_autofree char *domain = g_strdup_printf("Vm %u", i);
    g_autoptr(json_t) found = ferry_store_get_by_domain(store, &ferry_kind_vmi, "default", domain);
    g_assert_true((found != NULL) == (i < n));
  }
}

static const struct {
  const char *name;
  void (*work)(guint n);
} cases[] = {
    {"json-parse", case_json_parse},
    {"yaml-parse", case_yaml_parse},
    {"merge-patch", case_merge_patch},
    {"merge-patch-deep", case_merge_patch_deep},
    {"json-patch", case_json_patch},
    {"strategic-set", case_strategic_set},
    {"strategic-keyed", case_strategic_keyed},
    {"strategic-keyed-delete", case_strategic_keyed_delete},
    {"strategic-primitives", case_strategic_primitives},
    {"strategic-retain", case_strategic_retain},
    {"strategic-lists", case_strategic_lists},
    {"field-paths", case_field_paths},
    {"field-paths-remove", case_field_paths_remove},
    {"labels", case_labels},
    {"unknown-fields", case_unknown_fields},
    {"selector", case_selector},
    {"names-of-vms", case_names_of_vms},
    {"canary", case_canary},
};

int main(int argc, char **argv) {
  if (argc != 3)
    return 2;
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    cases[i].work(1);
    for (int k = 1; k < argc; k++) {
      g_autofree char *label = g_strdup_printf("%s %s", cases[i].name, argv[k]);
      guint n = (guint)g_ascii_strtoull(argv[k], NULL, 10);
      CALLGRIND_ZERO_STATS;
      cases[i].work(n);
      CALLGRIND_DUMP_STATS_AT(label);
    }
  }
  return 0;
}
