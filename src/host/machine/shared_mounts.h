// SPDX-License-Identifier: Apache-2.0
// The file systems of a host that other hosts have as well: its mounts of network and cluster file
// systems, and what libvirt's qemu.conf calls shared.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

#define FERRY_SHARED_MOUNTS_MAX 256

/** Where a directory really is, to free with g_free; NULL: it is not there. */
typedef char *(*FerryResolveFunc)(const char *directory);

/** Of the text of /proc/self/mountinfo and `directories` (NULL-ended, may be NULL), which are
 * shared whatever they are on: a new list of {path, type, readOnly}, by path. Mount points of
 * autofs are in it: what is mounted on them is seen when it is used. A directory that a shared
 * mount holds is not looked at (the mount may hang), any other one is listed by its own path and by
 * the one that `resolve` gives it. NULL where there would be more than FERRY_SHARED_MOUNTS_MAX:
 * what is missing in a part of them says nothing. Pure but for `resolve`. */
json_t *ferry_shared_mounts(const char *mountinfo, const char *const *directories,
                            FerryResolveFunc resolve);

/** The directories that this machine's NFS server exports, of the text of its table
 * (/var/lib/nfs/etab): its own hosts have them without a mount. NULL-ended, free with g_strfreev.
 * Pure. */
char **ferry_shared_exports(const char *etab);

/** Mounts, `directories` and exports of this machine, as this process sees them. NULL: not known.
 */
json_t *ferry_host_local_shared_mounts(const char *const *directories);

G_END_DECLS
