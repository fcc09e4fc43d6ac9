// SPDX-License-Identifier: Apache-2.0
#include "policy/policy_check.h"
#include <string.h>

static json_t *j(const char *text) {
  json_t *v = json_loads(text, 0, NULL);
  g_assert_nonnull(v);
  return v;
}

/* "field: message; ..." of the faults of a spec; empty: none. */
static char *faults(const char *text) {
  g_autoptr(json_t) spec = j(text);
  g_autoptr(GError) causes = g_error_new(FERRY_ERROR, FERRY_ERROR_INVALID, "x");
  ferry_policy_check(spec, "spec", causes);
  GString *out = g_string_new(NULL);
  for (guint i = 0; i < ferry_error_n_causes(causes); i++)
    g_string_append_printf(out, "%s: %s; ", ferry_error_cause(causes, i)->field,
                           ferry_error_cause(causes, i)->message);
  return g_string_free(out, FALSE);
}

static void test_good(void) {
  static const char *const good[] = {
      "{}",
      "{\"preset\":\"nova\"}",
      "{\"preset\":\"nova\",\"onStalling\":[\"raiseDowntime\",\"postCopy\",\"abort\"]}",
      "{\"preset\":\"intent\",\"intent\":{\"maxDowntime\":\"300ms\",\"maxDuration\":\"10m\"}}",
      "{\"intent\":{\"maxDowntimeMs\":300,\"maxSlowdown\":20},\"maxDowntimeMs\":300}",
      "{\"compression\":\"zstd\",\"parallel\":true,\"parallelConnections\":4}",
      "{\"schedule\":{\"init\":[{\"name\":\"setDowntime\",\"params\":[\"100\"]}],\"stalling\":"
      "[{\"limit\":1,\"action\":{\"name\":\"setDowntime\",\"params\":[\"150\"]}},"
      "{\"limit\":-1,\"action\":{\"name\":\"abort\",\"params\":[]}}]}}",
  };
  for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
    g_autofree char *said = faults(good[i]);
    g_assert_cmpstr(said, ==, "");
  }
}

static void test_faults(void) {
  static const struct {
    const char *spec, *field, *words;
  } bad[] = {
      {"{\"preset\":\"nosuch\"}", "spec.preset: ", "ovirt-post-copy"},
      {"{\"preset\":\"nova\",\"schedule\":{\"stalling\":[{\"limit\":-1,\"action\":{\"name\":"
       "\"abort\"}}]}}",
       "spec.schedule: ", "a preset is given too"},
      {"{\"preset\":\"nova\",\"intent\":{\"maxDuration\":\"1m\"}}", "spec.intent: ", "preset"},
      {"{\"schedule\":{\"stalling\":[{\"limit\":1,\"action\":{\"name\":\"setDowntime\","
       "\"params\":[\"5\"]}}]}}",
       "spec.schedule: ", "must end in abort"},
      {"{\"schedule\":{\"stalling\":[{\"limit\":1,\"action\":{\"name\":\"fly\"}}]}}",
       "spec.schedule.stalling[0]", "setDowntime"},
      {"{\"schedule\":7}", "spec.schedule: ", "object"},
      {"{\"allowPostCopy\":false,\"schedule\":{\"stalling\":[{\"limit\":1,\"action\":{\"name\":"
       "\"postcopy\"}}]}}",
       "spec.schedule: ", "allowPostCopy is false"},
      {"{\"allowAutoConverge\":false,\"schedule\":{\"init\":[{\"name\":\"autoConverge\",\"params\":"
       "[\"true\"]}],\"stalling\":[{\"limit\":1,\"action\":{\"name\":\"abort\"}}]}}",
       "spec.schedule: ", "allowAutoConverge is false"},
      {"{\"intent\":{\"maxDuration\":\"soon\"}}", "spec.intent.maxDuration: ", "soon"},
      {"{\"intent\":{\"maxDowntime\":\"3000s\"}}", "spec.intent.maxDowntime: ", "2000000"},
      {"{\"intent\":{\"maxDowntime\":\"300ms\"},\"maxDowntimeMs\":200}",
       "spec.intent.maxDowntime: ", "200"},
      {"{\"intent\":{\"maxDowntime\":\"3s\",\"maxDuration\":\"2s\"}}",
       "spec.intent.maxDuration: ", "shorter"},
      {"{\"intent\":{\"allowPostCopy\":true},\"allowPostCopy\":false}",
       "spec.intent.allowPostCopy: ", "say it once"},
      {"{\"intent\":{\"maxSlowdown\":5},\"onStalling\":[\"abort\"]}",
       "spec.onStalling: ", "acts by itself"},
      {"{\"preset\":\"intent\",\"onStalling\":[\"abort\"]}", "spec.onStalling: ", "acts by itself"},
      {"{\"preset\":\"nova\",\"onStalling\":[\"abort\",\"postCopy\"]}",
       "spec.onStalling: ", "follow abort"},
      {"{\"preset\":\"nova\",\"onStalling\":[\"postCopy\"],\"allowPostCopy\":false}",
       "spec.onStalling: ", "allowPostCopy is false"},
      {"{\"preset\":\"nova\",\"onStalling\":[\"abort\"],\"stallingLimit\":0}",
       "spec.onStalling: ", "never"},
      {"{\"compression\":\"xbzrle\",\"parallel\":true}", "spec.compression: ", "zstd"},
      {"{\"compression\":\"zlib\",\"parallel\":false}", "spec.compression: ", "parallel"},
      {"{\"parallelConnections\":4,\"parallel\":false}", "spec.parallelConnections: ", "parallel"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autofree char *said = faults(bad[i].spec);
    g_test_message("%s -> %s", bad[i].spec, said);
    g_assert_true(g_str_has_prefix(said, bad[i].field));
    g_assert_nonnull(strstr(said, bad[i].words));
  }
}

/* all faults in one answer, in Kubernetes' words */
static void test_whole(void) {
  g_autoptr(json_t) kv =
      j("{\"metadata\":{\"name\":\"kubevirt\"},\"spec\":{\"configuration\":{\"migrations\":{"
        "\"preset\":\"x\",\"defaultPolicy\":\"gone\",\"intent\":{\"maxDuration\":\"-\"}}}}}");
  g_autoptr(json_t) policy = j("{\"metadata\":{\"name\":\"there\"}}");
  json_t *const policies[] = {policy};
  g_autoptr(GError) error = NULL;
  g_assert_false(ferry_policy_admit(&ferry_kind_kubevirt, kv, policies, 1, &error));
  g_assert_true(g_error_matches(error, FERRY_ERROR, FERRY_ERROR_INVALID));
  g_assert_cmpuint(ferry_error_n_causes(error), ==, 4);
  g_assert_true(
      g_str_has_prefix(error->message, "KubeVirt.kubevirt.io \"kubevirt\" is invalid: ["));
  g_assert_nonnull(strstr(error->message, "spec.configuration.migrations.defaultPolicy"));
  ferry_json_set(kv, "spec.configuration.migrations", json_pack("{s:s}", "defaultPolicy", "there"));
  g_assert_true(ferry_policy_admit(&ferry_kind_kubevirt, kv, policies, 1, NULL));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/policy-check/good", test_good);
  g_test_add_func("/policy-check/faults", test_faults);
  g_test_add_func("/policy-check/whole", test_whole);
  return g_test_run();
}
