// SPDX-License-Identifier: Apache-2.0
// What those go by who see to a VM that arrives on this host: the guard of its copy (agent/twin)
// and the keeper of its place in the network (agent/carry).
#pragma once
#include "agent/core/context.h"
#include "agent/link/delivery.h"
#include "host/port/host.h"

G_BEGIN_DECLS

/** Functions are called in their own threads. */
typedef struct {
  FerryAgentContext *context;
  FerryHost *host;
  /** Where writes and Events of `migration` go; freed by the caller. */
  FerryDelivery *(*deliver)(const json_t *migration, gpointer data);
  /** The URI of the hypervisor of `migration`'s source; NULL: not known. Free with g_free. */
  char *(*source_uri)(const json_t *migration, gpointer data);
  gpointer data;
} FerryArrivalPorts;

G_END_DECLS
