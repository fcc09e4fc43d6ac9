// SPDX-License-Identifier: Apache-2.0
// What a link has left for one migration more.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** Of a link that carries `rate` the part that a migration of at most `cap` gets beside `n` others
 * of at most `caps` (0: no limit): all alike, and what one with a limit doesn't take is the
 * others'. All in the same unit. Pure. */
gint64 ferry_link_share(gint64 rate, const gint64 *caps, gsize n, gint64 cap);

G_END_DECLS
