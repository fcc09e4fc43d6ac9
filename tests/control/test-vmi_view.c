// SPDX-License-Identifier: Apache-2.0
#include "control/vmi_view.h"
#include "control/conditions.h"
#include "base/rfc3339.h"
#include "model/kinds/columns.h"
#include "model/validate/validate.h"
#include <string.h>

static gboolean taken(const char *name, gpointer data) {
  return g_strcmp0(name, data) == 0;
}

static void named(const char *domain, const char *other, const char *wanted) {
  g_autofree char *name =
      ferry_vmi_name(domain, "abcdef01-0000-0000-0000-000000000000", taken, (gpointer)other);
  g_assert_cmpstr(name, ==, wanted);
}

static void test_names(void) {
  named("db", "x", "db");
  named("db", "db", "db-abcdef01");
  named("My VM (old)", "x", "my-vm-old-abcdef01");
  named("--", "x", "vm-abcdef01");
  named("ünï", "x", "n-abcdef01");
}

/* A VMI made of a report's one domain, with `more` (JSON with ' for ") about it. */
static json_t *seen(const char *more) {
  g_autofree char *text = g_strdup_printf("{'name':'db','state':'running','active':true%s}", more);
  g_autoptr(json_t) record = ferry_json_parse(g_strdelimit(text, "'", '"'), strlen(text), NULL);
  g_assert_nonnull(record);
  json_t *vmi =
      json_pack("{ss,ss,s{ss,ss,ss,ss,si},s{},s{}}", "apiVersion", "kubevirt.io/v1", "kind",
                "VirtualMachineInstance", "metadata", "name", "db", "namespace", "default", "uid",
                "abcdef01-0000-0000-0000-000000000000", "creationTimestamp", "2026-01-01T00:00:00Z",
                "generation", 0, "spec", "status");
  ferry_vmi_merge_record(vmi, "h1", record, 0);
  ferry_vmi_derive(vmi, &(FerryVmiContext){0}, 0);
  return vmi;
}

static const json_t *migratable(const json_t *vmi) {
  return ferry_json_find(ferry_json_get(vmi, "status.conditions"), "type", "LiveMigratable");
}

/* What ties a VM to its host arrives in its spec, as its kind describes it, and in the condition.
 */
static void test_bound(void) {
  g_autoptr(json_t) vmi =
      seen(",'invariantTSC':true,'hypervPassthrough':true,'hypervReenlightenment':true,"
           "'launchSecurity':'tdx','disks':[{'name':'sda','reservations':true}],"
           "'filesystems':[{'name':'data','driver':'virtiofs','source':'/srv'}]");
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) valid =
      ferry_validate(&ferry_kind_vmi, vmi, NULL, FERRY_UNKNOWN_STRICT, NULL, &error);
  g_assert_no_error(error);
  const json_t *condition = migratable(vmi);
  const char *message = ferry_json_str(condition, "message");
  g_assert_cmpstr(ferry_json_str(condition, "status"), ==, "False");
  g_assert_cmpstr(ferry_json_str(condition, "reason"), ==, "TDXNotLiveMigratable");
  static const char *const said[] = {"Intel TDX",       "invtsc",
                                     "reenlightenment", "mode='passthrough'",
                                     "virtiofs (data)", "reservations of sda"};
  for (gsize i = 0; i < G_N_ELEMENTS(said); i++)
    g_assert_nonnull(strstr(message, said[i]));
  g_autoptr(json_t) timed = seen(",'invariantTSC':true,'tscFrequencyHz':2400000000");
  g_assert_cmpint(ferry_json_int(timed, "spec.domain.clock.tscFrequencyHz", 0), ==, 2400000000);
  g_assert_cmpstr(ferry_json_str(migratable(timed), "status"), ==, "True");
}

/* Agents of before did not tell of these, nor do VMs that have none of them. */
static void test_not_told(void) {
  g_autoptr(json_t) vmi = seen("");
  g_assert_cmpstr(ferry_json_str(migratable(vmi), "status"), ==, "True");
  g_assert_null(ferry_json_get(vmi, "spec.domain.features"));
  g_assert_null(ferry_json_get(vmi, "spec.domain.launchSecurity"));
}

