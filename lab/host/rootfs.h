// SPDX-License-Identifier: Apache-2.0
#ifndef FERRY_LAB_ROOTFS_H
#define FERRY_LAB_ROOTFS_H

#include <stdbool.h>
#include <stddef.h>

#define FERRY_LAB_BINDS_MAX 32

/* What a host's root filesystem is made of; all strings are borrowed. */
typedef struct {
  const char *lower;                      /* overlay lower layers, "A:B", first on top */
  const char *scratch;                    /* directory for upper/ and work/ */
  const char *root;                       /* empty directory to mount it on */
  const char *binds[FERRY_LAB_BINDS_MAX]; /* each "SOURCE:TARGET" or "SOURCE:TARGET:ro" */
  size_t n_binds;
} FerryLabRootfs;

/* Mounts the root filesystem in the caller's (new) mount namespace, with /proc,
 * /sys, /dev, /run, /tmp and the binds, and makes it the root. False, with the
 * reason on stderr, when any step fails: the namespace is useless then. Must be
 * called by a process inside the PID and network namespaces it is meant for. */
bool ferry_lab_rootfs_enter(const FerryLabRootfs *rootfs);

/* Makes mounts of this namespace invisible outside, and mounts its own /proc.
 * For a namespace without a root filesystem of its own. */
bool ferry_lab_rootfs_private(void);

#endif
