// SPDX-License-Identifier: Apache-2.0
#include "agent/twin/arrival.h"
#include <string.h>

#define S ((gint64)1000000)

/* A migration that is Running, with that progress and those members of migrationState. */
static json_t *running(gint64 heartbeats, const char *state) {
  g_autofree char *text = g_strdup_printf(
      "{'status':{'phase':'Running','progress':{'heartbeats':%" G_GINT64_FORMAT
      "},'migrationState':{'sourceNode':'h1','targetNode':'h2','agentEpoch':7%s%s}}}",
      heartbeats, *state ? "," : "", state);
  g_strdelimit(text, "'", '"');
  json_t *m = json_loads(text, 0, NULL);
  g_assert_nonnull(m);
  return m;
}

static void see(FerryArrival *a, gint64 heartbeats, const char *state, gint64 now_us) {
  g_autoptr(json_t) m = running(heartbeats, state);
  ferry_arrival_see(a, m, now_us);
}

/* Heard within 3 s and no failure: it may run, whatever else is written of the migration. */
static void test_heard(void) {
  FerryArrival a = {0};
  g_assert_nonnull(ferry_arrival_obstacle(&a, 5 * S));
  see(&a, 1, "", 10 * S);
  g_assert_null(ferry_arrival_obstacle(&a, 13 * S));
  g_assert_nonnull(ferry_arrival_obstacle(&a, 13 * S + 1));
  see(&a, 2, "", 14 * S);
  g_assert_null(ferry_arrival_obstacle(&a, 17 * S));
  ferry_arrival_clear(&a);
}

/* What others write is no word of the source's agent. */
static void test_others(void) {
  FerryArrival a = {0};
  see(&a, 1, "", 10 * S);
  see(&a, 1, "'abortRequested':true", 14 * S);
  g_assert_nonnull(strstr(ferry_arrival_obstacle(&a, 14 * S), "not been heard"));
  ferry_arrival_clear(&a);
}

static void test_failed(void) {
  static const struct {
    const char *state;
    gboolean failed;
  } cases[] = {
      {"'agentResult':{'returned':true,'error':'it broke'}", TRUE},
      {"'agentResult':{'returned':true,'errorCode':38,'error':''}", TRUE},
      {"'agentResult':{'returned':false}", TRUE},
      {"'agentResult':{'returned':true,'errorCode':0,'error':''}", FALSE},
      /* of an attempt before this one */
      {"'attempt':1,'agentResult':{'returned':true,'error':'it broke'}", FALSE},
      {"'attempt':1,'agentResult':{'returned':true,'error':'it broke','attempt':1}", TRUE},
      /* the source's copy is held until this one's fate is known: this one may have it */
      {"'doubt':{'source':{'state':'Suspended','ranMs':30}},'agentResult':{'returned':true,"
       "'error':'x'}",
       FALSE},
      {"'doubt':{'source':{'state':'Suspended','ranMs':501}},'agentResult':{'returned':true,"
       "'error':'x'}",
       TRUE},
      {"'doubt':{'source':{'state':'Suspended'}},'agentResult':{'returned':true,'error':'x'}",
       TRUE},
      {"'doubt':{'source':{'state':'GoesOn'}},'agentResult':{'returned':true,'error':'x'}", TRUE},
      /* the policy names this one */
      {"'migrationConfiguration':{'onAmbiguity':'target'},'agentResult':{'returned':true,"
       "'error':'x'}",
       FALSE},
      {"'migrationConfiguration':{'onAmbiguity':'source'},'agentResult':{'returned':true,"
       "'error':'x'}",
       TRUE},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    FerryArrival a = {0};
    g_test_message("%s", cases[i].state);
    see(&a, 1, cases[i].state, 10 * S);
    g_assert_cmpint(ferry_arrival_obstacle(&a, 10 * S) != NULL, ==, cases[i].failed);
    ferry_arrival_clear(&a);
  }
}

/* However long it is silent afterwards. */
static void test_waits(void) {
  FerryArrival a = {0};
  see(&a, 1, "'doubt':{'source':{'state':'Suspended','ranMs':0}}", 10 * S);
  g_assert_null(ferry_arrival_obstacle(&a, 3600 * S));
  ferry_arrival_clear(&a);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/arrival/heard", test_heard);
  g_test_add_func("/arrival/others", test_others);
  g_test_add_func("/arrival/failed", test_failed);
  g_test_add_func("/arrival/waits", test_waits);
  return g_test_run();
}
