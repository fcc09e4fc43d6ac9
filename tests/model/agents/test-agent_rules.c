// SPDX-License-Identifier: Apache-2.0
// The golden matrix below says by hand what agents may write; the attacks are generated: every
// field of a migration's status, by the source, the target and a third host, in every phase.
#include "base/rfc3339.h"
#include "model/agents/agent_rules.h"
#include "model/kinds/kind.h"
#include <string.h>

#define NOW 1767225600000LL /* 2026-01-01T00:00:00Z */

static const char *const phases[] = {"Pending",     "Scheduling", "Scheduled", "PreparingTarget",
                                     "TargetReady", "Running",    "Succeeded", "Failed"};

/* Which of the phases, by the letters below, allow a write; what is written where it is allowed
 * (JSON with ' for ", in place of the whole field). Not listed: ferryd's alone. */
typedef struct {
  const char *field;
  const char *source, *target; /* P S s p t R + - : Pending Scheduling scheduled ... Failed */
  const char *value;
} Golden;

static const char letters[] = "PSsptR+-";

static const Golden golden[] = {
    {"phase", "spt", "", NULL}, /* see test_steps; here the next one is written */
    {"phaseTransitionTimestamps", "spt", "", NULL},
    {"conditions", "R", "", "[{'type':'Stalling','status':'True'}]"},
    {"migrationState.abortStatus", "sptR-", "", "'Aborting'"},
    {"migrationState.mode", "R", "", "'Paused'"},
    {"migrationState.targetDisks", "spt", "", "[{'name':'vda','path':'/x'}]"},
    {"migrationState.means", "spt", "", "['zstd']"},
    {"migrationState.ways", "spt", "", "[{'carries':'memory','address':'10.9.0.2'}]"},
    {"migrationState.bandwidthProbe", "", "spt", "{'address':'10.0.0.2','port':7}"},
    {"migrationState.agentEpoch", "sptR", "", "9"},
    {"migrationState.autostart", "sptR", "", "true"},
    {"migrationState.kept", "sptR-", "", "{'live':{'title':'0'}}"},
    {"migrationState.flows", "sptR-", "", "{'left':3}"},
    {"migrationState.agentResult", "sptR-", "", "{'returned':true,'attempt':2}"},
    {"migrationState.recovery", "R", "", "{'state':'NothingMoves'}"},
    {"migrationState.doubt.source", "R+-", "", "{'state':'Suspended'}"},
    {"migrationState.doubt.target", "", "R+-", "{'state':'Suspended'}"},
    {"progress", "R-", "", "{'percent':5}"},
    {"summary", "R-", "", "{'totalMs':5}"},
    {"decisions", "R-", "", "[{'action':'x'}]"},
    {"course", "R-", "", "[{'elapsedMs':5}]"},
    {"forecast", "sptR", "", "{'totalMs':5}"},
    {"changes", "sptR", "", "[{'id':'1','state':'Applied','by':'ann','message':'done'}]"},
};

static json_t *json(const char *text) {
  g_autofree char *copy = g_strdelimit(g_strdup(text), "'", '"');
  json_t *value = json_loads(copy, JSON_DECODE_ANY, NULL);
  g_assert_nonnull(value);
  return value;
}

/* A cancelled migration from h1 to h2 with an open change, in `phase`. */
static json_t *migration(const char *phase) {
  json_t *m = json("{'metadata':{'name':'m','namespace':'default','labels':{'a':'b'},"
                   "'creationTimestamp':'2025-12-31T23:00:00Z'},'spec':{'vmiName':'db',"
                   "'forecastOnly':true},'status':{"
                   "'phaseTransitionTimestamps':[{'phase':'Pending','phaseTransitionTimestamp':"
                   "'2025-12-31T23:00:00Z'}],'changes':[{'id':'1','state':'Requested','by':'ann'}],"
                   "'migrationState':{'sourceNode':'h1','targetNode':'h2','agents':['h1','h2'],"
                   "'targetNodeAddress':'10.0.0.2','mode':'PreCopy','abortRequested':true,"
                   "'attempt':2}}}");
  ferry_json_set_str(m, "status.phase", phase);
  return m;
}

static gboolean may(const json_t *old, const json_t *object, const char *node, GError **error) {
  FerryAgentWrite write = {old, object, node, 9};
  return ferry_agent_rules_check(&write, error);
}

static const Golden *golden_of(const char *field) {
  for (gsize i = 0; i < G_N_ELEMENTS(golden); i++)
    if (g_str_equal(golden[i].field, field))
      return &golden[i];
  return NULL;
}

