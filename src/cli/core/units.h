// SPDX-License-Identifier: Apache-2.0
// Times, sizes and rates as they are typed: one way for every verb. A number without a unit has the
// option's own, which is virsh's where virsh has the option.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** Reads "300ms", "2m", "1h30m"; a bare number counts `bare_ms` milliseconds each. FALSE: it is no
 * time. Pure. */
gboolean ferry_units_time(const char *text, gint64 bare_ms, gint64 *ms);
/** Reads "64Mi", "64MiB", "1.5 GiB", and of a rate "64MiB/s"; a bare number counts `bare_bytes`
 * each (0: bytes), and `*was_bare`, if not NULL, says that it was one. FALSE: it is no size. Pure.
 */
gboolean ferry_units_size(const char *text, gint64 bare_bytes, gint64 *bytes, gboolean *was_bare);

G_END_DECLS
