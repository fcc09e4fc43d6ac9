// SPDX-License-Identifier: Apache-2.0
// Theory of operation: the rows below name fields of a migration's status. The check walks the
// table of the kind's fields, not what was sent, so nothing is allowed by having been forgotten: a
// field that differs between the stored and the wanted object and has no row that allows it is a
// cause of the refusal. A row with the rule `inside` stands for an object whose members have rows
// of their own. What is decided (hosts, addresses, the VM, the resolved configuration) is ferryd's.
#include "model/agents/agent_rules.h"
#include "base/json_size.h"
#include "base/rfc3339.h"
#include "model/kinds/shared_fields.h"
#include "model/migration/doubt.h"
#include "model/migration/condition.h"

#include <string.h>

enum { FERRYD = 0, SOURCE = 1 << 0, TARGET = 1 << 1 };

enum {
  PENDING = 1 << FERRY_PHASE_PENDING,
  SCHEDULING = 1 << FERRY_PHASE_SCHEDULING,
  SCHEDULED = 1 << FERRY_PHASE_SCHEDULED,
  PREPARING = 1 << FERRY_PHASE_PREPARING_TARGET,
  READY = 1 << FERRY_PHASE_TARGET_READY,
  RUNNING = 1 << FERRY_PHASE_RUNNING,
  SUCCEEDED = 1 << FERRY_PHASE_SUCCEEDED,
  FAILED = 1 << FERRY_PHASE_FAILED,
  BEFORE = SCHEDULED | PREPARING | READY, /* it is the agent's, and nothing has moved yet */
  TAKEN = BEFORE | RUNNING,
  LATE = TAKEN | FAILED, /* ferryd may have given up before the agent could say how it ended */
  ANY_END = RUNNING | SUCCEEDED | FAILED, /* a copy may be left however it ended */
};

/* Why `value` may not stand in place of `before`; NULL: it may. Static text. */
typedef const char *(*AgentRulesRule)(const FerryAgentWrite *w, const json_t *before,
                                      const json_t *value);

typedef struct {
  const char *path; /* below status */
  unsigned roles, phases;
  AgentRulesRule rule; /* NULL: any value that the kind's table takes */
} AgentRulesRow;

/* ---- rules of values ---- */

/* Never called: it marks an object whose members have rows. */
static const char *agent_rules_inside(const FerryAgentWrite *w, const json_t *before,
                                      const json_t *value) {
  return NULL;
}

static const char *next_phase(const FerryAgentWrite *w, const json_t *before, const json_t *value) {
  /* an agent that was started anew prepares anew; what needs no preparation is ready at once */
  static const FerryPhase steps[][2] = {
      {FERRY_PHASE_SCHEDULED, FERRY_PHASE_PREPARING_TARGET},
      {FERRY_PHASE_SCHEDULED, FERRY_PHASE_TARGET_READY},
      {FERRY_PHASE_PREPARING_TARGET, FERRY_PHASE_TARGET_READY},
      {FERRY_PHASE_TARGET_READY, FERRY_PHASE_PREPARING_TARGET},
      {FERRY_PHASE_TARGET_READY, FERRY_PHASE_RUNNING},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(steps); i++)
    if (steps[i][0] == ferry_phase_parse(json_string_value(before)) &&
        steps[i][1] == ferry_phase_parse(json_string_value(value)))
      return NULL;
  return "it is not the next step: Scheduled, PreparingTarget, TargetReady, Running follow one "
         "another, "
         "and ferryd decides how it ends";
}

static const char *appended_stamps(const FerryAgentWrite *w, const json_t *before,
                                   const json_t *value) {
  static const char no[] = "stamps may only be added, of the phases PreparingTarget, TargetReady "
                           "and Running";
  gsize n = json_array_size(before);
  for (gsize i = 0; i < n; i++)
    if (!json_equal(json_array_get(before, i), json_array_get(value, i)))
      return no;
  for (gsize i = n; i < json_array_size(value); i++) {
    FerryPhase phase = ferry_phase_parse(ferry_json_str(json_array_get(value, i), "phase"));
    if (phase < FERRY_PHASE_PREPARING_TARGET || phase > FERRY_PHASE_RUNNING)
      return no;
  }
  return NULL;
}

