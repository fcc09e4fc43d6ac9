// SPDX-License-Identifier: Apache-2.0
// Whether a Network has room for one migration more between two hosts.
#pragma once
#include "base/json.h"
#include "model/migration/reasons.h"

G_BEGIN_DECLS

/** What is asked; everything borrowed. */
typedef struct {
  const json_t *network; /* the Network that the data would take */
  const char *source, *target;
  gint64 out_mbps, in_mbps; /* of both hosts' links of it; 0: not known */
  const char *own;          /* uid of the one that asks, of which an earlier attempt may be among
                             * `migrations`; NULL: it is none yet */
  gint64 cap;               /* most that the migration may send, bytes a second; 0: no limit */
  json_t *const *migrations;
  gsize n_migrations;
} FerryLinkUse;

/** Calls `found` for each reason why it has none now: as many enter the target by it as its
 * parallelInboundPerNode allows, or one of both links would leave the migration less than its
 * leastRate beside those that use it. Pure. */
void ferry_link_use_against(const FerryLinkUse *use,
                            void (*found)(FerryReason reason, const char *text, gpointer data),
                            gpointer data);

G_END_DECLS
