// SPDX-License-Identifier: Apache-2.0
// Durations as people write them: "300ms", "90s", "1h30m", "1.5s".
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** Reads a duration into milliseconds: numbers each with a unit of ms, s, m or h, one after the
 * other; a bare number is seconds. FALSE where `text` (NULL too) is none, is negative or longer
 * than ten million seconds. Pure. */
gboolean ferry_duration_parse(const char *text, gint64 *ms);

G_END_DECLS
