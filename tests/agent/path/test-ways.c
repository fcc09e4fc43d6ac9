// SPDX-License-Identifier: Apache-2.0
#include "agent/path/ways.h"
#include "base/error.h"
#include "host/network_bed.h"

static json_t *migration(const char *network, const char *subnet) {
  return json_pack("{s{s{ss*,ss,ss,s{s[s]}}}}", "status", "migrationState", "network", network,
                   "sourceNode", "h1", "targetNode", "h2", "migrationConfiguration",
                   "networkSubnets", subnet);
}

/* What is looked up for a request with these settings. */
static json_t *ways_of(const json_t *m, json_t *config, const char *address, gboolean disks,
                       GError **error) {
  g_autoptr(json_t) own = config;
  FerryMigrateRequest request = {.dest_uri = "qemu+tls://127.0.0.1/system",
                                 .address = address,
                                 .config = own,
                                 .copy_disks = disks};
  return ferry_ways_look(m, &request, error);
}

static const char *word(const json_t *ways, gsize i, const char *key) {
  return ferry_json_str(json_array_get(ways, i), key);
}

static void test_each_connection(void) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) m = migration(NULL, "10.9.0.0/24");
  g_autoptr(json_t) two =
      ways_of(m, json_pack("{ss}", "disksURI", "tcp://[fd09::2]:49200"), "10.9.0.2", TRUE, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(json_array_size(two), ==, 2);
  g_assert_cmpstr(word(two, 0, "carries"), ==, "memory");
  g_assert_cmpstr(word(two, 0, "interface"), ==, "migr");
  g_assert_cmpstr(word(two, 0, "source"), ==, "10.9.0.1");
  g_assert_cmpstr(word(two, 1, "carries"), ==, "disks");
  g_assert_cmpstr(word(two, 1, "address"), ==, "fd09::2");
  g_autoptr(json_t) tunnel = ways_of(m, json_pack("{sb}", "tunnelled", 1), NULL, FALSE, &error);
  g_assert_cmpuint(json_array_size(tunnel), ==, 1);
  g_assert_nonnull(strstr(word(tunnel, 0, "carries"), "tunnelled"));
  g_autoptr(json_t) off = ways_of(m, json_pack("{sb}", "offline", 1), "127.0.0.1", FALSE, &error);
  g_assert_cmpuint(json_array_size(off), ==, 0);
  g_autoptr(json_t) nowhere =
      ways_of(m, json_pack("{ss}", "migrateURI", "unix:///run/x"), NULL, FALSE, &error);
  g_assert_cmpuint(json_array_size(nowhere), ==, 0);
}

/* All of them count: memory in the network, disks elsewhere. */
static void test_one_astray(void) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) m = migration("fast", "10.9.0.0/24");
  g_assert_null(
      ways_of(m, json_pack("{ss}", "disksURI", "tcp://10.1.0.2"), "10.9.0.2", TRUE, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT);
  g_assert_nonnull(strstr(error->message, "10.1.0.2 of h2"));
  g_assert_nonnull(strstr(error->message, "\"fast\""));
  g_clear_error(&error);
  g_autoptr(json_t) right =
      ways_of(m, json_pack("{ss}", "disksURI", "tcp://10.9.0.7"), "10.9.0.2", TRUE, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(json_array_size(right), ==, 2);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  if (!bed_namespace()) {
    g_test_message("no network namespace of its own");
    return 77;
  }
  bed_ip("ip link set lo up; ip link add mgmt type veth peer name m; ip link set mgmt up;"
         "ip link set m up; ip link add migr type veth peer name n; ip link set migr up;"
         "ip link set n up; ip addr add 10.1.0.1/24 dev mgmt; ip addr add 10.9.0.1/24 dev migr;"
         "ip -6 addr add fd09::1/64 dev migr nodad");
  g_test_add_func("/ways/each-connection", test_each_connection);
  g_test_add_func("/ways/one-astray", test_one_astray);
  return g_test_run();
}
