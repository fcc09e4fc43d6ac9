// SPDX-License-Identifier: Apache-2.0
// One odd domain does not hide its host: it is left out and named, what was known of it stays.
#include "control/inventory_left_out.h"
#include "model/agents/domain_record.h"
#include "world.h"
#include <string.h>

#define ODD "99999999-2222-3333-4444-555555555555"

static json_t *valid(const char *uuid, const char *name) {
  return json_pack("{ss,ss,ss,ss,sb}", "uuid", uuid, "name", name, "state", "running", "reason",
                   "booted", "active", 1);
}

static json_t *list_of(guint n, json_t *element) {
  json_t *list = json_array();
  for (guint i = 0; i < n; i++)
    json_array_append(list, element);
  json_decref(element);
  return list;
}

static json_t *long_text(gsize n) {
  g_autofree char *text = g_malloc(n + 1);
  memset(text, 'x', n);
  text[n] = '\0';
  return json_string(text);
}

static json_t *disk(void) {
  return json_pack("{ss,ss}", "name", "vda", "type", "file");
}

/* The store, after h1 has reported `domains` (taken). */
static void tell(FerryStore *store, json_t *domains, gboolean full) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) body = json_pack("{sb,so}", "full", full, "domains", domains);
  ferry_inventory_report(store, "h1", body, WORLD_NOW, &error);
  g_assert_no_error(error);
}

static json_t *at(FerryStore *store, const char *uuid) {
  return ferry_store_get_by_uid(store, &ferry_kind_vmi, uuid);
}

/* The condition's message, NULL: there is none. */
static char *said(FerryStore *store) {
  g_autoptr(json_t) node = ferry_store_get(store, &ferry_kind_node, "", "h1");
  const json_t *condition =
      ferry_json_find(ferry_json_get(node, "status.conditions"), "type", "InvalidDomains");
  g_assert_true((condition != NULL) ==
                (json_array_size(ferry_json_get(node, "status.invalidDomains")) > 0));
  return g_strdup(ferry_json_str(condition, "message"));
}

#define assert_said(store, text)                                                                   \
  do {                                                                                             \
    g_autofree char *message = said(store);                                                        \
    g_assert_nonnull(message);                                                                     \
    if (!strstr(message, text))                                                                    \
      g_error("\"%s\" is not in: %s", text, message);                                              \
  } while (0)

#define assert_silent(store)                                                                       \
  do {                                                                                             \
    g_autofree char *message = said(store);                                                        \
    g_assert_cmpstr(message, ==, NULL);                                                            \
  } while (0)

static guint events(FerryStore *store) {
  g_autoptr(GPtrArray) all = ferry_store_list(store, &ferry_kind_event, NULL, NULL);
  guint n = 0;
  for (guint i = 0; i < all->len; i++)
    n += g_strcmp0(ferry_json_str(g_ptr_array_index(all, i), "reason"), "InvalidDomains") == 0;
  return n;
}

/* Whatever is wrong with one domain, the other one is merged and the message says what it is. */
static void odd_with(const char *path, json_t *value, const char *text) {
  g_autoptr(FerryStore) store = world_new();
  json_t *odd = valid(ODD, "odd");
  ferry_json_set(odd, path, value);
  tell(store, json_pack("[o,o]", odd, valid("22222222-2222-3333-4444-555555555555", "fine")),
       FALSE);
  g_autoptr(json_t) fine = at(store, "22222222-2222-3333-4444-555555555555");
  g_autoptr(json_t) none = at(store, ODD);
  g_assert_nonnull(fine);
  g_assert_null(none);
  assert_said(store, text);
  if (!g_str_equal(path, "uuid"))
    assert_said(store, ODD);
  g_assert_cmpuint(events(store), ==, 1);
}

static void test_whatever_is_wrong(void) {
  odd_with("state", json_string("flying"), "domain.state");
  odd_with("state", NULL, "domain.state");
  odd_with("name", json_string(""), "domain.name");
  odd_with("name", long_text(1025), "domain.name: Too long");
  odd_with("reason", long_text(257), "domain.reason: Too long");
  odd_with("vcpus", json_string("four"), "expected an integer");
  odd_with("vcpus", json_integer(-1), "domain.vcpus");
  odd_with("active", json_integer(1), "domain.active");
  odd_with("job", json_array(), "domain.job");
  odd_with("labels", json_string("a=b"), "domain.labels");
  odd_with("memoryBytes", json_integer(FERRY_RECORD_MAX_MEMORY + 1), "domain.memoryBytes");
  odd_with("disks", list_of(FERRY_RECORD_MAX_DEVICES + 1, disk()), "domain.disks: Too many: 513");
  odd_with("disks", list_of(2, json_integer(7)), "domain.disks[1]");
  odd_with("migrationPolicy", long_text(20000), "domain.migrationPolicy: Too long");
  odd_with("uuid", json_string("1-2-3"), "odd (no UUID)");
  odd_with("uuid", NULL, "domain.uuid");
  odd_with("uuid", json_integer(5), "domain.uuid");
}

