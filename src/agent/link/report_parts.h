// SPDX-License-Identifier: Apache-2.0
// A large inventory in parts.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** Most domains and about the most bytes of one part. */
#define FERRY_REPORT_PART_DOMAINS 500
#define FERRY_REPORT_PART_BYTES (1024 * 1024)

/** Cuts a report into reports that ferryd takes, to be sent in this order: what is of the node
 * comes with the first one, what is gone with the last, which alone is full where `report` is and
 * then names what the others told of in `present`. One that is small enough is its only part. New
 * array that owns its elements (json_t); they share what `report` holds. Pure. */
GPtrArray *ferry_report_parts(json_t *report);

G_END_DECLS
