// SPDX-License-Identifier: Apache-2.0
#include "host/shared_files.h"
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#define FUSE_MAGIC 0x65735546

/* Those that linux/magic.h does not have carry the number their kernel module uses. */
static const guint32 shared_types[] = {
    NFS_SUPER_MAGIC,  SMB_SUPER_MAGIC, CIFS_SUPER_MAGIC,  SMB2_SUPER_MAGIC,
    CEPH_SUPER_MAGIC, AFS_SUPER_MAGIC, OCFS2_SUPER_MAGIC, 0x01161970, /* GFS2 */
    0x47504653,                                                       /* GPFS */
    0x61636673,                                                       /* ACFS */
    0x51626d6e,                                                       /* Quobyte */
};

static gboolean is_below(const char *path, const char *directory) {
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
    if (is_below(real, directories[i]))
      return TRUE;
  if (statfs(real, &fs) != 0 || (guint32)fs.f_type == FUSE_MAGIC)
    return -1;
  for (gsize i = 0; i < G_N_ELEMENTS(shared_types); i++)
    if ((guint32)fs.f_type == shared_types[i])
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