static const char *mode_step(const FerryAgentWrite *w, const json_t *before, const json_t *value) {
  if (!value)
    return "it may not be removed";
  if (ferry_mode_of(w->old) == FERRY_MODE_POST_COPY)
    return "nothing leads back from post-copy";
  return NULL;
}

static const char *answer_to_cancel(const FerryAgentWrite *w, const json_t *before,
                                    const json_t *value) {
  if (!value)
    return "it may not be removed";
  return ferry_json_bool(w->old, "status.migrationState.abortRequested", FALSE) ||
                 ferry_json_get(w->old, "metadata.deletionTimestamp")
             ? NULL
             : "nobody has asked to cancel it";
}

static const char *session_epoch(const FerryAgentWrite *w, const json_t *before,
                                 const json_t *value) {
  return json_is_integer(value) && json_integer_value(value) == w->epoch
             ? NULL
             : "it must be the epoch of the agent's session";
}

static const char *result_once(const FerryAgentWrite *w, const json_t *before,
                               const json_t *value) {
  gint64 attempt = ferry_json_int(w->old, "status.migrationState.attempt", 0);
  if (!value)
    return "it may not be removed";
  if (ferry_json_int(value, "attempt", 0) != attempt)
    return "it is the result of another attempt";
  if (before && ferry_json_int(before, "attempt", 0) == attempt)
    return "the result of this attempt was handed in already";
  return NULL;
}

/* A target may name no address but the one that ferryd chose for the data. */
static const char *probe_of_target(const FerryAgentWrite *w, const json_t *before,
                                   const json_t *value) {
  const char *address = ferry_json_str(w->old, "status.migrationState.targetNodeAddress");
  if (!ferry_json_bool(w->old, "spec.forecastOnly", FALSE))
    return "the two agents measure the path for a forecast only";
  if (!value)
    return NULL;
  return address && g_strcmp0(address, ferry_json_str(value, "address")) == 0
             ? NULL
             : "the address must be status.migrationState.targetNodeAddress";
}

static const char *doubt_once(const FerryAgentWrite *w, const json_t *before, const json_t *value) {
  if (!value)
    return "it may not be removed";
  if (g_strcmp0(ferry_json_str(before, "state"), ferry_doubt_states[FERRY_DOUBT_GONE - 1]) == 0)
    return "a copy that is gone does not come back";
  if (ferry_phase_is_final(ferry_phase_of(w->old)) &&
      g_strcmp0(ferry_json_str(before, "state"), ferry_doubt_states[FERRY_DOUBT_GOES_ON - 1]) ==
          0 &&
      g_strcmp0(ferry_json_str(value, "state"), ferry_doubt_states[FERRY_DOUBT_SUSPENDED - 1]) == 0)
    return "the migration has ended, and this copy goes on";
  return NULL;
}

/* Whether two lists differ in nothing but the elements whose `key` is `value`. */
static gboolean differ_only_in(const json_t *a, const json_t *b, const char *key,
                               const char *value) {
  gsize i = 0, j = 0;
  for (;;) {
    while (i < json_array_size(a) &&
           g_strcmp0(ferry_json_str(json_array_get(a, i), key), value) == 0)
      i++;
    while (j < json_array_size(b) &&
           g_strcmp0(ferry_json_str(json_array_get(b, j), key), value) == 0)
      j++;
    const json_t *x = json_array_get(a, i), *y = json_array_get(b, j);
    if (!x || !y)
      return !x && !y;
    if (!json_equal((json_t *)x, (json_t *)y))
      return FALSE;
    i++;
    j++;
  }
}

static const char *stalling_alone(const FerryAgentWrite *w, const json_t *before,
                                  const json_t *value) {
  return differ_only_in(before, value, "type", ferry_condition_name(FERRY_CONDITION_STALLING))
             ? NULL
             : "only the condition of the type Stalling is the agent's";
}

