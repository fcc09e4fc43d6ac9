// SPDX-License-Identifier: Apache-2.0
// Rules of single kinds: what a write of a migration or an evacuation may not take away.
#include "../http.h"

#define MIGRATION_MARK "kubevirt.io/migrationJobFinalizer"
#define EVACUATION_MARK "ferry.migration/evacuation"
#define EVACUATIONS "/apis/ferry.migration/v1/evacuations"
#define EVACUATION                                                                                 \
  "{\"apiVersion\":\"ferry.migration/v1\",\"kind\":\"Evacuation\",\"metadata\":{\"name\":\"e\"},"  \
  "\"spec\":{\"nodeName\":\"h1\"}}"

static Answer *patch(Server *s, const char *path, const char *body) {
  return http_full(s, "admin", "PATCH", path, MERGE, body, (gssize)strlen(body));
}

static void set_phase(Server *s, const char *path, const char *phase) {
  g_autofree char *status = g_strconcat(path, "/status", NULL);
  g_autofree char *body = g_strdup_printf("{\"status\":{\"phase\":\"%s\"}}", phase);
  g_autoptr(Answer) a = patch(s, status, body);
  expect(a, 200);
}

static gboolean has_mark(const json_t *object, const char *mark) {
  json_t *finalizers = ferry_json_get(object, "metadata.finalizers");
  for (gsize i = 0; i < json_array_size(finalizers); i++)
    if (g_strcmp0(json_string_value(json_array_get(finalizers, i)), mark) == 0)
      return TRUE;
  return FALSE;
}

static const char *vmi_label(const json_t *object) {
  return json_string_value(
      json_object_get(ferry_json_get(object, "metadata.labels"), "kubevirt.io/vmi-name"));
}

/* A manifest has neither finalizer nor label; the VM stays taken until its migration has ended. */
static void replaced_while_it_runs(Server *s, gconstpointer data) {
  g_autoptr(Answer) made = http(s, "POST", VMIM, MIGRATION("m", "db"));
  expect(made, 201);
  set_phase(s, VMIM "/m", "Running");
  g_autoptr(Answer) put = http(s, "PUT", VMIM "/m", MIGRATION("m", "db"));
  expect(put, 200);
  g_assert_true(has_mark(put->json, MIGRATION_MARK));
  g_assert_cmpstr(vmi_label(put->json), ==, "db");
  g_autoptr(Answer) patched =
      patch(s, VMIM "/m", "{\"metadata\":{\"finalizers\":null,\"labels\":null}}");
  expect(patched, 200);
  g_assert_true(has_mark(patched->json, MIGRATION_MARK));
  g_assert_cmpstr(vmi_label(patched->json), ==, "db");
  g_autoptr(Answer) deleted = http(s, "DELETE", VMIM "/m", NULL);
  expect(deleted, 200);
  g_assert_nonnull(ferry_json_str(deleted->json, "metadata.deletionTimestamp"));
  g_autoptr(Answer) second = http(s, "POST", VMIM, MIGRATION("n", "db"));
  expect(second, 409);
  /* nor while it is being cancelled */
  g_autoptr(Answer) again = http(s, "PUT", VMIM "/m", MIGRATION("m", "db"));
  expect(again, 200);
  g_assert_true(has_mark(again->json, MIGRATION_MARK));
  g_autoptr(Answer) there = http(s, "GET", VMIM "/m", NULL);
  expect(there, 200);
  /* but for who says so */
  g_autoptr(Answer) off = patch(s, VMIM "/m", "{\"metadata\":{\"finalizers\":null}}");
  expect(off, 200);
  g_autoptr(Answer) gone = http(s, "GET", VMIM "/m", NULL);
  expect(gone, 404);
}

