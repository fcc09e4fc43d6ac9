// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"
#include "cli/view/summary.h"
#include "../golden.h"
#include <string.h>

static json_t *parse(const char *text) {
  g_autoptr(GError) error = NULL;
  json_t *object = ferry_json_parse(text, strlen(text), &error);
  g_assert_no_error(error);
  return object;
}

#define STATE                                                                                      \
  "\"sourceNode\":\"h1\",\"targetNode\":\"h2\",\"network\":\"fast\","                              \
  "\"targetNodeAddress\":\"10.20.0.2\""

static void test_success(void) {
  g_autoptr(json_t) full =
      parse("{\"metadata\":{\"name\":\"db-x7k2q\",\"namespace\":\"default\"},\"spec\":{\"vmiName\":"
            "\"db\"},"
            "\"status\":{\"phase\":\"Succeeded\",\"migrationState\":{" STATE
            ",\"mode\":\"PostCopy\",\"migrationPolicyName\":\"gentle\"},"
            "\"summary\":{\"totalMs\":1834,\"downtimeMs\":12,\"dataTransferredBytes\":327155712,"
            "\"averageRateBytesPerSecond\":178257920,\"iterations\":3}}}");
  g_autoptr(json_t) bare = parse("{\"metadata\":{\"name\":\"db-x7k2q\"},\"spec\":{\"vmiName\":"
                                 "\"db\"},\"status\":{\"phase\":\"Succeeded\"}}");
  g_assert_true(ferry_migration_is_final(full));
  g_assert_true(ferry_migration_succeeded(full));
  g_autofree char *a = ferry_summary_success(full, TRUE, FALSE);
  g_autofree char *b = ferry_summary_success(full, FALSE, FALSE);
  g_autofree char *c = ferry_summary_success(bare, FALSE, FALSE);
  g_autofree char *all = g_strconcat(a, "--\n", b, "--\n", c, NULL);
  golden_check("summary-success.txt", all);
}

static void test_failure(void) {
  g_autoptr(json_t) failed = parse(
      "{\"metadata\":{\"name\":\"db-1\",\"namespace\":\"prod\"},\"spec\":{\"vmiName\":\"db\"},"
      "\"status\":{\"phase\":\"Failed\",\"reason\":\"TargetUnreachable\",\"message\":"
      "\"the migration address 10.20.0.2 of h2 does not answer\",\"migrationState\":{" STATE
      ",\"failureReason\":\"10.20.0.2 of h2 does not answer\",\"sourceDomainState\":\"running\","
      "\"agentResult\":{\"returned\":false,\"error\":\"connect: timed out after 1 s\"}}}}");
  g_autoptr(json_t) refused = parse(
      "{\"metadata\":{\"name\":\"db-2\",\"namespace\":\"default\"},\"spec\":{\"vmiName\":\"db\"},"
      "\"status\":{\"phase\":\"Failed\",\"reason\":\"Unschedulable\",\"message\":\"no host can "
      "take the "
      "VM: h2: 128 MiB of 256 MiB are free\",\"refusals\":[{\"nodeName\":\"h2\","
      "\"reasons\":[{\"reason\":\"Memory\",\"message\":\"128 MiB of 256 MiB are free\"},"
      "{\"reason\":\"NotReady\"}]},{\"nodeName\":\"h3\",\"reasons\":[{\"reason\":\"Memory\","
      "\"message\":\"128 MiB of 256 MiB are free\"}]}]}}");
  g_autoptr(json_t) cancelled = parse(
      "{\"metadata\":{\"name\":\"db-3\",\"namespace\":\"default\"},\"spec\":{\"vmiName\":\"db\"},"
      "\"status\":{\"phase\":\"Failed\",\"reason\":\"Cancelled\",\"message\":\"cancelled by "
      "admin\","
      "\"migrationState\":{" STATE ",\"sourceDomainState\":\"running\"}}}");
  g_autofree char *a = ferry_summary_failure(failed);
  g_autofree char *b = ferry_summary_failure(refused);
  g_autofree char *c = ferry_summary_failure(cancelled);
  g_assert_true(ferry_migration_cancelled(cancelled));
  g_assert_false(ferry_migration_cancelled(failed));
  g_autofree char *all = g_strconcat(a, "--\n", b, "--\n", c, NULL);
  golden_check("summary-failure.txt", all);
}

