// SPDX-License-Identifier: Apache-2.0
// A policy with dangerous fields counts for the VMs that its selectors choose. Whoever has it count
// for another one, by whatever way, needs the rights of those fields.
#include "../auth/rights.h"

#define UNSAFE "\"allowMonitorCommands\":true"
#define KIND_OF "\"apiVersion\":\"migrations.kubevirt.io/v1alpha1\",\"kind\":\"MigrationPolicy\""
#define POLICY(name, spec) "{" KIND_OF ",\"metadata\":{\"name\":\"" name "\"},\"spec\":{" spec "}}"
#define SELECTS(inside) "\"selectors\":{" inside "},"
#define BY_LABEL(key, value) "\"virtualMachineInstanceSelector\":{\"" key "\":\"" value "\"}"
#define BY_NAMESPACE(key, value) "\"namespaceSelector\":{\"" key "\":\"" value "\"}"
#define MOVES(name, spec)                                                                          \
  "{\"metadata\":{\"name\":\"" name "\"},\"spec\":{\"vmiName\":\"db\"" spec "}}"
#define NAMES(policy) ",\"policy\":\"" policy "\""
#define UNSAFE_RULE RULE("\"create\"", "kubevirt.io", "virtualmachineinstancemigrations/unsafe", "")
#define NAMESPACES "/api/v1/namespaces"

static void people(Server *s) {
  bind_to(s, NULL, "operate", "olga");
  bind_to(s, NULL, "edit", "ed");
  bind_to(s, NULL, "admin", "ada");
}

static void expect_field(Server *s, const char *who, const char *method, const char *path,
                         const char *body, const char *field) {
  g_autoptr(Answer) a = answer_to(s, who, method, path, body);
  expect(a, 403);
  const json_t *cause = json_array_get(ferry_json_get(a->json, "details.causes"), 0);
  g_assert_cmpstr(ferry_json_str(cause, "field"), ==, field);
  g_assert_nonnull(strstr(a->body, "virtualmachineinstancemigrations/unsafe"));
}

/* The name in a migration, by every way that makes one. */
static void named_by_a_migration(Server *s, gconstpointer data) {
  people(s);
  EXPECT("ada", "POST", POLICIES, POLICY("hot", UNSAFE), 201);
  EXPECT("ada", "POST", POLICIES, POLICY("others", SELECTS(BY_LABEL("tier", "web")) UNSAFE), 201);
  EXPECT("ada", "POST", POLICIES, POLICY("cold", "\"maxDowntimeMs\":300"), 201);
  EXPECT("ada", "POST", POLICIES, POLICY("no", "\"allowMonitorCommands\":false"), 201);
  expect_field(s, "olga", "POST", VMIM, MOVES("m", NAMES("hot")), "spec.policy");
  expect_field(s, "olga", "POST", VMIM "?dryRun=All", MOVES("m", NAMES("hot")), "spec.policy");
  expect_field(s, "ed", "POST", VMIM, MOVES("m", NAMES("others")), "spec.policy");
  expect_field(s, "olga", "APPLY", VMIM "/m",
               "{\"apiVersion\":\"kubevirt.io/v1\",\"kind\":\"VirtualMachineInstanceMigration\","
               "\"metadata\":{\"name\":\"m\"},\"spec\":{\"vmiName\":\"db\",\"policy\":\"hot\"}}",
               "spec.policy");
  expect_field(s, "olga", "POST", VMIM,
               "{\"metadata\":{\"generateName\":\"m-\"},\"spec\":{\"vmiName\":\"db\","
               "\"forecastOnly\":true,\"policy\":\"hot\"}}",
               "spec.policy");
  /* what it says is not taken, or is nothing dangerous */
  EXPECT("olga", "POST", VMIM "?dryRun=All",
         MOVES("m", NAMES("hot") ",\"allowMonitorCommands\":false"), 201);
  EXPECT("olga", "POST", VMIM "?dryRun=All", MOVES("m", NAMES("cold")), 201);
  EXPECT("olga", "POST", VMIM "?dryRun=All", MOVES("m", NAMES("no")), 201);
  EXPECT("ada", "POST", VMIM "?dryRun=All", MOVES("m", NAMES("hot")), 201);
  give(s, "default", "unsafe", UNSAFE_RULE, "olga");
  EXPECT("olga", "POST", VMIM, MOVES("m", NAMES("hot")), 201);
}

/* A right in another namespace is none here. */
static void in_the_vms_namespace(Server *s, gconstpointer data) {
  people(s);
  EXPECT("ada", "POST", POLICIES, POLICY("hot", UNSAFE), 201);
  give(s, "kubevirt", "unsafe", UNSAFE_RULE, "olga");
  EXPECT("olga", "POST", VMIM, MOVES("m", NAMES("hot")), 403);
}

/* It counts for the VM anyway; or would, but for another one that says no. */
static void chosen_anyway(Server *s, gconstpointer data) {
  people(s);
  EXPECT("ada", "POST", POLICIES, POLICY("hot", SELECTS(BY_LABEL("tier", "db")) UNSAFE), 201);
  EXPECT("olga", "POST", VMIM "?dryRun=All", MOVES("m", NAMES("hot")), 201);
  EXPECT("ada", "PATCH", "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances/db",
         "{\"metadata\":{\"labels\":{\"zone\":\"a\"}}}", 200);
  EXPECT("ada", "POST", POLICIES,
         POLICY("no", "\"selectors\":{\"virtualMachineInstanceSelector\":{\"tier\":\"db\",\"zone\":"
                      "\"a\"}},\"allowMonitorCommands\":false"),
         201);
  expect_field(s, "olga", "POST", VMIM, MOVES("m", NAMES("hot")), "spec.policy");
}

