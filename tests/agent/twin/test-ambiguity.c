// SPDX-License-Identifier: Apache-2.0
#include "agent/twin/ambiguity.h"

#define MS ((gint64)1000)

static const FerryDomainState runs = {TRUE, FERRY_VM_RUNNING, "migrated", 3, TRUE, TRUE};
static const FerryDomainState waits = {TRUE, FERRY_VM_PAUSED, "migration", 3, TRUE, FALSE};
static const FerryDomainState off = {TRUE, FERRY_VM_SHUTOFF, "unknown", -1, FALSE, TRUE};
static const FerryDomainState gone = {FALSE, FERRY_VM_GONE, "unknown", -1, FALSE, FALSE};

static gboolean arises(int code, gint64 switchover_us, gboolean post_copy) {
  g_autoptr(GError) error = g_error_new(FERRY_HOST_ERROR, code, "libvirt says %d", code);
  return ferry_ambiguity_arises(error, switchover_us, post_copy);
}

static void test_arises(void) {
  static const int lost[] = {FERRY_HOST_ERROR_NO_CONNECTION, FERRY_HOST_ERROR_PEER_LOST,
                             FERRY_HOST_ERROR_PEER_UNREACHABLE, FERRY_HOST_ERROR_PEER_NAME,
                             FERRY_HOST_ERROR_PEER_LOGIN};
  for (gsize i = 0; i < G_N_ELEMENTS(lost); i++) {
    g_assert_true(arises(lost[i], 1, FALSE));
    g_assert_false(arises(lost[i], 0, FALSE)); /* the guest never stopped for it */
    g_assert_false(arises(lost[i], 1, TRUE));
  }
  /* QEMU itself failed, it was aborted, or the target's libvirtd said no */
  static const int told[] = {9, 38, 55, 68, FERRY_HOST_ERROR_ABORTED, FERRY_HOST_ERROR_PEER_PORT};
  for (gsize i = 0; i < G_N_ELEMENTS(told); i++)
    g_assert_false(arises(told[i], 1, FALSE));
  g_assert_false(ferry_ambiguity_arises(NULL, 1, FALSE));
}

static void test_moved(void) {
  FerryAmbiguity a = {0};
  g_assert_cmpint(ferry_ambiguity_hear(&a, &runs, 1000 * MS), ==, FERRY_AMBIGUITY_OPEN);
  g_assert_cmpint(ferry_ambiguity_hear(&a, &runs, 1000 * MS + FERRY_AMBIGUITY_CERTAIN_MS * MS - 1),
                  ==, FERRY_AMBIGUITY_OPEN);
  g_assert_cmpint(ferry_ambiguity_hear(&a, &runs, 1000 * MS + FERRY_AMBIGUITY_CERTAIN_MS * MS), ==,
                  FERRY_AMBIGUITY_MOVED);
}

static void test_stayed(void) {
  static const FerryDomainState *const absent[] = {&gone, &off};
  for (gsize i = 0; i < G_N_ELEMENTS(absent); i++) {
    FerryAmbiguity a = {0};
    g_assert_cmpint(ferry_ambiguity_hear(&a, absent[i], 5 * MS), ==, FERRY_AMBIGUITY_OPEN);
    g_assert_cmpint(ferry_ambiguity_hear(&a, absent[i], (5 + FERRY_AMBIGUITY_ABSENT_MS) * MS), ==,
                    FERRY_AMBIGUITY_STAYED);
  }
}

/* A break in what it says, be it silence, begins the time anew. */
static void test_breaks(void) {
  static const FerryDomainState *const between[] = {NULL, &waits, &gone};
  for (gsize i = 0; i < G_N_ELEMENTS(between); i++) {
    FerryAmbiguity a = {0};
    gint64 end = 1000 + FERRY_AMBIGUITY_CERTAIN_MS;
    ferry_ambiguity_hear(&a, &runs, 1000 * MS);
    g_assert_cmpint(ferry_ambiguity_hear(&a, between[i], (end - 1) * MS), ==, FERRY_AMBIGUITY_OPEN);
    g_assert_cmpint(ferry_ambiguity_hear(&a, &runs, end * MS), ==, FERRY_AMBIGUITY_OPEN);
  }
}

/* The longer the copy here ran, the longer the other one must have run; where that is not known, no
 * running there is longer for certain. */
