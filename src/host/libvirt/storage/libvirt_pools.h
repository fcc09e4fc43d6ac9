// SPDX-License-Identifier: Apache-2.0
// A target's directories as libvirt's storage API knows them: pools, for the moment that one is
// needed.
#pragma once
#include <glib.h>
#include <jansson.h>
#include <libvirt/libvirt.h>

/** The pool that a disk's image lies in. `pool` is NULL where there is none: the directory is
 * absent (then `missing` is the topmost directory that is), or the disk is a block device. */
typedef struct {
  virConnectPtr conn;
  virStoragePoolPtr pool;
  gboolean ours; /* transient, and ours to end */
  char *missing;
} FerryPool;

/** Work on one disk in its pool. */
typedef gboolean (*FerryPoolFunc)(FerryPool *pool, json_t *disk, gpointer data, GError **error);

/** Opens the pool of `disk` (an element of ferry_host_job_disks_plan), does the work and ends what
 * was opened. `build`: a directory that is absent is made; without it nothing is changed. Does it
 * again where another user of the same directory came in between. Blocks. */
gboolean ferry_pool_with(virConnectPtr conn, json_t *disk, gboolean build, FerryPoolFunc func,
                         gpointer data, GError **error);

/** The image of `disk` in the pool, or NULL. Free with virStorageVolFree. */
virStorageVolPtr ferry_pool_find(const FerryPool *pool, const json_t *disk);

/** Removes the directory of the file `path` and those above it up to `top`, as far as they are
 * empty. */
void ferry_pool_remove_directories(virConnectPtr conn, const char *path, const char *top);
