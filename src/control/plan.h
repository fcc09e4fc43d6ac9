// SPDX-License-Identifier: Apache-2.0
// What a controller's step wants: writes that belong together, events, and when to look again.
// Controllers are pure: they read through the store's interface, take the time as an argument, and
// put everything they want into a plan; the loop (or a test) commits it.
#pragma once
#include "store/store.h"

G_BEGIN_DECLS

typedef struct FerryPlan FerryPlan;

/** Without writes and events, and with nothing to wake for. */
FerryPlan *ferry_plan_new(void);
void ferry_plan_free(FerryPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryPlan, ferry_plan_free)

/** Adds a write; takes `object`. The expected revision is that of `object`'s
 * metadata.resourceVersion for updates and deletes. `telemetry` as in FerryWrite. */
void ferry_plan_write(FerryPlan *plan, FerryWriteOp op, const FerryKind *kind, json_t *object,
                      gboolean telemetry);
/** Adds an Event about `about` (an object with apiVersion, kind and metadata): `type` is "Normal"
 * or "Warning", `reason` CamelCase. `suffix` makes the event's name unique. */
void ferry_plan_event(FerryPlan *plan, const json_t *about, const char *type, const char *reason,
                      const char *message, gint64 now_ms);
/** Asks for another step at `when_ms` (epoch) at the latest; the earliest of all counts. */
void ferry_plan_wake(FerryPlan *plan, gint64 when_ms);
gint64 ferry_plan_wake_time(const FerryPlan *plan); /* G_MAXINT64: none */
/** Whether there is nothing to write. */
gboolean ferry_plan_is_empty(const FerryPlan *plan);
/** Whether there are writes, and all are telemetry: what a later step would write as well. */
gboolean ferry_plan_is_light(const FerryPlan *plan);

/** Commits all writes and events as one batch. An empty plan is TRUE. Errors of ferry_store_commit.
 */
gboolean ferry_plan_commit(const FerryPlan *plan, FerryStore *store, GError **error);

G_END_DECLS
