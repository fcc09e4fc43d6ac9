// SPDX-License-Identifier: Apache-2.0
// What an agent writes to a migration's status, [AGENT, PHASE, PATCH] or [AGENT, PHASE, PATCH,
// true] for a strategic merge patch; a PATCH that is a list is a JSON patch, else a merge patch. It
// goes the whole way of a request (patch, validation, times, restriction, store), from the agent of
// the source (h1), of the target (h2) or of a host that has no part in it. What is then stored is
// judged by a table of this file's own.
#include "api_request.h"
#include "model/validate/validate.h"
#include "fuzz.h"
#include <string.h>

#define PATH "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstancemigrations/m/status"
#define STATE "status.migrationState."

static const char migration_text[] =
    "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstanceMigration','metadata':{'name':"
    "'m','namespace':'default','uid':'11111111-0000-4000-8000-000000000001','generation':1,"
    "'creationTimestamp':'2026-01-01T00:00:00Z','labels':{'a':'b','kubevirt.io/"
    "vmi-name':'db'},'finalizers':['kubevirt.io/migrationJobFinalizer']},'spec':{'vmiName':'db',"
    "'forecastOnly':true},'status':{'phaseTransitionTimestamps':[{'phase':'Pending','"
    "phaseTransitionTimestamp':"
    "'2026-01-01T00:00:00Z'}],'changes':[{'id':'1','state':'Requested','by':'ann'}],"
    "'conditions':[{'type':'Ready','status':'True'}],'migrationState':{'sourceNode':'h1',"
    "'targetNode':'h2','agents':['h1','h2'],'targetNodeAddress':'10.0.0.2','targetURI':"
    "'qemu+tls://h2/system','vmiUID':'11111111-2222-3333-4444-555555555555','domainName':'db',"
    "'migrationConfiguration':{'disableTLS':false},'mode':'PreCopy','abortRequested':true,"
    "'attempt':2}}}";

/* Nobody's but ferryd's, whoever asks and whenever. */
static const char *const decided[] = {"spec",
                                      "metadata.name",
                                      "metadata.uid",
                                      "metadata.labels",
                                      "metadata.annotations",
                                      "metadata.finalizers",
                                      "metadata.ownerReferences",
                                      "metadata.deletionTimestamp",
                                      "metadata.creationTimestamp",
                                      STATE "sourceNode",
                                      STATE "targetNode",
                                      STATE "targetNodeAddress",
                                      STATE "targetURI",
                                      STATE "vmiUID",
                                      STATE "domainName",
                                      STATE "network",
                                      STATE "migrationConfiguration",
                                      STATE "migrationPolicyName",
                                      STATE "agents",
                                      STATE "attempt",
                                      STATE "abortRequested",
                                      STATE "completed",
                                      STATE "failed",
                                      STATE "failureReason",
                                      STATE "outcome",
                                      "status.attempts",
                                      "status.configurationOrigins",
                                      "status.queue",
                                      "status.reason"};

static gboolean is_same(const json_t *a, const json_t *b, const char *path) {
  json_t *x = ferry_json_get(a, path), *y = ferry_json_get(b, path);
  return x == y || (x && y && json_equal(x, y));
}

static void put(const FerryKind *kind, const char *ns, const char *name, json_t *object) {
  FerryWrite write = {.op = FERRY_WRITE_CREATE, .kind = kind, .ns = ns, .name = name};
  write.object = object;
  g_autoptr(json_t) there = ferry_store_get(fuzz_api()->store, kind, ns, name);
  if (there)
    write.op = FERRY_WRITE_UPDATE;
  g_assert_true(ferry_store_commit(fuzz_api()->store, &write, 1, NULL, NULL));
}

/* The migration as ferryd left it in `phase`; with the agents' sessions. New reference. */
static json_t *set_up(const char *phase) {
  static const char *const nodes[] = {"h1", "h2", "h3"};
  static json_t *text;
  if (!text) {
    g_autofree char *quoted = g_strdelimit(g_strdup(migration_text), "'", '"');
    text = json_loads(quoted, 0, NULL);
    g_assert_nonnull(text);
    for (gsize i = 0; i < G_N_ELEMENTS(nodes); i++) {
      g_autoptr(json_t) node =
          json_pack("{ss,ss,s{ss,ss},s{},s{s{si}}}", "apiVersion", "v1", "kind", "Node", "metadata",
                    "name", nodes[i], "uid", nodes[i], "spec", "status", "agent", "epoch", 1);
      put(&ferry_kind_node, "", nodes[i], node);
    }
  }
  g_autoptr(json_t) migration = json_deep_copy(text);
  ferry_json_set_str(migration, "status.phase", phase);
  if (g_str_equal(phase, "Succeeded") || g_str_equal(phase, "Failed"))
    ferry_json_set(migration, "metadata.finalizers", NULL);
  put(&ferry_kind_vmim, "default", "m", migration);
  return ferry_store_get(fuzz_api()->store, &ferry_kind_vmim, "default", "m");
}