/* Some value of the field's type that is not there now. */
static json_t *foreign(const FerryField *f) {
  switch (f->type) {
  case FERRY_TYPE_STRING:
    return json_string(f->values ? f->values[0] : "foreign");
  case FERRY_TYPE_INTEGER:
    return json_integer(4711);
  case FERRY_TYPE_BOOLEAN:
    return json_false();
  case FERRY_TYPE_TIME:
    return json_string("2025-12-31T23:30:00Z");
  case FERRY_TYPE_LIST:
    return json("['h3']");
  case FERRY_TYPE_MAP:
  case FERRY_TYPE_OBJECT:
    return json("{'foreign':'x'}");
  default:
    return json_string("x");
  }
}

static json_t *legal(const Golden *g, const FerryField *f, guint phase) {
  if (g && g->value)
    return json(g->value);
  if (g_str_equal(f->name, "phase"))
    return json_string(phases[MIN(phase + 1, 7)]);
  if (!g_str_equal(f->name, "phaseTransitionTimestamps"))
    return foreign(f);
  return json("[{'phase':'Pending','phaseTransitionTimestamp':'2025-12-31T23:00:00Z'},"
              "{'phase':'PreparingTarget','phaseTransitionTimestamp':'2025-12-31T23:30:00Z'}]");
}

static void attack(const FerryField *f, const char *field, guint phase, const char *node,
                   gboolean allowed, json_t *value) {
  g_autoptr(json_t) old = migration(phases[phase]);
  g_autoptr(json_t) object = json_deep_copy(old);
  g_autofree char *path = g_strconcat("status.", field, NULL);
  g_autoptr(GError) error = NULL;
  ferry_json_set(object, path, value);
  if (json_equal(old, object))
    return;
  gboolean ok = may(old, object, node, &error);
  if (ok != allowed)
    g_error("%s of %s writes %s: %s", phases[phase], node, field, ok ? "taken" : error->message);
  if (ok)
    return;
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_FORBIDDEN);
  g_assert_cmpuint(ferry_error_n_causes(error), ==, 1);
  g_assert_cmpstr(ferry_error_cause(error, 0)->field, ==, path);
  g_assert_nonnull(strstr(error->message, path));
}

static void attack_field(const FerryField *f, const char *field) {
  const Golden *g = golden_of(field);
  for (guint phase = 0; phase < G_N_ELEMENTS(phases); phase++) {
    gboolean source = g && strchr(g->source, letters[phase]);
    gboolean target = g && strchr(g->target, letters[phase]);
    attack(f, field, phase, "h1", source, legal(g, f, phase));
    attack(f, field, phase, "h2", target, legal(g, f, phase));
    attack(f, field, phase, "h3", FALSE, legal(g, f, phase));
    if (!source)
      attack(f, field, phase, "h1", FALSE, foreign(f));
    if (!target)
      attack(f, field, phase, "h2", FALSE, foreign(f));
  }
}

static guint walk(const FerryField *fields, const char *above) {
  guint n = 0;
  for (const FerryField *f = fields; f->name; f++) {
    g_autofree char *field = *above ? g_strconcat(above, ".", f->name, NULL) : g_strdup(f->name);
    if (g_str_equal(field, "migrationState") || g_str_equal(field, "migrationState.doubt")) {
      n += walk(f->fields, field);
      continue;
    }
    attack_field(f, field);
    n++;
  }
  return n;
}

static void test_matrix(void) {
  const FerryField *status = ferry_field_find(ferry_kind_vmim.fields, "status");
  g_autoptr(GString) missing = g_string_new(NULL);
  g_assert_true(ferry_agent_rules_complete(missing));
  g_assert_cmpstr(missing->str, ==, "");
  g_assert_cmpuint(walk(status->fields, ""), >=, 45);
  for (gsize i = 0; i < G_N_ELEMENTS(golden); i++)
    g_assert_nonnull(ferry_field_find(status->fields, golden[i].field));
  g_assert_false(ferry_agent_rules_know("migrationState.brandNew"));
  g_assert_false(ferry_agent_rules_know("brandNew"));
}