/* What was asked for stays; what became of it is the agent's to say, once. */
static const char *answered_changes(const FerryAgentWrite *w, const json_t *before,
                                    const json_t *value) {
  static const char *const answers[] = {"state", "message", "appliedTime", "inForce"};
  if (json_array_size(before) != json_array_size(value))
    return "an agent adds and removes no changes";
  for (gsize i = 0; i < json_array_size(before); i++) {
    json_t *was = json_array_get(before, i), *is = json_array_get(value, i);
    if (json_equal(was, is))
      continue;
    if (ferry_change_state_of(was) != FERRY_CHANGE_REQUESTED)
      return "what became of a change is said once, while it is Requested";
    g_autoptr(json_t) a = json_copy(was);
    g_autoptr(json_t) b = json_copy(is);
    for (gsize k = 0; k < G_N_ELEMENTS(answers); k++) {
      json_object_del(a, answers[k]);
      json_object_del(b, answers[k]);
    }
    if (!json_equal(a, b))
      return "of a change only state, message, appliedTime and inForce are the agent's";
  }
  return NULL;
}

/* ---- the rows ---- */

static const AgentRulesRow agent_rules_rows[] = {
    {"phase", SOURCE, BEFORE, next_phase},
    {"phaseTransitionTimestamps", SOURCE, BEFORE, appended_stamps},
    {"reason", FERRYD, 0, NULL},
    {"message", FERRYD, 0, NULL},
    {"conditions", SOURCE, RUNNING, stalling_alone},
    {"queue", FERRYD, 0, NULL},
    {"refusals", FERRYD, 0, NULL},
    {"candidates", FERRYD, 0, NULL}, /* of an answer alone */
    {"migrationState", SOURCE | TARGET, LATE, agent_rules_inside},
    {"migrationState.migrationUid", FERRYD, 0, NULL},
    {"migrationState.vmiUID", FERRYD, 0, NULL},
    {"migrationState.domainName", FERRYD, 0, NULL},
    {"migrationState.sourceNode", FERRYD, 0, NULL},
    {"migrationState.targetNode", FERRYD, 0, NULL},
    {"migrationState.targetNodeAddress", FERRYD, 0, NULL},
    {"migrationState.network", FERRYD, 0, NULL},
    {"migrationState.means", SOURCE, BEFORE, NULL},
    {"migrationState.ways", SOURCE, BEFORE, NULL},
    {"migrationState.targetURI", FERRYD, 0, NULL},
    {"migrationState.startTimestamp", FERRYD, 0, NULL},
    {"migrationState.endTimestamp", FERRYD, 0, NULL},
    {"migrationState.completed", FERRYD, 0, NULL},
    {"migrationState.failed", FERRYD, 0, NULL},
    {"migrationState.failureReason", FERRYD, 0, NULL},
    {"migrationState.abortRequested", FERRYD, 0, NULL},
    {"migrationState.abortRequestedBy", FERRYD, 0, NULL},
    {"migrationState.abortReason", FERRYD, 0, NULL},
    {"migrationState.abortTimestamp", FERRYD, 0, NULL},
    {"migrationState.abortStatus", SOURCE, LATE, answer_to_cancel},
    {"migrationState.mode", SOURCE, RUNNING, mode_step},
    {"migrationState.targetNodeDomainDetected", FERRYD, 0, NULL},
    {"migrationState.migrationPolicyName", FERRYD, 0, NULL},
    {"migrationState.migrationConfiguration", FERRYD, 0, NULL},
    {"migrationState.targetDisks", SOURCE, BEFORE, NULL},
    {"migrationState.attempt", FERRYD, 0, NULL},
    {"migrationState.agents", FERRYD, 0, NULL},
    {"migrationState.bandwidthProbe", TARGET, BEFORE, probe_of_target},
    {"migrationState.agentEpoch", SOURCE, TAKEN, session_epoch},
    {"migrationState.autostart", SOURCE, TAKEN, NULL},
    {"migrationState.kept", SOURCE, LATE, NULL},
    {"migrationState.flows", SOURCE, LATE, NULL},
    {"migrationState.sourceDomainState", FERRYD, 0, NULL},
    {"migrationState.targetDomainState", FERRYD, 0, NULL},
    {"migrationState.sourceDomainStateBefore", FERRYD, 0, NULL},
    {"migrationState.outcome", FERRYD, 0, NULL},
    {"migrationState.resultTimestamp", FERRYD, 0, NULL},
    {"migrationState.sourceGoneTimestamp", FERRYD, 0, NULL},
    {"migrationState.agentResult", SOURCE, LATE, result_once},
    {"migrationState.doubt", SOURCE | TARGET, ANY_END, agent_rules_inside},
    {"migrationState.doubt.source", SOURCE, ANY_END, doubt_once},
    {"migrationState.doubt.target", TARGET, ANY_END, doubt_once},
    {"migrationState.recovery", SOURCE, RUNNING, NULL},
    {"migrationState.keepNode", FERRYD, 0, NULL},
    {"migrationState.keepRequestedBy", FERRYD, 0, NULL},
    {"migrationState.keepTimestamp", FERRYD, 0, NULL},
    {"configurationOrigins", FERRYD, 0, NULL},
    {"attempts", FERRYD, 0, NULL},
    {"progress", SOURCE, RUNNING | FAILED, NULL},
    {"summary", SOURCE, RUNNING | FAILED, NULL},
    {"decisions", SOURCE, RUNNING | FAILED, NULL},
    {"forecast", SOURCE, TAKEN, NULL},
    {"course", SOURCE, RUNNING | FAILED, NULL},
    {"changes", SOURCE, TAKEN, answered_changes},
};

