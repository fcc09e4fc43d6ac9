// SPDX-License-Identifier: Apache-2.0
// The hosts that can take a VM, as a table. Pure.
#pragma once
#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

/** The status.candidates of a migration that was only asked for, the one that would be taken first
 * and marked, each one's warnings below the table; "" where there are none. Free with g_free. */
char *ferry_candidates_text(const json_t *candidates, gboolean utf8, gboolean color);

G_END_DECLS
