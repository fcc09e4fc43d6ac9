// SPDX-License-Identifier: Apache-2.0
// What ferryd does about a migration that stalls, where its policy says so (onStalling).
//
// Theory of operation: the source's agent raises the condition Stalling after stallingLimit, as
// oVirt's hosts were to tell their engine. The steps of onStalling are then taken in their order,
// by the same path as a person's: an entry of status.changes, by "system:ferry", or a request to
// abort; a step that cannot help any more gives way to the next one. Between two of them, and after
// a change of a person's, another stallingLimit goes by. Nothing is done where an intent drives the
// migration (its controller in the agent acts by itself: a resolved configuration with an intent
// has no onStalling), in post-copy, and while a change waits for the agent.
#include "base/rfc3339.h"
#include "base/limits.h"
#include "model/kinds/policy_layers.h"
#include "model/migration/reasons.h"
#include "control/migration_stalling.h"
#include "control/migration_step.h"
#include "model/migration/migration.h"
#include "model/migration/recovery.h"
#include "model/kinds/change_fields.h"
#include "model/migration/condition.h"

typedef enum { STEP_NONE, STEP_RAISE, STEP_POST_COPY, STEP_ABORT } Step;

typedef struct {
  Step step;
  gint64 from_ms, to_ms; /* of STEP_RAISE */
  const char *stall;     /* the agent's words, borrowed */
} Decision;

/* What status.changes says of the past. */
typedef struct {
  gint64 last_ms;   /* when the last one was asked for, by ferryd's clock; 0: never */
  gint64 last_id;   /* the highest number */
  gint64 limit_s;   /* stallingLimit in force */
  gboolean waits;   /* one is not answered yet */
  gboolean asked;   /* post-copy was asked for here before */
  gboolean refused; /* a downtime of ours was refused */
  gboolean stay;    /* a person wants it to stay in pre-copy */
} Past;

static Past past_of(const FerryStep *s) {
  const json_t *config = ferry_json_get(s->m, FERRY_STATE "migrationConfiguration");
  Past p = {.limit_s = ferry_json_int(config, "stallingLimit", 0)};
  const json_t *change;
  gsize i;
  json_array_foreach(ferry_json_get(s->m, "status.changes"), i, change) {
    FerryChangeState state = ferry_change_state_of(change);
    FerryTechnique technique = ferry_technique_of(json_object_get(change, "fields"));
    gboolean mine = g_strcmp0(ferry_json_str(change, "by"), FERRY_ITSELF) == 0;
    gboolean applied = state == FERRY_CHANGE_APPLIED;
    p.last_ms = MAX(p.last_ms, ferry_rfc3339_parse(ferry_json_str(change, "time")));
    p.last_id = MAX(p.last_id, ferry_migration_change_number(change));
    p.waits |= state == FERRY_CHANGE_REQUESTED;
    p.asked |= mine && technique == FERRY_TECHNIQUE_POST_COPY;
    p.refused |= mine && !applied && ferry_json_get(change, "fields.downtimeMs");
    if (applied && technique && !mine)
      p.stay = technique == FERRY_TECHNIQUE_PRE_COPY;
    if (applied)
      p.limit_s = ferry_json_int(change, "fields.stallingLimitSeconds", p.limit_s);
  }
  return p;
}

/* By the last decision, or by a change that came after it: decisions come with the progress, later
 * than the answer to a change. */
static gint64 limit_now(const FerryStep *s) {
  const json_t *decisions = ferry_json_get(s->m, "status.decisions");
  const json_t *last = json_array_get(decisions, json_array_size(decisions) - 1), *change;
  gint64 limit = ferry_json_int(last, "limitMs", FERRY_QEMU_DOWNTIME_MS);
  gint64 at = ferry_rfc3339_parse(ferry_json_str(last, "time"));
  gsize i;
  json_array_foreach(ferry_json_get(s->m, "status.changes"), i, change) {
    gint64 applied = ferry_rfc3339_parse(ferry_json_str(change, "appliedTime"));
    if (ferry_change_state_of(change) == FERRY_CHANGE_APPLIED && applied >= at)
      limit = ferry_json_int(change, "fields.downtimeMs", limit);
  }
  return limit;
}

/* Whether the step called `name` can still help; then `d` says how. */
static gboolean migration_stalling_helps(const FerryStep *s, const Past *p, const char *name,
                                         Decision *d) {
  const json_t *config = ferry_json_get(s->m, FERRY_STATE "migrationConfiguration");
  if (g_str_equal(name, "raiseDowntime")) {
    gint64 now = limit_now(s), most = ferry_json_int(config, FERRY_FIELD_MAX_DOWNTIME, 0);
    d->step = STEP_RAISE;
    d->from_ms = now;
    d->to_ms = now > most / 2 ? most : now * 2;
    return !p->refused && now < most;
  }
  if (g_str_equal(name, "postCopy")) {
    d->step = STEP_POST_COPY;
    return !p->asked && !p->stay && ferry_json_bool(config, "allowPostCopy", FALSE);
  }
  d->step = STEP_ABORT;
  return g_str_equal(name, "abort");
}

