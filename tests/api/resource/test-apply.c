// SPDX-License-Identifier: Apache-2.0
// Server-side apply as Kubernetes has it: ownership, conflicts, force, removal, status, and what
// replaces and resets do to managed fields. Managers apply in turns to one object, and after each
// the fields and their owners are compared as a whole.
#include "../http.h"

#define POLICIES "/apis/migrations.kubevirt.io/v1alpha1/migrationpolicies"
#define APPLY "Content-Type: application/apply-patch+yaml"
#define POLICY(spec)                                                                               \
  "{\"apiVersion\":\"migrations.kubevirt.io/v1alpha1\",\"kind\":\"MigrationPolicy\","              \
  "\"metadata\":{\"name\":\"p\"},\"spec\":{\"selectors\":{}" spec "}}"

static Answer *apply(Server *s, const char *manager, const char *more, const char *body) {
  g_autofree char *path = g_strdup_printf(POLICIES "/p?fieldManager=%s%s", manager, more);
  return http_full(s, "admin", "PATCH", path, APPLY, body, (gssize)strlen(body));
}

static Answer *deliver(Server *s, const char *method, const char *path, const char *type,
                       const char *body) {
  return http_full(s, "admin", method, path, type, body, (gssize)strlen(body));
}

/* The fields of a manager's entry, borrowed, or NULL. */
static json_t *fields_of(const json_t *object, const char *manager, const char *operation) {
  gsize i;
  json_t *entry;
  json_array_foreach(ferry_json_get(object, "metadata.managedFields"), i, entry) {
    if (g_strcmp0(ferry_json_str(entry, "manager"), manager) == 0 &&
        g_strcmp0(ferry_json_str(entry, "operation"), operation) == 0)
      return json_object_get(entry, "fieldsV1");
  }
  return NULL;
}

static gboolean owns(const json_t *object, const char *manager, const char *operation,
                     const char *field) {
  return json_object_get(json_object_get(fields_of(object, manager, operation), "f:spec"), field) !=
         NULL;
}

static void ownership(Server *s, gconstpointer data) {
  g_autoptr(Answer) made = apply(s, "a", "", POLICY(",\"maxDowntimeMs\":5,\"allowPostCopy\":true"));
  expect(made, 201);
  g_assert_true(owns(made->json, "a", "Apply", "f:maxDowntimeMs"));
  /* the same again writes nothing */
  gint64 before = ferry_store_revision(s->store);
  g_autoptr(Answer) same = apply(s, "a", "", POLICY(",\"maxDowntimeMs\":5,\"allowPostCopy\":true"));
  expect(same, 200);
  g_assert_cmpint(ferry_store_revision(s->store), ==, before);
  /* the same value from another: both own it */
  g_autoptr(Answer) shared = apply(s, "b", "", POLICY(",\"maxDowntimeMs\":5"));
  expect(shared, 200);
  g_assert_true(owns(shared->json, "b", "Apply", "f:maxDowntimeMs"));
  g_assert_true(owns(shared->json, "a", "Apply", "f:maxDowntimeMs"));
  /* another value is a conflict with each owner, named with its field */
  g_autoptr(Answer) conflict = apply(s, "c", "", POLICY(",\"maxDowntimeMs\":6"));
  expect(conflict, 409);
  json_t *causes = ferry_json_get(conflict->json, "details.causes");
  g_assert_cmpuint(json_array_size(causes), ==, 2);
  g_assert_cmpstr(ferry_json_str(json_array_get(causes, 0), "reason"), ==, "FieldManagerConflict");
  g_assert_cmpstr(ferry_json_str(json_array_get(causes, 0), "field"), ==, ".spec.maxDowntimeMs");
  /* forced: it is c's alone */
  g_autoptr(Answer) forced = apply(s, "c", "&force=true", POLICY(",\"maxDowntimeMs\":6"));
  expect(forced, 200);
  g_assert_true(owns(forced->json, "c", "Apply", "f:maxDowntimeMs"));
  g_assert_false(owns(forced->json, "a", "Apply", "f:maxDowntimeMs"));
  g_assert_false(owns(forced->json, "b", "Apply", "f:maxDowntimeMs"));
  /* a field that its only owner leaves out goes; one that it does not own stays */
  g_autoptr(Answer) less = apply(s, "a", "", POLICY(""));
  expect(less, 200);
  g_assert_null(ferry_json_get(less->json, "spec.allowPostCopy"));
  g_assert_cmpint(ferry_json_int(less->json, "spec.maxDowntimeMs", 0), ==, 6);
}

