// SPDX-License-Identifier: Apache-2.0
// What ferryd tells an agent to do, [MIGRATION, NODE]: the agent of h1 takes it as the source, or
// that of h2 as the target, only where VM, hosts, URI and address are what those two hosts are. The
// Node is the other host as ferryd lists it.
#include "agent/link/job_check.h"
#include "fuzz.h"
#include "model/migration/peer_uri.h"
#include <string.h>

#define UUID "11111111-2222-4333-8444-555555555555"
#define STATE "status.migrationState."

static void check_source(const json_t *m, const json_t *target) {
  static const FerryJobHere here = {"h1", UUID, "db"};
  if (!ferry_job_check_source(m, &here, target, NULL))
    return;
  g_autofree char *uri = ferry_peer_uri(ferry_peer_of_node(target), NULL);
  const char *name = ferry_json_str(m, STATE "targetNode");
  g_assert_cmpstr(ferry_json_str(m, STATE "sourceNode"), ==, "h1");
  g_assert_cmpstr(ferry_json_str(m, STATE "domainName"), ==, "db");
  g_assert_cmpint(g_ascii_strcasecmp(ferry_json_str(m, STATE "vmiUID"), UUID), ==, 0);
  g_assert_nonnull(name);
  g_assert_cmpstr(name, ==, ferry_json_str(target, "metadata.name"));
  g_assert_cmpstr(name, !=, "h1");
  g_assert_nonnull(uri);
  g_assert_cmpstr(ferry_json_str(m, STATE "targetURI"), ==, uri);
}

static void check_target(const json_t *m, const json_t *source) {
  static const char *const addresses[] = {"10.0.0.2", "10.9.0.2", "10.9.0.2/24", NULL};
  g_autoptr(json_t) own =
      json_pack("{s{s[{ss,ss}],s[{ss,s[s]}]}}", "status", "addresses", "type", "InternalIP",
                "address", "10.0.0.2", "interfaces", "name", "mig0", "addresses", "10.9.0.2/24");
  if (!ferry_job_check_target(m, "h2", source, own, NULL))
    return;
  const char *address = ferry_json_str(m, STATE "targetNodeAddress");
  g_assert_true(g_strv_contains(addresses, address));
  g_assert_cmpstr(ferry_json_str(m, STATE "targetNode"), ==, "h2");
  g_assert_cmpstr(ferry_json_str(source, "metadata.name"), !=, "h2");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  g_autoptr(json_t) input = ferry_json_parse((const char *)data, size, NULL);
  const json_t *m = json_array_get(input, 0), *node = json_array_get(input, 1);
  if (!m || !node)
    return 0;
  check_source(m, node);
  check_target(m, node);
  return 0;
}