static Decision migration_stalling_decide(FerryStep *s) {
  Decision d = {STEP_NONE};
  const json_t *list = ferry_json_get(s->m, FERRY_STATE "migrationConfiguration.onStalling");
  const json_t *stalling = ferry_condition_find(s->m, FERRY_CONDITION_STALLING);
  if (!json_array_size(list) || !ferry_condition_entry_holds(stalling) ||
      ferry_step_cancel_requested(s) || ferry_json_get(s->m, FERRY_STATE "agentResult") ||
      ferry_mode_of(s->m) == FERRY_MODE_POST_COPY)
    return d;
  Past p = past_of(s);
  gint64 due = p.last_ms > 0 ? p.last_ms + MAX(1, p.limit_s) * 1000 : s->now_ms;
  if (p.waits || json_array_size(ferry_json_get(s->m, "status.changes")) >= FERRY_CHANGES_MAX)
    return d;
  if (s->now_ms < due) {
    ferry_plan_wake(s->plan, due);
    return d;
  }
  d.stall = ferry_json_str(stalling, "message");
  const json_t *name;
  gsize i;
  json_array_foreach((json_t *)list, i, name) {
    if (migration_stalling_helps(s, &p, json_string_value(name) ? json_string_value(name) : "", &d))
      return d;
  }
  d.step = STEP_NONE;
  return d;
}

gboolean ferry_step_guard_stalling(FerryStep *s) {
  return migration_stalling_decide(s).step != STEP_NONE;
}

static void stalling_ask(FerryStep *s, const Past *p, json_t *fields, const char *why) {
  json_t *list = ferry_json_get(s->m, "status.changes");
  list = json_is_array(list) ? json_deep_copy(list) : json_array();
  g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, p->last_id + 1);
  g_autofree char *now = ferry_rfc3339_format_ms(s->now_ms);
  json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:o, s:s}", "id", id, "by",
                                        FERRY_ITSELF, "time", now, "reason", why, "fields", fields,
                                        "state", ferry_change_state_name(FERRY_CHANGE_REQUESTED)));
  ferry_step_set(s, "status.changes", list);
}

void ferry_step_act_stalling(FerryStep *s) {
  Decision d = migration_stalling_decide(s);
  Past p = past_of(s);
  const char *stall = d.stall ? d.stall : "no progress";
  g_autofree char *why = NULL;
  if (d.step == STEP_RAISE) {
    why = g_strdup_printf("onStalling raises the downtime limit from %" G_GINT64_FORMAT
                          " to %" G_GINT64_FORMAT " ms: %s",
                          d.from_ms, d.to_ms, stall);
    stalling_ask(s, &p, json_pack("{s:I}", "downtimeMs", (json_int_t)d.to_ms), why);
  } else if (d.step == STEP_POST_COPY) {
    why = g_strdup_printf("onStalling switches to post-copy: %s", stall);
    stalling_ask(s, &p,
                 json_pack("{s:s}", "technique", ferry_technique_name(FERRY_TECHNIQUE_POST_COPY)),
                 why);
  } else {
    why = g_strdup_printf("onStalling gives the migration up: %s", stall);
    ferry_step_set(s, FERRY_STATE "abortRequested", json_true());
    ferry_step_set(s, FERRY_STATE "abortRequestedBy", json_string(FERRY_ITSELF));
    ferry_step_set(s, FERRY_STATE "abortReason", json_string(why));
  }
  ferry_plan_event(s->plan, s->m, "Warning",
                   ferry_reason_name(FERRY_REASON_MIGRATION_STALLING_HANDLED), why, s->now_ms);
}

/* A post-copy that broke is resumed by the source's agent; while it is, everybody who looks at the
 * migration reads what it waits for. TRUE: its words are new. */
gboolean ferry_step_guard_recovering(FerryStep *s) {
  FerryRecoveryState state = ferry_recovery_of(s->m);
  if (state == FERRY_RECOVERY_NONE || ferry_json_get(s->m, "status.migrationState.agentResult"))
    return FALSE;
  gboolean broken = state != FERRY_RECOVERY_RECOVERED;
  const char *message = broken ? ferry_recovery_message(s->m) : NULL;
  const char *reason = broken ? ferry_reason_name(FERRY_REASON_POST_COPY_BROKEN) : NULL;
  if (g_strcmp0(ferry_json_str(s->m, "status.message"), message) == 0 &&
      g_strcmp0(ferry_json_str(s->m, "status.reason"), reason) == 0)
    return FALSE;
  ferry_step_set(s, "status.message", message ? json_string(message) : NULL);
  ferry_step_set(s, "status.reason", reason ? json_string(reason) : NULL);
  return TRUE;
}
