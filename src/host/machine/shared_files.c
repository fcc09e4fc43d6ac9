// SPDX-License-Identifier: Apache-2.0
#include "host/machine/shared_files.h"
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#define FUSE_MAGIC 0x65735546

/* By statfs and by mount. Those that linux/magic.h does not have carry the number their kernel
 * module uses; by 0 libvirt, which decides whether a file's host is the only one to see it, knows
 * none: it takes them for shared where qemu.conf's shared_filesystems says so. */
static const struct {
  guint32 magic;
  const char *name;
} shared_types[] = {
    {NFS_SUPER_MAGIC, "nfs"},
    {NFS_SUPER_MAGIC, "nfs4"},
    {SMB_SUPER_MAGIC, "smbfs"},
    {CIFS_SUPER_MAGIC, "cifs"},
    {SMB2_SUPER_MAGIC, "smb3"},
    {CEPH_SUPER_MAGIC, "ceph"},
    {AFS_SUPER_MAGIC, "afs"},
    {OCFS2_SUPER_MAGIC, "ocfs2"},
    {0x01161970, "gfs2"},
    {0x47504653, "gpfs"},
    {0x61636673, "acfs"},
    {0x51626d6e, "fuse.quobyte"},
    {0, "lustre"},
    {0, "beegfs"},
    {0, "fuse.glusterfs"},
    {0, "fuse.ceph"},
    {0, "fuse.ceph-fuse"},
};

static gboolean shared_files_is_below(const char *path, const char *directory) {
  g_autofree char *real = realpath(directory, NULL);
  gsize n = real ? strlen(real) : 0;
  return n > 0 && strncmp(path, real, n) == 0 &&
         (path[n] == '/' || path[n] == '\0' || real[n - 1] == '/');
}

int ferry_file_is_shared(const char *path, const char *const *directories) {
  g_autofree char *real = realpath(path, NULL);
  struct statfs fs;
  if (!real)
    return -1;
  for (gsize i = 0; directories && directories[i]; i++)
    if (shared_files_is_below(real, directories[i]))
      return TRUE;
  if (statfs(real, &fs) != 0 || (guint32)fs.f_type == FUSE_MAGIC)
    return -1;
  for (gsize i = 0; i < G_N_ELEMENTS(shared_types); i++)
    if (shared_types[i].magic && (guint32)fs.f_type == shared_types[i].magic)
      return TRUE;
  return FALSE;
}

gboolean ferry_fs_type_is_shared(const char *name) {
  for (gsize i = 0; i < G_N_ELEMENTS(shared_types); i++)
    if (strcmp(name, shared_types[i].name) == 0)
      return TRUE;
  return FALSE;
}

char **ferry_shared_directories(const char *text) {
  g_autoptr(GRegex) list = g_regex_new("^[ \\t]*shared_filesystems[ \\t]*=[ \\t]*\\[([^\\]]*)\\]",
                                       G_REGEX_MULTILINE, 0, NULL);
  g_autoptr(GRegex) word = g_regex_new("[\"']([^\"'\\n]+)[\"']", 0, 0, NULL);
  g_autoptr(GPtrArray) found = g_ptr_array_new();
  g_autoptr(GMatchInfo) match = NULL;
  if (g_regex_match(list, text, 0, &match)) {
    g_autofree char *inside = g_match_info_fetch(match, 1);
    g_autoptr(GMatchInfo) one = NULL;
    for (g_regex_match(word, inside, 0, &one); g_match_info_matches(one);
         g_match_info_next(one, NULL))
      g_ptr_array_add(found, g_match_info_fetch(one, 1));
  }
  g_ptr_array_add(found, NULL);
  return (char **)g_ptr_array_free(g_steal_pointer(&found), FALSE);
}
