// SPDX-License-Identifier: Apache-2.0
// Several texts as files: in a folder, or in one gzipped tar archive that any tar reads.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

typedef struct FerryArchive FerryArchive;

/** An archive whose files lie in `folder` and together have at most `max` bytes; `mtime` (seconds)
 * is theirs. */
FerryArchive *ferry_archive_new(const char *folder, gsize max, gint64 mtime);
void ferry_archive_free(FerryArchive *archive); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryArchive, ferry_archive_free)

/** Adds a file; `name` is a plain one. Of a text that does not fit any more the end is kept, behind
 * a line that says so. */
void ferry_archive_add(FerryArchive *archive, const char *name, const char *text);
/** Writes all files into one .tar.gz, readable by its owner only. */
gboolean ferry_archive_write_file(const FerryArchive *archive, const char *path, GError **error);
/** Writes them as files of `path`, a folder that this makes and that must not be there yet. */
gboolean ferry_archive_write_folder(const FerryArchive *archive, const char *path, GError **error);

G_END_DECLS