/* Where the VM is stands there by the outcome, never by what a host that is silent said once. */
static void test_whereabouts(void) {
  static const struct {
    const char *status, *said;
  } cases[] = {
      {"\"outcome\":\"moved\",\"targetDomainState\":\"running\"", "It runs on h2."},
      {"\"outcome\":\"stayed\",\"sourceDomainState\":\"running\"", "It runs on h1 as before."},
      {"\"sourceDomainState\":\"running\"", "It runs on h1 as before."},
      {"\"sourceDomainState\":\"paused\",\"targetDomainState\":\"running\"", "On h1 it is paused."},
      {"\"targetDomainState\":\"running\"", NULL},
      {"\"outcome\":\"unknown\",\"targetDomainState\":\"running\"", NULL},
      {"\"mode\":\"PostCopy\",\"sourceDomainState\":\"paused\",\"targetDomainState\":\"running\"",
       NULL},
      {"\"mode\":\"PostCopy\",\"outcome\":\"lost\",\"targetDomainState\":\"running\"", NULL},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *text = g_strdup_printf(
        "{\"metadata\":{\"name\":\"m\",\"namespace\":\"n\"},\"spec\":{\"vmiName\":\"db\"},"
        "\"status\":{"
        "\"phase\":\"Failed\",\"reason\":\"VMLost\",\"migrationState\":{\"sourceNode\":\"h1\","
        "\"targetNode\":\"h2\",%s}}}",
        cases[i].status);
    g_autoptr(json_t) object = parse(text);
    g_autofree char *all = ferry_summary_failure(object);
    g_test_message("%s", cases[i].status);
    if (cases[i].said)
      g_assert_nonnull(strstr(all, cases[i].said));
    else
      g_assert_true(!strstr(all, "It runs on") && !strstr(all, "it is "));
  }
}

static void test_lines(void) {
  g_autoptr(json_t) object =
      parse("{\"status\":{\"phase\":\"Scheduled\",\"migrationState\":{" STATE "}}}");
  g_autofree char *way = ferry_summary_transition(object, TRUE, FALSE);
  g_autofree char *word = ferry_summary_transition(object, FALSE, FALSE);
  g_assert_cmpstr(way, ==, "Scheduled: h1 -> h2 over fast (10.20.0.2)");
  g_assert_cmpstr(word, ==, "Scheduled");
  static const struct {
    const char *config, *line;
  } others[] = {{"\"tunnelled\":true", "Scheduled: h1 -> h2 over libvirtd's connection"},
                {"\"migrateURI\":\"tcp://h9\"", "Scheduled: h1 -> h2 over tcp://h9"}};
  for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
    g_autofree char *text = g_strdup_printf(
        "{\"status\":{\"phase\":\"Scheduled\",\"migrationState\":{\"sourceNode\":\"h1\","
        "\"targetNode\":\"h2\",\"migrationConfiguration\":{%s}}}}",
        others[i].config);
    g_autoptr(json_t) other = parse(text);
    g_autofree char *line = ferry_summary_transition(other, TRUE, FALSE);
    g_assert_cmpstr(line, ==, others[i].line);
  }
  g_autoptr(json_t) decision = parse("{\"action\":\"SetMaxDowntime\",\"value\":120,\"reason\":"
                                     "\"remaining 14 MiB at 118 MiB/s\"}");
  g_autofree char *line = ferry_summary_decision(decision);
  g_assert_cmpstr(line, ==, "SetMaxDowntime 120: remaining 14 MiB at 118 MiB/s");
  g_autoptr(json_t) empty = json_object();
  g_assert_false(ferry_migration_is_final(empty));
}

static void test_without_trust(void) {
  static const char text[] =
      "{\"metadata\":{\"name\":\"db-1\",\"namespace\":\"prod\"},\"spec\":{\"vmiName\":\"db\"},"
      "\"status\":{\"phase\":\"Failed\",\"reason\":\"TargetLoginRefused\",\"migrationState\":{"
      "\"sourceNode\":\"h1\",\"targetNode\":\"h2\"}}}";
  g_autoptr(json_t) object = ferry_json_parse(text, strlen(text), NULL);
  g_autofree char *shown = ferry_summary_failure(object);
  g_assert_nonnull(strstr(shown, "\nferry migrate db h2 -n prod --no-p2p goes without that trust"));
  g_assert_nonnull(strstr(shown, "; ferry host trust h1 h2 sets it up.\n"));
  json_object_set_new(json_object_get(object, "status"), "reason", json_string("TargetPortClosed"));
  g_autofree char *other = ferry_summary_failure(object);
  g_assert_null(strstr(other, "--no-p2p"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/cli/summary/success", test_success);
  g_test_add_func("/cli/summary/failure", test_failure);
  g_test_add_func("/cli/summary/without-trust", test_without_trust);
  g_test_add_func("/cli/summary/whereabouts", test_whereabouts);
  g_test_add_func("/cli/summary/lines", test_lines);
  return g_test_run();
}
