// SPDX-License-Identifier: Apache-2.0
// ferryd's end of delivery.
#pragma once
#include "agent/core/session.h"
#include "agent/link/delivery.h"
#include "base/log.h"

G_BEGIN_DECLS

/** For the migration `ns`/`name`. `log`: what its log lines are about (a reference is taken). */
FerryDelivery *ferry_delivery_server_new(FerryAgentContext *context, FerryAgentSession *session,
                                         const char *ns, const char *name, FerryLogContext *log);

G_END_DECLS
