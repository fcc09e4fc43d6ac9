// SPDX-License-Identifier: Apache-2.0
// The target's side of a forecast: while one waits to be made for a VM that would come here, this
// host's agent listens for the source's, so that the path can be measured. At any other time the
// agent has no port open.
//
// It has no lock: its table is of the one thread that calls it.
#pragma once
#include "agent/core/session.h"
#include "agent/path/book.h"

G_BEGIN_DECLS

/** All borrowed. */
typedef struct {
  FerryAgentContext *context;
  FerryAgentSession *session;
  FerryPathBook *book;
  gboolean local; /* the agent runs on the host itself */
} FerryBandwidthPorts;

typedef struct _FerryBandwidthTarget FerryBandwidthTarget;

/** Listens nowhere yet. `ports` is copied. */
FerryBandwidthTarget *ferry_bandwidth_target_new(const FerryBandwidthPorts *ports);
/** Ends and joins its threads. NULL is fine. */
void ferry_bandwidth_target_free(FerryBandwidthTarget *target);
/** A migration was seen (a watch event's type and object). */
void ferry_bandwidth_target_see(FerryBandwidthTarget *target, const char *type,
                                const json_t *migration);
/** Joins the threads that have ended. */
void ferry_bandwidth_target_sweep(FerryBandwidthTarget *target);

G_END_DECLS
