// SPDX-License-Identifier: Apache-2.0
// What is refused before a migration begins: each rule by a VM, a host or an option that breaks it,
// and all of them at once.
#include "policy/migration_admission.h"
#include <string.h>

static json_t *vmi(const char *ns, const char *name, const char *domain, const char *uid,
                   const char *node, const char *phase) {
  return json_pack("{s:{s:s, s:s, s:s}, s:{s:s}, s:{s:s, s:s, s:[{s:s}]}}", "metadata", "namespace",
                   ns, "name", name, "uid", uid, "spec", "domainName", domain, "status", "phase",
                   phase, "nodeName", node, "domains", "nodeName", node);
}

static json_t *node(const char *name, const char *ready) {
  return json_pack("{s:{s:s}, s:{s:[{s:s, s:s}]}}", "metadata", "name", name, "status",
                   "conditions", "type", "Ready", "status", ready);
}

static json_t *migration(const char *name, const char *vm, const char *target) {
  json_t *m = json_pack("{s:{s:s, s:s}, s:{s:s}}", "metadata", "namespace", "default", "name", name,
                        "spec", "vmiName", vm);
  if (target)
    ferry_json_set_str(m, "spec.targetNode", target);
  return m;
}

typedef struct {
  GPtrArray *vmis, *nodes, *migrations;
  FerryAdmissionState state;
} World;

static void set_up(World *w, gconstpointer data) {
  GDestroyNotify unref = (GDestroyNotify)json_decref;
  w->vmis = g_ptr_array_new_with_free_func(unref);
  w->nodes = g_ptr_array_new_with_free_func(unref);
  w->migrations = g_ptr_array_new_with_free_func(unref);
  g_ptr_array_add(w->vmis, vmi("default", "db", "db", "u1", "h1", "Running"));
  g_ptr_array_add(w->vmis, vmi("default", "web", "web_1", "u2", "h2", "Running"));
  g_ptr_array_add(w->vmis, vmi("default", "off", "off", "u3", "h1", "Stopped"));
  g_ptr_array_add(w->vmis, vmi("team", "mail", "mail", "u4", "h1", "Running"));
  g_ptr_array_add(w->vmis, vmi("team", "db", "db", "u5", "h3", "Running"));
  g_ptr_array_add(w->nodes, node("h1", "True"));
  g_ptr_array_add(w->nodes, node("h2", "True"));
  g_ptr_array_add(w->nodes, node("h3", "Unknown"));
  json_t *running = migration("first", "web", NULL);
  ferry_json_set_str(running, "status.phase", "Running");
  g_ptr_array_add(w->migrations, running);
  json_t *done = migration("old", "db", NULL);
  ferry_json_set_str(done, "status.phase", "Succeeded");
  g_ptr_array_add(w->migrations, done);
  w->state = (FerryAdmissionState){
      (json_t *const *)w->vmis->pdata,       w->vmis->len,
      (json_t *const *)w->nodes->pdata,      w->nodes->len,
      (json_t *const *)w->migrations->pdata, w->migrations->len,
  };
}

static void tear_down(World *w, gconstpointer data) {
  g_ptr_array_unref(w->vmis);
  g_ptr_array_unref(w->nodes);
  g_ptr_array_unref(w->migrations);
}

/* Checks a migration; gives the error, NULL where it is admitted. */
static GError *check(World *w, const char *vm, const char *target) {
  g_autoptr(json_t) m = migration("new", vm, target);
  GError *error = NULL;
  gboolean ok = ferry_admission_check(&w->state, m, &error);
  g_assert_cmpint(ok, ==, error == NULL);
  return error;
}

static void admits(World *w, gconstpointer data) {
  g_assert_null(check(w, "db", NULL));
  g_assert_null(check(w, "db", "h2"));
  g_assert_null(check(w, "u1", "h2"));
}

