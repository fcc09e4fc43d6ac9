// SPDX-License-Identifier: Apache-2.0
// What of the agent a migration's worker uses.
#pragma once
#include "agent/core/inventory.h"
#include "agent/core/session.h"
#include "agent/link/results.h"
#include "agent/twin/leftovers.h"
#include "agent/path/book.h"
#include "host/port/host.h"

G_BEGIN_DECLS

/** All borrowed, and there until the last worker is joined. */
typedef struct {
  FerryAgentContext *context;
  FerryAgentSession *session;
  FerryAgentInventory *inventory;
  FerryHost *host;
  FerryPathBook *book;
  FerryResults *results;
  FerryLeftovers *leftovers; /* may be NULL */
} FerryMigrationPorts;

G_END_DECLS
