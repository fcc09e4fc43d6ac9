// SPDX-License-Identifier: Apache-2.0
// Times on the wire: RFC 3339 in UTC. Milliseconds since the epoch inside.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** "2026-01-02T03:04:05Z"; free with g_free. */
char *ferry_rfc3339_format(gint64 epoch_ms);
/** "2026-01-02T03:04:05.678Z"; free with g_free. */
char *ferry_rfc3339_format_ms(gint64 epoch_ms);
/** Milliseconds since the epoch, or -1 where `text` is NULL or not a time. */
gint64 ferry_rfc3339_parse(const char *text);
/** kubectl's short age: "5s", "3m20s", "4h", "2d3h". Free with g_free. */
char *ferry_age_format(gint64 ms);

G_END_DECLS