static unsigned patch(const char *agent, const json_t *body, gboolean strategic) {
  g_auto(FerryRequest) req;
  fuzz_request_init(&req);
  fuzz_request_address(&req, agent, "PATCH", PATH);
  req.asked.epoch = 1;
  req.asked.content_type = g_strdup(json_is_array(body) ? "application/json-patch+json"
                                    : strategic         ? "application/strategic-merge-patch+json"
                                                        : "application/merge-patch+json");
  g_autofree char *text = ferry_json_dump(body);
  g_byte_array_append(req.asked.body, (const guint8 *)text, (guint)strlen(text));
  fuzz_request_serve(&req);
  g_assert_cmpuint(req.answer.status, !=, 500);
  return req.answer.status;
}

/* What of the status another than the source may have changed: a target's probe, and what it says
 * of the copy that it has. */
static void check_others(const char *agent, const json_t *before, const json_t *after) {
  g_autoptr(json_t) a = json_deep_copy(before);
  g_autoptr(json_t) b = json_deep_copy(after);
  if (g_str_equal(agent, "h2")) {
    ferry_json_set(a, STATE "bandwidthProbe", NULL);
    ferry_json_set(b, STATE "bandwidthProbe", NULL);
    ferry_json_set(a, STATE "doubt", NULL);
    ferry_json_set(b, STATE "doubt", NULL);
  }
  g_assert_true(is_same(a, b, "status"));
}

static void check_stored(const char *agent, const json_t *before, const json_t *after) {
  static const char *const phases[] = {"Scheduled", "PreparingTarget", "TargetReady", "Running"};
  const char *was = ferry_json_str(before, "status.phase"),
             *is = ferry_json_str(after, "status.phase");
  for (gsize i = 0; i < G_N_ELEMENTS(decided); i++)
    if (!is_same(before, after, decided[i]))
      g_error("%s changed %s", agent, decided[i]);
  if (!g_str_equal(agent, "h1"))
    check_others(agent, before, after);
  gboolean known = g_strcmp0(was, is) == 0;
  for (gsize i = 0; i < G_N_ELEMENTS(phases); i++)
    known = known || (g_strcmp0(is, phases[i]) == 0 && !g_str_equal(was, "Running"));
  g_assert_true(known);
  const char *address = ferry_json_str(after, STATE "bandwidthProbe.address");
  g_assert_true(!address || g_str_equal(address, "10.0.0.2"));
  g_autoptr(json_t) valid =
      ferry_validate(&ferry_kind_vmim, after, after, FERRY_UNKNOWN_STRICT, NULL, NULL);
  g_assert_nonnull(valid);
}

/* What an honest agent writes is taken: else all this is about what is refused for something else.
 */
static void check_honest(void) {
  static gboolean checked;
  if (checked)
    return;
  checked = TRUE;
  g_autoptr(json_t) running = set_up("Running");
  g_autoptr(json_t) progress = json_pack("{s{s{si}}}", "status", "progress", "percent", 5);
  g_assert_cmpuint(patch("h1", progress, FALSE), ==, 200);
  g_autoptr(json_t) scheduled = set_up("Scheduled");
  g_autoptr(json_t) probe = json_pack("{s{s{s{ss,si}}}}", "status", "migrationState",
                                      "bandwidthProbe", "address", "10.0.0.2", "port", 4711);
  g_assert_cmpuint(patch("h2", probe, FALSE), ==, 200);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const phases[] = {"Pending",         "Scheduling",  "Scheduled",
                                       "PreparingTarget", "TargetReady", "Running",
                                       "Succeeded",       "Failed",      NULL};
  g_autoptr(json_t) input = ferry_json_parse((const char *)data, size, NULL);
  const char *agent = json_string_value(json_array_get(input, 0));
  const char *phase = json_string_value(json_array_get(input, 1));
  const json_t *body = json_array_get(input, 2);
  if (!agent || !phase || !g_strv_contains(phases, phase) || !body ||
      !(g_str_equal(agent, "h1") || g_str_equal(agent, "h2") || g_str_equal(agent, "h3")))
    return 0;
  check_honest();
  g_autoptr(json_t) before = set_up(phase);
  unsigned status = patch(agent, body, json_is_true(json_array_get(input, 3)));
  g_autoptr(json_t) after = ferry_store_get(fuzz_api()->store, &ferry_kind_vmim, "default", "m");
  if (status != 200)
    g_assert_true(json_equal(before, after));
  else
    check_stored(agent, before, after);
  /* Twice, so that nothing of this input is the state before either. */
  json_decref(set_up("Pending"));
  json_decref(set_up("Failed"));
  return 0;
}
