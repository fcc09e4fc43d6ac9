// SPDX-License-Identifier: Apache-2.0
// What a report costs, in instructions that valgrind counts: ten times the domains may cost at most
// WORST times as much, whatever they bring. The program runs itself under valgrind and does every
// piece of work there, few and many; each leaves a dump of the instructions of its last report,
// named "PIECE N". Not under the sanitizers, which valgrind doesn't go with.
#include "world.h"

#include <glib/gstdio.h>
#include <string.h>
#include <valgrind/callgrind.h>

#define FEW 16
#define MANY (10 * FEW)
#define SCALE 6
#define WORST 20.0 /* of ten times as much; a square would be a hundred */

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

typedef struct {
  const char *name;
  gboolean running; /* a running migration for each tenth of the domains, which h1 has reported */
  const char *node, *own_name, *state;
  gboolean full;
  int many; /* of the domains are reported: 1: all, 0: none, -1: one */
  /* Of those that h1 has reported first, not NULL: all have this name. There are SCALE times as
   * many: what looks through all of one name costs little for each of them. */
  const char *first_name;
} Piece;

static const Piece pieces[] = {
    {"full", FALSE, "h1", NULL, "running", TRUE, 1},
    {"one-name", FALSE, "h1", "same", "running", TRUE, 1},
    {"same-again", TRUE, "h1", NULL, "running", TRUE, 1},
    {"all-change", TRUE, "h1", NULL, "paused", FALSE, 1},
    {"one-changes", TRUE, "h1", NULL, "paused", FALSE, -1},
    {"all-gone", TRUE, "h1", NULL, "running", TRUE, 0},
    {"all-claimed", TRUE, "h2", NULL, "running", TRUE, 1},
    {"one-name-gone", TRUE, "h1", NULL, "running", TRUE, 0, "same"},
    {"one-name-no-more", TRUE, "h1", NULL, "running", TRUE, 1, "same"},
};

static guint scaled(const Piece *p, guint n) {
  return p->first_name ? SCALE * n : n;
}

static void work(const Piece *p, guint n) {
  g_autoptr(FerryStore) store = world_new();
  g_autofree char *label = g_strdup_printf("%s %u", p->name, n);
  if (p->running) {
    merge(store, "h1", report(n, p->first_name, "running", TRUE));
    for (guint i = 0; i < n / 10 && !p->first_name; i++) {
      g_autofree char *name = g_strdup_printf("m%u", i), *vm = g_strdup_printf("vm%u", i);
      world_migrate_vm(store, name, vm, NULL);
    }
  }
  json_t *last = report(p->many < 0 ? 1 : n * (guint)p->many, p->own_name, p->state, p->full);
  CALLGRIND_ZERO_STATS;
  merge(store, p->node, last);
  CALLGRIND_DUMP_STATS_AT(label);
}

static double number_after(const char *text, const char *words) {
  const char *at = strstr(text, words);
  return at ? g_ascii_strtod(at + strlen(words), NULL) : 0;
}

/* The count of one dump; 0 where the file is none of this piece. */
static double count_in(const char *text, const char *piece, guint n) {
  g_autofree char *label = g_strdup_printf("Client Request: %s %u\n", piece, n);
  double count = number_after(text, "\nsummary: ");
  return !strstr(text, label) ? 0 : count > 0 ? count : number_after(text, "\ntotals: ");
}

static const char *self;

static void run_under_valgrind(const char *dir) {
  g_autofree char *file = g_strdup_printf("--callgrind-out-file=%s/out", dir);
  const char *const argv[] = {"valgrind", "--quiet", "--tool=callgrind", file, self, "work", NULL};
  g_autofree char *err = NULL;
  g_autoptr(GError) error = NULL;
  int status = 0;
  g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, &err, &status,
               &error);
  g_assert_no_error(error);
  if (status)
    g_error("valgrind: %s", err);
}

static void test_linear(void) {
  double counts[G_N_ELEMENTS(pieces)][2] = {{0}};
  g_autofree char *folder = g_dir_make_tmp("ferry-work-XXXXXX", NULL);
  run_under_valgrind(folder);
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name;
  while ((name = g_dir_read_name(dir))) {
    g_autofree char *path = g_build_filename(folder, name, NULL), *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(pieces); i++)
      for (guint k = 0; k < 2; k++)
        counts[i][k] += count_in(text, pieces[i].name, scaled(&pieces[i], k ? MANY : FEW));
    g_remove(path);
  }
  g_rmdir(folder);
  for (gsize i = 0; i < G_N_ELEMENTS(pieces); i++) {
    const double *n = counts[i];
    g_test_message("%s: %.0f instructions for %d, %.0f for %d: %.1f times", pieces[i].name, n[0],
                   FEW, n[1], MANY, n[1] / n[0]);
    g_assert_cmpfloat(n[0], >, 0);
    g_assert_cmpfloat(n[1] / n[0], <, WORST);
    g_assert_true(n[1] > 5 * n[0] || pieces[i].many < 0); /* it was this piece that was counted */
  }
}

int main(int argc, char **argv) {
  if (argc == 2 && g_str_equal(argv[1], "work")) {
    for (gsize i = 0; i < G_N_ELEMENTS(pieces); i++) {
      work(&pieces[i], scaled(&pieces[i], FEW));
      work(&pieces[i], scaled(&pieces[i], MANY));
    }
    return 0;
  }
  g_test_init(&argc, &argv, NULL);
  self = argv[0];
  g_test_add_func("/report-work/linear", test_linear);
  return g_test_run();
}
