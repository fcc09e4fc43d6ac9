// SPDX-License-Identifier: Apache-2.0
// A moment as people say it.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** Milliseconds since the epoch of "10m" (from now), "02:00" (the next time that it is so by the
 * clock of this machine) or "2026-01-02T03:04:05Z"; -1 where `text` is none of them. Pure. */
gint64 ferry_when_parse(const char *text, gint64 now_ms);

/** Why `text` is no moment to come, with what it was taken for where it is one that has passed. New
 * text; NULL: it is one. Pure. */
char *ferry_when_problem(const char *text, gint64 now_ms);

G_END_DECLS
