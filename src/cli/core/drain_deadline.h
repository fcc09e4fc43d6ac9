// SPDX-License-Identifier: Apache-2.0
// The deadline of a drain, as an option and in its Evacuation.
#pragma once
#include "cli/core/resource.h"

G_BEGIN_DECLS

/** Puts --deadline into the spec of an Evacuation that is about to be asked for. */
void ferry_drain_deadline_put(FerryCli *cli, json_t *evacuation);
/** Puts it into the Evacuation `item` that is under way already. New reference, or NULL with an
 * error. */
json_t *ferry_drain_deadline_change(FerryCli *cli, json_t *item, GError **error);
/** Says what is wrong with the option; FALSE: nothing is. */
gboolean ferry_drain_deadline_bad(FerryCli *cli);

G_END_DECLS
