// SPDX-License-Identifier: Apache-2.0
// What each layer says of a field, and which of them holds: one small world of a cluster, policies,
// a VM and a migration, changed and resolved anew.
#include "policy/layers.h"
#include "policy/config.h"
#include "model/validate/validate.h"
#include "policy/preset_policies.h"
#include <string.h>

static json_t *j(const char *text) {
  json_t *v = json_loads(text, 0, NULL);
  g_assert_nonnull(v);
  return v;
}

typedef struct {
  json_t *kubevirt, *matched, *vmi, *migration, *nova, *own;
  json_t *policies[2];
  FerryConfigSources sources;
} World;

static void set_up(World *w, gconstpointer data) {
  w->kubevirt = j("{\"spec\":{\"configuration\":{\"migrations\":{\"completionTimeoutPerGiB\":600,"
                  "\"maxDowntimeMs\":700,\"allowAutoConverge\":true}}}}");
  w->matched = j("{\"metadata\":{\"name\":\"m\"},\"spec\":{\"maxDowntimeMs\":400}}");
  w->vmi = j("{\"metadata\":{},\"spec\":{}}");
  w->migration = j("{\"spec\":{\"vmiName\":\"x\"}}");
  w->nova = json_pack("{s:{s:s}, s:o}", "metadata", "name", "nova", "spec",
                      ferry_preset_spec(ferry_preset_find("nova")));
  w->own = j("{\"metadata\":{\"name\":\"own\"},\"spec\":{\"intent\":{\"maxDowntime\":\"250ms\","
             "\"maxDuration\":\"2m\",\"maxSlowdown\":10,\"bandwidth\":\"32Mi\"}}}");
  w->policies[0] = w->nova;
  w->policies[1] = w->own;
  w->sources = (FerryConfigSources){w->kubevirt, w->matched, w->vmi, w->migration, w->policies, 2};
}

static void tear_down(World *w, gconstpointer data) {
  json_t *all[] = {w->kubevirt, w->matched, w->vmi, w->migration, w->nova, w->own};
  for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
    json_decref(all[i]);
}

#define RESOLVE(c, o)                                                                              \
  g_autoptr(json_t) o = NULL;                                                                      \
  g_autoptr(json_t) c = ferry_config_resolve(&w->sources, &o)

static void test_no_rule(World *w, gconstpointer data) {
  RESOLVE(c, o);
  g_assert_cmpstr(ferry_json_str(c, "preset"), ==, "intent");
  g_assert_cmpstr(ferry_json_str(o, "preset"), ==, "default");
  g_assert_cmpint(ferry_json_int(c, "maxDowntimeMs", 0), ==, 400);
  g_assert_cmpint(ferry_json_int(c, "retries", 0), ==, 3);
  /* no intent was given: nothing is given up for it */
  g_assert_null(ferry_json_get(c, "infeasiblePatienceMs"));
}

/* What an intent prefers is resolved like its other fields, from an object or a VM's own word. */
static void test_preference(World *w, gconstpointer data) {
  json_t *intent = (json_t *)ferry_json_get(w->own, "spec.intent");
  ferry_json_set_str(intent, "prefer", "time");
  ferry_json_set_str(intent, "onInfeasible", "ask");
  ferry_json_set_bool(intent, "strict", TRUE);
  ferry_json_set_bool(w->own, "spec.observeOnly", TRUE);
  ferry_json_set_str(w->migration, "spec.policy", "own");
  ferry_json_set_str(w->vmi, "spec.migration.prefer", "balanced");
  RESOLVE(c, o);
  g_assert_cmpstr(ferry_json_str(c, "prefer"), ==, "time");
  g_assert_cmpstr(ferry_json_str(c, "onInfeasible"), ==, "ask");
  g_assert_true(ferry_json_bool(c, "strict", FALSE));
  g_assert_true(ferry_json_bool(c, "observeOnly", FALSE));
  g_assert_cmpstr(ferry_json_str(o, "prefer"), ==, "MigrationPolicy/own");
  json_object_del(json_object_get(w->migration, "spec"), "policy");
  RESOLVE(d, p);
  g_assert_cmpstr(ferry_json_str(d, "prefer"), ==, "balanced");
  g_assert_cmpstr(ferry_json_str(p, "prefer"), ==, "VirtualMachineInstance");
}

