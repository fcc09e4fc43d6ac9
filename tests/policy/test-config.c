// SPDX-License-Identifier: Apache-2.0
// What a migration's configuration is where several say it, and where nobody does; and that each
// row of the table of policy fields arrives in it, by whatever name it was said.
#include "policy/config.h"
#include "model/kinds/policy_fields.h"

static json_t *j(const char *text) {
  json_t *v = json_loads(text, 0, NULL);
  g_assert_nonnull(v);
  return v;
}

static void test_defaults(void) {
  FerryConfigSources none = {0};
  g_autoptr(json_t) origins = NULL;
  g_autoptr(json_t) c = ferry_config_resolve(&none, &origins);
  g_assert_cmpint(ferry_json_int(c, "parallelMigrationsPerCluster", 0), ==, 5);
  g_assert_cmpint(ferry_json_int(c, "parallelOutboundMigrationsPerNode", 0), ==, 2);
  g_assert_cmpint(ferry_json_int(c, "completionTimeoutPerGiB", 0), ==, 150);
  g_assert_cmpint(ferry_json_int(c, "maxDowntimeMs", 0), ==, 900);
  g_assert_null(ferry_json_get(c, "completionTimeoutSeconds"));
  g_assert_false(ferry_json_bool(c, "allowWorkloadDisruption", TRUE));
  g_assert_cmpstr(ferry_json_str(origins, "progressTimeout"), ==, "default");
}

/* policy only, cluster only, defaults, both: each field by itself; nothing of the sources changes
 */
static void test_layers(void) {
  g_autoptr(json_t) kubevirt =
      j("{\"spec\":{\"configuration\":{\"migrations\":{"
        "\"bandwidthPerMigration\":\"64Mi\",\"completionTimeoutPerGiB\":800,"
        "\"allowPostCopy\":true,\"parallelMigrationsPerCluster\":9}}}}");
  g_autoptr(json_t) policy = j("{\"metadata\":{\"name\":\"p\"},\"spec\":{"
                               "\"bandwidthPerMigration\":\"217Ki\",\"allowPostCopy\":false,"
                               "\"parallelMigrationsPerCluster\":1}}");
  g_autoptr(json_t) vmi = j("{\"spec\":{\"migration\":{\"maxDowntimeMs\":77}}}");
  g_autoptr(json_t) migration =
      j("{\"spec\":{\"vmiName\":\"x\",\"maxDowntimeMs\":55,\"completionTimeoutSeconds\":60}}");
  g_autofree char *before = ferry_json_dump(kubevirt);
  FerryConfigSources s = {kubevirt, policy, vmi, migration};
  g_autoptr(json_t) origins = NULL;
  g_autoptr(json_t) c = ferry_config_resolve(&s, &origins);
  g_assert_cmpint(ferry_json_int(c, "bandwidthPerMigration", 0), ==, 217 * 1024);
  g_assert_cmpstr(ferry_json_str(origins, "bandwidthPerMigration"), ==, "MigrationPolicy/p");
  g_assert_cmpint(ferry_json_int(c, "completionTimeoutPerGiB", 0), ==, 800);
  g_assert_false(ferry_json_bool(c, "allowPostCopy", TRUE));
  g_assert_false(ferry_json_bool(c, "allowWorkloadDisruption", TRUE));
  g_assert_cmpint(ferry_json_int(c, "parallelMigrationsPerCluster", 0), ==, 9);
  g_assert_cmpint(ferry_json_int(c, "maxDowntimeMs", 0), ==, 55);
  g_assert_cmpint(ferry_json_int(c, "completionTimeoutSeconds", 0), ==, 60);
  g_assert_cmpstr(ferry_json_str(origins, "completionTimeoutSeconds"), ==,
                  "VirtualMachineInstanceMigration");
  s.migration = NULL;
  g_autoptr(json_t) without = ferry_config_resolve(&s, NULL);
  g_assert_cmpint(ferry_json_int(without, "maxDowntimeMs", 0), ==, 77);
  s.policy = NULL;
  g_autoptr(json_t) cluster = ferry_config_resolve(&s, NULL);
  g_assert_true(ferry_json_bool(cluster, "allowWorkloadDisruption", FALSE));
  g_autofree char *after = ferry_json_dump(kubevirt);
  g_assert_cmpstr(before, ==, after);
}

