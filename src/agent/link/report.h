// SPDX-License-Identifier: Apache-2.0
// The session and the inventory: a full report first and after every gap, then what changed.
#pragma once
#include "agent/core/inventory.h"
#include "agent/core/session.h"
#include "host/port/host.h"

G_BEGIN_DECLS

/** What it reports of, to whom; all borrowed. */
typedef struct {
  FerryAgentContext *context;
  FerryAgentSession *session;
  FerryAgentInventory *inventory;
  FerryHost *host;
  const json_t *peer; /* where other hosts' libvirtd reach this one's; may be NULL */
  /** Has libvirt's TLS set up, where ferryd wants it and there is no peer; may be NULL. */
  void (*trust)(const char *state_dir);
} FerryReportPorts;

typedef struct _FerryReporter FerryReporter;

/** Starts its thread. */
FerryReporter *ferry_reporter_new(const FerryReportPorts *ports);
/** Whether its thread was alive lately; any thread. */
gboolean ferry_reporter_is_alive(FerryReporter *reporter);
/** Joins its thread; after the context was stopped. NULL is fine. */
void ferry_reporter_free(FerryReporter *reporter);

G_END_DECLS
