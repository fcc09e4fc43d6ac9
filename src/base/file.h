// SPDX-License-Identifier: Apache-2.0
// Files that must be whole or absent.
#pragma once
#include <glib.h>
#include <sys/stat.h>
#include <sys/types.h>

G_BEGIN_DECLS

/** Writes `data` to a temporary file beside `path`, fsyncs it, renames it over `path`, fsyncs the
 * folder. After TRUE the content survives power loss; after FALSE `path` is as it was. */
gboolean ferry_file_write(const char *path, const char *data, gsize len, mode_t mode,
                          GError **error);
/** Reads a whole file of at most `max` bytes; the text is NUL-terminated. Free with g_free. */
char *ferry_file_read(const char *path, gsize max, gsize *len, GError **error);
/** Whether `path` is another file than `seen` tells of, or was written since (a file that is not
 * there is all zeros); then `seen` is made to tell of what is there now. Asked before the file is
 * read; what was written less than 100 ms ago counts as changed the next time, too, as a second
 * write within a tick of the file system's clock leaves no trace. */
gboolean ferry_file_has_changed(const char *path, struct stat *seen);

G_END_DECLS