static json_t *resolved(const char *spec, json_t **origins) {
  g_autofree char *text = g_strdup_printf("{\"metadata\":{\"name\":\"p\"},\"spec\":%s}", spec);
  g_autoptr(json_t) policy = j(text);
  g_autoptr(json_t) kubevirt = j("{\"spec\":{\"configuration\":{\"migrations\":{"
                                 "\"parallelMigrationsPerCluster\":7,"
                                 "\"parallelOutboundMigrationsPerNode\":4}}}}");
  FerryConfigSources s = {.kubevirt = kubevirt, .policy = policy};
  return ferry_config_resolve(&s, origins);
}

/* What a schedule does is enabled by it; somebody's own word stands. */
static void test_schedule(void) {
#define SCHEDULE                                                                                   \
  "\"schedule\":{\"init\":[{\"name\":\"autoConverge\",\"params\":[\"true\"]}],\"stalling\":[{"     \
  "\"limit\":2,\"action\":{\"name\":\"postCopy\",\"params\":[]}}]}"
  g_autoptr(json_t) origins = NULL;
  g_autoptr(json_t) c = resolved("{" SCHEDULE "}", &origins);
  g_assert_true(ferry_json_bool(c, "allowAutoConverge", FALSE));
  g_assert_true(ferry_json_bool(c, "allowPostCopy", FALSE));
  g_assert_cmpstr(ferry_json_str(origins, "allowPostCopy"), ==, "MigrationPolicy/p");
  g_autoptr(json_t) own = resolved("{\"allowAutoConverge\":false," SCHEDULE "}", NULL);
  g_assert_false(ferry_json_bool(own, "allowAutoConverge", TRUE));
  g_autoptr(json_t) none = resolved("{}", NULL);
  g_assert_false(ferry_json_bool(none, "allowPostCopy", TRUE));
}

/* A preset's numbers are its original's; the cluster's may only be lower. */
static void test_preset_limits(void) {
  g_autoptr(json_t) origins = NULL;
  g_autoptr(json_t) c = resolved("{\"preset\":\"kubevirt-classic\"}", &origins);
  g_assert_cmpint(ferry_json_int(c, "parallelMigrationsPerCluster", 0), ==, 5);
  g_assert_cmpint(ferry_json_int(c, "parallelOutboundMigrationsPerNode", 0), ==, 2);
  g_assert_cmpstr(ferry_json_str(origins, "parallelMigrationsPerCluster"), ==,
                  "preset/kubevirt-classic");
  g_autoptr(json_t) other = resolved("{\"preset\":\"kubevirt\"}", NULL);
  g_assert_cmpint(ferry_json_int(other, "parallelMigrationsPerCluster", 0), ==, 7);
}

/* disableTLS and its origin, as "false KubeVirt", of a VM, a migration and a cluster that say so.
 */
static char *tls_of(const char *cluster, const char *vm, const char *own) {
  g_autofree char *kubevirt_text =
      g_strdup_printf("{\"spec\":{\"configuration\":{\"migrations\":%s}}}", cluster);
  g_autofree char *vmi_text = g_strdup_printf("{\"spec\":{\"migration\":%s}}", vm);
  g_autofree char *migration_text = g_strdup_printf("{\"spec\":%s}", own);
  g_autoptr(json_t) kubevirt = j(kubevirt_text);
  g_autoptr(json_t) vmi = j(vmi_text);
  g_autoptr(json_t) migration = j(migration_text);
  FerryConfigSources s = {.kubevirt = kubevirt, .vmi = vmi, .migration = migration};
  g_autoptr(json_t) origins = NULL;
  g_autoptr(json_t) c = ferry_config_resolve(&s, &origins);
  return g_strdup_printf("%s %s", ferry_json_bool(c, "disableTLS", FALSE) ? "true" : "false",
                         ferry_json_str(origins, "disableTLS"));
}