static void finds_by_any_name(World *w, gconstpointer data) {
  g_assert_cmpstr(
      ferry_json_str(ferry_admission_find_vmi(&w->state, "default", "web_1"), "metadata.name"), ==,
      "web");
  g_assert_cmpstr(
      ferry_json_str(ferry_admission_find_vmi(&w->state, "team", "u5"), "metadata.name"), ==, "db");
  g_assert_null(ferry_admission_find_vmi(&w->state, "default", "u5"));
}

/* A domain was renamed, and another one made with its old name. */
static void a_name_that_means_two(World *w, gconstpointer data) {
  json_t *other = json_deep_copy(g_ptr_array_index(w->vmis, 0));
  const char *name = ferry_json_str(g_ptr_array_index(w->vmis, 0), "metadata.name");
  g_autofree char *first = g_strdup(ferry_json_str(other, "metadata.uid"));
  ferry_json_set_str(other, "metadata.name", "other");
  ferry_json_set_str(other, "metadata.uid", "u77");
  ferry_json_set_str(other, "spec.domainName", name);
  ferry_json_set_str(g_ptr_array_index(w->vmis, 0), "spec.domainName", "renamed");
  g_ptr_array_add(w->vmis, other);
  w->state.vmis = (json_t *const *)w->vmis->pdata;
  w->state.n_vmis = w->vmis->len;
  g_autoptr(GError) error = check(w, name, NULL);
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID);
  g_assert_nonnull(strstr(error->message, "more than one VM"));
  g_assert_nonnull(strstr(error->message, "u77"));
  g_assert_nonnull(strstr(error->message, first));
  g_assert_nonnull(strstr(error->message, "domain renamed"));
  g_assert_cmpstr(
      ferry_json_str(ferry_admission_find_vmi(&w->state, "default", "u77"), "metadata.name"), ==,
      "other");
  g_assert_cmpstr(
      ferry_json_str(ferry_admission_find_vmi(&w->state, "default", first), "metadata.name"), ==,
      name);
}

/* Two domains with one UUID on two hosts are one VM; the other domain's name is told apart. */
static void a_name_of_the_second_copy(World *w, gconstpointer data) {
  ferry_json_set(g_ptr_array_index(w->vmis, 0), "status.domains",
                 json_pack("[{s:s, s:b}, {s:s, s:b, s:{s:s}}]", "nodeName", "h1", "active", 1,
                           "nodeName", "h2", "active", 1, "claim", "name", "twin"));
  g_autoptr(GError) error = check(w, "twin", NULL);
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID);
  g_assert_nonnull(strstr(error->message, "on h2 has the UUID of the VM db, which is on h1"));
  g_autoptr(GError) unknown = check(w, "twins", NULL);
  g_assert_nonnull(strstr(unknown->message, "there is no VM of that name"));
}

static void unknown_vm(World *w, gconstpointer data) {
  g_autoptr(GError) near = check(w, "dbb", NULL);
  g_assert_error(near, FERRY_ERROR, FERRY_ERROR_INVALID);
  g_assert_nonnull(strstr(near->message, "did you mean \"db\"?"));
  g_autoptr(GError) unseen = check(w, "mail", NULL); /* of a namespace that is not his */
  g_assert_null(strstr(unseen->message, "team"));
  w->state.sees_all = TRUE;
  g_autoptr(GError) elsewhere = check(w, "mail", NULL);
  g_assert_nonnull(strstr(elsewhere->message, "there is one in namespace \"team\""));
  g_autoptr(GError) nothing = check(w, "zzzzzzzz", NULL);
  g_assert_null(strstr(nothing->message, "did you mean"));
}

static void all_reasons_at_once(World *w, gconstpointer data) {
  g_autoptr(GError) error = check(w, "off", "h1");
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID);
  g_assert_cmpuint(ferry_error_n_causes(error), ==, 2);
  g_assert_cmpstr(ferry_error_cause(error, 0)->field, ==, "spec.vmiName");
  g_assert_cmpstr(ferry_error_cause(error, 1)->field, ==, "spec.targetNode");
  g_autoptr(GError) two = check(w, "db", "h3"); /* not ready, and another db is there */
  g_assert_cmpuint(ferry_error_n_causes(two), ==, 2);
}