/* What nobody of the agents may do whatever the phase: values within fields that are theirs. */
static void test_values(void) {
  static const struct {
    const char *phase, *path, *value, *node;
  } bad[] = {
      {"Scheduled", "status.phase", "'Running'", "h1"},
      {"PreparingTarget", "status.phase", "'Running'", "h1"},
      {"TargetReady", "status.phase", "'Scheduled'", "h1"},
      {"TargetReady", "status.phase", "'Succeeded'", "h1"},
      {"Running", "status.phase", "'Failed'", "h1"},
      {"TargetReady", "status.phaseTransitionTimestamps", "[]", "h1"},
      {"TargetReady", "status.phaseTransitionTimestamps",
       "[{'phase':'Pending','phaseTransitionTimestamp':'2025-12-31T23:00:00Z'},{'phase':"
       "'Succeeded','phaseTransitionTimestamp':'2025-12-31T23:00:00Z'}]",
       "h1"},
      {"Running", "status.conditions", "[{'type':'Ready','status':'True'}]", "h1"},
      {"Running", "status.changes", "[]", "h1"},
      {"Running", "status.changes", "[{'id':'1','state':'Applied','by':'eve'}]", "h1"},
      {"Running", "status.changes",
       "[{'id':'1','state':'Applied','by':'ann','fields':{'downtimeMs':9}}]", "h1"},
      {"Running", "status.changes",
       "[{'id':'1','state':'Requested','by':'ann'},{'id':'2','state':'Applied'}]", "h1"},
      {"Running", "status.migrationState.agentEpoch", "8", "h1"},
      {"Running", "status.migrationState.agentResult", "{'returned':true}", "h1"},
      {"Scheduled", "status.migrationState.bandwidthProbe", "{'address':'10.0.0.3','port':7}",
       "h2"},
      {"Running", "metadata.labels.a", "'c'", "h1"},
      {"Running", "metadata.finalizers", "['x']", "h1"},
      {"Running", "metadata.ownerReferences", "[{'uid':'x'}]", "h1"},
      {"Running", "spec.vmiName", "'web'", "h1"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(json_t) old = migration(bad[i].phase);
    g_autoptr(json_t) object = json_deep_copy(old);
    ferry_json_set(object, bad[i].path, json(bad[i].value));
    g_autoptr(GError) error = NULL;
    if (may(old, object, bad[i].node, &error))
      g_error("%s: %s=%s was taken", bad[i].phase, bad[i].path, bad[i].value);
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_FORBIDDEN);
  }
}

/* A result is said once for each attempt; post-copy is no way back; a cancel needs a wish. */
static void test_once(void) {
  g_autoptr(json_t) old = migration("Running");
  ferry_json_set(old, "status.migrationState.agentResult", json("{'attempt':2,'error':'x'}"));
  ferry_json_set_str(old, "status.migrationState.mode", "PostCopy");
  ferry_json_set_bool(old, "status.migrationState.abortRequested", FALSE);
  static const char *const writes[][2] = {
      {"status.migrationState.agentResult", "{'attempt':2,'error':''}"},
      {"status.migrationState.mode", "'PreCopy'"},
      {"status.migrationState.abortStatus", "'Succeeded'"}};
  for (gsize i = 0; i < G_N_ELEMENTS(writes); i++) {
    g_autoptr(json_t) object = json_deep_copy(old);
    ferry_json_set(object, writes[i][0], json(writes[i][1]));
    g_assert_false(may(old, object, "h1", NULL));
  }
  g_assert_true(may(old, old, "h3", NULL)); /* what changes nothing */
}

/* A copy that is gone does not come back by its agent's word, which is not to be taken back. */
static void test_doubt(void) {
  g_autoptr(json_t) old = migration("Failed");
  ferry_json_set(old, "status.migrationState.doubt.source", json("{'state':'Suspended'}"));
  ferry_json_set(old, "status.migrationState.doubt.target", json("{'state':'Destroyed'}"));
  static const struct {
    const char *path, *value, *node;
    gboolean taken;
  } writes[] = {
      {"status.migrationState.doubt.source", "{'state':'GoesOn','ranMs':7}", "h1", TRUE},
      {"status.migrationState.doubt.source", NULL, "h1", FALSE},
      {"status.migrationState.doubt.target", "{'state':'GoesOn'}", "h2", FALSE},
      {"status.migrationState.doubt.target", "{'state':'GoesOn'}", "h1", FALSE},
      {"status.migrationState.doubt.source", "{'state':'Destroyed'}", "h1", TRUE},
      {"status.migrationState.keepNode", "'h1'", "h1", FALSE},
      {"status.migrationState.keepNode", "'h2'", "h2", FALSE},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(writes); i++) {
    g_autoptr(json_t) object = json_deep_copy(old);
    ferry_json_set(object, writes[i].path, writes[i].value ? json(writes[i].value) : NULL);
    g_test_message("%s by %s", writes[i].path, writes[i].node);
    g_assert_cmpint(may(old, object, writes[i].node, NULL), ==, writes[i].taken);
  }
}

