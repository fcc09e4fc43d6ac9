// SPDX-License-Identifier: Apache-2.0
// A file of lines that is appended to and rotated: PATH, PATH.1 (the one before), PATH.2 ...
#pragma once
#include <glib.h>

G_BEGIN_DECLS

typedef struct FerryRotatingFile FerryRotatingFile;

/** Opens `path` for appending, made with mode 0600 where missing; refuses what is no regular file,
 * links included. Beyond `max_bytes` it is rotated; `keep` older ones stay. One thread at a time.
 */
FerryRotatingFile *ferry_rotating_file_open(const char *path, gint64 max_bytes, guint keep,
                                            GError **error);
/** Appends `line` and a newline, whole or not at all. Where `path` was moved or removed by somebody
 * else (logrotate), a new file is made first. After an error the next call tries again. */
gboolean ferry_rotating_file_append(FerryRotatingFile *file, const char *line, GError **error);
/** Closes and frees it; NULL is allowed. */
void ferry_rotating_file_close(FerryRotatingFile *file);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryRotatingFile, ferry_rotating_file_close)

G_END_DECLS