/* The default intent allows a slow-down of 20 %; auto-converge that is forbidden forbids it. */
static void test_slowdown(World *w, gconstpointer data) {
  json_t *cluster = (json_t *)ferry_json_get(w->kubevirt, "spec.configuration.migrations");
  RESOLVE(asked, ao); /* libvirt's own auto-converge is wanted: no limit to it */
  g_assert_null(json_object_get(asked, "maxSlowdownPercent"));
  json_object_del(cluster, "allowAutoConverge");
  RESOLVE(unset, uo);
  g_assert_cmpint(ferry_json_int(unset, "maxSlowdownPercent", -1), ==, 20);
  ferry_json_set_bool(cluster, "allowAutoConverge", FALSE);
  RESOLVE(forbidden, fo);
  g_assert_cmpint(ferry_json_int(forbidden, "maxSlowdownPercent", -1), ==, 0);
  ferry_json_set_str(w->migration, "spec.policy", "own"); /* which allows 10 % */
  RESOLVE(both, bo);
  g_assert_cmpint(ferry_json_int(both, "maxSlowdownPercent", -1), ==, 0);
  json_object_del(cluster, "allowAutoConverge");
  RESOLVE(stated, so);
  g_assert_cmpint(ferry_json_int(stated, "maxSlowdownPercent", -1), ==, 10);
}

static void test_named_by_migration(World *w, gconstpointer data) {
  ferry_json_set_str(w->migration, "spec.policy", "own");
  RESOLVE(c, o);
  g_assert_cmpint(ferry_json_int(c, "maxDowntimeMs", 0), ==, 250);
  g_assert_cmpint(ferry_json_int(c, "maxDurationMs", 0), ==, 120000);
  g_assert_cmpint(ferry_json_int(c, "maxSlowdownPercent", 0), ==, 10);
  g_assert_cmpint(ferry_json_int(c, "bandwidthPerMigration", 0), ==, 32 << 20);
  g_assert_cmpint(ferry_json_int(c, "infeasiblePatienceMs", 0), ==, 30000);
  g_assert_cmpstr(ferry_json_str(o, "maxDurationMs"), ==, "MigrationPolicy/own");
  g_assert_cmpstr(ferry_json_str(o, "infeasiblePatienceMs"), ==, "preset/intent");
  /* the migration itself is stronger than the policy it names */
  ferry_json_set_int(w->migration, "spec.maxDowntimeMs", 99);
  RESOLVE(d, p);
  g_assert_cmpint(ferry_json_int(d, "maxDowntimeMs", 0), ==, 99);
  g_assert_cmpstr(ferry_json_str(p, "maxDowntimeMs"), ==, "VirtualMachineInstanceMigration");
}

static void test_named_by_vm(World *w, gconstpointer data) {
  ferry_json_set(w->vmi, "metadata.annotations", j("{\"ferry.migration/policy\":\"nova\"}"));
  RESOLVE(c, o);
  g_assert_cmpstr(ferry_json_str(c, "preset"), ==, "nova");
  g_assert_cmpint(ferry_json_int(c, "completionTimeoutPerGiB", 0), ==, 800);
  g_assert_cmpint(ferry_json_int(c, "maxDowntimeMs", 0), ==, 500);
  /* metadata of the domain wins over the annotation, and its own fields over the policy's */
  ferry_json_set(w->vmi, "spec.migration", j("{\"policy\":\"own\",\"maxDuration\":\"90s\"}"));
  RESOLVE(d, p);
  g_assert_cmpint(ferry_json_int(d, "maxDurationMs", 0), ==, 90000);
  g_assert_cmpint(ferry_json_int(d, "maxDowntimeMs", 0), ==, 250);
  g_assert_cmpstr(ferry_json_str(p, "maxDurationMs"), ==, "VirtualMachineInstance");
}

/* a schedule of one VM alone: JSON in its domain's metadata, or in an annotation */
static void test_schedule_of_the_vm(World *w, gconstpointer data) {
#define SCHEDULE(ms)                                                                               \
  "{\"stalling\":[{\"limit\":2,\"action\":{\"name\":\"setDowntime\",\"params\":[" #ms "]}},"       \
  "{\"limit\":-1,\"action\":{\"name\":\"abort\"}}]}"
  ferry_json_set_str(w->matched, "spec.preset", "nova");
  ferry_json_set(w->vmi, "metadata.annotations",
                 json_pack("{ss}", "ferry.migration/schedule", SCHEDULE(150)));
  RESOLVE(c, o);
  g_assert_null(ferry_json_get(c, "preset"));
  g_assert_cmpuint(json_array_size(ferry_json_get(c, "schedule.stalling")), ==, 2);
  g_assert_cmpstr(ferry_json_str(o, "schedule"), ==, "VirtualMachineInstance");
  ferry_json_set(w->vmi, "spec.migration", json_pack("{ss}", "schedule", SCHEDULE(170)));
  RESOLVE(d, p);
  g_autofree char *text = ferry_json_dump(ferry_json_get(d, "schedule"));
  g_assert_nonnull(strstr(text, "170"));
  /* the migration's own word is stronger; what is no JSON is nothing here (admission refuses) */
  ferry_json_set_str(w->migration, "spec.preset", "proxmox");
  RESOLVE(e, q);
  g_assert_cmpstr(ferry_json_str(e, "preset"), ==, "proxmox");
  json_object_del(json_object_get(w->migration, "spec"), "preset");
  ferry_json_set(w->vmi, "spec.migration", json_pack("{ss}", "schedule", "{abort"));
  RESOLVE(f, r);
  g_assert_cmpstr(ferry_json_str(f, "preset"), ==, "nova");
}

