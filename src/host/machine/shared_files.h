// SPDX-License-Identifier: Apache-2.0
// Whether other hosts see the same file, by what libvirt goes by before it migrates.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** TRUE (1) where the file at `path` is on a file system that hosts share (NFS, CIFS, CephFS, GFS2,
 * OCFS2, GPFS, AFS, ACFS, Quobyte) or below one of `directories` (NULL-ended, may be NULL), FALSE
 * (0) where it is on one of this host alone, -1 where that can't be said (no such file, FUSE).
 * Source of the rule: libvirt's check for safe migration. */
int ferry_file_is_shared(const char *path, const char *const *directories);

/** Whether hosts share file systems of that type, as a mount names it ("nfs4"). Pure. */
gboolean ferry_fs_type_is_shared(const char *name);

/** The directories that `text`, libvirt's qemu.conf, lists as shared_filesystems (libvirt 11.0 and
 * later). NULL-ended, free with g_strfreev. Pure. */
char **ferry_shared_directories(const char *text);

G_END_DECLS
