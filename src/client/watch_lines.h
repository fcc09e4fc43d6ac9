// SPDX-License-Identifier: Apache-2.0
// What a watch's answer says, from the bytes as they come: one JSON object a line, with heartbeat
// lines that are empty. Does no I/O of its own.
#pragma once
#include "client/client.h"

G_BEGIN_DECLS

#define FERRY_WATCH_MAX_LINE (4u * 1024 * 1024) /* bytes */

typedef struct {
  const char *server;   /* for messages; borrowed */
  FerryWatchFunc event; /* gets each event but ERROR */
  gpointer data;
  GByteArray *line; /* begun, its end has not come */
  GError *error;    /* why it ended, NULL: `event` said so, or it has not ended */
} FerryWatchLines;

/** Ready for the first byte of an answer; strings and `data` stay the caller's. */
void ferry_watch_lines_init(FerryWatchLines *lines, const char *server, FerryWatchFunc event,
                            gpointer data);
void ferry_watch_lines_clear(FerryWatchLines *lines);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryWatchLines, ferry_watch_lines_clear)

/** Takes the next bytes, however they were cut. FALSE ends the watch: `event` returned FALSE, or
 * lines->error says why (INTERNAL: a line that is no event; TOO_LARGE: one over
 * FERRY_WATCH_MAX_LINE; what the server's Status says). One thread at a time. */
gboolean ferry_watch_lines_take(FerryWatchLines *lines, const char *bytes, gsize len);

G_END_DECLS
