// SPDX-License-Identifier: Apache-2.0
// What uses a network counts before one migration more takes it, by number and by what is left.
#include "policy/link_use.h"
#include <string.h>

#define MB 1000000

static json_t *running(const char *from, const char *to, const char *network, gint64 cap) {
  return json_pack("{s{ss,s{ss,ss,ss,s{sI}}}}", "status", "phase", "Running", "migrationState",
                   "sourceNode", from, "targetNode", to, "network", network,
                   "migrationConfiguration", "bandwidthPerMigration", (json_int_t)cap);
}

static void on_reason(FerryReason reason, const char *text, gpointer data) {
  g_string_append_printf(data, "%s: %s\n", ferry_reason_name(reason), text);
}

static void expect(const FerryLinkUse *use, const char *const *parts) {
  g_autoptr(GString) said = g_string_new(NULL);
  ferry_link_use_against(use, on_reason, said);
  g_test_message("%s", said->str);
  g_auto(GStrv) lines = g_strsplit(said->str, "\n", -1);
  guint n = g_strv_length(lines); /* the last one is empty */
  g_assert_cmpuint(n ? n - 1 : 0, ==, g_strv_length((char **)parts));
  for (gsize i = 0; parts[i]; i++)
    g_assert_nonnull(strstr(lines[i], parts[i]));
}

#define EXPECT(use, ...) expect(use, (const char *const[]){__VA_ARGS__ NULL})

static void test_use(void) {
  g_autoptr(json_t) network = json_pack("{s{ss},s{}}", "metadata", "name", "fast", "spec");
  json_t *all[] = {running("h1", "h3", "fast", 0), running("h2", "h3", "slow", 0),
                   running("h4", "h3", "fast", 10 * MB)};
  FerryLinkUse use = {.network = network,
                      .source = "h1",
                      .target = "h3",
                      .out_mbps = 1000,
                      .in_mbps = 1000,
                      .migrations = all,
                      .n_migrations = 3};
  EXPECT(&use);
  ferry_json_set_int(network, "spec.parallelInboundPerNode", 2);
  EXPECT(&use, "InboundLimit: 2 migrations enter node h3 by Network \"fast\"", );
  use.target = "h5";
  EXPECT(&use);
  use.target = "h3";
  json_object_del(json_object_get(network, "spec"), "parallelInboundPerNode");
  ferry_json_set_int(network, "spec.leastRate", 60 * MB); /* out 62.5, in 57.5 MB/s are left */
  EXPECT(&use, "LinkFull: 2 migrations use the link of h3", );
  ferry_json_set_str(network, "spec.leastRate", "63M");
  EXPECT(&use, "LinkFull: 1 migration uses the link of h1", "link of h3", );
  ferry_json_set_str(all[0], "metadata.uid", "u1");
  use.own = "u1"; /* what it tried first is no other */
  ferry_json_set_str(network, "spec.leastRate", "120M");
  EXPECT(&use, "LinkFull: 1 migration uses the link of h3", );
  ferry_json_set_str(network, "spec.leastRate", "63M");
  EXPECT(&use);
  use.own = NULL;
  use.cap = 50 * MB; /* more it won't take */
  EXPECT(&use);
  use.cap = 0;
  use.out_mbps = use.in_mbps = 0; /* nobody knows */
  EXPECT(&use);
  use.out_mbps = use.in_mbps = 1000;
  ferry_json_set_str(all[0], "status.phase", "Succeeded");
  ferry_json_set_str(all[2], "status.phase", "Failed");
  EXPECT(&use); /* alone it is never kept waiting */
  for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
    json_decref(all[i]);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/link_use/use", test_use);
  return g_test_run();
}
