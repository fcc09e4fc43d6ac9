// SPDX-License-Identifier: Apache-2.0
#include "control/write_warnings.h"
#include <string.h>

static char *warned(const FerryKind *kind, json_t *object, const FerryWriteWorld *world) {
  g_autoptr(GPtrArray) out = g_ptr_array_new_with_free_func(g_free);
  ferry_write_warnings(kind, object, world, out);
  g_ptr_array_add(out, NULL);
  json_decref(object);
  return g_strjoinv("\n", (char **)out->pdata);
}

static void assert_warned(char *text, const char *of) {
  if (of ? !strstr(text, of) : *text)
    g_error("expected \"%s\" in: %s", of ? of : "nothing", text);
  g_free(text);
}

static json_t *policy(const char *key, json_t *value) {
  return json_pack("{s{ss},s{so}}", "metadata", "name", "p", "spec", key, value);
}

static void test_networks_that_are_named(void) {
  g_autoptr(json_t) fast = json_pack("{s{ss},s{s[]}}", "metadata", "name", "fast", "spec", "roles");
  FerryWriteWorld world = {&fast, 1, NULL, 0};
  assert_warned(
      warned(&ferry_kind_migration_policy, policy("network", json_string("slow")), &world),
      "no Network \"slow\"");
  assert_warned(
      warned(&ferry_kind_migration_policy, policy("network", json_string("fast")), &world), NULL);
  assert_warned(
      warned(&ferry_kind_kubevirt,
             json_pack("{s{ss,ss},s{s{s{ss}}}}", "metadata", "name", "kubevirt", "namespace",
                       "kubevirt", "spec", "configuration", "migrations", "network", "slow"),
             &world),
      "no Network \"slow\"");
}

static void test_rates(void) {
  FerryWriteWorld none = {0};
  assert_warned(
      warned(&ferry_kind_vmim, policy("bandwidthPerMigration", json_string("217Ki")), &none),
      "it becomes 1 MiB/s");
  assert_warned(
      warned(&ferry_kind_vmim, policy("bandwidthPerMigration", json_string("64Mi")), &none), NULL);
  assert_warned(
      warned(&ferry_kind_vmim, policy("bandwidthPerMigration", json_integer(1048577)), &none),
      "it becomes 2 MiB/s");
}

static void test_a_second_kubevirt(void) {
  FerryWriteWorld none = {0};
  assert_warned(
      warned(&ferry_kind_kubevirt,
             json_pack("{s{ss,ss}}", "metadata", "name", "other", "namespace", "kubevirt"), &none),
      "this object is ignored");
}

static void test_hosts_that_are_not_in_it(void) {
  g_autoptr(json_t) h1 =
      json_pack("{s{ss},s{s[{ss,sb,s[s]}]}}", "metadata", "name", "h1", "status", "interfaces",
                "name", "migr", "up", 1, "addresses", "10.9.0.1/24");
  g_autoptr(json_t) h2 =
      json_pack("{s{ss},s{s[{ss,sb,s[s]}]}}", "metadata", "name", "h2", "status", "interfaces",
                "name", "migr", "up", 0, "addresses", "10.9.0.2/24");
  json_t *nodes[] = {h1, h2};
  FerryWriteWorld world = {NULL, 0, nodes, 2};
  json_t *network = json_pack("{s{ss},s{s[s],ss}}", "metadata", "name", "fast", "spec", "subnets",
                              "10.9.0.0/24", "fallback", "warn");
  json_incref(network);
  g_autofree char *text = warned(&ferry_kind_network, network, &world);
  g_assert_nonnull(strstr(text, "1 of 2 hosts are not in it: h2 (its interface migr"));
  g_assert_nonnull(strstr(text, "management network"));
  ferry_json_set_bool(network, "spec.required", TRUE);
  assert_warned(warned(&ferry_kind_network, network, &world), "unless a migration names them");
}

static void test_a_vms_words(void) {
  g_autoptr(json_t) vmi =
      json_pack("{s{ss,s{ss,ss,ss}},s{s{ss,si}}}", "metadata", "name", "db", "annotations",
                "ferry.migration/polcy", "x", "ferry.migration/policy", "y", "example.com/z", "z",
                "spec", "migration", "maxDowntme", "300", "completionTimeoutPerGiB", 9);
  g_autoptr(GPtrArray) out = g_ptr_array_new_with_free_func(g_free);
  FerryWriteWorld none = {0};
  ferry_write_warnings(&ferry_kind_vmi, vmi, &none, out);
  g_assert_cmpuint(out->len, ==, 2);
  g_assert_nonnull(strstr(out->pdata[0], "<maxDowntme>"));
  g_assert_nonnull(strstr(out->pdata[1], "\"ferry.migration/polcy\""));
  g_assert_true(ferry_write_vm_says_more(NULL, vmi));
  g_assert_false(ferry_write_vm_says_more(vmi, vmi)); /* it was said already */
  g_autoptr(json_t) silent =
      json_pack("{s{ss,s{}},s{}}", "metadata", "name", "db", "annotations", "spec");
  g_assert_false(ferry_write_vm_says_more(vmi, silent));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/write-warnings/networks", test_networks_that_are_named);
  g_test_add_func("/write-warnings/rates", test_rates);
  g_test_add_func("/write-warnings/second-kubevirt", test_a_second_kubevirt);
  g_test_add_func("/write-warnings/hosts", test_hosts_that_are_not_in_it);
  g_test_add_func("/write-warnings/vm", test_a_vms_words);
  return g_test_run();
}
