# SPDX-License-Identifier: Apache-2.0
"""A policy field is one row, a convergence strategy one file and one line: each is added to a copy of
the sources by script, and arrives everywhere. Only what these files touch is compiled again; the rest
comes from the build."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT, BUILD = Path(sys.argv[1]), Path(sys.argv[2])

ROW = r'''  ROW(EVERYWHERE, SECONDS("zebraWait", "Time to wait for zebras.", .min = 0, .max = 77,            \
                          .fallback = "7", .zero = "never"))                                       \
'''
AFTER = "#define FERRY_POLICY_FIELDS(ROW)"

STRATEGY = r'''// SPDX-License-Identifier: Apache-2.0
// Waits for three samples and then pauses the guest.
#include "convergence/private.h"

static void start(FerryConvergence *c, gint64 now_us) {
  ferry_decide(c, now_us, FERRY_CONVERGENCE_SET_DOWNTIME, 11, FERRY_REASON_START, "zebras start with 11 ms");
}

static void tick(FerryConvergence *c, gint64 now_us) {
  int *seen = ferry_convergence_state(c);
  if (++*seen == 3)
    ferry_decide(c, now_us, FERRY_CONVERGENCE_SUSPEND, 0, FERRY_REASON_STALLED, "three were seen");
}

static const FerryPreset preset = {
    .name = "zebra", .doc = "Counts to three.", .max_downtime_ms = 123};

const FerryStrategy ferry_strategy_zebra = {
    .name = "zebra", .preset = &preset, .state_size = sizeof(int), .start = start, .tick = tick};
'''

DRIVER = r'''
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
  const char *policy = "{\"apiVersion\":\"migrations.kubevirt.io/v1alpha1\",\"kind\":"
                       "\"MigrationPolicy\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"zebraWait\":%d}}";
  const char *migration = "{\"apiVersion\":\"kubevirt.io/v1\",\"kind\":"
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
  g_assert_cmpint(d.action, ==, FERRY_CONVERGENCE_SUSPEND);
  g_free(d.reason);
}

int main(int argc, char **argv) {
  if (g_str_equal(argv[1], "field"))
    field();
  else
    strategy();
  return 0;
}
'''


def edit(path, old, new):
    text = path.read_text()
    assert text.count(old) == 1, f"{path}: {text.count(old)} times {old}"
    path.write_text(text.replace(old, new))


class SaidOnce(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.copy = Path(folder.name)
        for name in ("base", "model", "convergence", "policy"):
            shutil.copytree(ROOT / "src" / name, self.copy / "src" / name)

    def program(self, sources, *options):
        """The driver with these files of the copy, and the build's libraries for the rest."""
        (self.copy / "driver.c").write_text(DRIVER)
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "glib-2.0", "gio-2.0", "jansson",
                                "yaml-0.1", "libxml-2.0", "libsystemd"], check=True, text=True,
                               capture_output=True).stdout.split()
        libraries = [BUILD / f"src/{n}/libferry-{n}.a"
                     for n in ("policy", "convergence", "model", "base")]
        made = subprocess.run(
            [os.environ.get("CC", "cc"), "-std=gnu11", "-O0", "-D_GNU_SOURCE",
             '-DG_LOG_DOMAIN="ferry"', *options, f"-I{self.copy}/src", "-o", self.copy / "driver",
             self.copy / "driver.c", *[self.copy / "src" / s for s in sources],
             "-Wl,--start-group", *libraries, "-Wl,--end-group", *flags, "-lm"],
            text=True, capture_output=True)
        self.assertEqual(made.returncode, 0, made.stderr)

    def drive(self, what):
        done = subprocess.run([self.copy / "driver", what], text=True, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)

    def users_of(self, header):
        return sorted(str(p.relative_to(self.copy / "src"))
                      for p in (self.copy / "src").rglob("*.c") if f'"{header}"' in p.read_text())

    def test_field(self):
        table = "model/kinds/policy_fields_table.h"
        text = (self.copy / "src" / table).read_text()
        line = next(t for t in text.splitlines() if t.startswith(AFTER))
        edit(self.copy / "src" / table, line + "\n", line + "\n" + ROW)
        self.program(self.users_of(table))
        self.drive("field")

    def test_strategy(self):
        (self.copy / "src/convergence/zebra.c").write_text(STRATEGY)
        build = self.copy / "src/convergence/meson.build"
        edit(build, "convergence_strategies = {\n",
             "convergence_strategies = {\n  'zebra': 'zebra.c',\n")
        block = re.search(r"convergence_strategies = \{(.*?)\}", build.read_text(), re.S).group(1)
        names = re.findall(r"'(\w+)': '[\w.]+'", block)
        self.assertEqual(sorted(names), ["intent", "schedule", "zebra"])
        listed = "".join(f"STRATEGY({n})" for n in names)
        self.program(["convergence/zebra.c", "convergence/strategies.c"],
                     f"-DFERRY_STRATEGIES={listed}")
        self.drive("strategy")

    def test_it_can_fail(self):
        """Without the row the same driver finds nothing."""
        self.program([])
        done = subprocess.run([self.copy / "driver", "field"], text=True, capture_output=True)
        self.assertNotEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