static void test_cluster_default(World *w, gconstpointer data) {
  ferry_json_set_str(w->kubevirt, "spec.configuration.migrations.defaultPolicy", "nova");
  RESOLVE(c, o);
  g_assert_cmpstr(ferry_json_str(c, "preset"), ==, "nova");
  g_assert_cmpstr(ferry_json_str(o, "preset"), ==, "MigrationPolicy/nova");
  /* ... for what nothing else says */
  g_assert_cmpint(ferry_json_int(c, "completionTimeoutPerGiB", 0), ==, 600);
  g_assert_cmpint(ferry_json_int(c, "progressTimeout", -1), ==, 0);
}

/* one rule holds: a preset further down adds nothing to a schedule further up */
static void test_one_rule(World *w, gconstpointer data) {
  ferry_json_set_str(w->matched, "spec.preset", "kubevirt-classic");
  RESOLVE(c, o);
  g_assert_cmpint(ferry_json_int(c, "bandwidthPerMigration", 0), ==, 64 << 20);
  g_assert_cmpstr(ferry_json_str(o, "bandwidthPerMigration"), ==, "preset/kubevirt-classic");
  g_assert_cmpint(ferry_json_int(c, "maxDowntimeMs", 0), ==, 400); /* the policy's own word */
  ferry_json_set(w->migration, "spec.schedule",
                 j("{\"stalling\":[{\"limit\":-1,\"action\":{\"name\":\"abort\"}}]}"));
  RESOLVE(d, p);
  g_assert_null(ferry_json_get(d, "preset"));
  g_assert_nonnull(ferry_json_get(d, "schedule.stalling"));
  g_assert_cmpint(ferry_json_int(d, "bandwidthPerMigration", 0), ==, 0);
  g_assert_cmpint(ferry_json_int(d, "completionTimeoutPerGiB", 0), ==, 600);
  g_assert_cmpstr(ferry_json_str(p, "schedule"), ==, "VirtualMachineInstanceMigration");
}

static void test_compression(World *w, gconstpointer data) {
  ferry_json_set_str(w->matched, "spec.preset", "ovirt-suspend-workload");
  RESOLVE(c, o);
  g_assert_true(ferry_json_bool(c, "compressed", FALSE));
  g_assert_cmpstr(json_string_value(json_array_get(json_object_get(c, "compressionMethods"), 0)),
                  ==, "xbzrle");
  ferry_json_set_bool(w->matched, "spec.parallel", TRUE);
  RESOLVE(d, p);
  g_assert_null(ferry_json_get(d, "compressed"));
  ferry_json_set_str(w->migration, "spec.compression", "zstd");
  RESOLVE(e, q);
  g_assert_true(ferry_json_bool(e, "parallel", FALSE));
  g_assert_cmpstr(json_string_value(json_array_get(json_object_get(e, "compressionMethods"), 0)),
                  ==, "zstd");
}

/* zstd needs several connections, which its preset brings; without them there is none */
static void test_compression_of_channels(World *w, gconstpointer data) {
  ferry_json_set_str(w->matched, "spec.preset", "kubevirt-vep246");
  RESOLVE(c, o);
  g_assert_true(ferry_json_bool(c, "compressed", FALSE));
  g_assert_true(ferry_json_bool(c, "parallel", FALSE));
  g_assert_cmpint(ferry_json_int(c, "parallelConnections", 0), ==, 8);
  ferry_json_set_bool(w->migration, "spec.parallel", FALSE);
  RESOLVE(d, p);
  g_assert_null(ferry_json_get(d, "compressed"));
}

