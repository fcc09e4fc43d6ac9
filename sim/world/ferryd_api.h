// SPDX-License-Identifier: Apache-2.0
// Requests to the world's ferryd. All in a fiber; each returns what the API would.
#pragma once
#include "sim/world/ferryd.h"

G_BEGIN_DECLS

/** One request that is being served, by one life of ferryd. */
typedef struct {
  FerryWorldFerryd *ferryd;
  FerryWorldProcess *process, *caller;
} FerryWorldVisit;

/** UNAVAILABLE where nobody serves. */
gboolean ferry_ferryd_enter(FerryWorldFerryd *ferryd, FerryWorldVisit *visit, GError **error);
/** FALSE (UNAVAILABLE): it was killed meanwhile, and its answer reaches nobody. */
gboolean ferry_ferryd_leave(const FerryWorldVisit *visit, GError **error);
/** ferryd's wall clock, in ms. */
gint64 ferry_ferryd_now(void);
gboolean ferry_ferryd_is_conflict(const GError *error);
/** One write, against the revision of `old` (NULL for a new object). */
gboolean ferry_ferryd_commit(FerryWorldFerryd *ferryd, FerryWriteOp op, const FerryKind *kind,
                             const char *ns, const json_t *old, json_t *object, gboolean telemetry,
                             GError **error);

/* Of agents. New reference, or NULL with an error. */
json_t *ferry_ferryd_session(FerryWorldFerryd *ferryd, const char *node, FerryWorldProcess *agent,
                             const json_t *body, GError **error);
json_t *ferry_ferryd_report(FerryWorldFerryd *ferryd, const char *node, FerryWorldProcess *agent,
                            const json_t *body, GError **error);
json_t *ferry_ferryd_node(FerryWorldFerryd *ferryd, const char *name, GError **error);

/** A patch of a migration's status; all borrowed. */
typedef struct {
  const char *node;
  FerryWorldProcess *agent;
  const char *ns, *name;
  const json_t *patch;
  gboolean strategic, telemetry;
  gint64 epoch;
} FerryWorldPatch;
json_t *ferry_ferryd_patch(FerryWorldFerryd *ferryd, const FerryWorldPatch *patch, GError **error);

/* Of people. TRUE: acknowledged. */
gboolean ferry_ferryd_migrate(FerryWorldFerryd *ferryd, const char *name, const json_t *spec,
                              GError **error);
gboolean ferry_ferryd_cancel(FerryWorldFerryd *ferryd, const char *name, GError **error);
gboolean ferry_ferryd_delete(FerryWorldFerryd *ferryd, const char *name, GError **error);
/** Takes `fields`. */
gboolean ferry_ferryd_change(FerryWorldFerryd *ferryd, const char *name, json_t *fields,
                             GError **error);
/** Makes the namespaces and the cluster's configuration; takes `config`
 * (spec.configuration.migrations). */
void ferry_ferryd_configure(FerryWorldFerryd *ferryd, json_t *config);

G_END_DECLS