static void other_writes(Server *s, gconstpointer data) {
  g_autoptr(Answer) made = http_full(s, "admin", "POST", POLICIES "?fieldManager=hand", NULL,
                                     POLICY(",\"maxDowntimeMs\":5"), -1);
  expect(made, 201);
  g_assert_true(owns(made->json, "hand", "Update", "f:maxDowntimeMs"));
  /* an exported object comes with who owned it there */
  g_autoptr(Answer) copy = deliver(
      s, "POST", POLICIES "?fieldManager=hand", "Content-Type: application/json",
      "{\"metadata\":{\"name\":\"q\",\"managedFields\":[{\"manager\":\"x\",\"operation\":\"Apply\","
      "\"apiVersion\":\"migrations.kubevirt.io/v1alpha1\",\"fieldsType\":\"FieldsV1\","
      "\"fieldsV1\":{\"f:spec\":{\"f:maxDowntimeMs\":{}}}}]},"
      "\"spec\":{\"selectors\":{},\"maxDowntimeMs\":5}}");
  expect(copy, 201);
  g_assert_true(owns(copy->json, "hand", "Update", "f:maxDowntimeMs"));
  g_assert_null(fields_of(copy->json, "x", "Apply"));
  g_autoptr(Answer) patched = deliver(s, "PATCH", POLICIES "/p?fieldManager=tool", MERGE,
                                      "{\"spec\":{\"maxDowntimeMs\":6,\"allowPostCopy\":true}}");
  expect(patched, 200);
  g_assert_false(owns(patched->json, "hand", "Update", "f:maxDowntimeMs"));
  g_assert_true(owns(patched->json, "tool", "Update", "f:maxDowntimeMs"));
  /* a replace that leaves managedFields out keeps them; what it changes is its own */
  g_autoptr(Answer) put = deliver(s, "PUT", POLICIES "/p?fieldManager=put",
                                  "Content-Type: application/json", POLICY(",\"maxDowntimeMs\":7"));
  expect(put, 200);
  g_assert_true(owns(put->json, "put", "Update", "f:maxDowntimeMs"));
  g_assert_false(owns(put->json, "tool", "Update", "f:allowPostCopy"));
  /* a client may write the list itself, as kubectl does after a client-side apply */
  g_autofree char *rewrite = g_strdup_printf(
      "[{\"op\":\"replace\",\"path\":\"/metadata/"
      "managedFields\",\"value\":[{\"manager\":\"kubectl\","
      "\"operation\":\"Apply\",\"apiVersion\":\"migrations.kubevirt.io/v1alpha1\","
      "\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{\"f:spec\":{\"f:maxDowntimeMs\":{}}}}]},"
      "{\"op\":\"replace\",\"path\":\"/metadata/resourceVersion\",\"value\":\"%s\"}]",
      ferry_json_str(put->json, "metadata.resourceVersion"));
  g_autoptr(Answer) rewritten = deliver(s, "PATCH", POLICIES "/p?fieldManager=tool",
                                        "Content-Type: application/json-patch+json", rewrite);
  expect(rewritten, 200);
  g_assert_cmpuint(json_array_size(ferry_json_get(rewritten->json, "metadata.managedFields")), ==,
                   1);
  g_assert_true(owns(rewritten->json, "kubectl", "Apply", "f:maxDowntimeMs"));
  g_autoptr(Answer) stale = deliver(s, "PATCH", POLICIES "/p?fieldManager=tool",
                                    "Content-Type: application/json-patch+json", rewrite);
  expect(stale, 409);
  /* an empty list forgets it all, then a first apply conflicts with who was before */
  g_autoptr(Answer) reset =
      deliver(s, "PATCH", POLICIES "/p", MERGE, "{\"metadata\":{\"managedFields\":[]}}");
  expect(reset, 200);
  g_assert_null(ferry_json_get(reset->json, "metadata.managedFields"));
  g_autoptr(Answer) conflict = apply(s, "a", "", POLICY(",\"maxDowntimeMs\":8"));
  expect(conflict, 409);
  g_assert_nonnull(strstr(conflict->body, "before-first-apply"));
  g_autoptr(Answer) forced = apply(s, "a", "&force=1", POLICY(",\"maxDowntimeMs\":8"));
  expect(forced, 200);
  g_assert_nonnull(fields_of(forced->json, "before-first-apply", "Update"));
}

