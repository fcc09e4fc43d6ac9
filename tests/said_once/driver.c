// SPDX-License-Identifier: Apache-2.0
// Asks the model, the policies and the views for what test_said_once.py added: driver
// field|strategy.
#include "convergence/controller.h"
#include "convergence/strategy.h"
#include "model/kinds/policy_fields.h"
#include "model/schema/schema.h"
#include "model/validate/validate.h"
#include "policy/config.h"
#include "policy/policy_check.h"
#include <string.h>

static json_t *parse(const char *text) {
  json_t *v = json_loads(text, 0, NULL);
  g_assert_nonnull(v);
  return v;
}

static void validated(const FerryKind *kind, const char *format, int value, gboolean good) {
  g_autoptr(GError) error = NULL;
  g_autofree char *text = g_strdup_printf(format, value);
  g_autoptr(json_t) object = parse(text);
  g_autoptr(json_t) valid = ferry_validate(kind, object, NULL, 0, NULL, &error);
  g_assert_cmpint(valid != NULL, ==, good);
  if (!good)
    g_assert_nonnull(strstr(error->message, "zebraWait"));
}

static void field(void) {
  const char *kubevirt = "{\"apiVersion\":\"kubevirt.io/v1\",\"kind\":\"KubeVirt\",\"metadata\":{"
                         "\"name\":\"kubevirt\",\"namespace\":\"kubevirt\"},\"spec\":{"
                         "\"configuration\":{\"migrations\":{\"zebraWait\":%d}}}}";
  const char *policy =
      "{\"apiVersion\":\"migrations.kubevirt.io/v1alpha1\",\"kind\":"
      "\"MigrationPolicy\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"zebraWait\":%d}}";
  const char *migration =
      "{\"apiVersion\":\"kubevirt.io/v1\",\"kind\":"
      "\"VirtualMachineInstanceMigration\",\"metadata\":{\"name\":\"m\","
      "\"namespace\":\"default\"},\"spec\":{\"vmiName\":\"v\",\"zebraWait\":%d}}";
  const struct {
    const FerryKind *kind;
    const char *text, *origin;
  } said[] = {{&ferry_kind_kubevirt, kubevirt, "KubeVirt"},
              {&ferry_kind_migration_policy, policy, "MigrationPolicy/p"},
              {&ferry_kind_vmim, migration, "VirtualMachineInstanceMigration"}};
  FerryConfigSources s = {NULL};
  for (gsize i = 0; i < G_N_ELEMENTS(said); i++) {
    validated(said[i].kind, said[i].text, 77, TRUE);
    validated(said[i].kind, said[i].text, 78, FALSE);
    g_autofree char *text = g_strdup_printf(said[i].text, 30 + (int)i);
    json_t *object = parse(text);
    if (i == 0)
      s.kubevirt = object;
    else if (i == 1)
      s.policy = object;
    else
      s.migration = object;
    g_autoptr(json_t) origins = NULL;
    g_autoptr(json_t) c = ferry_config_resolve(&s, &origins);
    g_assert_cmpint(ferry_json_int(c, "zebraWait", -1), ==, 30 + (int)i);
    g_assert_cmpstr(ferry_json_str(origins, "zebraWait"), ==, said[i].origin);
  }
  g_autoptr(json_t) origins = NULL;
  FerryConfigSources nobody = {NULL};
  g_autoptr(json_t) c = ferry_config_resolve(&nobody, &origins);
  g_assert_cmpint(ferry_json_int(c, "zebraWait", -1), ==, 7);
  g_assert_cmpstr(ferry_json_str(origins, "zebraWait"), ==, "default");
  g_autoptr(json_t) document = ferry_schema_openapi_v3("kubevirt.io", "v1");
  g_autofree char *api = json_dumps(document, 0);
  g_assert_nonnull(strstr(api, "Time to wait for zebras. (0 to 77 s; default 7)"));
  g_assert_cmpint(ferry_configuration_field("zebraWait")->unit, ==, FERRY_UNIT_SECONDS);
}

static void strategy(void) {
  const FerryPreset *preset = ferry_preset_find("zebra");
  g_assert_nonnull(preset);
  g_autoptr(json_t) spec = parse("{\"preset\":\"zebra\"}");
  GError *causes = g_error_new(FERRY_ERROR, FERRY_ERROR_INVALID, "invalid");
  ferry_policy_check(spec, "spec", causes);
  g_assert_cmpuint(ferry_error_n_causes(causes), ==, 0);
  g_error_free(causes);
  g_autoptr(json_t) migration = json_pack("{s:O}", "spec", spec);
  FerryConfigSources s = {.migration = migration};
  g_autoptr(json_t) origins = NULL;
  g_autoptr(json_t) c = ferry_config_resolve(&s, &origins);
  g_assert_cmpstr(ferry_json_str(c, "preset"), ==, "zebra");
  g_assert_cmpint(ferry_json_int(c, "maxDowntimeMs", 0), ==, 123);
  g_assert_cmpstr(ferry_json_str(origins, "maxDowntimeMs"), ==, "preset/zebra");
  FerryConvergenceIntent intent = {.max_downtime_ms = 500, .strategy = preset->strategy};
  g_autoptr(FerryConvergence) run = ferry_convergence_new(&intent, 0);
  FerryConvergenceDecision d;
  g_assert_true(ferry_convergence_next(run, 0, &d));
  g_assert_cmpint(d.value, ==, 11);
  g_free(d.reason);
  for (int i = 1; i <= 3; i++) {
    g_assert_false(ferry_convergence_next(run, i * 100000, &d));
    FerryConvergenceSample sample = {.total = 1 << 30, .remaining = 1 << 29, .rate = 1 << 20};
    ferry_convergence_sample(run, &sample, i * 100000);
  }
  g_assert_true(ferry_convergence_next(run, 400000, &d));
  g_assert_cmpint(d.action, ==, FERRY_ACTION_SUSPEND);
  g_free(d.reason);
}

int main(int argc, char **argv) {
  if (g_str_equal(argv[1], "field"))
    field();
  else
    strategy();
  return 0;
}
