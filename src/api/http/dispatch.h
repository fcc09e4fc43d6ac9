// SPDX-License-Identifier: Apache-2.0
// The threads that answer requests whose connection is suspended, a few for each priority level.
#pragma once
#include "api/http/flow.h"

G_BEGIN_DECLS

typedef struct FerryDispatch FerryDispatch;

typedef struct {
  void (*work)(gpointer request); /* answers it; on a thread of its level */
  void (*late)(gpointer request); /* refuses one that waited too long; any thread */
} FerryDispatchHooks;

/** Starts the threads of each level. `rules` is borrowed, `hooks` copied. */
FerryDispatch *ferry_dispatch_new(const FerryLevelRule *rules, const FerryDispatchHooks *hooks);
/** Waits for what runs and answers what waits. Nothing may be put any more. NULL is allowed. */
void ferry_dispatch_free(FerryDispatch *d);
/** See ferry_flows_put. Any thread. */
gboolean ferry_dispatch_put(FerryDispatch *d, FerryLevel level, const char *flow, double cost,
                            gpointer request, guint *retry_s);
/** Refuses what has waited too long. */
void ferry_dispatch_tick(FerryDispatch *d, gint64 now_us);
/** Counts a request that was refused with 429. */
void ferry_dispatch_count_refusal(FerryDispatch *d, FerryLevel level, const char *reason);
/** Prometheus text. */
void ferry_dispatch_put_metrics(FerryDispatch *d, GString *out);

/** Reasons of refusals. */
extern const char ferry_refusal_rate[], ferry_refusal_in_flight[], ferry_refusal_unread[],
    ferry_refusal_queue[], ferry_refusal_wait[];

G_END_DECLS
