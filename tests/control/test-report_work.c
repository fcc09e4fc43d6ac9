// SPDX-License-Identifier: Apache-2.0
// What a report costs, in instructions that valgrind counts: ten times the domains may cost at most
// WORST times as much, whatever they bring. The program runs itself under valgrind with the words
// of one piece of work; what the way to there costs is counted alone and taken off.
#include "world.h"
#include <string.h>

#define FEW 30
#define MANY (10 * FEW)
#define WORST 12.5 /* a little more than linear: trees and sorting */

static json_t *domain(guint i, const char *name, const char *state) {
  g_autofree char *uuid = g_strdup_printf("%08x-2222-3333-4444-555555555555", i);
  g_autofree char *own = g_strdup_printf("vm%u", i);
  return json_pack("{ss,ss,ss,ss,sb,sI,si,s[{ss,ss,ss}]}", "uuid", uuid, "name", name ? name : own,
                   "state", state, "reason", "booted", "active", 1, "memoryBytes",
                   (json_int_t)(256 << 20), "vcpus", 1, "disks", "name", "vda", "type", "file",
                   "source", "/a");
}

static json_t *report(guint n, const char *name, const char *state, gboolean full) {
  json_t *domains = json_array();
  for (guint i = 0; i < n; i++)
    json_array_append_new(domains, domain(i, name, state));
  return json_pack("{sb,so}", "full", full, "domains", domains);
}

static void merge(FerryStore *store, const char *node, json_t *body) {
  g_autoptr(GError) error = NULL;
  ferry_inventory_report(store, node, body, WORLD_NOW, &error);
  g_assert_no_error(error);
  json_decref(body);
}

/* One piece of work on `n` domains; "none" is the way to there. */
static void work(const char *what, guint n) {
  g_autoptr(FerryStore) store = world_new();
  if (g_str_equal(what, "full")) {
    merge(store, "h1", report(n, NULL, "running", TRUE));
  } else if (g_str_equal(what, "one-name")) {
    merge(store, "h1", report(n, "same", "running", TRUE));
  } else if (!g_str_equal(what, "empty")) {
    merge(store, "h1", report(n, NULL, "running", TRUE));
    for (guint i = 0; i < n / 10; i++) {
      g_autofree char *name = g_strdup_printf("m%u", i), *vm = g_strdup_printf("vm%u", i);
      world_migrate_vm(store, name, vm, NULL);
    }
  }
  if (g_str_equal(what, "same-again"))
    merge(store, "h1", report(n, NULL, "running", TRUE));
  else if (g_str_equal(what, "all-change"))
    merge(store, "h1", report(n, NULL, "paused", FALSE));
  else if (g_str_equal(what, "one-changes"))
    merge(store, "h1", report(1, NULL, "paused", FALSE));
  else if (g_str_equal(what, "all-gone"))
    merge(store, "h1", report(0, NULL, "running", TRUE));
  else if (g_str_equal(what, "all-claimed"))
    merge(store, "h2", report(n, NULL, "running", TRUE));
}

static const char *self;

static double count(const char *what, guint n) {
  g_autofree char *number = g_strdup_printf("%u", n);
  const char *const argv[] = {
      "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", self, what, number, NULL};
  g_autofree char *out = NULL, *err = NULL;
  g_autoptr(GError) error = NULL;
  int status = 0;
  g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &err, &status,
               &error);
  g_assert_no_error(error);
  const char *collected = strstr(err, "Collected : ");
  if (status || !collected)
    g_error("%s %u: %s", what, n, err);
  return g_ascii_strtod(collected + strlen("Collected : "), NULL);
}

static void test_linear(void) {
  static const struct {
    const char *what, *before;
  } pieces[] = {
      {"full", "empty"},       {"one-name", "empty"},   {"same-again", "base"},
      {"all-change", "base"},  {"one-changes", "base"}, {"all-gone", "base"},
      {"all-claimed", "base"},
  };
  double empty[2], base[2];
  for (guint k = 0; k < 2; k++) {
    empty[k] = count("empty", k ? MANY : FEW);
    base[k] = count("base", k ? MANY : FEW);
  }
  for (gsize i = 0; i < G_N_ELEMENTS(pieces); i++) {
    double n[2];
    for (guint k = 0; k < 2; k++) {
      const double *off = g_str_equal(pieces[i].before, "empty") ? empty : base;
      n[k] = count(pieces[i].what, k ? MANY : FEW) - off[k];
    }
    g_test_message("%s: %.0f instructions for %d, %.0f for %d: %.1f times", pieces[i].what, n[0],
                   FEW, n[1], MANY, n[1] / n[0]);
    g_assert_cmpfloat(n[1] / n[0], <, WORST);
  }
}

int main(int argc, char **argv) {
  if (argc == 3 && g_ascii_isdigit(*argv[2])) {
    work(argv[1], (guint)g_ascii_strtoull(argv[2], NULL, 10));
    return 0;
  }
  g_test_init(&argc, &argv, NULL);
  self = argv[0];
  g_autofree char *valgrind = g_find_program_in_path("valgrind");
#ifdef __SANITIZE_ADDRESS__
  g_clear_pointer(&valgrind, g_free);
#endif
  if (valgrind)
    g_test_add_func("/report-work/linear", test_linear);
  return g_test_run();
}