/* Once it has ended it is a record like any other. */
static void replaced_after_its_end(Server *s, gconstpointer data) {
  g_autoptr(Answer) made = http(s, "POST", VMIM, MIGRATION("m", "db"));
  expect(made, 201);
  set_phase(s, VMIM "/m", "Succeeded");
  g_autoptr(Answer) put = http(s, "PUT", VMIM "/m", MIGRATION("m", "db"));
  expect(put, 200);
  g_assert_false(has_mark(put->json, MIGRATION_MARK));
  g_autoptr(Answer) deleted = http(s, "DELETE", VMIM "/m", NULL);
  expect(deleted, 200);
  g_autoptr(Answer) gone = http(s, "GET", VMIM "/m", NULL);
  expect(gone, 404);
}

/* Takes the finalizers off behind the API's back. */
static void strip(Server *s, const FerryKind *kind, const char *ns, const char *name) {
  g_autoptr(json_t) old = ferry_store_get(s->store, kind, ns, name);
  g_autoptr(json_t) object = json_deep_copy(old);
  ferry_json_set(object, "metadata.finalizers", NULL);
  FerryWrite write = {
      .op = FERRY_WRITE_UPDATE, .kind = kind, .ns = ns, .name = name, .object = object};
  g_assert_true(ferry_store_commit(s->store, &write, 1, NULL, NULL));
}

static void deleted_without_a_finalizer(Server *s, gconstpointer data) {
  g_autoptr(Answer) made = http(s, "POST", VMIM, MIGRATION("m", "db"));
  expect(made, 201);
  set_phase(s, VMIM "/m", "Running");
  strip(s, &ferry_kind_vmim, "default", "m");
  g_autoptr(Answer) deleted = http(s, "DELETE", VMIM "/m", NULL);
  expect(deleted, 200);
  g_assert_true(has_mark(deleted->json, MIGRATION_MARK));
  g_assert_true(ferry_json_bool(deleted->json, "status.migrationState.abortRequested", FALSE));
  g_autoptr(Answer) second = http(s, "POST", VMIM, MIGRATION("n", "db"));
  expect(second, 409);
}

/* A dry run says where each VM would go, and leaves nothing. */
static void evacuation_dry_run(Server *s, gconstpointer data) {
  g_autoptr(Answer) plan = http(s, "POST", EVACUATIONS "?dryRun=All", EVACUATION);
  expect(plan, 201);
  const json_t *vms = ferry_json_get(plan->json, "status.vms");
  g_assert_cmpuint(json_array_size(vms), ==, 1);
  g_assert_cmpint(ferry_json_int(plan->json, "status.total", 0), ==, 1);
  g_assert_cmpint(ferry_json_int(plan->json, "status.failed", -1), ==, 0);
  g_assert_cmpstr(ferry_json_str(json_array_get(vms, 0), "name"), ==, "db");
  g_assert_cmpstr(ferry_json_str(json_array_get(vms, 0), "target"), ==, "h2");
  g_autoptr(Answer) none = http(s, "GET", EVACUATIONS "/e", NULL);
  expect(none, 404);
  g_autoptr(Answer) made = http(s, "POST", EVACUATIONS, EVACUATION);
  expect(made, 201);
  g_assert_null(ferry_json_get(made->json, "status.vms"));
}

static void evacuations_too(Server *s, gconstpointer data) {
  g_autoptr(Answer) made = http(s, "POST", EVACUATIONS, EVACUATION);
  expect(made, 201);
  set_phase(s, EVACUATIONS "/e", "Running");
  g_autoptr(Answer) put = http(s, "PUT", EVACUATIONS "/e", EVACUATION);
  expect(put, 200);
  g_assert_true(has_mark(put->json, EVACUATION_MARK));
  strip(s, &ferry_kind_evacuation, "", "e");
  g_autoptr(Answer) deleted = http(s, "DELETE", EVACUATIONS "/e", NULL);
  expect(deleted, 200);
  g_assert_true(has_mark(deleted->json, EVACUATION_MARK));
  g_autoptr(Answer) off = patch(s, EVACUATIONS "/e", "{\"metadata\":{\"finalizers\":null}}");
  expect(off, 200);
  g_autoptr(Answer) gone = http(s, "GET", EVACUATIONS "/e", NULL);
  expect(gone, 404);
}