/* managedFields of about so many bytes, in one way or another. */
static char *managed_of(gsize bytes, guint entries, const char *prefix) {
  g_autoptr(GString) out = g_string_new("[");
  for (guint i = 0; i < entries; i++) {
    gsize from = out->len;
    g_string_append_printf(out,
                           "%s{\"manager\":\"m%u\",\"operation\":\"Apply\",\"apiVersion\":"
                           "\"migrations.kubevirt.io/v1alpha1\",\"fieldsType\":\"FieldsV1\","
                           "\"fieldsV1\":{\"f:metadata\":{\"%s\":{\"f:a\":{}",
                           i ? "," : "", i, prefix);
    for (guint k = 0; out->len - from < bytes / entries; k++)
      g_string_append_printf(out, ",\"f:k%u\":{}", k);
    g_string_append(out, "}}}}");
  }
  g_string_append_c(out, ']');
  return g_strdup(out->str);
}

/* Who owns what is read again by each later write: it is bounded, whoever makes it large. */
static void bounded(Server *s, gconstpointer data) {
  g_autofree char *prefix = g_strnfill(480, 'x');
  const struct {
    const char *what;
    gsize bytes;
    guint entries;
    long status;
  } cases[] = {{"within", 200000, 1, 200},
               {"of one", 300000, 1, 422},
               {"of many", 300000, 150, 422},
               {"nothing in it", 1000, 1, 200}};
  g_autoptr(Answer) made = http(s, "POST", POLICIES, POLICY(",\"maxDowntimeMs\":5"));
  expect(made, 201);
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *managed =
        managed_of(cases[i].bytes, cases[i].entries, i % 2 ? "f:labels" : prefix);
    g_autofree char *patch = g_strdup_printf("{\"metadata\":{\"managedFields\":%s}}", managed);
    g_autoptr(Answer) a = deliver(s, "PATCH", POLICIES "/p", MERGE, patch);
    g_test_message("%s: %.200s", cases[i].what, a->body);
    g_assert_cmpint(a->status, ==, cases[i].status);
    g_assert_true(a->status == 200 || strstr(a->body, "metadata.managedFields: Too long"));
  }
  /* the same by applying */
  g_autoptr(GString) notes = g_string_new(
      ",\"maxDowntimeMs\":5},\"metadata\":{\"name\":\"p\",\"annotations\":{\"a\":\"\"");
  for (guint i = 0; i < 900; i++)
    g_string_append_printf(notes, ",\"%.55s-%u\":\"\"", prefix, i);
  g_string_append(notes, "}");
  g_autofree char *config = g_strdup_printf(
      "{\"apiVersion\":\"migrations.kubevirt.io/v1alpha1\",\"kind\":\"MigrationPolicy\",\"spec\":{"
      "\"selectors\":{}%s}}",
      notes->str);
  long status = 200;
  guint n = 0;
  for (; n < 8 && status == 200; n++) {
    g_autofree char *manager = g_strdup_printf("apply%u", n);
    g_autoptr(Answer) a = apply(s, manager, "", config);
    status = a->status;
    g_test_message("%.200s", a->body);
  }
  g_assert_cmpint(status, ==, 422);
  g_assert_cmpuint(n, >, 1);
}

