// SPDX-License-Identifier: Apache-2.0
#include "helper.h"

static FerryViews *views;

static void put_object(FerryIndex *index, const char *ns, const char *name, json_t *object,
                       gint64 revision) {
  g_autoptr(FerryStored) stored = stored_of(views, object, revision);
  ferry_index_put(index, "g", "things", ns, name, stored, object);
}

/* What the array has at a place; good until it was asked eight times more. */
static const char *name_of(FerryStored *stored) {
  static char names[8][64];
  static guint turn;
  json_auto_t *object = ferry_stored_view(stored);
  char *name = names[turn++ % G_N_ELEMENTS(names)];
  if (object)
    g_strlcpy(name, thing_name(object), sizeof names[0]);
  return object ? name : NULL;
}

static void put(FerryIndex *index, const char *ns, const char *name, const char *uid,
                gint64 value) {
  json_auto_t *object = thing(name, uid, value);
  put_object(index, ns, name, object, value);
}

static const char *name_by_uid(FerryIndex *index, const char *uid) {
  return name_of(ferry_index_find_uid(index, "g", "things", uid));
}

static void test_uid_follows_its_object(void) {
  FerryIndex *index = ferry_index_new();
  put(index, "n", "a", "u1", 1);
  put(index, "n", "a", "u2", 2); /* an object made anew under its name */
  g_assert_null(name_by_uid(index, "u1"));
  g_assert_cmpstr(name_by_uid(index, "u2"), ==, "a");
  put(index, "n", "a", NULL, 3);
  g_assert_null(name_by_uid(index, "u2"));
  put(index, "n", "a", "", 4);
  g_assert_null(name_by_uid(index, ""));
  g_assert_cmpuint(ferry_index_size(index), ==, 1);
  g_assert_null(ferry_index_find(index, "other", "things", "n", "a"));
  ferry_index_free(index);
}

static void test_shared_uid(void) {
  static const char *const orders[] = {"abc", "acb", "bac", "bca", "cab", "cba"};
  for (gsize o = 0; o < G_N_ELEMENTS(orders); o++) {
    FerryIndex *index = ferry_index_new();
    put(index, "n", "a", "u", 1);
    put(index, "n", "b", "u", 2);
    put(index, "n", "c", "u", 3);
    g_assert_cmpstr(name_by_uid(index, "u"), ==, "c");
    for (int i = 0; i < 3; i++) {
      char name[2] = {orders[o][i], '\0'};
      ferry_index_remove(index, ferry_index_find(index, "g", "things", "n", name));
      const char *left = name_by_uid(index, "u");
      if (i == 2)
        g_assert_null(left);
      else /* one of those that are still there */
        g_assert_nonnull(strchr(orders[o] + i + 1, *left));
    }
    ferry_index_free(index);
  }
}

static void test_many_in_order(void) {
  FerryIndex *index = ferry_index_new();
  for (guint i = 0; i < 5000; i++) {
    g_autofree char *name = g_strdup_printf("o%05u", (i * 7919) % 5000);
    put(index, i % 3 == 0 ? "x" : "y", name, NULL, i);
  }
  g_autoptr(GPtrArray) all = ferry_index_list(index, "g", "things", NULL);
  g_autoptr(GPtrArray) x = ferry_index_list(index, "g", "things", "x");
  g_assert_cmpuint(all->len, ==, 5000);
  g_assert_cmpuint(x->len, ==, 1667);
  for (guint i = 1; i < all->len; i++)
    if (i != x->len)
      g_assert_cmpstr(name_of(all->pdata[i - 1]), <, name_of(all->pdata[i]));
  for (guint i = 0; i < x->len; i++)
    g_assert_true(x->pdata[i] == all->pdata[i]);
  ferry_index_free(index);
}

static void put_domain(FerryIndex *index, const char *ns, const char *name, const char *domain) {
  json_auto_t *object = thing(name, NULL, 1);
  if (domain)
    json_object_set_new(json_object_get(object, "spec"), "domainName", json_string(domain));
  put_object(index, ns, name, object, 1);
}

static const char *name_by_domain(FerryIndex *index, const char *ns, const char *domain) {
  return name_of(ferry_index_find_domain(index, "g", "things", ns, domain));
}

/* Found where it is the only one of its name in the namespace, whatever came and went. */
static void test_domain(void) {
  FerryIndex *index = ferry_index_new();
  g_assert_null(name_by_domain(index, "n", "d"));
  put_domain(index, "n", "a", "d");
  put_domain(index, "m", "a", "d");
  g_assert_cmpstr(name_by_domain(index, "n", "d"), ==, "a");
  put_domain(index, "n", "b", "d");
  g_assert_null(name_by_domain(index, "n", "d"));
  g_assert_cmpstr(name_by_domain(index, "m", "d"), ==, "a");
  put_domain(index, "n", "a", "e"); /* renamed */
  g_assert_cmpstr(name_by_domain(index, "n", "d"), ==, "b");
  g_assert_cmpstr(name_by_domain(index, "n", "e"), ==, "a");
  put_domain(index, "n", "a", "e");
  put_domain(index, "n", "b", NULL);
  g_assert_null(name_by_domain(index, "n", "d"));
  ferry_index_remove(index, ferry_index_find(index, "g", "things", "n", "a"));
  g_assert_null(name_by_domain(index, "n", "e"));
  ferry_index_remove(index, ferry_index_find(index, "g", "things", "m", "a"));
  g_assert_null(name_by_domain(index, "m", "d"));
  g_assert_null(name_by_domain(index, "n/a", ""));
  ferry_index_free(index);
}

