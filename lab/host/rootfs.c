// SPDX-License-Identifier: Apache-2.0
/* A lab host's root filesystem.
 *
 * Everything is mounted in the mount namespace of the host's init and nowhere
 * else: when the init dies, the kernel unmounts it all, so nothing that can be
 * killed is needed to clean up. The root is an overlay of the cached base and
 * the host's scratch directory; where the scratch directory can't be an upper
 * layer (it lies on an overlay itself, as in a container) a tmpfs takes its
 * place. Device nodes are bind mounts of the machine's, a short list. /sys is
 * read-only: what a host does must not change the machine. */
#include "rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool fail(const char *what, const char *where) {
  fprintf(stderr, "ferry-lab-init: cannot %s %s: %s\n", what, where, strerror(errno));
  return false;
}

/* mkdir -p of an absolute or relative path. */
static bool make_dirs(const char *path) {
  char copy[PATH_MAX];
  if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy) {
    errno = ENAMETOOLONG;
    return fail("create directory", path);
  }
  for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    if (mkdir(copy, 0755) < 0 && errno != EEXIST)
      return fail("create directory", copy);
    *slash = '/';
  }
  if (mkdir(copy, 0755) < 0 && errno != EEXIST)
    return fail("create directory", copy);
  return true;
}

/* Makes an empty file or directory to bind source over. */
static bool make_target(const char *source, const char *target) {
  struct stat st;
  if (stat(source, &st) < 0)
    return fail("find", source);
  if (S_ISDIR(st.st_mode))
    return make_dirs(target);
  char parent[PATH_MAX];
  snprintf(parent, sizeof parent, "%s", target);
  char *slash = strrchr(parent, '/');
  if (slash && slash != parent) {
    *slash = '\0';
    if (!make_dirs(parent))
      return false;
  }
  int fd = open(target, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
  if (fd < 0)
    return fail("create", target);
  close(fd);
  return true;
}

static bool bind_mount(const char *root, const char *source, const char *target, bool read_only) {
  char path[PATH_MAX];
  if (snprintf(path, sizeof path, "%s%s", root, target) >= (int)sizeof path) {
    errno = ENAMETOOLONG;
    return fail("bind", target);
  }
  if (!make_target(source, path))
    return false;
  if (mount(source, path, NULL, MS_BIND, NULL) < 0)
    return fail("bind", path);
  if (read_only && mount(NULL, path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) < 0)
    return fail("make read-only", path);
  return true;
}

static bool mount_at(const char *root, const char *type, const char *target, unsigned long flags,
                     const char *options) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s%s", root, target);
  if (!make_dirs(path))
    return false;
  if (mount(type, path, type, flags, options) < 0)
    return fail("mount", path);
  return true;
}

static bool mount_overlay(const FerryLabRootfs *rootfs) {
  char upper[PATH_MAX], work[PATH_MAX], options[4 * PATH_MAX];
  snprintf(upper, sizeof upper, "%s/upper", rootfs->scratch);
  snprintf(work, sizeof work, "%s/work", rootfs->scratch);
  int length = snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s,workdir=%s",
                        rootfs->lower, upper, work);
  if (length >= (int)sizeof options) {
    errno = ENAMETOOLONG;
    return fail("mount overlay of", rootfs->lower);
  }
  for (int attempt = 0; attempt < 2; attempt++) {
    if (!make_dirs(upper) || !make_dirs(work))
      return false;
    if (mount("overlay", rootfs->root, "overlay", 0, options) == 0)
      return true;
    if (errno != EINVAL || attempt > 0)
      break;
    if (mount("tmpfs", rootfs->scratch, "tmpfs", 0, "mode=0755") < 0)
      return fail("mount tmpfs on", rootfs->scratch);
  }
  return fail("mount overlay on", rootfs->root);
}

static bool mount_dev(const char *root) {
  static const char *const nodes[] = {"/dev/null",   "/dev/zero",    "/dev/full",
                                      "/dev/random", "/dev/urandom", "/dev/tty"};
  if (!mount_at(root, "tmpfs", "/dev", MS_NOSUID, "mode=0755,size=1m"))
    return false;
  for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
    if (!bind_mount(root, nodes[i], nodes[i], false))
      return false;
  if (access("/dev/net/tun", F_OK) == 0 && !bind_mount(root, "/dev/net/tun", "/dev/net/tun", false))
    return false;
  if (!mount_at(root, "devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC,
                "newinstance,ptmxmode=0666,mode=0620") ||
      !mount_at(root, "tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777"))
    return false;
  static const char *const links[][2] = {{"pts/ptmx", "/dev/ptmx"},
                                         {"/proc/self/fd", "/dev/fd"},
                                         {"/proc/self/fd/0", "/dev/stdin"},
                                         {"/proc/self/fd/1", "/dev/stdout"},
                                         {"/proc/self/fd/2", "/dev/stderr"}};
  for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s%s", root, links[i][1]);
    if (symlink(links[i][0], path) < 0)
      return fail("create", path);
  }
  return true;
}

static bool mount_binds(const FerryLabRootfs *rootfs) {
  for (size_t i = 0; i < rootfs->n_binds; i++) {
    char spec[2 * PATH_MAX];
    snprintf(spec, sizeof spec, "%s", rootfs->binds[i]);
    char *target = strchr(spec, ':');
    if (!target) {
      errno = EINVAL;
      return fail("understand --bind", spec);
    }
    *target++ = '\0';
    char *option = strchr(target, ':');
    if (option)
      *option++ = '\0';
    if (!bind_mount(rootfs->root, spec, target, option && strcmp(option, "ro") == 0))
      return false;
  }
  return true;
}

static bool make_private(void) {
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
    return fail("make private", "/");
  return true;
}

bool ferry_lab_rootfs_private(void) {
  if (!make_private())
    return false;
  if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
    return fail("mount", "/proc");
  return true;
}

bool ferry_lab_rootfs_enter(const FerryLabRootfs *rootfs) {
  const char *root = rootfs->root;
  if (!make_private() || !mount_overlay(rootfs) ||
      !mount_at(root, "proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) ||
      !mount_at(root, "sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL) ||
      !mount_dev(root) || !mount_at(root, "tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=0755") ||
      !mount_at(root, "tmpfs", "/tmp", MS_NOSUID | MS_NODEV, "mode=1777") || !mount_binds(rootfs))
    return false;
  /* Stack the old root on the new one's mount point, then drop it. */
  if (chdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
    return fail("pivot to", root);
  if (umount2(".", MNT_DETACH) < 0)
    return fail("unmount", "the old root");
  if (chdir("/") < 0)
    return fail("enter", "/");
  return true;
}