static void status_apart(Server *s, gconstpointer data) {
  static const char body[] = "apiVersion: ferry.migration/v1\nkind: Network\nmetadata:\n  name: n\n"
                             "spec:\n  subnets: [10.0.0.0/8]\n";
  static const char status[] =
      "apiVersion: ferry.migration/v1\nkind: Network\nmetadata:\n  name: n\n"
      "status:\n  conditions:\n  - {type: Ready, status: 'True'}\n";
  g_autoptr(Answer) made =
      deliver(s, "PATCH", "/apis/ferry.migration/v1/networks/n?fieldManager=a", APPLY, body);
  expect(made, 201);
  g_autoptr(Answer) set = deliver(
      s, "PATCH", "/apis/ferry.migration/v1/networks/n/status?fieldManager=a", APPLY, status);
  expect(set, 200);
  json_t *entries = ferry_json_get(set->json, "metadata.managedFields");
  g_assert_cmpuint(json_array_size(entries), ==, 2);
  json_t *entry = json_array_get(entries, 1);
  g_assert_cmpstr(ferry_json_str(entry, "subresource"), ==, "status");
  g_assert_nonnull(json_object_get(ferry_json_get(entry, "fieldsV1.f:status.f:conditions"),
                                   "k:{\"type\":\"Ready\"}"));
  g_assert_nonnull(ferry_json_get(set->json, "spec.subnets"));
  g_autoptr(Answer) other = deliver(
      s, "PATCH", "/apis/ferry.migration/v1/networks/n/status?fieldManager=b", APPLY,
      "{\"apiVersion\":\"ferry.migration/v1\",\"kind\":\"Network\",\"status\":{\"conditions\":"
      "[{\"type\":\"Ready\",\"status\":\"False\"}]}}");
  expect(other, 409);
}

#define NETWORK "/apis/ferry.migration/v1/networks/n"
#define CONDITIONS(list)                                                                           \
  "{\"apiVersion\":\"ferry.migration/v1\",\"kind\":\"Network\",\"status\":{" list "}}"
#define CONDITION(type, more) "\"conditions\":[{\"type\":\"" type "\",\"status\":\"True\"" more "}]"

static Answer *apply_status(Server *s, const char *manager, const char *body) {
  g_autofree char *path = g_strconcat(NETWORK "/status?fieldManager=", manager, NULL);
  return deliver(s, "PATCH", path, APPLY, body);
}

/* An element of a list that its only owner leaves out goes as a whole, also what nobody owns of it;
 * one that another has a part in keeps the field that it is known by. */
static void elements_go_whole(Server *s, gconstpointer data) {
  g_autoptr(Answer) made =
      deliver(s, "POST", "/apis/ferry.migration/v1/networks", "Content-Type: application/json",
              "{\"metadata\":{\"name\":\"n\"},\"spec\":{\"subnets\":[\"10.0.0.0/8\"]}}");
  expect(made, 201);
  const char *full = CONDITIONS(CONDITION("T1", ",\"reason\":\"R\",\"message\":\"m\""));
  g_autoptr(Answer) set = apply_status(s, "a", full);
  expect(set, 200);
  g_autoptr(json_t) network = ferry_store_get(s->store, &ferry_kind_network, "", "n");
  g_autoptr(json_t) copy = json_deep_copy(network);
  json_object_set_new(json_array_get(ferry_json_get(copy, "status.conditions"), 0),
                      "lastTransitionTime", json_string("2026-01-01T00:00:00Z"));
  FerryWrite write = {
      .op = FERRY_WRITE_UPDATE, .kind = &ferry_kind_network, .ns = "", .name = "n", .object = copy};
  g_assert_true(ferry_store_commit(s->store, &write, 1, NULL, NULL));
  g_autoptr(Answer) left = apply_status(s, "a", CONDITIONS());
  expect(left, 200);
  g_assert_cmpuint(json_array_size(ferry_json_get(left->json, "status.conditions")), ==, 0);
  g_autoptr(Answer) again = apply_status(s, "a", full);
  expect(again, 200);
  g_autoptr(Answer) part = apply_status(s, "b", CONDITIONS(CONDITION("T1", "")));
  expect(part, 200);
  g_autoptr(Answer) less = apply_status(s, "a", CONDITIONS());
  expect(less, 200);
  json_t *element = json_array_get(ferry_json_get(less->json, "status.conditions"), 0);
  g_assert_cmpstr(ferry_json_str(element, "type"), ==, "T1");
  g_assert_null(ferry_json_str(element, "reason"));
  /* the same where another owns no more than one field of it, not the key */
  g_autoptr(Answer) taken = apply_status(s, "a", full);
  expect(taken, 200);
  g_autoptr(Answer) none = apply_status(s, "b", CONDITIONS());
  expect(none, 200);
  g_autoptr(Answer) word =
      deliver(s, "PATCH", NETWORK "/status?fieldManager=c",
              "Content-Type: application/strategic-merge-patch+json",
              "{\"status\":{\"conditions\":[{\"type\":\"T1\",\"status\":\"False\"}]}}");
  expect(word, 200);
  g_autoptr(Answer) rest = apply_status(s, "a", CONDITIONS());
  expect(rest, 200);
  element = json_array_get(ferry_json_get(rest->json, "status.conditions"), 0);
  g_assert_cmpstr(ferry_json_str(element, "type"), ==, "T1");
  g_assert_cmpstr(ferry_json_str(element, "status"), ==, "False");
  g_assert_null(ferry_json_str(element, "message"));
}

