// SPDX-License-Identifier: Apache-2.0
// What the rows of the migration's table work on.
#pragma once
#include "control/plan.h"
#include "model/migration/migration.h"
#include "model/migration/phase.h"
#include "policy/limits.h"

G_BEGIN_DECLS

/** One step's context: `m` is set by ferry_step_set alone, the rest is as stored. */
typedef struct {
  FerryStore *store;
  json_t *m;      /* the migration; a copy of it once something is set */
  json_t *vmi;    /* as stored; NULL: gone */
  json_t *source; /* the source's Node; NULL: unknown */
  json_t *config; /* resolved; NULL until needed */
  json_t *origins;
  char *policy_name;
  FerryPlan *plan;
  gint64 now_ms;
  gboolean borrowed; /* `m` is still the stored one, which nobody may change */
  gboolean changed;
  gboolean weighs; /* what changed must outlive a crash */
} FerryStep;

typedef gboolean (*FerryGuard)(FerryStep *s);
typedef void (*FerryAction)(FerryStep *s);

/** One row: in phase `from`, when `guard` holds, go to phase `to` (NONE: stay; then the
 * action must make the guard fail) and do `action` (may
 * be NULL). `from` NONE: it was just created. Rows are tried in order; the first that fires starts
 * the round again. */
typedef struct {
  FerryPhase from;
  FerryGuard guard;
  FerryPhase to;
  FerryAction action;
} FerryRow;

/* migration_actions.c: guards and actions up to Scheduled */

/* migration.c */
void ferry_step_resolve_config(FerryStep *s);

/* migration_actions.c */
gboolean ferry_step_guard_cancelled(FerryStep *s);
gboolean ferry_step_guard_vm_gone(FerryStep *s);
gboolean ferry_step_guard_vm_off(FerryStep *s);
gboolean ferry_step_guard_admitted(FerryStep *s);
gboolean ferry_step_guard_placed(FerryStep *s);
gboolean ferry_step_guard_frozen(FerryStep *s);
gboolean ferry_step_guard_unplaceable(FerryStep *s);
gboolean ferry_step_guard_not_accepted(FerryStep *s);
void ferry_step_act_begin(FerryStep *s);
void ferry_step_act_cancelled(FerryStep *s);
void ferry_step_act_vm_gone(FerryStep *s);
void ferry_step_act_vm_off(FerryStep *s);
void ferry_step_act_place(FerryStep *s);
void ferry_step_act_unplaceable(FerryStep *s);
void ferry_step_act_not_accepted(FerryStep *s);

/* migration_preparing.c */
gboolean ferry_step_guard_cancel_unanswered(FerryStep *s);
gboolean ferry_step_guard_not_prepared(FerryStep *s);
void ferry_step_act_cancel_unanswered(FerryStep *s);
void ferry_step_act_not_prepared(FerryStep *s);

/* migration_outcome.c: guards and actions that decide how it ended */
gboolean ferry_step_guard_forecast(FerryStep *s);
void ferry_step_act_forecast(FerryStep *s);
gboolean ferry_step_guard_arrived(FerryStep *s);
gboolean ferry_step_guard_stayed(FerryStep *s);
gboolean ferry_step_guard_lost(FerryStep *s);
gboolean ferry_step_guard_agent_lost(FerryStep *s);
void ferry_step_act_succeed(FerryStep *s);
void ferry_step_act_stayed(FerryStep *s);
void ferry_step_act_lost(FerryStep *s);
gboolean ferry_step_guard_unknown(FerryStep *s);
void ferry_step_act_unknown(FerryStep *s);
void ferry_step_act_agent_lost(FerryStep *s);
/** Nobody says now what there is on the target. */
gboolean ferry_step_target_is_silent(const FerryStep *s);

/* migration_stalling.c */
gboolean ferry_step_guard_stalling(FerryStep *s);
void ferry_step_act_stalling(FerryStep *s);
gboolean ferry_step_guard_recovering(FerryStep *s);

/* migration_retry.c */
gboolean ferry_step_guard_retry(FerryStep *s);
void ferry_step_act_retry(FerryStep *s);
void ferry_step_act_freeze(FerryStep *s);
void ferry_step_drop_stale_result(FerryStep *s);

/* migration.c */
/** Another migration of the same VM that goes first: one that has begun, or an
 * older one; NULL: none. Admission refuses a second one; an evacuation may have made its own at the
 * same moment. `all` are the stored ones; the answer is one of them, borrowed. */
const json_t *ferry_step_goes_first(const FerryStep *s, const GPtrArray *all);

/* migration_actions.c */
/** Whether a host can take the VM now. */
gboolean ferry_step_has_target(FerryStep *s);
/** Ends the migration as Failed in `s->m`: reason, message, migrationState. */
void ferry_step_fail(FerryStep *s, const char *reason, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* migration.c */
/** Sets a value at `path` of the working copy only where it differs. Takes `value`. */
void ferry_step_set(FerryStep *s, const char *path, json_t *value);
/** The same for what the next step would say again: it need not outlive a crash. */
void ferry_step_set_light(FerryStep *s, const char *path, json_t *value);
/** Milliseconds since the phase began, by ferryd's own stamps; 0 where unknown. */
gint64 ferry_step_phase_age(const FerryStep *s);

/* migration_actions.c */
gboolean ferry_step_cancel_requested(const FerryStep *s);
/** The domain's record on a node, borrowed, or NULL. */
const json_t *ferry_step_domain_on(const FerryStep *s, const char *node);

G_END_DECLS
