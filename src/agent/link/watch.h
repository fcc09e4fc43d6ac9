// SPDX-License-Identifier: Apache-2.0
// The migrations that have work for this host's agent: one watch that begins with all of them, and
// again after each gap. What is seen twice is harmless: a migration has at most one worker here.
// Only the source moves anything.
#pragma once
#include "agent/core/session.h"
#include "agent/core/workers.h"
#include "agent/link/results.h"

G_BEGIN_DECLS

/** What it reads and whom it tells. */
typedef struct {
  FerryAgentContext *context;
  FerryAgentSession *session;
  FerryResults *results;
  FerryWorkers *workers;
  /** A worker for `object`, whose source is this host. */
  gpointer (*start)(const json_t *object, gpointer data);
  /** Whether this host's book of copies in doubt has the migration's. */
  gboolean (*is_noted)(const char *uid, gpointer data);
  /** A migration was seen: the event's type and the object. */
  void (*see)(const char *type, const json_t *object, gpointer data);
  /** Now and then, and at last before the thread ends. */
  void (*tick)(gpointer data);
  gpointer data;
} FerryWatchPorts;

typedef struct _FerryAgentWatch FerryAgentWatch;

/** Starts its thread, in which the functions above are called. */
FerryAgentWatch *ferry_agent_watch_new(const FerryWatchPorts *ports);
/** Joins its thread; after the context was stopped. NULL is fine. */
void ferry_agent_watch_free(FerryAgentWatch *watch);

G_END_DECLS