/* The VM's own annotation names one, too, and its labels choose one. */
static void marks_of_a_vm(Server *s, gconstpointer data) {
#define DB "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances/db"
#define META(inside) "{\"metadata\":{" inside "}}"
#define NAMED_IN(policy) META("\"annotations\":{\"ferry.migration/policy\":" policy "}")
  people(s);
  EXPECT("ada", "POST", POLICIES, POLICY("hot", UNSAFE), 201);
  EXPECT("ada", "POST", POLICIES, POLICY("team", SELECTS(BY_LABEL("team", "x")) UNSAFE), 201);
  EXPECT("ada", "POST", POLICIES, POLICY("cold", "\"maxDowntimeMs\":300"), 201);
  expect_field(s, "ed", "PATCH", DB, NAMED_IN("\"hot\""), "metadata.annotations");
  expect_field(s, "ed", "PATCH", DB "?dryRun=All", NAMED_IN("\"hot\""), "metadata.annotations");
  expect_field(s, "ed", "PATCH", DB, META("\"labels\":{\"team\":\"x\"}"), "metadata.labels");
  expect_field(s, "ed", "APPLY", DB,
               "{\"apiVersion\":\"kubevirt.io/v1\",\"kind\":\"VirtualMachineInstance\","
               "\"metadata\":{\"name\":\"db\",\"labels\":{\"team\":\"x\"}}}",
               "metadata.labels");
  EXPECT("ed", "PATCH", DB, NAMED_IN("\"cold\""), 200);
  EXPECT("ed", "PATCH", DB, META("\"labels\":{\"team\":\"y\"}"), 200);
  EXPECT("ada", "PATCH", DB, NAMED_IN("\"hot\""), 200);
  EXPECT("ed", "PATCH", DB, META("\"labels\":{\"zone\":\"a\"}"), 200); /* it has that anyway */
  EXPECT("ed", "PATCH", DB, META("\"labels\":{\"team\":\"x\"}"), 200);
  EXPECT("ed", "PATCH", DB, NAMED_IN("null"), 200); /* chosen by its label now */
  EXPECT("ed", "PATCH", DB, META("\"labels\":{\"team\":null}"), 200);
  EXPECT("ed", "PATCH", DB, META("\"labels\":{\"team\":\"x\"}"), 403);
}

static void labels_of_a_namespace(Server *s, gconstpointer data) {
#define LABELS(inside) META("\"labels\":{" inside "}")
  people(s);
  EXPECT("ada", "POST", POLICIES, POLICY("hot", SELECTS(BY_NAMESPACE("env", "lab")) UNSAFE), 201);
  EXPECT("ada", "POST", POLICIES,
         POLICY("of-one", SELECTS(BY_NAMESPACE("kubernetes.io/metadata.name", "kubevirt")) UNSAFE),
         201);
  expect_field(s, "ed", "PATCH", NAMESPACES "/default", LABELS("\"env\":\"lab\""),
               "metadata.labels");
  expect_field(s, "ed", "POST", NAMESPACES, META("\"name\":\"mine\",\"labels\":{\"env\":\"lab\"}"),
               "metadata.labels");
  EXPECT("ed", "PATCH", NAMESPACES "/default", LABELS("\"env\":\"prod\""), 200);
  EXPECT("ed", "POST", NAMESPACES, META("\"name\":\"mine\""), 201);
  EXPECT("ada", "PATCH", NAMESPACES "/mine", LABELS("\"env\":\"lab\""), 200);
  EXPECT("ed", "PATCH", NAMESPACES "/mine", LABELS("\"zone\":\"a\""), 200);
  EXPECT("ed", "PATCH", NAMESPACES "/mine", LABELS("\"env\":null"), 200);
}

/* Its own name is a label of each namespace, which policies choose by: it stays what it is. */
static void name_of_a_namespace(Server *s, gconstpointer data) {
#define OWN "kubernetes.io/metadata.name"
  static const char *const tries[] = {LABELS("\"" OWN "\":\"kubevirt\""),
                                      LABELS("\"" OWN "\":null"), META("\"labels\":null")};
  people(s);
  for (gsize i = 0; i < G_N_ELEMENTS(tries); i++) {
    EXPECT("ed", "PATCH", NAMESPACES "/default", tries[i], 200);
    g_autoptr(Answer) a = answer_to(s, "ed", "GET", NAMESPACES "/default", NULL);
    json_t *own = json_object_get(ferry_json_get(a->json, "metadata.labels"), OWN);
    g_assert_cmpstr(json_string_value(own), ==, "default");
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  curl_global_init(CURL_GLOBAL_DEFAULT);
#define ADD(path, f) g_test_add("/api/policy-rights/" path, Server, NULL, server_up, f, server_down)
  ADD("migration", named_by_a_migration);
  ADD("namespace-of-the-right", in_the_vms_namespace);
  ADD("anyway", chosen_anyway);
  ADD("vm", marks_of_a_vm);
  ADD("namespace", labels_of_a_namespace);
  ADD("namespace-name", name_of_a_namespace);
  return g_test_run();
}
