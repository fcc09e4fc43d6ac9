// SPDX-License-Identifier: Apache-2.0
// How long a migration may stay where it is.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** How long things may take before the controller gives up, in ms. */
#define FERRY_UNSCHEDULABLE_TIMEOUT_MS (5 * 60 * 1000) /* KubeVirt's */
#define FERRY_ACCEPT_TIMEOUT_MS (30 * 1000)            /* agent takes a Scheduled migration */
#define FERRY_PREPARE_TIMEOUT_MS (15 * 60 * 1000)      /* target gets ready; KubeVirt's */
#define FERRY_CANCEL_TIMEOUT_MS (30 * 1000)            /* agent answers a cancel before Running */
#define FERRY_OUTCOME_TIMEOUT_MS (30 * 1000)           /* target reports the domain */
#define FERRY_LOST_AGENT_TIMEOUT_MS (10 * 60 * 1000)   /* source agent silent while Running */

G_END_DECLS
