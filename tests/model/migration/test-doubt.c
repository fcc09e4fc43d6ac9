// SPDX-License-Identifier: Apache-2.0
#include "model/migration/doubt.h"
#include "base/patch/patch.h"

static json_t *migration(void) {
  return json_pack("{s:{s:{s:s, s:s}}}", "status", "migrationState", "sourceNode", "h1",
                   "targetNode", "h2");
}

static void say(json_t **m, FerrySide side, FerryDoubtState state, gint64 ran_ms) {
  g_autoptr(json_t) patch =
      json_pack("{s:o}", "status", ferry_doubt_patch(side, state, "2026-01-01T00:00:00Z", ran_ms));
  json_t *merged = ferry_patch_merge(*m, patch);
  json_decref(*m);
  *m = merged;
}

/* Each side's word is its own, and what one says is read back. */
static void test_words(void) {
  g_autoptr(json_t) m = migration();
  g_assert_false(ferry_doubt_is_open(m));
  g_assert_cmpint(ferry_doubt_of(m, FERRY_SIDE_SOURCE), ==, FERRY_DOUBT_NONE);
  g_assert_cmpint(ferry_doubt_ran_ms(m, FERRY_SIDE_SOURCE), ==, -1);
  for (FerryDoubtState state = FERRY_DOUBT_SUSPENDED; state <= FERRY_DOUBT_GONE; state++) {
    say(&m, FERRY_SIDE_TARGET, state, 17);
    g_assert_cmpint(ferry_doubt_of(m, FERRY_SIDE_TARGET), ==, state);
    g_assert_cmpint(ferry_doubt_of(m, FERRY_SIDE_SOURCE), ==, FERRY_DOUBT_NONE);
    g_assert_cmpint(ferry_doubt_ran_ms(m, FERRY_SIDE_TARGET), ==, 17);
    g_assert_cmpint(ferry_doubt_is_open(m), ==, state == FERRY_DOUBT_SUSPENDED);
  }
  say(&m, FERRY_SIDE_SOURCE, FERRY_DOUBT_SUSPENDED, -1);
  g_assert_true(ferry_doubt_is_open(m));
  g_assert_cmpint(ferry_doubt_ran_ms(m, FERRY_SIDE_SOURCE), ==, -1);
  g_assert_false(ferry_doubt_source_is_held(m));
  say(&m, FERRY_SIDE_SOURCE, FERRY_DOUBT_SUSPENDED, FERRY_DOUBT_HELD_MS + 1);
  g_assert_false(ferry_doubt_source_is_held(m));
  say(&m, FERRY_SIDE_SOURCE, FERRY_DOUBT_SUSPENDED, FERRY_DOUBT_HELD_MS);
  g_assert_true(ferry_doubt_source_is_held(m));
  ferry_json_set_str(m, "status.migrationState.doubt.source.state", "Confused");
  g_assert_cmpint(ferry_doubt_of(m, FERRY_SIDE_SOURCE), ==, FERRY_DOUBT_NONE);
}

static void test_sides(void) {
  g_autoptr(json_t) m = migration();
  g_assert_cmpint(ferry_side_other(FERRY_SIDE_SOURCE), ==, FERRY_SIDE_TARGET);
  g_assert_cmpint(ferry_side_other(FERRY_SIDE_TARGET), ==, FERRY_SIDE_SOURCE);
  g_assert_cmpstr(ferry_side_node(m, FERRY_SIDE_SOURCE), ==, "h1");
  g_assert_cmpstr(ferry_side_node(m, FERRY_SIDE_TARGET), ==, "h2");
}

/* A person's word is due until the named side goes on and the other one is gone. */
static void test_keep(void) {
  g_autoptr(json_t) m = migration();
  g_assert_false(ferry_doubt_keep_is_due(m, FERRY_SIDE_SOURCE));
  ferry_json_set_str(m, "status.migrationState.keepNode", "h2");
  g_assert_cmpstr(ferry_doubt_kept(m), ==, "h2");
  g_assert_true(ferry_doubt_keep_is_due(m, FERRY_SIDE_SOURCE));
  g_assert_true(ferry_doubt_keep_is_due(m, FERRY_SIDE_TARGET));
  say(&m, FERRY_SIDE_SOURCE, FERRY_DOUBT_SUSPENDED, 1);
  g_assert_true(ferry_doubt_keep_is_due(m, FERRY_SIDE_SOURCE));
  say(&m, FERRY_SIDE_SOURCE, FERRY_DOUBT_GOES_ON, 1); /* by itself, before that word came */
  g_assert_true(ferry_doubt_keep_is_due(m, FERRY_SIDE_SOURCE));
  say(&m, FERRY_SIDE_SOURCE, FERRY_DOUBT_GONE, 1);
  g_assert_false(ferry_doubt_keep_is_due(m, FERRY_SIDE_SOURCE));
  g_assert_true(ferry_doubt_keep_is_due(m, FERRY_SIDE_TARGET));
  say(&m, FERRY_SIDE_TARGET, FERRY_DOUBT_GOES_ON, 1);
  g_assert_false(ferry_doubt_keep_is_due(m, FERRY_SIDE_TARGET));
}

static void test_rule(void) {
  static const struct {
    const char *word;
    FerryOnAmbiguity rule;
  } cases[] = {{NULL, FERRY_ON_AMBIGUITY_PAUSE},
               {"pause", FERRY_ON_AMBIGUITY_PAUSE},
               {"source", FERRY_ON_AMBIGUITY_SOURCE},
               {"target", FERRY_ON_AMBIGUITY_TARGET},
               {"both", FERRY_ON_AMBIGUITY_PAUSE}};
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(json_t) m = migration();
    if (cases[i].word)
      ferry_json_set_str(m, "status.migrationState.migrationConfiguration.onAmbiguity",
                         cases[i].word);
    g_assert_cmpint(ferry_on_ambiguity(m), ==, cases[i].rule);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/doubt/words", test_words);
  g_test_add_func("/doubt/sides", test_sides);
  g_test_add_func("/doubt/keep", test_keep);
  g_test_add_func("/doubt/rule", test_rule);
  return g_test_run();
}
