// SPDX-License-Identifier: Apache-2.0
// Numbers and words for people. Everything returned is freed with g_free.
#pragma once
#include "model/field/units.h"
#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

/** A duration at the precision its size deserves: "12 ms", "1.83 s", "42.1 s", "3 min 5 s",
 * "2 h 10 min". Negative: "?". */
char *ferry_duration_format(gint64 ms);
/** "118 MiB/s". */
char *ferry_rate_format(gint64 bytes_per_second);
/** A number in its field's unit: "6", "30 %", "1.83 s", "512 MiB", "118 MiB/s". */
char *ferry_unit_format(FerryUnit unit, gint64 n);
/** Columns that `text` (UTF-8) takes on a terminal. */
guint ferry_text_width(const char *text);
/** `text` cut to `width` columns, the last one an ellipsis where something was cut. */
char *ferry_text_fit(const char *text, guint width, gboolean utf8);
/** A copy of `text` without control characters (a server's text must not drive the terminal). */
char *ferry_text_clean(const char *text);
/** ANSI colour of a phase or another word of state, NULL: none. */
const char *ferry_state_color(const char *word);
/** "dataRemainingBytes" -> "Data Remaining Bytes", "vmiName" -> "VMI Name". */
char *ferry_title_from_key(const char *key);

G_END_DECLS