static void test_longer(void) {
  FerryAmbiguity a = {.ran_ms = 700};
  ferry_ambiguity_hear(&a, &runs, 1);
  g_assert_cmpint(ferry_ambiguity_hear(&a, &runs, (FERRY_AMBIGUITY_CERTAIN_MS + 700) * MS), ==,
                  FERRY_AMBIGUITY_OPEN);
  g_assert_cmpint(ferry_ambiguity_hear(&a, &runs, (FERRY_AMBIGUITY_CERTAIN_MS + 700) * MS + 1), ==,
                  FERRY_AMBIGUITY_MOVED);
  FerryAmbiguity unknown = {.ran_ms = -1};
  for (gint64 s = 1; s < 3600; s++)
    g_assert_cmpint(ferry_ambiguity_hear(&unknown, &runs, s * 1000 * MS), ==, FERRY_AMBIGUITY_OPEN);
}

/* What the record of a migration from h1 to h2 with that state says for `side`. */
static FerryAmbiguityAnswer read_record(const char *state, FerrySide side, gint64 ran_ms,
                                        const FerryDomainState *peer) {
  g_autofree char *text = g_strdup_printf("{\"status\":{\"migrationState\":{\"sourceNode\":\"h1\","
                                          "\"targetNode\":\"h2\",%s}}}",
                                          state);
  g_strdelimit(text, "'", '"');
  g_autoptr(json_t) migration = json_loads(text, 0, NULL);
  g_assert_nonnull(migration);
  return ferry_ambiguity_read(migration, side, ran_ms, peer);
}

#define S FERRY_SIDE_SOURCE
#define T FERRY_SIDE_TARGET
#define OPEN FERRY_AMBIGUITY_OPEN
#define STAYED FERRY_AMBIGUITY_STAYED
#define MOVED FERRY_AMBIGUITY_MOVED

static void test_read(void) {
  static const struct {
    const char *state;
    FerrySide side;
    gint64 ran_ms;
    const FerryDomainState *peer;
    FerryAmbiguityAnswer answer;
  } cases[] = {
      {"'attempt':0", S, 0, &waits, OPEN},
      {"'attempt':0", T, 0, NULL, OPEN},
      /* a person's word, which beats all else; the one that is named waits until the other stops */
      {"'keepNode':'h1'", S, 0, &waits, STAYED},
      {"'keepNode':'h1'", S, 0, NULL, STAYED},
      {"'keepNode':'h1'", S, 0, &runs, OPEN},
      {"'keepNode':'h1'", T, 9000, &runs, MOVED},
      {"'keepNode':'h2'", S, 9000, NULL, MOVED},
      {"'keepNode':'h2'", S, 9000, &waits, MOVED},
      {"'keepNode':'h2'", S, 9000, &gone, OPEN}, /* the only one that there is */
      {"'keepNode':'h2','doubt':{'source':{'state':'Suspended','ranMs':9000}}", T, 0, &waits,
       STAYED},
      /* the other one is gone */
      {"'doubt':{'target':{'state':'Destroyed'}}", S, 0, NULL, STAYED},
      {"'doubt':{'source':{'state':'Destroyed'}}", T, 0, NULL, STAYED},
      {"'doubt':{'source':{'state':'GoesOn'}}", T, 0, NULL, OPEN},
      {"'agentResult':{'returned':true,'error':'','sourceState':'nostate'}", T, 0, NULL, STAYED},
      {"'agentResult':{'returned':true,'error':'','sourceState':'paused'}", T, 0, NULL, OPEN},
      {"'agentResult':{'returned':true,'error':'x','sourceState':'shutoff'}", T, 0, NULL, OPEN},
      {"'attempt':1,'agentResult':{'returned':true,'sourceState':'nostate'}", T, 0, NULL, OPEN},
      {"'agentResult':{'returned':true,'error':'','sourceState':'nostate'}", S, 0, NULL, OPEN},
      /* both wait: the one that ran shorter for certain ends */
      {"'doubt':{'target':{'state':'Suspended','ranMs':2005}}", S, 5, &waits, MOVED},
      {"'doubt':{'target':{'state':'Suspended','ranMs':2004}}", S, 5, &waits, OPEN},
      {"'doubt':{'source':{'state':'Suspended','ranMs':60000}}", T, 5, NULL, MOVED},
      {"'doubt':{'source':{'state':'Suspended','ranMs':60000}}", T, -1, NULL, OPEN},
      {"'doubt':{'source':{'state':'Suspended'}}", T, 5, NULL, OPEN},
      /* one that was held at once leaves it to the target's, and never the other way round */
      {"'doubt':{'source':{'state':'Suspended','ranMs':500}}", T, 5, &waits, STAYED},
      {"'doubt':{'source':{'state':'Suspended','ranMs':501}}", T, 5, &waits, OPEN},
      {"'doubt':{'source':{'state':'Suspended','ranMs':5}}", T, 5, &runs, OPEN},
      {"'doubt':{'target':{'state':'Suspended','ranMs':5}}", S, 5, &waits, OPEN},
      {"'doubt':{'source':{'state':'Suspended','ranMs':5}},"
       "'migrationConfiguration':{'onAmbiguity':'source'}",
       T, 5, &waits, OPEN},
      {"'doubt':{'target':{'state':'GoesOn','ranMs':60000}}", S, 5, NULL, OPEN},
      /* the policy's one goes on unproven, but never beside one that is seen to run */
      {"'migrationConfiguration':{'onAmbiguity':'source'}", S, 0, NULL, STAYED},
      {"'migrationConfiguration':{'onAmbiguity':'source'}", S, 0, &runs, OPEN},
      {"'migrationConfiguration':{'onAmbiguity':'source'}", T, 0, NULL, OPEN},
      {"'migrationConfiguration':{'onAmbiguity':'target'}", T, 0, &waits, STAYED},
      {"'migrationConfiguration':{'onAmbiguity':'target'}", S, 0, NULL, OPEN},
      {"'migrationConfiguration':{'onAmbiguity':'pause'}", S, 0, NULL, OPEN},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_test_message("%s, side %d", cases[i].state, cases[i].side);
    g_assert_cmpint(read_record(cases[i].state, cases[i].side, cases[i].ran_ms, cases[i].peer), ==,
                    cases[i].answer);
  }
}