static void test_every_reason(void) {
  g_autoptr(FerryStore) store = world_new();
  json_t *odd = valid(ODD, "odd");
  ferry_json_set(odd, "vcpus", json_real(1.5));
  ferry_json_set_str(odd, "state", "on");
  ferry_json_set(odd, "disks", json_pack("[{ss,si}]", "name", "vda", "sizeBytes", -1));
  tell(store, json_pack("[o,i,n]", odd, 7), FALSE);
  assert_said(store, "domain.vcpus");
  assert_said(store, "domain.state");
  assert_said(store, "domain.disks[0].sizeBytes");
  assert_said(store, "no name (no UUID): domain: Invalid value: expected an object");
}

/* Of two with one UUID the first counts, however the second spells it. */
static void test_duplicate(void) {
  g_autoptr(FerryStore) store = world_new();
  g_autofree char *upper = g_ascii_strup("aaaaaaaa-2222-3333-4444-555555555555", -1);
  tell(
      store,
      json_pack("[o,o]", valid("aaaaaaaa-2222-3333-4444-555555555555", "one"), valid(upper, "two")),
      FALSE);
  g_autoptr(json_t) one = at(store, "aaaaaaaa-2222-3333-4444-555555555555");
  g_assert_cmpstr(ferry_json_str(one, "spec.domainName"), ==, "one");
  assert_said(store, "two (aaaaaaaa-2222-3333-4444-555555555555): domain.uuid: Duplicate");
}

/* The VM that is known stays as it was last said, also where a full report leaves it out. */
static void test_known_stays(void) {
  g_autoptr(FerryStore) store = world_new();
  g_autoptr(json_t) before = at(store, WORLD_UUID);
  for (guint k = 0; k < 4; k++) {
    json_t *odd = valid(WORLD_UUID, "db");
    if (k & 1)
      ferry_json_set(odd, "disks", json_string("none"));
    else
      ferry_json_set(odd, "uuid", k ? json_string("db") : NULL);
    tell(store, json_pack("[o]", odd), TRUE);
    g_autoptr(json_t) after = at(store, WORLD_UUID);
    g_assert_true(json_equal(before, after));
    assert_said(store, "db (");
  }
  /* gone is what is said to be gone */
  world_report(store, "h1", NULL, NULL, WORLD_NOW);
  g_assert_null(at(store, WORLD_UUID));
}

/* It is said once, and no longer than it is so. */
static void test_cleared(void) {
  static const char *const ways[] = {"valid", "removed", "full", "full of parts"};
  for (gsize i = 0; i < G_N_ELEMENTS(ways); i++) {
    g_autoptr(FerryStore) store = world_new();
    g_autoptr(GError) error = NULL;
    for (guint k = 0; k < 3; k++) {
      json_t *odd = valid(ODD, "odd");
      ferry_json_set(odd, "vcpus", json_true());
      tell(store, json_pack("[o]", odd), FALSE);
    }
    world_report(store, "h1", "running", "booted", WORLD_NOW); /* of another one */
    assert_said(store, ODD);
    g_assert_cmpuint(events(store), ==, 1);
    g_autoptr(json_t) body = NULL;
    if (i == 0)
      body = json_pack("{s[o]}", "domains", valid(ODD, "odd"));
    else if (i == 1)
      body = json_pack("{s[s]}", "removed", ODD);
    else
      body = json_pack("{sb,s[],s[s]}", "full", 1, "domains", "present", i == 2 ? WORLD_UUID : ODD);
    ferry_inventory_report(store, "h1", body, WORLD_NOW, &error);
    g_assert_no_error(error);
    if (i == 3)
      assert_said(store, ODD);
    else
      assert_silent(store);
    g_assert_cmpuint(events(store), ==, 1);
  }
}

/* Hundreds of them make no object without end. */
static void test_bounded(void) {
  g_autoptr(FerryStore) store = world_new();
  json_t *domains = json_array();
  for (guint i = 0; i < 500; i++) {
    g_autofree char *uuid = g_strdup_printf("%08x-2222-3333-4444-555555555555", i);
    json_t *odd = valid(uuid, "\xc3\xa4\xc3\xa4");
    ferry_json_set(odd, "disks", list_of(100, long_text(3000)));
    ferry_json_set(odd, "name", long_text(5000));
    json_array_append_new(domains, odd);
  }
  tell(store, domains, TRUE);
  g_autoptr(json_t) node = ferry_store_get(store, &ferry_kind_node, "", "h1");
  g_assert_cmpuint(json_array_size(ferry_json_get(node, "status.invalidDomains")), ==,
                   FERRY_REPORT_MAX_LEFT_OUT);
  g_assert_cmpuint(json_dumpb(node, NULL, 0, JSON_COMPACT), <, 256 * 1024);
  assert_said(store, "at least 64");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/inventory_left_out/whatever-is-wrong", test_whatever_is_wrong);
  g_test_add_func("/inventory_left_out/every-reason", test_every_reason);
  g_test_add_func("/inventory_left_out/duplicate", test_duplicate);
  g_test_add_func("/inventory_left_out/known-stays", test_known_stays);
  g_test_add_func("/inventory_left_out/cleared", test_cleared);
  g_test_add_func("/inventory_left_out/bounded", test_bounded);
  return g_test_run();
}