static const AgentRulesRow *row_of(const char *path) {
  for (gsize i = 0; i < G_N_ELEMENTS(agent_rules_rows); i++)
    if (g_str_equal(agent_rules_rows[i].path, path))
      return &agent_rules_rows[i];
  return NULL;
}

gboolean ferry_agent_rules_know(const char *path) {
  const AgentRulesRow *row = row_of(path);
  if (row)
    return TRUE;
  g_autofree char *above = g_strdup(path);
  for (char *dot; (dot = strrchr(above, '.'));) {
    *dot = '\0';
    if ((row = row_of(above)))
      return row->rule != agent_rules_inside; /* then each member needs a row */
  }
  return FALSE;
}

static void find_missing(const FerryField *fields, const char *above, GString *missing) {
  for (const FerryField *f = fields; f->name; f++) {
    g_autofree char *path = *above ? g_strconcat(above, ".", f->name, NULL) : g_strdup(f->name);
    const AgentRulesRow *row = row_of(path);
    if (!ferry_agent_rules_know(path))
      g_string_append_printf(missing,
                             "status.%s has no row in src/model/agents/agent_rules.c: say who "
                             "writes it\n",
                             path);
    else if (row && row->rule == agent_rules_inside)
      find_missing(f->fields, path, missing);
  }
}

gboolean ferry_agent_rules_complete(GString *missing) {
  gsize before = missing->len;
  find_missing(ferry_field_find(ferry_kind_vmim.fields, "status")->fields, "", missing);
  return missing->len == before;
}

/* ---- the walk ---- */

typedef struct {
  const FerryAgentWrite *w;
  unsigned role, phase;
  GError *refused;
} AgentRulesWalk;

static unsigned phase_bit(const json_t *migration) {
  return 1U << ferry_phase_of(migration);
}

/* By what is stored: a target has work only where it is among the agents, as for a forecast. */
static unsigned role_of(const FerryAgentWrite *w) {
  const json_t *state = ferry_json_get(w->old, "status.migrationState");
  if (g_strcmp0(ferry_json_str(state, "sourceNode"), w->node) == 0)
    return SOURCE;
  if (g_strcmp0(ferry_json_str(state, "targetNode"), w->node) == 0 &&
      ferry_json_has_word(json_object_get(state, "agents"), w->node))
    return TARGET;
  return 0;
}

static void agent_rules_refuse(AgentRulesWalk *walk, const char *field, const char *why) {
  ferry_error_add_cause(walk->refused, "FieldValueForbidden", field, "Forbidden: %s", why);
}

static void refuse_field(AgentRulesWalk *walk, const AgentRulesRow *row, const char *field) {
  static const char *const roles[] = {"neither", "the source", "the target"};
  const char *phase = ferry_json_str(walk->w->old, "status.phase");
  g_autofree char *why = NULL;
  if (!row || !row->roles)
    why = g_strdup("ferryd alone writes it");
  else if (!(row->roles & walk->role))
    why = g_strdup_printf("node %s is %s of this migration, and it is for the agent of %s to write",
                          walk->w->node, roles[walk->role],
                          row->roles == SOURCE   ? "the source"
                          : row->roles == TARGET ? "the target"
                                                 : "source or target");
  else
    why = g_strdup_printf("no agent writes it while the phase is %s", phase ? phase : "unset");
  agent_rules_refuse(walk, field, why);
}

