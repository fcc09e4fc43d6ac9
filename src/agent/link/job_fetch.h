// SPDX-License-Identifier: Apache-2.0
// Jobs are checked before they are taken (job_check.h), by the Nodes that ferryd has.
#pragma once
#include "agent/core/session.h"
#include "agent/link/job_check.h"

G_BEGIN_DECLS

typedef enum { FERRY_JOB_FITS, FERRY_JOB_REFUSED, FERRY_JOB_STOPPED } FerryJobVerdict;
/** Asks ferryd for the Nodes that `migration` names, as often as it takes, until `stopped`. `here`:
 * what this host has (source); NULL: it is the target. What does not fit is in `error`, and
 * logged. */
FerryJobVerdict ferry_job_verdict(FerryAgentContext *context, FerryAgentSession *session,
                                  const json_t *migration, const FerryJobHere *here,
                                  gboolean (*stopped)(gpointer data), gpointer data,
                                  GError **error);

/** The URI of `node`'s hypervisor, built of that Node's peer; NULL: ferryd does not say, tried
 * once. Free with g_free. */
char *ferry_job_peer_uri(FerryAgentContext *context, FerryAgentSession *session, const char *node);

G_END_DECLS