/* The names of what is found by a word, each with a blank. */
static char *names_by(FerryIndex *index, const FerryKind *kind, FerryIndexBy by, const char *word) {
  g_autoptr(GPtrArray) found = ferry_index_select(index, kind->group, kind->plural, by, word);
  GString *names = g_string_new(NULL);
  g_assert_cmpuint(ferry_index_select_count(index, kind->group, kind->plural, by, word), ==,
                   found->len);
  for (guint i = 0; i < found->len; i++)
    g_string_append_printf(names, "%s ", name_of(g_ptr_array_index(found, i)));
  return g_string_free(names, FALSE);
}

#define FINDS(kind, by, word, wanted)                                                              \
  G_STMT_START {                                                                                   \
    g_autofree char *names = names_by(index, kind, by, word);                                      \
    g_assert_cmpstr(names, ==, wanted);                                                            \
  }                                                                                                \
  G_STMT_END

/* Takes the object's JSON. */
static void put_kind(FerryIndex *index, const FerryKind *kind, const char *name, const char *json) {
  json_auto_t *object = json_loads(json, 0, NULL);
  g_assert_nonnull(object);
  json_object_set_new(object, "metadata",
                      json_pack("{ss,ss}", "name", name, "namespace", "default"));
  g_autoptr(FerryStored) stored = stored_of(views, object, 1);
  ferry_index_put(index, kind->group, kind->plural, "default", name, stored, object);
}

static void test_words(void) {
  FerryIndex *index = ferry_index_new();
  const FerryKind *vmi = &ferry_kind_vmi, *vmim = &ferry_kind_vmim;
  put_kind(index, vmi, "b",
           "{\"status\":{\"nodeName\":\"h1\",\"domains\":[{\"nodeName\":\"h1\"},{\"nodeName\":"
           "\"h2\"}]}}");
  put_kind(index, vmi, "a",
           "{\"status\":{\"nodeName\":\"h1\",\"domains\":[{\"nodeName\":\"h1\"}]}}");
  put_kind(index, vmi, "gone", "{\"status\":{\"nodeName\":\"h3\"}}");
  FINDS(vmi, FERRY_BY_NODE, "h1", "a b ");
  FINDS(vmi, FERRY_BY_NODE, "h2", "b ");
  FINDS(vmi, FERRY_BY_NODE, "", "gone ");
  put_kind(index, vmi, "b", "{\"status\":{\"domains\":[{\"nodeName\":\"h2\"}]}}");
  FINDS(vmi, FERRY_BY_NODE, "h1", "a ");
  FINDS(vmi, FERRY_BY_NODE, "h2", "b ");
  static const char *const phases[] = {"Pending", "Running", "Succeeded", "Failed"};
  for (gsize i = 0; i < G_N_ELEMENTS(phases); i++) {
    g_autofree char *json = g_strdup_printf(
        "{\"spec\":{\"vmiName\":\"a\",\"targetNode\":\"h9\"},\"status\":{\"phase\":\"%s\"}}",
        phases[i]);
    put_kind(index, vmim, phases[i], json);
  }
  FINDS(vmim, FERRY_BY_LIVE, "", "Pending Running ");
  FINDS(vmim, FERRY_BY_VM, "default/a", "Failed Pending Running Succeeded ");
  FINDS(vmim, FERRY_BY_NODE, "h9", "Failed Pending Running Succeeded ");
  FINDS(vmim, FERRY_BY_NODE, "h1", "");
  FINDS(vmim, FERRY_BY_EVICTED, "", "");
  for (gsize n = 3; n <= 4; n++) {
    g_auto(GStrv) crowded = ferry_index_crowded(index, vmim->group, vmim->plural, FERRY_BY_VM, n);
    g_assert_cmpuint(g_strv_length(crowded), ==, n == 3);
  }
  put_kind(index, vmim, "Running",
           "{\"spec\":{\"vmiName\":\"a\"},\"status\":{\"phase\":\"Failed\"}}");
  FINDS(vmim, FERRY_BY_LIVE, "", "Pending ");
  g_assert_cmpuint(ferry_index_count(index, vmi->group, vmi->plural, "default"), ==, 3);
  g_assert_cmpuint(ferry_index_count(index, vmi->group, vmi->plural, "other"), ==, 0);
  ferry_index_free(index);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  views = ferry_views_new(0);
  g_test_add_func("/index/uid-follows-its-object", test_uid_follows_its_object);
  g_test_add_func("/index/shared-uid", test_shared_uid);
  g_test_add_func("/index/domain", test_domain);
  g_test_add_func("/index/words", test_words);
  g_test_add_func("/index/many-in-order", test_many_in_order);
  int status = g_test_run();
  ferry_views_unref(views);
  return status;
}