/* A tunnel, which has libvirtd's encryption, overrules what weaker layers say of QEMU's. */
static void test_tunnel(void) {
#define TUNNEL "\"tunnelled\":true"
#define TLS "\"disableTLS\":false"
  static const struct {
    const char *cluster, *vm, *own, *tls;
  } cases[] = {
      {"{}", "{}", "{" TUNNEL "}", "true default"},
      {"{" TLS "}", "{}", "{" TUNNEL "}", "true VirtualMachineInstanceMigration"},
      {"{" TLS "}", "{" TUNNEL "}", "{}", "true VirtualMachineInstance"},
      {"{" TLS "}", "{}", "{\"tunnelled\":false}", "false KubeVirt"},
      {"{}", "{}", "{" TUNNEL "," TLS "}", "false VirtualMachineInstanceMigration"},
      {"{}", "{" TUNNEL "}", "{" TLS "}", "false VirtualMachineInstanceMigration"},
      {"{\"disableTLS\":true}", "{}", "{" TUNNEL "}", "true KubeVirt"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *tls = tls_of(cases[i].cluster, cases[i].vm, cases[i].own);
    g_assert_cmpstr(tls, ==, cases[i].tls);
  }
}

/* The network to move over: the migration's word, then the VM's (<ferry:network> in its domain's
 * metadata), then a policy's, then the cluster's. */
static void test_network(void) {
  g_autoptr(json_t) kubevirt =
      j("{\"spec\":{\"configuration\":{\"migrations\":{\"network\":\"c\"}}}}");
  g_autoptr(json_t) policy = j("{\"metadata\":{\"name\":\"p\"},\"spec\":{\"network\":\"p\"}}");
  g_autoptr(json_t) vmi = j("{\"spec\":{\"migration\":{\"network\":\"v\"}}}");
  g_autoptr(json_t) migration = j("{\"spec\":{\"vmiName\":\"x\",\"network\":\"m\"}}");
  FerryConfigSources s = {kubevirt, policy, vmi, migration};
  const json_t **sources[] = {&s.migration, &s.vmi, &s.policy, &s.kubevirt};
  static const char *const networks[] = {"m", "v", "p", "c"};
  static const char *const from[] = {"VirtualMachineInstanceMigration", "VirtualMachineInstance",
                                     "MigrationPolicy/p", "KubeVirt"};
  for (gsize i = 0; i < G_N_ELEMENTS(sources); i++) {
    g_autoptr(json_t) origins = NULL;
    g_autoptr(json_t) c = ferry_config_resolve(&s, &origins);
    g_assert_cmpstr(ferry_json_str(c, "network"), ==, networks[i]);
    g_assert_cmpstr(ferry_json_str(origins, "network"), ==, from[i]);
    *sources[i] = NULL;
  }
  g_autoptr(json_t) none = ferry_config_resolve(&s, NULL);
  g_assert_null(ferry_json_get(none, "network"));
}

/* Something that the field takes, and is not its fallback. */
static json_t *sample(const FerryField *f) {
  switch (f->type) {
  case FERRY_TYPE_INTEGER:
  case FERRY_TYPE_QUANTITY:
    return json_integer(f->min + 1);
  case FERRY_TYPE_BOOLEAN:
    return json_boolean(g_strcmp0(f->fallback, "true") != 0);
  case FERRY_TYPE_LIST:
    return json_pack("[s]", f->values ? f->values[0] : "x");
  default:
    return json_string(f->values ? f->values[0] : "x");
  }
}

/* A field that anybody may say by the table is resolved, whatever it is called: none is stored,
 * shown and ignored. */
static void test_every_row(void) {
  guint seen = 0;
  for (const FerryPolicyField *f = ferry_policy_fields; f->field.name; f++) {
    if (f->rule || !(f->layers & (FERRY_LAYER_CLUSTER | FERRY_LAYER_MIGRATION)) ||
        ferry_policy_field_is_derived(f)) /* an intent's, under another name */
      continue;
    gboolean cluster = f->layers & FERRY_LAYER_CLUSTER;
    g_autoptr(json_t) source = json_object();
    g_autoptr(json_t) origins = NULL;
    g_autoptr(json_t) value = sample(&f->field);
    g_autofree char *path =
        g_strconcat(cluster ? "spec.configuration.migrations." : "spec.", f->field.name, NULL);
    ferry_json_set(source, path, json_incref(value));
    ferry_json_set_str(source, cluster ? "spec.configuration.migrations.preset" : "spec.preset",
                       "kubevirt"); /* an intent has no onStalling */
    FerryConfigSources s = {.kubevirt = cluster ? source : NULL,
                            .migration = cluster ? NULL : source};
    g_autoptr(json_t) c = ferry_config_resolve(&s, &origins);
    g_test_message("%s", f->field.name);
    g_assert_true(json_equal(json_object_get(c, f->field.name), value));
    g_assert_cmpstr(ferry_json_str(origins, f->field.name), ==,
                    cluster ? "KubeVirt" : "VirtualMachineInstanceMigration");
    seen++;
  }
  g_assert_cmpuint(seen, >=, 15);
}

/* What only a migration may ask of itself is nobody else's to set, and what runs a schedule's way
 * on stalling is dropped where an intent acts by itself. */
static void test_whose_word(void) {
  g_autoptr(json_t) kubevirt =
      j("{\"spec\":{\"configuration\":{\"migrations\":{\"paused\":true,\"offline\":true,"
        "\"destinationName\":\"x\",\"onStalling\":[\"abort\"]}}}}");
  g_autoptr(json_t) vmi = j("{\"spec\":{\"migration\":{\"paused\":true,\"live\":false}}}");
  g_autoptr(json_t) migration = j("{\"spec\":{\"vmiName\":\"x\"}}");
  FerryConfigSources s = {kubevirt, NULL, vmi, migration};
  g_autoptr(json_t) origins = NULL;
  g_autoptr(json_t) c = ferry_config_resolve(&s, &origins);
  static const char *const own[] = {"paused", "offline", "destinationName"};
  for (gsize i = 0; i < G_N_ELEMENTS(own); i++)
    g_assert_null(json_object_get(c, own[i]));
  g_assert_true(json_is_false(json_object_get(c, "live"))); /* a VM may say that */
  g_assert_cmpstr(ferry_json_str(c, "preset"), ==, "intent");
  g_assert_null(json_object_get(c, "onStalling"));
  g_assert_null(json_object_get(origins, "onStalling"));
  ferry_json_set_str(migration, "spec.preset", "proxmox");
  g_autoptr(json_t) other = ferry_config_resolve(&s, NULL);
  g_assert_cmpuint(json_array_size(json_object_get(other, "onStalling")), ==, 1);
  ferry_json_set(migration, "spec.paused", json_true());
  g_autoptr(json_t) asked = ferry_config_resolve(&s, NULL);
  g_assert_true(json_is_true(json_object_get(asked, "paused")));
}

/* What a row is called in an intent is a member of it, in its own unit or as a duration. */
static void test_said_as(void) {
  guint seen = 0;
  for (const FerryPolicyField *f = ferry_policy_fields; f->field.name; f++) {
    const FerryField *member =
        f->said_as ? ferry_field_find(ferry_fields_intent, f->said_as) : NULL;
    if (!f->said_as)
      continue;
    seen++;
    g_test_message("%s", f->field.name);
    g_assert_nonnull(member);
    gboolean ms = f->field.unit == FERRY_UNIT_MS;
    g_assert_cmpint(member->type, ==, ms ? FERRY_TYPE_STRING : f->field.type);
    g_autoptr(json_t) intent = json_pack("{s:{s:{}}}", "spec", "intent");
    g_autofree char *path = g_strconcat("spec.intent.", f->said_as, NULL);
    ferry_json_set(intent, path, ms ? json_string("7s") : json_integer(7));
    FerryConfigSources s = {.migration = intent};
    g_autoptr(json_t) origins = NULL;
    g_autoptr(json_t) c = ferry_config_resolve(&s, &origins);
    g_assert_cmpint(ferry_json_int(c, f->field.name, 0), ==, ms ? 7000 : 7);
  }
  g_assert_cmpuint(seen, >=, 3);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/config/defaults", test_defaults);
  g_test_add_func("/config/layers", test_layers);
  g_test_add_func("/config/schedule", test_schedule);
  g_test_add_func("/config/preset-limits", test_preset_limits);
  g_test_add_func("/config/tunnel", test_tunnel);
  g_test_add_func("/config/network", test_network);
  g_test_add_func("/config/every-row", test_every_row);
  g_test_add_func("/config/said-as", test_said_as);
  g_test_add_func("/config/whose-word", test_whose_word);
  return g_test_run();
}
