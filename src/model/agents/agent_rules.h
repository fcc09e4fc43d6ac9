// SPDX-License-Identifier: Apache-2.0
// What a host's agent may write in a migration: an allow-list by field, by its role in that
// migration and by the phase that is stored, kept as data beside the kind. Kubernetes calls such a
// thing node restriction. What has no row is refused, and the build fails for each field of status
// that has none.
#pragma once
#include "base/error.h"
#include "base/json.h"

G_BEGIN_DECLS

/** Most bytes that a migration may have, as JSON, after an agent's write. */
#define FERRY_AGENT_MAX_OBJECT_BYTES (1024 * 1024)

/** One write of an agent. All is borrowed. */
typedef struct {
  const json_t *old;    /* the migration as it is stored */
  const json_t *object; /* as the agent wants it; validated */
  const char *node;     /* whose agent it is */
  gint64 epoch;         /* of the agent's session */
} FerryAgentWrite;

/** Judges a write. FORBIDDEN with a cause for each field that this agent may not write now, or not
 * so; its role is what the stored object says. TOO_LARGE where the object would grow beyond
 * FERRY_AGENT_MAX_OBJECT_BYTES. Pure; any thread. */
gboolean ferry_agent_rules_check(const FerryAgentWrite *write, GError **error);

/** Puts the times that an agent gave into bounds, in place, where they differ from `old`: none is
 * after `now_ms` or before the migration was made, and when a phase began is never before the phase
 * ahead of it. Stamps of phases that are stored already stay as they are. So the clock of a host
 * that is wrong skews nothing here. Call it before ferry_agent_rules_check. Pure; any thread. */
void ferry_agent_rules_settle_times(const json_t *old, json_t *object, gint64 now_ms);

/** Whether the field `path` below status ("migrationState.mode") has a row, its own or one of an
 * object that holds it. */
gboolean ferry_agent_rules_know(const char *path);

/** Whether every field of status has one; a line for each that has none is added to `missing`. Run
 * by the build. */
gboolean ferry_agent_rules_complete(GString *missing);

G_END_DECLS