static void walk_members(AgentRulesWalk *walk, const FerryField *fields, const char *above,
                         const json_t *was, const json_t *is) {
  for (const FerryField *f = fields; f->name; f++) {
    json_t *before = json_object_get(was, f->name), *value = json_object_get(is, f->name);
    if (before == value || (before && value && json_equal(before, value)))
      continue;
    g_autofree char *path = *above ? g_strconcat(above, ".", f->name, NULL) : g_strdup(f->name);
    g_autofree char *field = g_strconcat("status.", path, NULL);
    const AgentRulesRow *row = row_of(path);
    if (row && row->rule == agent_rules_inside) {
      walk_members(walk, f->fields, path, before, value);
      continue;
    }
    if (!row || !(row->roles & walk->role) || !(row->phases & walk->phase)) {
      refuse_field(walk, row, field);
      continue;
    }
    const char *why = row->rule ? row->rule(walk->w, before, value) : NULL;
    if (why)
      agent_rules_refuse(walk, field, why);
  }
}

/* metadata but for the bookkeeping of who wrote what, and spec, are no agent's. */
static void check_rest(AgentRulesWalk *walk) {
  static const char why[] = "an agent writes a migration's status only";
  const FerryAgentWrite *w = walk->w;
  g_autoptr(json_t) a = json_copy(json_object_get(w->old, "metadata"));
  g_autoptr(json_t) b = json_copy(json_object_get(w->object, "metadata"));
  json_object_del(a, "managedFields");
  json_object_del(b, "managedFields");
  const char *key;
  json_t *value;
  json_object_foreach(a, key, value) {
    if (!json_equal(value, json_object_get(b, key))) {
      g_autofree char *field = g_strconcat("metadata.", key, NULL);
      agent_rules_refuse(walk, field, why);
    }
    json_object_del(b, key);
  }
  json_object_foreach(b, key, value) {
    g_autofree char *field = g_strconcat("metadata.", key, NULL);
    agent_rules_refuse(walk, field, why);
  }
  json_t *spec = json_object_get(w->old, "spec");
  if (!json_equal(spec, json_object_get(w->object, "spec")))
    agent_rules_refuse(walk, "spec", why);
}

gboolean ferry_agent_rules_check(const FerryAgentWrite *w, GError **error) {
  const FerryField *status = ferry_field_find(ferry_kind_vmim.fields, "status");
  g_autoptr(GError) refused = g_error_new_literal(FERRY_ERROR, FERRY_ERROR_FORBIDDEN, "refused");
  AgentRulesWalk walk = {
      .w = w, .role = role_of(w), .phase = phase_bit(w->old), .refused = refused};
  walk_members(&walk, status->fields, "", json_object_get(w->old, "status"),
               json_object_get(w->object, "status"));
  check_rest(&walk);
  guint n = ferry_error_n_causes(refused);
  if (n == 0) {
    if (ferry_json_size_most(w->object) <= FERRY_AGENT_MAX_OBJECT_BYTES)
      return TRUE;
    gsize size = json_dumpb(w->object, NULL, 0, JSON_COMPACT);
    if (size <= FERRY_AGENT_MAX_OBJECT_BYTES)
      return TRUE;
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_TOO_LARGE,
                "the migration would have %zu bytes; an agent may let it grow to %d", size,
                FERRY_AGENT_MAX_OBJECT_BYTES);
    return FALSE;
  }
  g_autoptr(GString) text = g_string_new(NULL);
  g_string_printf(text,
                  "forbidden: the agent of node %s may not write this in migration %s: ", w->node,
                  ferry_json_str(w->old, "metadata.name"));
  for (guint i = 0; i < n; i++) {
    const FerryCause *cause = ferry_error_cause(refused, i);
    g_string_append_printf(text, "%s%s: %s", i ? ", " : "", cause->field, cause->message);
  }
  g_free(refused->message);
  refused->message = g_string_free(g_steal_pointer(&text), FALSE);
  g_propagate_error(error, g_steal_pointer(&refused));
  return FALSE;
}

/* ---- times ---- */

typedef struct {
  gint64 least_ms, most_ms;
} AgentRulesSpan;

/* A time within the span as text, NULL: `text` is within. Free with g_free. */
static char *agent_rules_bounded(const AgentRulesSpan *span, const char *text) {
  gint64 at = ferry_rfc3339_parse(text);
  if (at >= span->least_ms && at <= span->most_ms)
    return NULL;
  return ferry_rfc3339_format_ms(CLAMP(at, span->least_ms, span->most_ms));
}

