// SPDX-License-Identifier: Apache-2.0
// What is left to do when a migration's job has ended.
#pragma once
#include "agent/migration/state/running.h"

G_BEGIN_DECLS

typedef enum {
  FERRY_SETTLED,
  FERRY_SETTLE_GOES_ON, /* only the call's connection had broken: it is to be supervised on */
  FERRY_SETTLE_STOPPED, /* the agent ends */
} FerrySettled;
/** The domain's state, and the source cleaned up. `outcome` is empty before. */
FerrySettled ferry_settle(FerryRunning *run, FerryOutcome *outcome);

G_END_DECLS
