// SPDX-License-Identifier: Apache-2.0
#include "model/flags/migration_flags.h"
#include "model/schema/schema.h"
#include "model/validate/validate.h"
#include <string.h>

#define FOR_EACH(f) for (const FerryMigrationFlag *f = ferry_migration_flags; f->field.name; f++)

static void test_rows(void) {
  g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
  g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
  guint flags = 0, bits = 0, params = 0;
  FOR_EACH(f) {
    g_test_message("%s", f->field.name);
    g_assert_true(g_hash_table_add(seen, (gpointer)f->field.name));
    g_assert_true(g_hash_table_add(seen, (gpointer)f->libvirt));
    g_assert_true(g_str_equal(f->option, f->field.name) ||
                  g_hash_table_add(seen, (gpointer)f->option));
    g_assert_true(g_str_has_suffix(f->field.doc, "."));
    g_assert_nonnull(f->since_libvirt);
    g_assert_true(!f->flag == !!f->param); /* one or the other */
    if (f->flag) {
      g_assert_cmpint(f->field.type, ==, FERRY_TYPE_BOOLEAN);
      g_assert_null(f->arg);
      g_assert_cmpint(f->type, ==, FERRY_PARAM_NONE);
      g_assert_cmpuint(flags & f->flag, ==, 0);
      flags |= f->flag;
      bits++;
    } else {
      g_assert_nonnull(f->arg);
      g_assert_cmpint(f->type, !=, FERRY_PARAM_NONE);
      g_assert_true(g_hash_table_add(names, (gpointer)f->param));
      params++;
    }
  }
  g_assert_cmphex(flags, ==, 0x1fffff); /* all 21 of libvirt's flags */
  g_assert_cmpuint(bits, ==, 21);
  g_assert_cmpuint(params, ==, 24);
}

static void test_fields_are_in_the_spec(void) {
  g_autoptr(json_t) doc = ferry_schema_openapi_v2();
  g_autofree char *text = ferry_json_dump(doc);
  FOR_EACH(f) {
    g_autofree char *quoted = g_strdup_printf("\"%s\":", f->field.name);
    g_assert_nonnull(strstr(text, quoted));
    g_assert_nonnull(strstr(text, f->field.doc));
  }
}

static json_t *migration(const char *field, json_t *value) {
  json_t *m = json_pack("{ss,ss,s{ss,ss},s{ss}}", "apiVersion", "kubevirt.io/v1", "kind",
                        "VirtualMachineInstanceMigration", "metadata", "name", "m", "namespace",
                        "default", "spec", "vmiName", "vm");
  json_object_set_new(json_object_get(m, "spec"), field, value);
  return m;
}

static void check(const char *field, json_t *value, gboolean good) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) m = migration(field, value);
  g_autoptr(json_t) out =
      ferry_validate(&ferry_kind_vmim, m, NULL, FERRY_UNKNOWN_STRICT, NULL, &error);
  g_test_message("%s: %s", field, error ? error->message : "accepted");
  g_assert_true(good == (out != NULL));
  if (!good)
    g_assert_nonnull(strstr(error->message, field));
}

static void test_ranges(void) {
  guint ranges = 0;
  FOR_EACH(f) {
    if (f->field.type != FERRY_TYPE_INTEGER)
      continue;
    ranges++;
    check(f->field.name, json_integer(f->field.min), TRUE);
    check(f->field.name, json_integer(f->field.max), TRUE);
    check(f->field.name, json_integer(f->field.min - 1), FALSE);
    check(f->field.name, json_integer(f->field.max + 1), FALSE);
    check(f->field.name, json_string("1"), FALSE);
  }
  g_assert_cmpuint(ranges, ==, 9);
  check("compressionMethods", json_pack("[s,s]", "zlib", "zstd"), TRUE);
  check("compressionMethods", json_pack("[s]", "lzo"), FALSE);
  check("compressionMethods", json_pack("[s,s]", "zlib", "zlib"), FALSE);
  check("compressionXBZRLECache", json_string("64Mi"), TRUE);
  check("compressionXBZRLECache", json_integer(1024), FALSE);
  check("listenAddress", json_string("10.1.2.3"), TRUE);
  check("listenAddress", json_string("h2"), FALSE);
  check("migrateURI", json_string("no uri"), FALSE);
  check("live", json_string("true"), FALSE);
}

static void test_on(void) {
  g_autoptr(json_t) config = json_pack("{sb,sb}", "live", 0, "parallel", 1);
  g_assert_false(ferry_migration_flag_on(config, "live"));
  g_assert_true(ferry_migration_flag_on(config, "parallel"));
  g_assert_true(ferry_migration_flag_on(config, "peerToPeer")); /* by default */
  g_assert_false(ferry_migration_flag_on(config, "tunnelled"));
  g_assert_false(ferry_migration_flag_on(NULL, "undefineSource")); /* depends on the VM */
  g_assert_null(ferry_migration_flag_find("nothing"));
}

static gboolean undefines(const char *text, gboolean persistent, gboolean active) {
  g_autoptr(json_t) config = json_loads(text, 0, NULL);
  return ferry_migration_undefines(config, persistent, active);
}

static void test_undefines(void) {
  g_assert_true(undefines("{}", TRUE, TRUE));
  g_assert_false(undefines("{}", FALSE, TRUE));
  g_assert_false(undefines("{\"undefineSource\": false}", TRUE, TRUE));
  g_assert_false(undefines("{\"persistDestination\": false}", TRUE, TRUE));
  /* no definition would be left */
  const char *nowhere = "{\"persistDestination\": false, \"undefineSource\": true}";
  g_assert_false(undefines(nowhere, TRUE, TRUE));
  /* a definition alone, of a VM that runs here */
  g_assert_false(undefines("{\"offline\": true}", TRUE, TRUE));
  g_assert_true(undefines("{\"offline\": true}", TRUE, FALSE));
}

static gboolean uses_network(const char *field, json_t *value) {
  g_autoptr(json_t) config = json_pack("{s:o}", field, value);
  return ferry_migration_uses_network(config);
}

static void test_network(void) {
  g_assert_true(uses_network("parallel", json_true()));
  g_assert_true(uses_network("tunnelled", json_false()));
  g_assert_false(uses_network("tunnelled", json_true()));
  g_assert_false(uses_network("migrateURI", json_string("tcp://h2")));
  g_assert_false(uses_network("offline", json_true()));
}

static void test_versions(void) {
  g_assert_cmpint(ferry_version_compare("9.4.0", "11.3.0"), <, 0);
  g_assert_cmpint(ferry_version_compare("11.3.0", "9.4.0"), >, 0);
  g_assert_cmpint(ferry_version_compare("10.0", "10.0.0"), ==, 0);
  g_assert_cmpint(ferry_version_compare("10.0.2", "10.0"), >, 0);
  g_assert_cmpint(ferry_version_compare("", "0.0.1"), <, 0);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/migration_flags/rows", test_rows);
  g_test_add_func("/migration_flags/fields-are-in-the-spec", test_fields_are_in_the_spec);
  g_test_add_func("/migration_flags/ranges", test_ranges);
  g_test_add_func("/migration_flags/on", test_on);
  g_test_add_func("/migration_flags/network", test_network);
  g_test_add_func("/migration_flags/undefines", test_undefines);
  g_test_add_func("/migration_flags/versions", test_versions);
  return g_test_run();
}