#define LABELLED(labels)                                                                           \
  "{\"apiVersion\":\"migrations.kubevirt.io/v1alpha1\",\"kind\":\"MigrationPolicy\","              \
  "\"metadata\":{\"name\":\"p\"" labels "},\"spec\":{\"selectors\":{}}}"

/* Who sent a map empty owns the map, not what others put into it. */
static void empty_maps_hold_others_fields(Server *s, gconstpointer data) {
  g_autoptr(Answer) made = apply(s, "a", "", LABELLED(",\"labels\":{}"));
  expect(made, 201);
  g_autoptr(Answer) other = apply(s, "b", "", LABELLED(",\"labels\":{\"x\":\"1\"}"));
  expect(other, 200);
  g_autoptr(Answer) left = apply(s, "a", "", LABELLED());
  expect(left, 200);
  g_assert_cmpstr(ferry_json_str(left->json, "metadata.labels.x"), ==, "1");
  /* nor what nobody is known to own */
  g_autoptr(Answer) back = apply(s, "b", "", LABELLED(",\"labels\":{}"));
  expect(back, 200);
  g_assert_null(ferry_json_get(back->json, "metadata.labels.x"));
  g_autoptr(json_t) policy = ferry_store_get(s->store, &ferry_kind_migration_policy, "", "p");
  g_autoptr(json_t) copy = json_deep_copy(policy);
  ferry_json_set_str(copy, "metadata.labels.y", "2");
  FerryWrite write = {.op = FERRY_WRITE_UPDATE,
                      .kind = &ferry_kind_migration_policy,
                      .ns = "",
                      .name = "p",
                      .object = copy};
  g_assert_true(ferry_store_commit(s->store, &write, 1, NULL, NULL));
  g_autoptr(Answer) last = apply(s, "b", "", LABELLED());
  expect(last, 200);
  g_assert_cmpstr(ferry_json_str(last->json, "metadata.labels.y"), ==, "2");
}

/* What the server takes for text is text to the comparison, too. */
static void read_as_it_is_stored(Server *s, gconstpointer data) {
  static const char body[] =
      "apiVersion: migrations.kubevirt.io/v1alpha1\nkind: MigrationPolicy\n"
      "spec:\n  selectors: {namespaceSelector: {zz: true, n: 1}}\n  maxDowntimeMs: 5.0\n"
      "  colour: red\n";
  g_autoptr(Answer) made = apply(s, "a", "", body);
  expect(made, 201);
  g_assert_cmpstr(ferry_json_str(made->json, "spec.selectors.namespaceSelector.zz"), ==, "true");
  g_autoptr(Answer) other = apply(s, "b", "", body);
  expect(other, 200);
  g_assert_true(owns(other->json, "a", "Apply", "f:maxDowntimeMs"));
  g_assert_true(owns(other->json, "b", "Apply", "f:maxDowntimeMs"));
  g_assert_false(owns(other->json, "b", "Apply", "f:colour")); /* it is not there */
  g_autoptr(Answer) conflict =
      apply(s, "b", "",
            "{\"apiVersion\":\"migrations.kubevirt.io/v1alpha1\",\"kind\":\"MigrationPolicy\","
            "\"spec\":{\"selectors\":{\"namespaceSelector\":{\"zz\":false}}}}");
  expect(conflict, 409);
}

typedef struct {
  Server *server;
  int who, round;
} Applier;

