// SPDX-License-Identifier: Apache-2.0
// One step of a migration: what its guards and actions look at, and how they write.
#pragma once
#include "control/plan.h"
#include "model/migration/migration.h"
#include "model/migration/phase.h"

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

/** Sets a value at `path` of the working copy only where it differs. Takes `value`. */
void ferry_step_set(FerryStep *s, const char *path, json_t *value);
/** The same for what the next step would say again: it need not outlive a crash. */
void ferry_step_set_light(FerryStep *s, const char *path, json_t *value);
/** Makes `s->m` a copy of its own, which may be changed in place. */
void ferry_step_own(FerryStep *s);
/** Milliseconds since the phase began, by ferryd's own stamps; 0 where unknown. */
gint64 ferry_step_phase_age(const FerryStep *s);
/** Fills in `config`, `origins` and `policy_name`, once. */
void ferry_step_resolve_config(FerryStep *s);
/** Another migration of the same VM that goes first: one that has begun, or an
 * older one; NULL: none. Admission refuses a second one; an evacuation may have made its own at the
 * same moment. `all` are the stored ones; the answer is one of them, borrowed. */
const json_t *ferry_step_goes_first(const FerryStep *s, const GPtrArray *all);
/** Ends the migration as Failed in `s->m`: reason, message, migrationState. */
void ferry_step_fail(FerryStep *s, const char *reason, const char *format, ...) G_GNUC_PRINTF(3, 4);
/** Whether somebody wants it to end: a cancel, or its deletion. */
gboolean ferry_step_cancel_requested(const FerryStep *s);
/** The domain's record on a node, borrowed, or NULL. */
const json_t *ferry_step_domain_on(const FerryStep *s, const char *node);

G_END_DECLS