static void test_zero_copy(World *w, gconstpointer data) {
  ferry_json_set_str(w->matched, "spec.preset", "ovirt-very-large");
  RESOLVE(c, o);
  g_assert_null(ferry_json_get(c, "zeroCopy")); /* with TLS it can't be */
  ferry_json_set_bool(w->matched, "spec.parallel", TRUE);
  ferry_json_set_bool(w->kubevirt, "spec.configuration.migrations.disableTLS", TRUE);
  RESOLVE(d, p);
  g_assert_true(ferry_json_bool(d, "zeroCopy", FALSE));
  g_assert_cmpstr(ferry_json_str(p, "zeroCopy"), ==, "preset/ovirt-very-large");
}

/* how many at once: the cluster's word, which a policy or a preset only lowers */
static void test_limits(World *w, gconstpointer data) {
#define OUT "parallelOutboundMigrationsPerNode"
#define IN "parallelInboundMigrationsPerNode"
  ferry_json_set_str(w->matched, "spec.preset", "ovirt-very-large");
  ferry_json_set_int(w->kubevirt, "spec.configuration.migrations." OUT, 7);
  RESOLVE(c, o);
  g_assert_cmpint(ferry_json_int(c, OUT, 0), ==, 1);
  g_assert_cmpint(ferry_json_int(c, IN, 0), ==, 1);
  g_assert_cmpstr(ferry_json_str(o, OUT), ==, "preset/ovirt-very-large");
  ferry_json_set_int(w->matched, "spec." OUT, 3); /* the policy's own word before its preset's */
  RESOLVE(d, p);
  g_assert_cmpint(ferry_json_int(d, OUT, 0), ==, 3);
  g_assert_cmpstr(ferry_json_str(p, OUT), ==, "MigrationPolicy/m");
  ferry_json_set_int(w->matched, "spec." OUT, 9);
  ferry_json_set_int(w->migration, "spec." OUT, 1); /* not a migration's to say */
  RESOLVE(e, q);
  g_assert_cmpint(ferry_json_int(e, OUT, 0), ==, 7);
  g_assert_cmpstr(ferry_json_str(q, OUT), ==, "KubeVirt");
  /* nova limits what leaves a host; KubeVirt's rules leave it to the cluster */
  json_object_del(json_object_get(w->matched, "spec"), OUT);
  ferry_json_set_str(w->matched, "spec.preset", "nova");
  RESOLVE(f, r);
  g_assert_cmpint(ferry_json_int(f, OUT, 0), ==, 1);
  g_assert_cmpint(ferry_json_int(f, IN, 0), ==, 2);
  ferry_json_set_str(w->matched, "spec.preset", "kubevirt");
  RESOLVE(g, s);
  g_assert_cmpint(ferry_json_int(g, OUT, 0), ==, 7);
}

/* every preset is a policy that its own check takes, and none is taken for somebody else's */
static void test_presets(World *w, gconstpointer data) {
  gsize n;
  const FerryPreset *presets = ferry_presets(&n);
  g_assert_cmpuint(n, ==, 14);
  for (gsize i = 0; i < n; i++) {
    g_autoptr(json_t) spec = ferry_preset_spec(&presets[i]);
    g_assert_cmpstr(ferry_json_str(spec, "preset"), ==, presets[i].name);
    g_autoptr(json_t) policy =
        json_pack("{s:{s:s, s:{s:s}}, s:O}", "metadata", "name", presets[i].name, "labels",
                  FERRY_PRESET_LABEL, presets[i].name, "spec", spec);
    g_assert_true(ferry_preset_is_builtin(policy));
    ferry_json_set_str(policy, "metadata.name", "other");
    g_assert_false(ferry_preset_is_builtin(policy));
    /* a copy under another name is a policy like any other */
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) copy =
        json_pack("{s:s, s:s, s:{s:s}, s:O}", "apiVersion", "migrations.kubevirt.io/v1alpha1",
                  "kind", "MigrationPolicy", "metadata", "name", "other", "spec", spec);
    g_autoptr(json_t) valid = ferry_validate(&ferry_kind_migration_policy, copy, NULL,
                                             FERRY_UNKNOWN_STRICT, NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(valid);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
#define T(name, f) g_test_add("/layers/" name, World, NULL, set_up, f, tear_down)
  T("no-rule", test_no_rule);
  T("named-by-migration", test_named_by_migration);
  T("preference", test_preference);
  T("slowdown", test_slowdown);
  T("named-by-vm", test_named_by_vm);
  T("schedule-of-the-vm", test_schedule_of_the_vm);
  T("cluster-default", test_cluster_default);
  T("one-rule", test_one_rule);
  T("compression", test_compression);
  T("compression-of-channels", test_compression_of_channels);
  T("zero-copy", test_zero_copy);
  T("limits", test_limits);
  T("presets", test_presets);
  return g_test_run();
}