static gpointer apply_first(gpointer data) {
  Applier *a = data;
  g_autofree char *path = g_strdup_printf(POLICIES "/p%d?fieldManager=m%d", a->round, a->who);
  g_autofree char *body =
      g_strdup_printf("{\"apiVersion\":\"migrations.kubevirt.io/"
                      "v1alpha1\",\"kind\":\"MigrationPolicy\",\"metadata\":"
                      "{\"name\":\"p%d\",\"labels\":{\"m%d\":\"x\"}},\"spec\":{\"selectors\":{}}}",
                      a->round, a->who);
  g_autoptr(Answer) answer = deliver(a->server, "PATCH", path, APPLY, body);
  return GINT_TO_POINTER((int)answer->status);
}

/* Several that come first at once: one makes it, the others add their part. */
static void first_at_once(Server *s, gconstpointer data) {
  for (int round = 0; round < 20; round++) {
    GThread *threads[8];
    Applier appliers[G_N_ELEMENTS(threads)];
    guint made = 0, changed = 0;
    for (int i = 0; i < (int)G_N_ELEMENTS(threads); i++) {
      appliers[i] = (Applier){s, i, round};
      threads[i] = g_thread_new(NULL, apply_first, &appliers[i]);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++) {
      int status = GPOINTER_TO_INT(g_thread_join(threads[i]));
      made += status == 201;
      changed += status == 200;
    }
    g_assert_cmpuint(made, ==, 1);
    g_assert_cmpuint(changed, ==, G_N_ELEMENTS(threads) - 1);
    g_autofree char *path = g_strdup_printf(POLICIES "/p%d", round);
    g_autoptr(Answer) is = http(s, "GET", path, NULL);
    g_assert_cmpuint(json_object_size(ferry_json_get(is->json, "metadata.labels")), ==,
                     G_N_ELEMENTS(threads));
  }
}

static void refused(Server *s, gconstpointer data) {
  gint64 before = ferry_store_revision(s->store);
  const struct {
    const char *query, *body;
    long status;
  } cases[] = {
      {"", POLICY(""), 400}, /* no fieldManager */
      {"?fieldManager=a", POLICY(",\"$patch\":\"delete\""), 400},
      {"?fieldManager=a", "{\"metadata\":{\"name\":\"p\"}}", 400},
      {"?fieldManager=a", "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{}}", 400},
      {"?fieldManager=a", POLICY("},\"metadata\":{\"name\":\"q\""), 400},
      {"?fieldManager=a", "[]", 400},
      {"?fieldManager=a", "a: [", 400},
      {"?fieldManager=a", POLICY(",\"maxDowntimeMs\":0"), 422},
      {"?fieldManager=a&fieldValidation=Strict", POLICY(",\"maxDowntimes\":1"), 400},
      {"?fieldManager=a&dryRun=Yes", POLICY(""), 400},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *path = g_strconcat(POLICIES "/p", cases[i].query, NULL);
    g_autoptr(Answer) a = deliver(s, "PATCH", path, APPLY, cases[i].body);
    g_test_message("%s %s: %s", cases[i].query, cases[i].body, a->body);
    g_assert_cmpint(a->status, ==, cases[i].status);
  }
  g_autoptr(Answer) dry = apply(s, "a", "&dryRun=All", POLICY(""));
  expect(dry, 201);
  g_assert_cmpint(ferry_store_revision(s->store), ==, before);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  g_test_add("/apply/ownership", Server, NULL, server_up, ownership, server_down);
  g_test_add("/apply/other-writes", Server, NULL, server_up, other_writes, server_down);
  g_test_add("/apply/status", Server, NULL, server_up, status_apart, server_down);
  g_test_add("/apply/elements", Server, NULL, server_up, elements_go_whole, server_down);
  g_test_add("/apply/empty-maps", Server, NULL, server_up, empty_maps_hold_others_fields,
             server_down);
  g_test_add("/apply/as-stored", Server, NULL, server_up, read_as_it_is_stored, server_down);
  g_test_add("/apply/first-at-once", Server, NULL, server_up, first_at_once, server_down);
  g_test_add("/apply/bounded", Server, NULL, server_up, bounded, server_down);
  g_test_add("/apply/refused", Server, NULL, server_up, refused, server_down);
  return g_test_run();
}