static void unknown_node(World *w, gconstpointer data) {
  g_autoptr(GError) error = check(w, "db", "h9");
  g_assert_cmpuint(ferry_error_n_causes(error), ==, 1);
  g_assert_nonnull(strstr(error->message, "the nodes are: h1, h2, h3"));
}

static void machine_of_another_generation(World *w, gconstpointer data) {
  json_t *db = g_ptr_array_index(w->vmis, 0), *h2 = g_ptr_array_index(w->nodes, 1);
  ferry_json_set_str(db, "spec.domain.machine.type", "pc-q35-10.0");
  ferry_json_set_str(db, "spec.domain.cpu.model", "EPYC-v2");
  ferry_json_set(h2, "status.hypervisor.machineTypes", json_pack("[s]", "pc-q35-7.2"));
  ferry_json_set(h2, "status.hypervisor.cpuModels", json_pack("[s]", "EPYC"));
  for (int dry_run = 0; dry_run < 2; dry_run++) {
    w->state.placement = dry_run;
    g_autoptr(GError) error = check(w, "db", "h2");
    g_assert_nonnull(strstr(error->message, "machine type pc-q35-10.0"));
    g_assert_nonnull(strstr(error->message, "processor model EPYC-v2"));
    guint n = 0; /* each is said once */
    for (guint i = 0; i < ferry_error_n_causes(error); i++)
      n += strstr(ferry_error_cause(error, i)->message, "lack") != NULL;
    g_assert_cmpuint(n, ==, 2);
  }
  w->state.placement = FALSE;
  g_assert_null(check(w, "db", NULL)); /* another host may do */
}

/* What a named target lacks is said once, and to who really asks as well; a host that nobody named
 * may be given it meanwhile. A question is not answered "yes" while its source is silent. */
static void what_the_target_lacks(World *w, gconstpointer data) {
  json_t *db = g_ptr_array_index(w->vmis, 0), *h2 = g_ptr_array_index(w->nodes, 1);
  ferry_json_set(db, "spec.domain.needs", json_pack("[{ss,ss}]", "kind", "pool", "name", "p"));
  ferry_json_set(h2, "status.resourceKinds", json_pack("[s]", "pool"));
  for (int dry_run = 0; dry_run < 2; dry_run++) {
    w->state.placement = dry_run;
    g_autoptr(GError) error = check(w, "db", "h2");
    guint n = 0, silent = 0;
    for (guint i = 0; i < ferry_error_n_causes(error); i++) {
      n += strstr(ferry_error_cause(error, i)->message, "(PoolMissing)") != NULL;
      silent += strstr(ferry_error_cause(error, i)->message, "(SourceNotReady)") != NULL;
    }
    g_assert_cmpuint(n, ==, 1);
    g_assert_cmpuint(silent, ==, 0);
  }
  w->state.placement = FALSE;
  g_assert_null(check(w, "db", NULL));
  ferry_json_set(g_ptr_array_index(w->nodes, 0), "status.conditions", json_array());
  g_assert_null(check(w, "db", NULL)); /* that one waits for it */
  w->state.placement = TRUE;
  g_autoptr(GError) silent = check(w, "db", NULL);
  g_assert_nonnull(strstr(silent->message, "(SourceNotReady)"));
}