/* KubeVirt's word for whether disks have to come along; what is not known does not count. */
static void test_method(void) {
  static const struct {
    const char *disk, *method;
  } cases[] = {
      {"\"shared\":false", "BlockMigration"},
      {"\"shared\":true", "LiveMigration"},
      {"\"type\":\"block\"", "LiveMigration"},
      {"\"shared\":false,\"readonly\":true", "LiveMigration"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *text = g_strdup_printf(
        "{\"metadata\":{\"name\":\"db\"},\"spec\":{\"domain\":{\"devices\":{\"disks\":[{\"name\":"
        "\"vda\",\"source\":\"/nfs/a\",\"shared\":true},{\"name\":\"vdb\",\"source\":\"/b\",%s}"
        "]}}},\"status\":{\"domains\":[{\"nodeName\":\"h1\",\"state\":\"running\",\"active\":"
        "true}]}}",
        cases[i].disk);
    g_autoptr(json_t) vmi = json_loads(text, 0, NULL);
    g_assert_nonnull(vmi);
    ferry_vmi_derive(vmi, &(FerryVmiContext){0}, 1767225600000LL);
    g_assert_cmpstr(ferry_json_str(vmi, "status.migrationMethod"), ==, cases[i].method);
    g_assert_cmpstr(ferry_condition_status(vmi, FERRY_CONDITION_STORAGE_LIVE_MIGRATABLE), ==,
                    i == 0 ? "False" : "True");
  }
}

/* A QEMU that hangs: the VM is what it was, and what is wrong is said, with since when. */
static void test_silent(void) {
  static const struct {
    gboolean silent;
    const char *ready, *reason, *migratable;
    gint64 now_ms, since_ms;
  } turns[] = {{FALSE, "True", "", "True", 1000, 1000},
               {TRUE, "False", "QEMUSilent", "False", 2000, 2000},
               {TRUE, "False", "QEMUSilent", "False", 9000, 2000},
               {FALSE, "True", "", "True", 10000, 10000}};
  g_autoptr(json_t) vmi = seen("");
  for (gsize i = 0; i < G_N_ELEMENTS(turns); i++) {
    g_autoptr(json_t) record =
        json_pack("{ss,ss,sb}", "name", "db", "state", "running", "active", 1);
    if (turns[i].silent) /* it may be all that is known */
      json_object_set_new(record, "silent", json_true());
    else
      json_object_set_new(record, "vcpus", json_integer(2));
    ferry_vmi_merge_record(vmi, "h1", record, turns[i].now_ms);
    ferry_vmi_derive(vmi, &(FerryVmiContext){0}, turns[i].now_ms);
    const json_t *ready =
        ferry_json_find(ferry_json_get(vmi, "status.conditions"), "type", "Ready");
    g_assert_cmpstr(ferry_json_str(ready, "status"), ==, turns[i].ready);
    g_assert_cmpstr(ferry_json_str(ready, "reason"), ==, turns[i].reason);
    g_assert_cmpstr(ferry_json_str(migratable(vmi), "status"), ==, turns[i].migratable);
    g_assert_cmpstr(ferry_json_str(vmi, "status.phase"), ==, "Running");
    if (i > 0)
      g_assert_cmpint(ferry_rfc3339_parse(ferry_json_str(ready, "lastTransitionTime")), ==,
                      turns[i].since_ms);
    if (i > 0)
      g_assert_cmpint(ferry_json_int(vmi, "spec.domain.cpu.cores", 0), ==, 2);
    g_autoptr(json_t) cell = ferry_cell_vmi_phase(vmi, 0);
    g_assert_cmpstr(json_string_value(cell), ==, turns[i].silent ? "Running,Silent" : "Running");
  }
  g_assert_null(ferry_json_get(vmi, "spec.silent"));
}

/* Two copies are an error; the two parts that a broken post-copy leaves wait to be put together. */
static void test_copies_and_parts(void) {
  static const struct {
    const char *reason, *said;
  } cases[] = {{"booted", "SameUUIDTwice"}, {"postcopy-failed", NULL}};
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(json_t) vmi = seen("");
    g_autoptr(json_t) there = json_pack("{s:s, s:s, s:s, s:b}", "name", "db", "state", "running",
                                        "reason", cases[i].reason, "active", 1);
    ferry_vmi_merge_record(vmi, "h2", there, 0);
    ferry_vmi_derive(vmi, &(FerryVmiContext){0}, 0);
    const json_t *conditions = ferry_json_get(vmi, "status.conditions");
    const json_t *twice = ferry_json_find(conditions, "type", "RunningOnTwoHosts");
    g_assert_cmpstr(ferry_json_str(twice, "reason"), ==, cases[i].said);
    const json_t *claimed = ferry_json_find(conditions, "type", "ClaimedByAnotherHost");
    if (claimed && !cases[i].said)
      g_assert_cmpstr(ferry_json_str(claimed, "reason"), ==, "PostCopyFailed");
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/vmi-view/names", test_names);
  g_test_add_func("/vmi-view/bound", test_bound);
  g_test_add_func("/vmi-view/not-told", test_not_told);
  g_test_add_func("/vmi-view/silent", test_silent);
  g_test_add_func("/vmi-view/method", test_method);
  g_test_add_func("/vmi-view/copies-and-parts", test_copies_and_parts);
  return g_test_run();
}
