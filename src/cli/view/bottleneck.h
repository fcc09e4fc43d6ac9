// SPDX-License-Identifier: Apache-2.0
// What held a migration back. Pure.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** What keeps (or kept) the VirtualMachineInstanceMigration from being sent faster, in a sentence
 * with its figures: the bandwidth limit, the link, TLS or a processor; NULL: not known. g_free. */
char *ferry_bottleneck_text(const json_t *migration);

G_END_DECLS