/* A question is judged by what is on its way, too. */
static void memory_on_the_way(World *w, gconstpointer data) {
  json_t *first = g_ptr_array_index(w->migrations, 0), *h2 = g_ptr_array_index(w->nodes, 1);
  ferry_json_set_int(h2, "status.capacity.memory", 1000 << 20);
  ferry_json_set_int(g_ptr_array_index(w->vmis, 0), "status.guestMemoryBytes", 600 << 20);
  ferry_json_set_int(g_ptr_array_index(w->vmis, 3), "status.guestMemoryBytes", 600 << 20);
  ferry_json_set_str(first, "status.migrationState.vmiUID", "u4");
  w->state.placement = TRUE;
  for (int coming = 0; coming < 2; coming++) {
    ferry_json_set_str(first, "status.migrationState.targetNode", coming ? "h2" : "h1");
    g_autoptr(GError) error = check(w, "db", "h2");
    g_assert_nonnull(error); /* nobody has said how h2's libvirtd is reached */
    g_assert_true(coming == (strstr(error->message, "promised to migrations") != NULL));
  }
}

/* Each reason why a VM cannot move live is a cause of its own; who says "unsafe" has weighed them,
 * and a definition moves without the guest. */
static void not_migratable(World *w, gconstpointer data) {
  json_t *db = g_ptr_array_index(w->vmis, 0);
  ferry_json_set_bool(db, "spec.persistent", TRUE);
  ferry_json_set_str(db, "spec.domain.launchSecurity.type", "sev");
  ferry_json_set(db, "spec.domain.devices.filesystems",
                 json_pack("[{s:s, s:s}]", "name", "data", "driver", "virtiofs"));
  g_autoptr(GError) error = check(w, "db", "h2");
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INVALID);
  g_assert_cmpuint(ferry_error_n_causes(error), ==, 2);
  g_assert_nonnull(strstr(ferry_error_cause(error, 0)->message, "(SEVNotLiveMigratable)"));
  g_assert_nonnull(strstr(ferry_error_cause(error, 1)->message, "(VirtIOFSNotLiveMigratable)"));
  static const char *const ways[] = {"spec.unsafeMigrationOverride", "spec.offline"};
  for (gsize i = 0; i < G_N_ELEMENTS(ways); i++) {
    g_autoptr(json_t) m = migration("new", "db", "h2");
    ferry_json_set_bool(m, ways[i], TRUE);
    g_autoptr(GError) none = NULL;
    ferry_admission_check(&w->state, m, &none);
    g_assert_no_error(none);
  }
  /* its memory would be left behind by a migration that sends its definition, too */
  ferry_json_set_bool(db, "spec.domain.managedSave", TRUE);
  g_autoptr(json_t) sent = migration("new", "db", "h2");
  ferry_json_set_bool(sent, "spec.offline", TRUE);
  g_autoptr(GError) saved = NULL;
  ferry_admission_check(&w->state, sent, &saved);
  g_assert_cmpuint(ferry_error_n_causes(saved), ==, 1);
  g_assert_nonnull(strstr(ferry_error_cause(saved, 0)->message, "(ManagedSaveNotLiveMigratable)"));
}

/* what post-copy left in parts does not move, but may be put together again */
static void in_parts(World *w, gconstpointer data) {
  json_t *db = g_ptr_array_index(w->vmis, 0);
  g_autoptr(json_t) parts =
      json_pack("[{s:s, s:s, s:s, s:b}, {s:s, s:s, s:s, s:b}]", "nodeName", "h1", "state", "paused",
                "reason", "postcopy-failed", "active", TRUE, "nodeName", "h2", "state", "running",
                "reason", "postcopy-failed", "active", TRUE);
  ferry_json_set(db, "status.domains", parts);
  for (int resume = FALSE; resume <= TRUE; resume++) {
    g_autoptr(json_t) m = migration("new", "db", "h2");
    ferry_json_set_bool(m, "spec.allowPostCopy", resume);
    ferry_json_set_bool(m, "spec.postCopyResume", resume);
    g_autoptr(GError) error = NULL;
    ferry_admission_check(&w->state, m, &error);
    g_assert_true(resume == !(error && strstr(ferry_error_cause(error, 0)->message,
                                              "(PostCopyFailedNotLiveMigratable)")));
  }
}

