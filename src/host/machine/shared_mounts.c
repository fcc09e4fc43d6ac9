// SPDX-License-Identifier: Apache-2.0
#include "host/machine/shared_mounts.h"
#include "base/compare.h"
#include "host/machine/shared_files.h"
#include <stdlib.h>
#include <string.h>

#define MOUNTINFO "/proc/self/mountinfo"
#define ETAB "/var/lib/nfs/etab"
#define MAX_PATH 4096
#define MAX_TYPE 64

typedef struct {
  char *type;
  gboolean readonly;
} Mount;

static void mount_free(gpointer p) {
  Mount *m = p;
  g_free(m->type);
  g_free(m);
}

/* What the kernel writes as \040 is a space; any other backslash stands for itself. */
static char *shared_mounts_unescape(const char *text) {
  GString *out = g_string_new(NULL);
  for (const char *p = text; *p; p++) {
    if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' && p[3] >= '0' &&
        p[3] <= '7') {
      g_string_append_c(out, (char)((p[1] - '0') * 64 + (p[2] - '0') * 8 + (p[3] - '0')));
      p += 3;
    } else {
      g_string_append_c(out, *p);
    }
  }
  return g_string_free(out, FALSE);
}

static gboolean has_option(const char *options, const char *name) {
  g_auto(GStrv) words = g_strsplit(options, ",", -1);
  return g_strv_contains((const char *const *)words, name);
}

/* "36 35 98:0 /root /mnt rw,noatime shared:1 - nfs4 server:/x rw,vers=4.2". A later mount on the
 * same directory hides the earlier one. */
static void read_line(const char *line, GHashTable *mounts) {
  const char *rest = strstr(line, " - ");
  if (!rest)
    return;
  g_auto(GStrv) front = g_strsplit(line, " ", 7);
  g_auto(GStrv) back = g_strsplit(rest + strlen(" - "), " ", 4);
  if (g_strv_length(front) < 7 || g_strv_length(back) < 3 || !*back[0] ||
      strlen(back[0]) > MAX_TYPE || !g_utf8_validate(back[0], -1, NULL))
    return;
  g_autofree char *path = shared_mounts_unescape(front[4]);
  /* A disk's path is text of XML: a path that is not UTF-8 holds no disk that XML can name. */
  if (path[0] != '/' || strlen(path) > MAX_PATH || !g_utf8_validate(path, -1, NULL))
    return;
  Mount *m = g_new0(Mount, 1);
  m->type = g_strdup(back[0]);
  m->readonly = has_option(front[5], "ro") || has_option(back[2], "ro");
  g_hash_table_replace(mounts, g_steal_pointer(&path), m);
}

static GHashTable *read_mounts(const char *mountinfo) {
  GHashTable *mounts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, mount_free);
  g_auto(GStrv) lines = g_strsplit(mountinfo, "\n", -1);
  for (gsize i = 0; lines[i]; i++)
    read_line(lines[i], mounts);
  return mounts;
}

/* The mount that holds `path`, an absolute one without "..". */
static const Mount *mount_of(GHashTable *mounts, const char *path) {
  g_autofree char *at = g_strdup(path);
  const Mount *m;
  while (!(m = g_hash_table_lookup(mounts, at)) && at[1]) {
    char *slash = strrchr(at, '/');
    slash[slash == at] = '\0'; /* "/" is left of "/mnt" */
  }
  return m;
}

static gboolean shared_mounts_is_listed(const Mount *m) {
  return ferry_fs_type_is_shared(m->type) || g_str_equal(m->type, "autofs");
}

static void shared_mounts_add(GTree *found, const char *path, const Mount *m) {
  g_tree_replace(
      found, g_strdup(path),
      json_pack("{s:s, s:s, s:b}", "path", path, "type", m->type, "readOnly", m->readonly));
}

static void add_directory(GTree *found, GHashTable *mounts, const char *directory,
                          FerryResolveFunc resolve) {
  g_autofree char *path = g_canonicalize_filename(directory, "/");
  if (directory[0] != '/' || strlen(path) > MAX_PATH || !g_utf8_validate(path, -1, NULL))
    return;
  const Mount *m = mount_of(mounts, path);
  if (m && shared_mounts_is_listed(m))
    return;
  g_autofree char *real = resolve(path);
  const Mount *below = real ? mount_of(mounts, real) : NULL;
  if (!below || !g_utf8_validate(real, -1, NULL))
    return;
  shared_mounts_add(found, path, below);
  shared_mounts_add(found, real, below);
}

static gboolean shared_mounts_append(gpointer path, gpointer entry, gpointer list) {
  json_array_append(list, entry);
  return FALSE;
}

static void shared_mounts_entry_free(gpointer entry) {
  json_decref(entry);
}

json_t *ferry_shared_mounts(const char *mountinfo, const char *const *directories,
                            FerryResolveFunc resolve) {
  g_autoptr(GHashTable) mounts = read_mounts(mountinfo);
  g_autoptr(GTree) found =
      g_tree_new_full(ferry_compare_keys, NULL, g_free, shared_mounts_entry_free);
  GHashTableIter iter;
  gpointer path, m;
  g_hash_table_iter_init(&iter, mounts);
  while (g_hash_table_iter_next(&iter, &path, &m))
    if (shared_mounts_is_listed(m) && !g_str_has_prefix(path, "/proc/"))
      shared_mounts_add(found, path, m);
  for (gsize i = 0; directories && directories[i]; i++)
    add_directory(found, mounts, directories[i], resolve);
  if (g_tree_nnodes(found) > FERRY_SHARED_MOUNTS_MAX)
    return NULL;
  json_t *list = json_array();
  g_tree_foreach(found, shared_mounts_append, list);
  return list;
}

/* "/srv/nfs\t10.0.0.0/24(rw,sync)"; who may mount it and how says nothing of this machine. */
char **ferry_shared_exports(const char *etab) {
  g_autoptr(GStrvBuilder) paths = g_strv_builder_new();
  g_auto(GStrv) lines = g_strsplit(etab, "\n", FERRY_SHARED_MOUNTS_MAX);
  for (gsize i = 0; lines[i]; i++) {
    lines[i][strcspn(lines[i], " \t")] = '\0';
    if (lines[i][0] != '/')
      continue;
    g_autofree char *path = shared_mounts_unescape(lines[i]);
    g_strv_builder_add(paths, path);
  }
  return g_strv_builder_end(paths);
}

static char *resolve_real(const char *directory) {
  return realpath(directory, NULL);
}

json_t *ferry_host_local_shared_mounts(const char *const *directories) {
  g_autofree char *text = NULL;
  if (!g_file_get_contents(MOUNTINFO, &text, NULL, NULL))
    return NULL;
  g_autofree char *etab = NULL;
  if (!g_file_get_contents(ETAB, &etab, NULL, NULL))
    return ferry_shared_mounts(text, directories, resolve_real);
  g_autoptr(GStrvBuilder) all = g_strv_builder_new();
  g_auto(GStrv) exports = ferry_shared_exports(etab);
  g_strv_builder_addv(all, (const char **)exports);
  if (directories)
    g_strv_builder_addv(all, (const char **)directories);
  g_auto(GStrv) both = g_strv_builder_end(all);
  return ferry_shared_mounts(text, (const char *const *)both, resolve_real);
}