/* Another deadline is held against what is left; the same one says nothing. */
static void another_deadline(Server *s, gconstpointer data) {
  static const char deadline[] = "{\"spec\":{\"deadline\":\"2026-01-01T00:00:00Z\"}}";
  g_autoptr(Answer) made = http(s, "POST", EVACUATIONS, EVACUATION);
  expect(made, 201);
  g_assert_null(strstr(made->headers, "Warning: 299"));
  for (int again = FALSE; again <= TRUE; again++) {
    g_autoptr(Answer) changed = patch(s, EVACUATIONS "/e", deadline);
    expect(changed, 200);
    g_test_message("%s", changed->headers);
    g_assert_true(again == !strstr(changed->headers, "Warning: 299"));
  }
}

/* One VM in three words: by its domain's name, by its UUID, by its object's name. */
static void same_vm_in_other_words(Server *s, gconstpointer data) {
  static const char apply[] = "Content-Type: application/apply-patch+yaml";
  g_autoptr(json_t) web = ferry_store_get(s->store, &ferry_kind_vmi, "default", "web");
  g_autofree char *by_uuid = g_strdup_printf(
      "{\"apiVersion\":\"kubevirt.io/v1\",\"kind\":\"VirtualMachineInstanceMigration\","
      "\"metadata\":{\"name\":\"m\"},\"spec\":{\"vmiName\":\"%s\"}}",
      ferry_json_str(web, "metadata.uid"));
  g_autoptr(Answer) made = http(s, "POST", VMIM, MIGRATION("m", "web_1"));
  expect(made, 201);
  g_assert_cmpstr(ferry_json_str(made->json, "spec.vmiName"), ==, "web");
  const char *const same[] = {MIGRATION("m", "web_1"), by_uuid, MIGRATION("m", "web")};
  for (gsize i = 0; i < G_N_ELEMENTS(same); i++) {
    g_autoptr(Answer) put = http(s, "PUT", VMIM "/m", same[i]);
    expect(put, 200);
    g_assert_cmpstr(ferry_json_str(put->json, "spec.vmiName"), ==, "web");
    g_autoptr(Answer) patched = patch(s, VMIM "/m", same[i]);
    expect(patched, 200);
    g_autoptr(Answer) applied = http_full(s, "admin", "PATCH", VMIM "/m?fieldManager=a", apply,
                                          same[i], (gssize)strlen(same[i]));
    expect(applied, 200);
    g_assert_cmpstr(ferry_json_str(applied->json, "spec.vmiName"), ==, "web");
  }
  g_autoptr(Answer) last = http(s, "GET", VMIM "/m", NULL);
  g_assert_cmpint(ferry_json_int(last->json, "metadata.generation", 0), ==, 1);
}

/* Another VM, or none, is a change of the spec: one cause. */
static void another_vm(Server *s, gconstpointer data) {
  g_autoptr(Answer) made = http(s, "POST", VMIM, MIGRATION("m", "web_1"));
  expect(made, 201);
  const char *const others[] = {MIGRATION("m", "db"), MIGRATION("m", "nope")};
  for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
    g_autoptr(Answer) put = http(s, "PUT", VMIM "/m", others[i]);
    expect(put, 422);
    json_t *causes = ferry_json_get(put->json, "details.causes");
    g_assert_cmpuint(json_array_size(causes), ==, 1);
    g_assert_cmpstr(ferry_json_str(json_array_get(causes, 0), "field"), ==, "spec");
    g_assert_cmpstr(ferry_json_str(json_array_get(causes, 0), "reason"), ==, "FieldValueForbidden");
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  curl_global_init(CURL_GLOBAL_DEFAULT);
#define ADD(f) g_test_add("/api/admission/" #f, Server, NULL, server_up, f, server_down)
  ADD(replaced_while_it_runs);
  ADD(replaced_after_its_end);
  ADD(deleted_without_a_finalizer);
  ADD(evacuations_too);
  ADD(another_deadline);
  ADD(evacuation_dry_run);
  ADD(same_vm_in_other_words);
  ADD(another_vm);
  return g_test_run();
}