static void second_migration(World *w, gconstpointer data) {
  g_autoptr(GError) error = check(w, "web_1", "h1");
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT);
  g_assert_nonnull(strstr(error->message, "\"first\""));
}

/* one that begins at once is in nobody's way beside one that is put off; two of those would be */
static void put_off(World *w, gconstpointer data) {
  json_t *first = g_ptr_array_index(w->migrations, 0);
  ferry_json_set_str(first, "status.phase", "Pending");
  ferry_json_set_str(first, "status.queue.reason", "NotYet");
  g_autoptr(json_t) m = migration("new", "web_1", "h1");
  g_autoptr(GError) now = NULL, later = NULL, far = NULL;
  g_assert_true(ferry_admission_check(&w->state, m, &now));
  ferry_json_set_str(m, "metadata.creationTimestamp", "2026-01-01T00:00:00Z");
  ferry_json_set_str(m, "spec.notBefore", "2026-01-02T00:00:00Z");
  g_assert_false(ferry_admission_check(&w->state, m, &later));
  g_assert_error(later, FERRY_ERROR, FERRY_ERROR_CONFLICT);
  g_assert_nonnull(strstr(later->message, "\"first\"; cancel it first"));
  ferry_json_set_str(first, "status.phase", "Failed");
  g_assert_true(ferry_admission_check(&w->state, m, NULL));
  ferry_json_set_str(m, "spec.notBefore", "2026-02-01T00:00:00Z");
  g_assert_false(ferry_admission_check(&w->state, m, &far));
  g_assert_cmpstr(ferry_error_cause(far, 0)->field, ==, "spec.notBefore");
}

/* what the VM alone says is judged with its migration, and a schedule that is no JSON named */
static void settings_of_the_vm(World *w, gconstpointer data) {
  json_t *db = g_ptr_array_index(w->vmis, 0);
  static const struct {
    const char *schedule, *part;
  } cases[] = {
      {"{\"stalling\":[{\"limit\":-1,\"action\":{\"name\":\"abort\"}}]}", NULL},
      {"{\"stalling\":[]}", "vmi.spec.migration.schedule: must end in abort"},
      {"abort", "vmi.spec.migration.schedule: must be an object"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    ferry_json_set(db, "metadata.annotations",
                   json_pack("{ss}", "ferry.migration/schedule", cases[i].schedule));
    g_autoptr(GError) error = check(w, "db", NULL);
    g_test_message("%s: %s", cases[i].schedule, error ? error->message : "admitted");
    g_assert_cmpint(error != NULL, ==, cases[i].part != NULL);
    if (error) {
      g_autofree char *said = g_strdup_printf("%s: %s", ferry_error_cause(error, 0)->field,
                                              ferry_error_cause(error, 0)->message);
      g_autofree char *plain = g_strdup(said);
      char *words = strstr(plain, "Invalid value: ");
      if (words)
        memmove(words, words + 15, strlen(words + 15) + 1);
      g_assert_true(g_str_has_prefix(plain, cases[i].part));
    }
  }
  ferry_json_set(db, "metadata.annotations", json_pack("{ss}", "ferry.migration/policy", "none"));
  g_autoptr(GError) named = check(w, "db", NULL);
  g_assert_nonnull(strstr(named->message, "there is no MigrationPolicy of that name"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
#define ADD(f) g_test_add("/policy/migration_admission/" #f, World, NULL, set_up, f, tear_down)
  ADD(admits);
  ADD(finds_by_any_name);
  ADD(a_name_that_means_two);
  ADD(a_name_of_the_second_copy);
  ADD(unknown_vm);
  ADD(all_reasons_at_once);
  ADD(unknown_node);
  ADD(machine_of_another_generation);
  ADD(what_the_target_lacks);
  ADD(memory_on_the_way);
  ADD(not_migratable);
  ADD(in_parts);
  ADD(second_migration);
  ADD(put_off);
  ADD(settings_of_the_vm);
  return g_test_run();
}