/* Silence and a copy that waits decide nothing, however long. */
static void test_open(void) {
  FerryAmbiguity a = {0};
  for (gint64 s = 0; s < 3600; s++)
    g_assert_cmpint(ferry_ambiguity_hear(&a, s % 2 ? &waits : NULL, s * 1000 * MS), ==,
                    FERRY_AMBIGUITY_OPEN);
}

/* Its absence proves nothing once it went on: it may have been shut down or moved since. */
static void test_went_on(void) {
  static const struct {
    const char *state;
    gboolean source, target;
  } rows[] = {{"{}", FALSE, FALSE},
              {"{'outcome':'unknown'}", FALSE, FALSE},
              {"{'outcome':'both'}", TRUE, TRUE},
              {"{'outcome':'stayed'}", FALSE, TRUE},
              {"{'doubt':{'target':{'state':'GoesOn'}}}", TRUE, FALSE},
              {"{'doubt':{'source':{'state':'GoesOn'}}}", FALSE, TRUE},
              {"{'doubt':{'source':{'state':'Suspended'}}}", FALSE, FALSE}};
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *text = g_strdelimit(g_strdup(rows[i].state), "'", '"');
    g_autoptr(json_t) m = json_object();
    ferry_json_set(m, "status.migrationState", json_loads(text, 0, NULL));
    g_assert_cmpint(ferry_ambiguity_went_on(m, FERRY_SIDE_SOURCE), ==, rows[i].source);
    g_assert_cmpint(ferry_ambiguity_went_on(m, FERRY_SIDE_TARGET), ==, rows[i].target);
  }
}

static void test_locked(void) {
  g_autoptr(GError) other = g_error_new(FERRY_HOST_ERROR, FERRY_HOST_ERROR_INVALID_STATE, "no");
  g_autoptr(GError) locked =
      g_error_new(FERRY_HOST_ERROR, FERRY_HOST_ERROR_LOCKED, "Lockspace resource is locked");
  g_assert_null(ferry_ambiguity_locked_text(NULL, "h2"));
  g_assert_null(ferry_ambiguity_locked_text(other, "h2"));
  g_autofree char *text = ferry_ambiguity_locked_text(locked, "h2");
  g_assert_nonnull(strstr(text, "locks of the VM's disks"));
  g_assert_nonnull(strstr(text, "h2"));
  g_assert_nonnull(strstr(text, "Lockspace resource is locked"));
  g_autofree char *unnamed = ferry_ambiguity_locked_text(locked, NULL);
  g_assert_nonnull(unnamed);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/ambiguity/arises", test_arises);
  g_test_add_func("/ambiguity/moved", test_moved);
  g_test_add_func("/ambiguity/stayed", test_stayed);
  g_test_add_func("/ambiguity/breaks", test_breaks);
  g_test_add_func("/ambiguity/open", test_open);
  g_test_add_func("/ambiguity/longer", test_longer);
  g_test_add_func("/ambiguity/read", test_read);
  g_test_add_func("/ambiguity/went-on", test_went_on);
  g_test_add_func("/ambiguity/locked", test_locked);
  return g_test_run();
}
