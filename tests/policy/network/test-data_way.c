// SPDX-License-Identifier: Apache-2.0
#include "policy/network/data_way.h"
#include <string.h>

static json_t *host_at(const char *name, const char *mgmt, const char *migr) {
  return json_pack("{s{ss},s{s[{ss,sb,s[s]},{ss,sb,s[s]}],s{s{ss,ss}}}}", "metadata", "name", name,
                   "status", "interfaces", "name", "mgmt", "up", 1, "addresses", mgmt, "name",
                   "migr", "up", 1, "addresses", migr, "hypervisor", "peer", "scheme", "tls",
                   "host", strcmp(name, "h2") == 0 ? "10.1.0.2" : "10.1.0.1");
}

/* What becomes of a migration with `config` and the fallback; `route` gets its route. */
static gboolean go(json_t *config, const char *fallback, gboolean routes, FerryRoute *route,
                   char **problem) {
  g_autoptr(json_t) own = config;
  g_autoptr(json_t) h1 = host_at("h1", "10.1.0.1/24", "10.9.0.1/24");
  g_autoptr(json_t) h2 = host_at("h2", "10.1.0.2/24", "10.9.0.2/24");
  g_autoptr(json_t) network =
      json_pack("{s{ss},s{s[s],s[s],ss}}", "metadata", "name", "fast", "spec", "roles", "migration",
                "subnets", "10.9.0.0/24", "fallback", fallback);
  if (routes)
    ferry_json_set(h1, "status.routes",
                   json_pack("[{ss,ss},{ss,ss}]", "destination", "10.1.0.0/24", "interface", "mgmt",
                             "destination", "10.9.0.0/24", "interface", "migr"));
  g_clear_pointer(problem, g_free);
  return ferry_data_way(&network, 1, own, h1, h2, route, problem);
}

static void test_disks_go_along(void) {
  g_autofree char *problem = NULL;
  g_auto(FerryRoute) r = {0};
  g_assert_true(go(json_pack("{ss}", "disksURI", "tcp://10.9.0.2"), "deny", TRUE, &r, &problem));
  g_assert_cmpstr(r.network, ==, "fast");
  g_auto(FerryRoute) none = {0};
  g_assert_false(
      go(json_pack("{ss}", "disksURI", "tcp://10.1.0.2:49200"), "allow", TRUE, &none, &problem));
  g_assert_nonnull(strstr(problem, "10.1.0.2"));
  g_assert_nonnull(strstr(problem, "disksURI"));
}

static void test_tunnelled_is_judged_by_libvirtds_address(void) {
  g_autofree char *problem = NULL;
  g_auto(FerryRoute) denied = {0}, warned = {0}, allowed = {0};
  g_assert_false(go(json_pack("{sb}", "tunnelled", 1), "deny", TRUE, &denied, &problem));
  g_assert_nonnull(strstr(problem, "tunnelled"));
  g_assert_nonnull(strstr(problem, "10.1.0.2"));
  g_assert_true(go(json_pack("{sb}", "tunnelled", 1), "warn", TRUE, &warned, &problem));
  g_assert_null(warned.network);
  g_assert_nonnull(strstr(warned.warning, "not in Network \"fast\""));
  g_assert_true(go(json_pack("{sb}", "tunnelled", 1), "allow", TRUE, &allowed, &problem));
  g_assert_null(allowed.warning);
}

static void test_a_uri_names_its_network(void) {
  g_autofree char *problem = NULL;
  g_auto(FerryRoute) inside = {0}, name = {0}, off = {0};
  g_assert_true(
      go(json_pack("{ss}", "migrateURI", "tcp://10.9.0.2"), "deny", TRUE, &inside, &problem));
  g_assert_cmpstr(inside.network, ==, "fast");
  g_assert_null(inside.address);
  g_assert_true(go(json_pack("{ss}", "migrateURI", "tcp://h2"), "deny", TRUE, &name, &problem));
  g_assert_null(name.network);
  g_assert_true(go(json_pack("{sb}", "offline", 1), "deny", TRUE, &off, &problem));
  g_assert_null(off.network);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/data-way/disks", test_disks_go_along);
  g_test_add_func("/data-way/tunnelled", test_tunnelled_is_judged_by_libvirtds_address);
  g_test_add_func("/data-way/uri", test_a_uri_names_its_network);
  return g_test_run();
}