static void settle_fields(const FerryField *fields, const json_t *was, json_t *is,
                          const AgentRulesSpan *span);

static void settle_value(const FerryField *f, const json_t *was, json_t *object, json_t *value,
                         const AgentRulesSpan *span) {
  if (f->type == FERRY_TYPE_TIME && json_is_string(value)) {
    g_autofree char *text = agent_rules_bounded(span, json_string_value(value));
    if (text)
      json_object_set_new(object, f->name, json_string(text));
  } else if (f->type == FERRY_TYPE_OBJECT && f->fields && json_is_object(value)) {
    settle_fields(f->fields, was, value, span);
  } else if (f->type == FERRY_TYPE_LIST && f->item == FERRY_TYPE_OBJECT && f->fields) {
    gsize i;
    json_t *item;
    json_array_foreach(value, i, item) {
      const json_t *before = json_array_get(was, i);
      if (json_is_object(item) && !(before && json_equal((json_t *)before, item)))
        settle_fields(f->fields, before, item, span);
    }
  }
}

static void settle_fields(const FerryField *fields, const json_t *was, json_t *is,
                          const AgentRulesSpan *span) {
  for (const FerryField *f = fields; f->name; f++) {
    gboolean has_times = f->type == FERRY_TYPE_TIME || f->fields;
    json_t *value = has_times ? json_object_get(is, f->name) : NULL;
    const json_t *before = value ? json_object_get(was, f->name) : NULL;
    if (value && !(before && json_equal(before, value)))
      settle_value(f, before, is, value, span);
  }
}

/* What is stored, then what is new, each phase once and in the order of time. */
static json_t *settled_stamps(const json_t *stored, const json_t *wanted,
                              const AgentRulesSpan *span) {
  json_t *out = json_is_array(stored) ? json_deep_copy(stored) : json_array();
  AgentRulesSpan rest = *span;
  gsize i;
  json_t *stamp;
  json_array_foreach(out, i, stamp) {
    gint64 at = ferry_rfc3339_parse(ferry_json_str(stamp, "phaseTransitionTimestamp"));
    rest.least_ms = MAX(rest.least_ms, MIN(at, rest.most_ms));
  }
  json_array_foreach((json_t *)wanted, i, stamp) {
    const char *phase = ferry_json_str(stamp, "phase");
    if (!phase || ferry_json_find(out, "phase", phase))
      continue;
    json_t *copy = json_deep_copy(stamp);
    const char *said = ferry_json_str(copy, "phaseTransitionTimestamp");
    g_autofree char *text = agent_rules_bounded(&rest, said);
    if (text)
      ferry_json_set_str(copy, "phaseTransitionTimestamp", text);
    rest.least_ms = CLAMP(ferry_rfc3339_parse(ferry_json_str(copy, "phaseTransitionTimestamp")),
                          rest.least_ms, rest.most_ms);
    json_array_append_new(out, copy);
  }
  return out;
}

void ferry_agent_rules_settle_times(const json_t *old, json_t *object, gint64 now_ms) {
  const FerryField *status = ferry_field_find(ferry_kind_vmim.fields, "status");
  gint64 made = ferry_rfc3339_parse(ferry_json_str(old, "metadata.creationTimestamp"));
  const AgentRulesSpan span = {CLAMP(made, 0, now_ms), now_ms};
  json_t *stored = ferry_json_get(old, "status.phaseTransitionTimestamps");
  json_t *wanted = ferry_json_get(object, "status.phaseTransitionTimestamps");
  if (!json_is_object(json_object_get(object, "status")))
    return;
  /* a list that lacks what is stored is left for the check to refuse */
  gboolean whole = json_array_size(wanted) >= json_array_size(stored);
  for (gsize i = 0; whole && i < json_array_size(stored); i++)
    whole = ferry_json_find(wanted, "phase", ferry_json_str(json_array_get(stored, i), "phase")) !=
            NULL;
  if (whole && wanted && !(stored && json_equal(stored, wanted)))
    ferry_json_set(object, "status.phaseTransitionTimestamps",
                   settled_stamps(stored, wanted, &span));
  settle_fields(status->fields, json_object_get(old, "status"), json_object_get(object, "status"),
                &span);
}