/* What goes on is in doubt no more once the migration has ended. */
static void test_doubt_is_not_reopened(void) {
  static const char *const before[] = {"Running", "Failed"};
  for (gsize i = 0; i < G_N_ELEMENTS(before); i++) {
    g_autoptr(json_t) old = migration(before[i]);
    ferry_json_set(old, "status.migrationState.doubt.source", json("{'state':'GoesOn'}"));
    g_autoptr(json_t) object = json_deep_copy(old);
    ferry_json_set(object, "status.migrationState.doubt.source", json("{'state':'Suspended'}"));
    g_assert_cmpint(may(old, object, "h1", NULL), ==, i == 0);
  }
}

/* A target measures nothing but for a forecast. */
static void test_no_forecast(void) {
  g_autoptr(json_t) old = migration("Scheduled");
  ferry_json_set(old, "spec.forecastOnly", NULL);
  g_autoptr(json_t) object = json_deep_copy(old);
  ferry_json_set(object, "status.migrationState.bandwidthProbe",
                 json("{'address':'10.0.0.2','port':7}"));
  g_assert_false(may(old, object, "h2", NULL));
}

static void test_all_named(void) {
  g_autoptr(json_t) old = migration("Running");
  g_autoptr(json_t) object = json_deep_copy(old);
  g_autoptr(GError) error = NULL;
  ferry_json_set_str(object, "status.migrationState.targetNode", "h3");
  ferry_json_set_str(object, "status.migrationState.targetURI", "qemu+ext://x/?command=y");
  ferry_json_set_str(object, "status.reason", "x");
  g_assert_false(may(old, object, "h1", &error));
  g_assert_cmpuint(ferry_error_n_causes(error), ==, 3);
}

static void test_size(void) {
  g_autoptr(json_t) old = migration("Running");
  g_autoptr(json_t) object = json_deep_copy(old);
  g_autofree char *text = g_strnfill(30000, 'x');
  json_t *list = json_array();
  for (guint i = 0; i < 40; i++)
    json_array_append_new(list, json_pack("{s:s}", "reason", text));
  ferry_json_set(object, "status.decisions", list);
  g_autoptr(GError) error = NULL;
  g_assert_false(may(old, object, "h1", &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_TOO_LARGE);
}

static void stamped(const char *said, const char *settled) {
  g_autoptr(json_t) old = migration("Scheduled");
  g_autoptr(json_t) object = json_deep_copy(old);
  json_t *list = ferry_json_get(object, "status.phaseTransitionTimestamps");
  /* what is stored was tampered with, the new phase comes twice */
  ferry_json_set_str(json_array_get(list, 0), "phaseTransitionTimestamp", "2099-01-01T00:00:00Z");
  for (guint i = 0; i < 2; i++)
    json_array_append_new(list, json_pack("{s:s, s:s}", "phase", "PreparingTarget",
                                          "phaseTransitionTimestamp", said));
  ferry_json_set(object, "status.forecast", json_pack("{s:s}", "time", said));
  ferry_agent_rules_settle_times(old, object, NOW);
  list = ferry_json_get(object, "status.phaseTransitionTimestamps");
  g_assert_cmpuint(json_array_size(list), ==, 2);
  g_assert_true(
      json_equal(json_array_get(list, 0),
                 json_array_get(ferry_json_get(old, "status.phaseTransitionTimestamps"), 0)));
  const char *at = ferry_json_str(json_array_get(list, 1), "phaseTransitionTimestamp");
  g_assert_cmpint(ferry_rfc3339_parse(at), ==, ferry_rfc3339_parse(settled));
  g_assert_cmpint(ferry_rfc3339_parse(ferry_json_str(object, "status.forecast.time")), ==,
                  ferry_rfc3339_parse(settled));
  g_assert_true(may(old, object, "h1", NULL));
}

/* A clock that is wrong moves nothing beyond the migration's own time. */
static void test_times(void) {
  stamped("2025-12-31T23:30:00Z", "2025-12-31T23:30:00Z");
  stamped("2099-12-31T23:30:00Z", "2026-01-01T00:00:00Z");
  stamped("1970-01-01T00:00:00Z", "2025-12-31T23:00:00Z");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/agent-rules/matrix", test_matrix);
  g_test_add_func("/agent-rules/values", test_values);
  g_test_add_func("/agent-rules/once", test_once);
  g_test_add_func("/agent-rules/doubt", test_doubt);
  g_test_add_func("/agent-rules/doubt-is-not-reopened", test_doubt_is_not_reopened);
  g_test_add_func("/agent-rules/no-forecast", test_no_forecast);
  g_test_add_func("/agent-rules/all-named", test_all_named);
  g_test_add_func("/agent-rules/size", test_size);
  g_test_add_func("/agent-rules/times", test_times);
  return g_test_run();
}
